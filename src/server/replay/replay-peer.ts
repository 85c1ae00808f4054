/** Owns one end of a connection that a recording is played on, whatever it speaks. Refuses to know the recording. */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { RecordedMessage } from '../recording/recorded-messages.js';
import { closeOf } from '../recording/recorded-messages.js';

/** What came from the other side. */
export interface CameMessage {
  readonly kind: 'text' | 'binary' | 'bytes';
  readonly data: Buffer;
}

/** One end. */
export abstract class ReplayPeer {
  /** What came, in order. */
  readonly came: CameMessage[] = [];
  /** How the other side ended; undefined while it has not. */
  ended: { readonly code: number; readonly reason: string } | undefined;
  #wakers: (() => void)[] = [];

  /** Says something of a recording. */
  abstract say(message: RecordedMessage): void;
  /** Ends in order, where that was not said. */
  abstract finish(): void;
  abstract terminate(): void;

  /** Waits until something is so. Answers whether it is; it is not when the other side ends, or after `milliseconds`. */
  async until(isSo: () => boolean, milliseconds: number, signal: AbortSignal | undefined): Promise<boolean> {
    const late = performance.now() + milliseconds;
    while (!isSo() && this.ended === undefined && signal?.aborted !== true) {
      const left = late - performance.now();
      if (left <= 0) break;
      await this.#next(left, signal);
    }
    return isSo();
  }

  protected notify(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }

  #next(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(milliseconds, 2 ** 31 - 1));
      signal?.addEventListener('abort', done, { once: true });
      this.#wakers.push(done);
    });
  }
}

/** One that speaks WebSocket. */
export class WebSocketReplayPeer extends ReplayPeer {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
      const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
      this.came.push({ kind: isBinary ? 'binary' : 'text', data: bytes });
      this.notify();
    });
    socket.on('close', (code: number, reason: Buffer) => {
      this.ended = { code, reason: reason.toString() };
      this.notify();
    });
    // What it says comes as its end, too.
    socket.on('error', () => {});
  }

  say(message: RecordedMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const { kind, data } = message;
    if (kind === 'ping') this.#socket.ping(data);
    else if (kind === 'pong') return;
    else if (kind === 'close') this.#close(message);
    else this.#socket.send(data, { binary: kind !== 'text' });
  }

  finish(): void {
    this.#socket.close();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #close(message: RecordedMessage): void {
    const { code, reason } = closeOf(message);
    if (code === 1005) this.#socket.close();
    else this.#socket.close(code, reason);
  }
}

/** One that speaks plain TCP: what came is one stream, however it was cut. */
export class TcpReplayPeer extends ReplayPeer {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (data: Buffer) => {
      const before = this.came.pop()?.data;
      this.came.push({ kind: 'bytes', data: before === undefined ? data : Buffer.concat([before, data]) });
      this.notify();
    });
    socket.on('close', (hadError: boolean) => {
      this.ended = { code: hadError ? 1006 : 1000, reason: '' };
      this.notify();
    });
    socket.on('error', () => {});
  }

  say({ data }: RecordedMessage): void {
    if (this.#socket.writable) this.#socket.write(data);
  }

  finish(): void {
    this.#socket.end();
  }

  terminate(): void {
    this.#socket.destroy();
  }
}

/**
 * Owns the connection to the relay of an inspector: it dials, comes back when it is lost, and sends what is to be shown, as fast as the
 * relay takes it. While it has no connection nothing is watched. Never keeps the process alive. Refuses to read what the relay sends.
 */
import { WebSocket } from 'ws';
import { describeError } from '../../receivers/errors.js';
import { Backoff } from '../agent/backoff.js';
import type { Frame } from './frames.js';
import type { InspectionHub } from './inspection-hub.js';
import { RelayMemory } from './relay-memory.js';
import type { Watch, WatchOptions } from './watch.js';

/** What is shown to a relay: one server. */
export interface RelaySource {
  readonly hub: InspectionHub;
  readonly options: WatchOptions & { readonly maxActors: number };
}

/** What a client of a relay is made of. */
export interface RelayClientOptions {
  readonly url: URL;
  readonly sources: readonly RelaySource[];
  /** Why it must not be dialled now; undefined to dial. */
  refusal(): string | undefined;
  /** Must not throw. */
  connected(): void;
  /** It is lost, or cannot be had; told once until it is there again. Must not throw. */
  disconnected(reason: string): void;
}

/** Bytes that wait to be sent, at most, but for one frame. */
const MAX_BUFFERED = 262_144;
/** Milliseconds. */
const BACKOFF = { initial: 500, max: 15_000 };
const HANDSHAKE_TIMEOUT = 5000;
const CLOSE_TIMEOUT = 1000;

/** The connection to one relay. */
export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #backoff = new Backoff(BACKOFF);
  #socket: WebSocket | undefined;
  #watches: Watch[] = [];
  #memory: RelayMemory | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #isTold = false;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.#dial();
  }

  get isConnected(): boolean {
    return this.#memory !== undefined;
  }

  /** Resolves when nothing is left of it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#leave();
    if (socket === undefined) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT);
    if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
    else socket.close(1000);
    await closed;
    clearTimeout(timer);
  }

  #dial(): void {
    const refusal = this.#options.refusal();
    if (refusal !== undefined) {
      this.#lost(refusal);
      return;
    }
    const socket = new WebSocket(this.#options.url, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      followRedirects: false,
      skipUTF8Validation: true,
    });
    this.#socket = socket;
    let reason = 'the relay closed the connection';
    socket.on('upgrade', (response) => void response.socket.unref());
    socket.on('open', () => this.#opened(socket));
    // What other programs send by the same relay comes here, too; it is not looked at.
    socket.on('message', () => {});
    socket.on('error', (error) => {
      reason = describeError(error);
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#lost(reason);
    });
  }

  #opened(socket: WebSocket): void {
    if (this.#isStopped) return;
    this.#backoff.reset();
    this.#isTold = false;
    const { sources } = this.#options;
    try {
      for (const { hub, options } of sources) this.#watches.push(hub.watch(options));
    } catch (error) {
      this.#leave();
      socket.terminate();
      this.#lost(describeError(error));
      return;
    }
    const maxActors = sources.reduce((sum, { options }) => sum + options.maxActors, 0);
    this.#memory = new RelayMemory(maxActors, (sessionId) => this.#watches.some((watch) => watch.shows(sessionId)));
    for (const watch of this.#watches) watch.onReady = () => this.#pump();
    this.#options.connected();
    this.#pump();
  }

  /** Comes back later. */
  #lost(reason: string): void {
    this.#leave();
    if (this.#isStopped) return;
    if (!this.#isTold) this.#options.disconnected(reason);
    this.#isTold = true;
    this.#timer = setTimeout(() => this.#dial(), this.#backoff.next()).unref();
  }

  #leave(): void {
    this.#socket = undefined;
    this.#memory = undefined;
    const watches = this.#watches;
    this.#watches = [];
    for (const [index, watch] of watches.entries()) {
      watch.onReady = () => {};
      this.#options.sources[index]?.hub.leave(watch);
    }
  }

  #pump(): void {
    const socket = this.#socket;
    const memory = this.#memory;
    if (socket === undefined || memory === undefined) return;
    while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MAX_BUFFERED) {
      const frame = memory.due() ?? this.#take();
      if (frame === undefined) return;
      memory.sent(frame);
      const text = JSON.stringify(frame);
      // Whoever fills it waits until that is written.
      if (socket.bufferedAmount + text.length < MAX_BUFFERED) socket.send(text);
      else socket.send(text, () => this.#pump());
    }
  }

  #take(): Frame | undefined {
    for (const watch of this.#watches) {
      for (let frame = watch.take(); frame !== undefined; frame = watch.take()) {
        // It would take the place of one that a page can use.
        if (frame.type !== '@tidegate.notice') return frame;
      }
    }
    return undefined;
  }
}

/**
 * Owns one end of a byte connection (TCP, TLS or a Unix socket) as a test holds it: reads that wait, and how the other
 * side ended it. Refuses to know what the bytes mean, and to answer anything by itself.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { WaitingLine, waitForEvent } from './events.js';

/** How the other side ended a connection: in order (FIN), or by a reset or another error. */
export type SocketEnding = 'fin' | 'reset';

/** Where and how to connect. */
export interface DialOptions {
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** A Unix socket instead of host and port. */
  readonly socketPath?: string;
  /** The address to come from, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** TLS options; `true` accepts any certificate and asks for the name `localhost`. */
  readonly tls?: true | ConnectionOptions;
  /** Whether a FIN of the other side is left unanswered. Default true for bytes, false for WebSocket clients. */
  readonly allowHalfOpen?: boolean;
}

/** One end of a connection. What arrives is kept until it is read. */
export class TcpConnection {
  /** The socket that carries the bytes: a TLS socket over TLS. */
  readonly socket: Socket | TLSSocket;
  /** Everything that ever arrived, in bytes. */
  bytesReceived = 0;
  /** The error that ended the connection, if one did. */
  error: Error | undefined;

  readonly #transport: Socket;
  readonly #reads = new WaitingLine();
  readonly #endings = new WaitingLine();
  readonly #drains = new WaitingLine();
  #chunks: Buffer[] = [];
  #held = 0;
  #sink: ((chunk: Buffer) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #ended: SocketEnding | 'destroyed' | undefined;

  /** @param transport the socket under TLS, which is the one that can be reset. */
  constructor(socket: Socket | TLSSocket, transport: Socket = socket, options: { readonly paused?: boolean } = {}) {
    this.socket = socket;
    this.#transport = transport;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    if (options.paused === true) socket.pause();
    socket.on('end', () => this.#finish('fin'));
    socket.on('error', (error) => this.#fail(error));
    if (transport !== socket) transport.on('error', (error) => this.#fail(error));
    socket.on('drain', () => this.#drains.notify());
    socket.on('close', () => this.#finish('destroyed'));
  }

  /** How the connection ended; `destroyed` when this side cut it; undefined while nothing is known of an end. */
  get ended(): SocketEnding | 'destroyed' | undefined {
    return this.#ended;
  }

  /** Bytes that arrived and were not read. */
  get unread(): number {
    return this.#held;
  }

  /** Reads exactly that many bytes; rejects when the connection ends before. */
  read(bytes: number): Promise<Buffer> {
    return this.#reads.until(
      () => (this.#held >= bytes ? this.#cut(bytes) : undefined),
      () => this.failure(`${bytes} bytes came`),
    );
  }

  /** Reads up to and including a marker, such as an empty line. */
  readUntil(marker: string): Promise<Buffer> {
    return this.#reads.until(
      () => {
        const at = this.#joined().indexOf(marker);
        return at < 0 ? undefined : this.#cut(at + Buffer.byteLength(marker));
      },
      () => this.failure(`${JSON.stringify(marker)} came`),
    );
  }

  /** Reads everything until the other side's FIN; rejects when the connection breaks instead. */
  readAll(): Promise<Buffer> {
    return this.#reads.until(
      () => (this.#ended === 'fin' ? this.#cut(this.#held) : undefined),
      () => this.failure('it was ended in order'),
    );
  }

  /** Gives every further byte, and those that wait, to a function instead of keeping them. */
  deliverTo(sink: (chunk: Buffer) => void, onEnd?: () => void): void {
    this.#sink = sink;
    this.#onEnd = onEnd;
    if (this.#held > 0) sink(this.#cut(this.#held));
    if (this.#ended !== undefined) onEnd?.();
  }

  /** From here on bytes are counted in `bytesReceived` and thrown away. */
  discard(): void {
    this.deliverTo(() => {}, this.#onEnd);
  }

  /** Writes; false when the socket asks to wait for `drained`. */
  write(bytes: string | Uint8Array): boolean {
    return this.socket.write(bytes);
  }

  /** Resolves when everything written is with the operating system; rejects when the connection ends before. */
  drained(): Promise<void> {
    // A write smaller than the high water mark raises no `drain`: an empty write is called back behind it.
    if (this.socket.writableLength > 0) this.socket.write('', () => this.#drains.notify());
    return this.#drains
      .until(
        () => (this.socket.writableLength === 0 ? true : undefined),
        () => (this.#ended === 'fin' ? undefined : this.failure('everything was written')),
      )
      .then(() => undefined);
  }

  /** Sends a FIN after what was written. */
  end(bytes?: string | Uint8Array): void {
    if (bytes === undefined) this.socket.end();
    else this.socket.end(bytes);
  }

  /** Sends an RST now; on a Unix socket, which has none, it cuts the connection. */
  reset(): void {
    // `resetAndDestroy` throws for handles that are not TCP, such as a pipe or TLS.
    if (this.#transport.remoteFamily === undefined) this.socket.destroy();
    else this.#transport.resetAndDestroy();
    if (this.#transport !== this.socket) this.socket.destroy();
  }

  /** Cuts the connection: a FIN when everything was read, an RST by the operating system otherwise. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Stops reading: the other side is slowed down, and its end is not seen until `resumeReading`. */
  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  /** Resolves when the other side ended the connection, with how. Unread bytes do not matter. Rejects when this side cut it. */
  waitForEnd(): Promise<SocketEnding> {
    return this.#endings.until(
      () => (this.#ended === 'destroyed' ? undefined : this.#ended),
      () => this.failure('the other side ended it'),
    );
  }

  /** Resolves when the descriptor is gone. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await waitForEvent(this.socket, 'close').catch(() => {});
  }

  /** The error for whoever waits for something that cannot come any more; undefined while it can. */
  failure(awaited: string): Error | undefined {
    if (this.#ended === undefined) return undefined;
    const how = {
      fin: 'the other side ended the connection',
      reset: 'the connection was reset',
      destroyed: 'this side cut the connection',
    }[this.#ended];
    const error = this.error === undefined ? '' : ` (${this.error.message})`;
    const held = this.#held === 0 ? '' : `; unread: ${JSON.stringify(this.#joined().toString('latin1', 0, 200))}`;
    return new Error(`${how}${error} before ${awaited}${held}`);
  }

  #take(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    if (this.#sink !== undefined) {
      this.#sink(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#reads.notify();
  }

  #fail(error: Error): void {
    this.error ??= error;
    this.#finish('reset');
  }

  #finish(how: SocketEnding | 'destroyed'): void {
    if (this.#ended === undefined) {
      this.#ended = how;
      this.#reads.notify();
      this.#endings.notify();
      this.#onEnd?.();
    }
    if (this.socket.destroyed) this.#drains.notify();
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #cut(bytes: number): Buffer {
    const all = this.#joined();
    this.#chunks = [all.subarray(bytes)];
    this.#held -= bytes;
    return all.subarray(0, bytes);
  }
}

/** Connects, and resolves when the connection (and TLS over it) stands. */
export async function connectTcp(options: DialOptions): Promise<TcpConnection> {
  const { allowHalfOpen = true, host = '127.0.0.1', port, localAddress } = options;
  if (port === undefined && options.socketPath === undefined)
    throw new Error('connectTcp needs a port or a socketPath');
  const transport =
    options.socketPath === undefined
      ? connectSocket({ host, port: port ?? 0, localAddress, allowHalfOpen })
      : connectSocket({ path: options.socketPath, allowHalfOpen });
  transport.setNoDelay(true);
  if (options.tls === undefined) {
    const connection = new TcpConnection(transport);
    await waitForEvent(transport, 'connect');
    return connection;
  }
  const settings = options.tls === true ? { rejectUnauthorized: false, servername: 'localhost' } : options.tls;
  const secure = connectTls({ ...settings, socket: transport });
  const connection = new TcpConnection(secure, transport);
  await waitForEvent(secure, 'secureConnect').catch((error: unknown) => {
    transport.destroy();
    throw error;
  });
  return connection;
}

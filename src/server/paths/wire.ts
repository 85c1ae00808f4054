/**
 * Owns the socket layer: bytes in, bytes out, and when each may go on. Everything above it sees a socket only through
 * this interface, so that the layer can be replaced. Refuses to know frames.
 */
import type { Socket } from 'node:net';

/** Who reads a wire. */
export interface WireReader {
  /** The next bytes. They may be changed in place and handed to `Wire.write`, and are not to be kept otherwise. */
  onBytes(chunk: Buffer): void;
  /** The peer ended its direction (FIN). */
  onEnd(): void;
  /** A write that said "wait" is done: more may follow. */
  onDrain(): void;
  /** The wire is gone, both directions. Called once, and last. */
  onClosed(error: Error | undefined): void;
}

/** One socket. */
export interface Wire {
  /** Whoever is attached last is told everything from then on. */
  attach(reader: WireReader): void;
  read(): void;
  stopReading(): void;
  /** Gives bytes back, to be read again before anything else. */
  unread(bytes: Buffer): void;
  /** Writes, and answers whether more may follow now; if not, `onDrain` tells when. */
  write(bytes: Buffer): boolean;
  /** Gathers the writes until `uncork` into one system call. */
  cork(): void;
  uncork(): void;
  /** Ends our direction (FIN) when everything is written. */
  end(): void;
  /** Cuts both directions now. */
  terminate(): void;
  /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
  probe(): void;
  /** Bytes written and not with the operating system yet. */
  readonly bufferedBytes: number;
  readonly bytesRead: number;
  readonly closed: boolean;
}

const NOTHING = Buffer.alloc(0);

/** While corked, writes up to this size are copied together: one write of one buffer costs less than one of many. */
const GATHER_BYTES = 4096;
/** And this many bytes of them at a time. */
const MAX_GATHERED_BYTES = 64 * 1024;

/** A wire on a `net.Socket` or `tls.TLSSocket`, with public Node.js APIs only. */
export class SocketWire implements Wire {
  readonly #socket: Socket;
  #reader: WireReader | undefined;
  #unread: Buffer[] = [];
  #reading = false;
  #ended = false;
  #error: Error | undefined;
  #closed = false;
  #bytesRead = 0;
  #lost = 0;
  /** How often `cork` was called without its `uncork`. */
  #corks = 0;
  #socketCorked = false;
  readonly #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.pause();
    socket.on('end', () => {
      this.#ended = true;
      this.#reader?.onEnd();
    });
    socket.on('drain', () => this.#reader?.onDrain());
    socket.on('error', (error) => {
      this.#error = error;
      this.#lost = socket.writableLength + this.#gatheredBytes;
    });
    socket.on('close', () => this.#onClose());
    if (socket.destroyed) queueMicrotask(() => this.#onClose());
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? this.#lost : this.#socket.writableLength + this.#gatheredBytes;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  attach(reader: WireReader): void {
    this.#reader = reader;
  }

  read(): void {
    this.#reading = true;
    while (this.#reading && this.#unread.length > 0) {
      const bytes = this.#unread.shift();
      if (bytes !== undefined) this.#reader?.onBytes(bytes);
    }
    if (this.#reading) this.#socket.resume();
  }

  stopReading(): void {
    this.#reading = false;
    this.#socket.pause();
  }

  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#unread.push(bytes);
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    // Node.js would report a write after the end as an error of the socket.
    if (socket.destroyed || socket.writableEnded) return true;
    if (this.#corks === 0) return socket.write(bytes);
    if (bytes.length > GATHER_BYTES || this.#gatheredBytes > MAX_GATHERED_BYTES) {
      if (!this.#socketCorked) socket.cork();
      this.#socketCorked = true;
      this.#flush();
      return socket.write(bytes);
    }
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    return socket.writableLength + this.#gatheredBytes < socket.writableHighWaterMark;
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): void {
    this.#corks -= 1;
    if (this.#corks > 0) return;
    this.#flush();
    if (this.#socketCorked) this.#socket.uncork();
    this.#socketCorked = false;
  }

  end(): void {
    this.#flush();
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.end();
    // Without a reader the peer's FIN would never be seen, and the socket never closed.
    if (!this.#ended) this.read();
  }

  terminate(): void {
    if (this.#socket.destroyed) return;
    this.#lost = this.bufferedBytes;
    this.#socket.destroy();
  }

  probe(): void {
    // A paused socket is not polled, so a reset goes unnoticed; an empty write meets the socket's pending error.
    if (!this.#socket.destroyed && !this.#socket.writableEnded && this.#socket.writableLength === 0) {
      this.#socket.write(NOTHING);
    }
  }

  /** Writes what was gathered. */
  #flush(): void {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    const bytes = gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered, this.#gatheredBytes);
    gathered.length = 0;
    this.#gatheredBytes = 0;
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(bytes);
  }

  #onData(chunk: Buffer): void {
    this.#bytesRead += chunk.length;
    if (this.#reading) this.#reader?.onBytes(chunk);
    else this.#unread.push(chunk);
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader?.onClosed(this.#error);
  }
}

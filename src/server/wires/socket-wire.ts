/**
 * Owns the portable wire: a `net.Socket` or `tls.TLSSocket`, by public Node.js APIs only. Refuses to know how the socket came
 * to be.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { plainAddress } from './plain-address.js';
import { copyIfShared } from './read-buffer.js';
import type { Wire, WireAddresses, WireReader } from './wire.js';

const NOTHING = Buffer.alloc(0);

/** While corked, writes up to this size are copied together: one write of one buffer costs less than one of many. */
const GATHER_BYTES = 4096;
/** And this many bytes of them at a time. */
const MAX_GATHERED_BYTES = 64 * 1024;

/** A wire on a `net.Socket` or `tls.TLSSocket`, with public Node.js APIs only. */
export class SocketWire implements Wire {
  readonly addresses: WireAddresses;
  readonly tls: TLSSocket | undefined;
  readonly #socket: Socket;
  readonly #highWaterMark: number;
  readonly #gone: ((wire: Wire) => void) | undefined;
  #reader: WireReader | undefined;
  #unread: Buffer[] = [];
  #reading = false;
  #ended = false;
  /** The peer's end came while nobody was reading. */
  #endUntold = false;
  #error: Error | undefined;
  #closed = false;
  #bytesRead = 0;
  #lost = 0;
  /** How often `cork` was called without its `uncork`. */
  #corks = 0;
  #socketCorked = false;
  readonly #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  /**
   * @param highWaterMark bytes that may wait in the socket before "wait" is answered: a TLS socket of a server has a mark of its
   * own, of 16 KiB, which makes every larger write wait.
   * @param gone called when the wire is closed, after its reader.
   */
  constructor(socket: Socket, highWaterMark: number, gone?: (wire: Wire) => void) {
    this.#highWaterMark = highWaterMark;
    this.#socket = socket;
    this.#gone = gone;
    this.tls = socket instanceof TLSSocket ? socket : undefined;
    this.addresses = {
      remoteAddress: plainAddress(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      localAddress: plainAddress(socket.localAddress),
      localPort: socket.localPort ?? 0,
    };
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.pause();
    socket.on('end', () => {
      this.#ended = true;
      // Node.js tells the end of a paused stream too, if nothing is left in its buffer.
      if (this.#reading) this.#reader?.onEnd();
      else this.#endUntold = true;
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
    if (!this.#reading) return;
    if (this.#endUntold) {
      this.#endUntold = false;
      this.#reader?.onEnd();
    } else {
      this.#socket.resume();
    }
  }

  stopReading(): void {
    this.#reading = false;
    this.#socket.pause();
  }

  watch(): void {
    this.stopReading();
    // A paused stream reads on until its buffer is full, if it ever began.
    this.#socket.read(0);
  }

  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#unread.push(bytes);
  }

  write(all: Buffer, start = 0, end = all.length): boolean {
    const socket = this.#socket;
    // Node.js would report a write after the end as an error of the socket.
    if (socket.destroyed || socket.writableEnded) return true;
    // A stream may keep them longer than the wire they came from does.
    const bytes = copyIfShared(end - start === all.length ? all : all.subarray(start, end));
    if (this.#corks > 0 && bytes.length <= GATHER_BYTES && this.#gatheredBytes <= MAX_GATHERED_BYTES) {
      this.#gathered.push(bytes);
      this.#gatheredBytes += bytes.length;
      return this.#hasRoom;
    }
    if (this.#corks > 0) {
      if (!this.#socketCorked) socket.cork();
      this.#socketCorked = true;
    }
    this.#flush();
    socket.write(bytes);
    return this.#hasRoom;
  }

  /** Never "wait" by a count alone: only behind a write that the stream itself answered so comes a drain. */
  get #hasRoom(): boolean {
    return !this.#socket.writableNeedDrain || this.bufferedBytes < this.#highWaterMark;
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): boolean {
    const socket = this.#socket;
    this.#corks -= 1;
    if (this.#corks === 0) {
      this.#flush();
      if (this.#socketCorked) socket.uncork();
      this.#socketCorked = false;
    }
    return socket.destroyed || socket.writableEnded || this.#hasRoom;
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
    this.#reading = false;
    this.#unread = [];
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
    this.#gone?.(this);
  }
}

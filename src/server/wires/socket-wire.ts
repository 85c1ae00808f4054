/**
 * Owns the portable wire: a `net.Socket` or `tls.TLSSocket`, by public Node.js APIs. With a tap it reads into shared memory,
 * without one it is given the chunks of the stream. Refuses to know how the socket came to be.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { plainIpAddress } from '../../protocol/ip-address.js';
import type { Pass } from '../admission/pass.js';
import { Gatherer } from './gatherer.js';
import { Incoming } from './incoming.js';
import { isShared } from './read-buffer.js';
import type { SocketTap, TapReader } from './socket-tap.js';
import type { AcceptedWire, Wire, WireAddresses } from './wire.js';
import { WriteBuffer } from './write-buffer.js';

const NOTHING = Buffer.alloc(0);

/** A TLS socket keeps what it is given for a turn: from this size on it is copied into memory that serves again. */
const TLS_COPY_BYTES = 4096;

/** A wire on a `net.Socket` or `tls.TLSSocket`, with public Node.js APIs only. */
export class SocketWire extends Incoming implements AcceptedWire, TapReader {
  before: Wire | undefined;
  behind: Wire | undefined;
  pass: Pass | undefined;
  readonly addresses: WireAddresses;
  readonly tls: TLSSocket | undefined;
  readonly #socket: Socket;
  readonly #tapped: boolean;
  readonly #highWaterMark: number;
  readonly #gone: ((wire: AcceptedWire) => void) | undefined;
  #ended = false;
  #error: Error | undefined;
  #closed = false;
  #bytesRead = 0;
  #lost = 0;
  /** The socket is somebody else's. */
  #released = false;
  /** How often `cork` was called without its `uncork`. */
  #corks = 0;
  #gatherer: Gatherer | undefined;
  /** The system has not taken everything: `onDrain` will be told. */
  #pending = false;
  /** Where the bytes lie that it has not taken. */
  #pinned: WriteBuffer | undefined;
  /** Where the bytes lie that a TLS socket keeps, in the order in which it was given them. */
  #kept: WriteBuffer[] | undefined;
  readonly #onKept = (): void => this.#kept?.shift()?.unpin();
  readonly #onSent = (error?: Error | null): void => this.#sent(error ?? undefined);

  /**
   * @param highWaterMark bytes that may wait in a TLS socket before "wait" is answered.
   * @param gone called when the wire is closed, after its reader.
   * @param tap what the socket was made with, if it was.
   */
  constructor(socket: Socket, highWaterMark: number, gone?: (wire: AcceptedWire) => void, tap?: SocketTap) {
    super();
    this.#highWaterMark = highWaterMark;
    this.#socket = socket;
    this.#gone = gone;
    this.#tapped = tap !== undefined;
    this.tls = socket instanceof TLSSocket ? socket : undefined;
    this.addresses = {
      remoteAddress: plainIpAddress(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      localAddress: plainIpAddress(socket.localAddress),
      localPort: socket.localPort ?? 0,
    };
    if (tap === undefined) socket.on('data', (chunk: Buffer) => this.onTapped(chunk));
    else for (const bytes of tap.connect(this)) this.onTapped(bytes);
    socket.pause();
    socket.on('end', () => {
      if (this.#released) return;
      this.#ended = true;
      // Node.js tells the end of a paused stream too, if nothing is left in its buffer.
      this.cameToEnd();
    });
    if (this.tls !== undefined) socket.on('drain', () => this.reader?.onDrain());
    socket.on('error', (error) => {
      if (this.#released) return;
      this.#error = error;
      this.#lost = socket.writableLength + (this.#gatherer?.size ?? 0);
    });
    socket.on('close', () => this.#onClose());
    if (socket.destroyed) queueMicrotask(() => this.#onClose());
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? this.#lost : this.#socket.writableLength + (this.#gatherer?.size ?? 0);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get closed(): boolean {
    return this.#closed || this.#released || this.#socket.destroyed;
  }

  stopReading(): void {
    this.reading = false;
    this.#socket.pause();
  }

  watch(): void {
    this.reading = false;
    if (!this.#tapped) this.#socket.pause();
    // A paused stream reads on until its buffer is full, if it ever began; a tapped one until it is told to stop.
    if (!this.#tapped || !this.keeps) this.#socket.read(0);
  }

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    const socket = this.#socket;
    // Node.js would report a write after the end as an error of the socket.
    if (socket.destroyed || socket.writableEnded) return true;
    if (this.#corks > 0) this.#gather(bytes, start, end);
    else this.#send(undefined, bytes, start, end);
    return this.#hasRoom;
  }

  get #hasRoom(): boolean {
    if (this.tls === undefined) return !this.#pending;
    // Never "wait" by a count alone: only behind a write that the stream itself answered so comes a drain.
    return !this.#socket.writableNeedDrain || this.bufferedBytes < this.#highWaterMark;
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): boolean {
    this.#corks -= 1;
    if (this.#corks === 0) this.#flush();
    return this.#socket.destroyed || this.#socket.writableEnded || this.#hasRoom;
  }

  end(): void {
    this.#flush();
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.end();
    // Without a reader the peer's FIN would never be seen, and the socket never closed.
    if (!this.#ended) this.read();
  }

  terminate(): void {
    if (this.#socket.destroyed || this.#released) return;
    this.#lost = this.bufferedBytes;
    this.forget();
    this.#gatherer?.giveBack();
    this.#gatherer = undefined;
    this.#socket.destroy();
  }

  release(): Socket | undefined {
    if (this.closed || this.#ended) return undefined;
    const unread = this.takeUnread();
    this.forget();
    this.#released = true;
    this.#socket.pause();
    for (const bytes of [...unread].reverse()) this.#socket.unshift(bytes);
    this.#gone?.(this);
    return this.#socket;
  }

  probe(): void {
    // A TLS socket decrypts what it has within an empty write, into the memory of the bytes that are just handed on. And who is read is
    // not to be probed.
    if (this.handing) return;
    // A paused socket is not polled, so a reset goes unnoticed; an empty write meets the socket's pending error.
    if (!this.#socket.destroyed && !this.#socket.writableEnded && this.#socket.writableLength === 0) {
      this.#socket.write(NOTHING);
    }
  }

  /** The socket read something. */
  onTapped(bytes: Buffer): boolean {
    if (this.#released) return false;
    this.#bytesRead += bytes.length;
    return this.came(bytes);
  }

  protected readSocket(): void {
    if (this.#tapped) this.#socket.read(0);
    else this.#socket.resume();
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    if (this.#gatherer?.add(bytes, start, end)) return;
    this.#flush();
    this.#gatherer = Gatherer.get();
    this.#gatherer.add(bytes, start, end);
  }

  /** Writes what was gathered. */
  #flush(): void {
    const gatherer = this.#gatherer;
    if (gatherer === undefined || this.#socket.writableEnded) return;
    this.#gatherer = undefined;
    gatherer.copyRun();
    this.#send(gatherer, gatherer.run, gatherer.runStart, gatherer.runEnd);
    gatherer.giveBack();
  }

  /** Writes these bytes behind those that were copied to a gatherer. */
  #send(gatherer: Gatherer | undefined, bytes: Buffer, start: number, end: number): void {
    const socket = this.#socket;
    const gathered = gatherer?.length ?? 0;
    const shared = end === start || isShared(bytes);
    const length = gathered + end - start;
    // While something is before it a stream keeps what it is given.
    const keeps = this.tls === undefined ? this.#pending : length < TLS_COPY_BYTES;
    const memory = keeps || !shared ? undefined : WriteBuffer.for(length);
    if (memory !== undefined) {
      if (gatherer !== undefined) memory.add(gatherer.bytes, 0, gathered);
      if (end > start) memory.add(bytes, start, end);
      this.#sendCopy(memory, length);
    } else {
      if (gatherer !== undefined) socket.cork();
      if (gatherer !== undefined && gathered > 0) socket.write(Buffer.from(gatherer.bytes.subarray(0, gathered)));
      const part = end - start === bytes.length ? bytes : bytes.subarray(start, end);
      if (end > start) socket.write(shared ? Buffer.from(part) : part);
      if (gatherer !== undefined) socket.uncork();
    }
    this.#settle();
  }

  #sendCopy(memory: WriteBuffer, length: number): void {
    const bytes = memory.take();
    if (this.tls !== undefined) {
      memory.pin(length);
      this.#kept ??= [];
      this.#kept.push(memory);
      this.#socket.write(bytes, this.#onKept);
      return;
    }
    this.#socket.write(bytes);
    if (this.#socket.writableLength === 0) return;
    memory.pin(length);
    this.#pinned = memory;
  }

  /** Waits if the system has not taken everything. */
  #settle(): void {
    const socket = this.#socket;
    if (this.#pending || this.tls !== undefined || socket.writableLength === 0) return;
    this.#pending = true;
    // A drain is told for more than the high water mark only. What is behind everything is told in any case.
    socket.write(NOTHING, this.#onSent);
  }

  #sent(error: Error | undefined): void {
    this.#pending = false;
    this.#pinned?.unpin();
    this.#pinned = undefined;
    if (error !== undefined || this.#socket.destroyed) return;
    if (!this.#socket.writableEnded) this.#settle();
    if (!this.#pending) this.reader?.onDrain();
  }

  #onClose(): void {
    if (this.#closed || this.#released) return;
    this.#closed = true;
    this.reader?.onClosed(this.#error);
    this.#gone?.(this);
  }
}

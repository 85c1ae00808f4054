/**
 * Owns the fast wire: a bare socket handle, read into one buffer that all of these wires share, written at once and without
 * streams. Refuses to queue while the peer keeps up: what cannot be written now is copied, handed to the system, and "wait" is
 * answered until it is gone.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Pass } from '../admission/pass.js';
import { SMALL_READ, shareOf } from './fair-share.js';
import { Gatherer } from './gatherer.js';
import { addressesOf, type Handles, type StreamHandle, streamOn, type WriteRequest } from './handles.js';
import { SMALL_BYTES, writeByDescriptor, writeSmall } from './immediate-writes.js';
import { Incoming } from './incoming.js';
import { kept, READ_BUFFER, viewOf } from './read-buffer.js';
import { systemError } from './system-error.js';
import type { AcceptedWire, Wire, WireAddresses } from './wire.js';

const NOTHING = Buffer.alloc(0);
const END_OF_FILE = -4095;

/** The wire of each handle. A symbol and not a map: it is looked up for every read. */
const WIRE = Symbol('wire');

interface OwnedHandle extends StreamHandle {
  [WIRE]: HandleWire;
}

/** A wire on a bare handle. */
export class HandleWire extends Incoming implements AcceptedWire {
  before: Wire | undefined;
  behind: Wire | undefined;
  pass: Pass | undefined;
  readonly tls = undefined;
  #addresses: WireAddresses | undefined;
  readonly #handles: Handles;
  readonly #handle: OwnedHandle;
  readonly #gone: ((wire: AcceptedWire) => void) | undefined;
  /** -1 once the handle is closed: the number may belong to another socket then. */
  #descriptor: number;
  #handleReads = false;
  /** It reads little at a time: what it reads takes long to pass on. */
  #readsLittle = false;
  #bytesRead = 0;
  #corks = 0;
  #gatherer: Gatherer | undefined;
  /** The write that the system has not finished. */
  #pending: WriteRequest | undefined;
  /** What came while a write was pending, in order. */
  #waiting: Buffer[] | undefined;
  #waitingBytes = 0;
  #ended = false;
  #endWritten = false;
  #peerEnded = false;
  #closed = false;
  #lost = 0;
  #error: Error | undefined;

  /** @param gone called when the wire is closed, after its reader. */
  constructor(handles: Handles, handle: StreamHandle, gone?: (wire: AcceptedWire) => void) {
    super();
    const owned = handle as OwnedHandle;
    owned[WIRE] = this;
    owned.onread = onRead;
    owned.useUserBuffer(READ_BUFFER);
    this.#handles = handles;
    this.#handle = owned;
    this.#gone = gone;
    this.#descriptor = handle.fd;
  }

  get addresses(): WireAddresses {
    this.#addresses ??= addressesOf(this.#handle);
    return this.#addresses;
  }

  get bufferedBytes(): number {
    if (this.#closed) return this.#lost;
    const pending = this.#pending === undefined ? 0 : this.#handle.writeQueueSize;
    return pending + this.#waitingBytes + (this.#gatherer?.size ?? 0);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get closed(): boolean {
    return this.#closed;
  }

  stopReading(): void {
    this.reading = false;
    this.#stopHandle();
  }

  watch(): void {
    this.reading = false;
    if (this.keeps) this.#stopHandle();
    else this.#startHandle();
  }

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    if (this.#closed || this.#ended) return true;
    if (this.#corks > 0) this.#gather(bytes, start, end);
    else this.#send(bytes, start, end);
    return this.#pending === undefined;
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): boolean {
    this.#corks -= 1;
    if (this.#corks === 0) this.#flush();
    return this.#closed || this.#ended || this.#pending === undefined;
  }

  end(): void {
    if (this.#closed || this.#ended) return;
    this.#flush();
    this.#ended = true;
    if (this.#waiting === undefined) this.#shutDown();
    // Without a reader the peer's FIN would never be seen, and the socket never closed.
    if (!this.#peerEnded) this.read();
  }

  terminate(): void {
    if (this.#closed) return;
    this.#lost = this.bufferedBytes;
    this.#closed = true;
    this.forget();
    this.#descriptor = -1;
    this.#gatherer?.giveBack();
    this.#gatherer = undefined;
    this.#handle.close(() => {
      this.reader?.onClosed(this.#error);
      this.#gone?.(this);
    });
  }

  release(): Socket | undefined {
    if (this.#closed || this.#peerEnded) return undefined;
    const unread = this.takeUnread();
    this.#stopHandle();
    this.forget();
    this.#closed = true;
    this.#descriptor = -1;
    const socket = streamOn(this.#handle, unread);
    this.#gone?.(this);
    return socket;
  }

  probe(): void {
    if (this.#closed || this.#ended || this.#pending !== undefined) return;
    // A socket that is not read is not polled, so a reset goes unnoticed; an empty write meets the socket's pending error.
    const failed = this.#handle.writeBuffer(this.#handles.createWriteRequest(), NOTHING);
    if (failed < 0) this.#fail(systemError(failed, 'write'));
  }

  /** The handle read into the shared buffer, met the end, or failed. */
  onHandleRead(): void {
    const count = this.#handles.lastRead();
    if (this.#closed || count === 0) return;
    if (count > 0) {
      this.#bytesRead += count;
      const begun = count >= SMALL_READ.length ? performance.now() : 0;
      // Watching came upon bytes: they wait for `read`, and what is behind them waits in the system.
      if (!this.came(viewOf(count))) this.#stopHandle();
      else if (begun > 0 && !this.#closed) this.#share(performance.now() - begun);
      return;
    }
    this.#handleReads = false;
    if (count !== END_OF_FILE) {
      this.#fail(systemError(count, 'read'));
      return;
    }
    this.#peerEnded = true;
    this.cameToEnd();
  }

  protected override tellEnd(): void {
    super.tellEnd();
    if (this.#endWritten) this.terminate();
  }

  protected readSocket(): void {
    this.#startHandle();
  }

  /** It read much, and perhaps there is more: others may come first. */
  #share(milliseconds: number): void {
    const { little, yields } = shareOf(this.#descriptor, milliseconds, this.#readsLittle);
    if (little !== this.#readsLittle) {
      this.#readsLittle = little;
      this.#handle.useUserBuffer(little ? SMALL_READ : READ_BUFFER);
    }
    if (!yields || !this.#handleReads) return;
    this.#stopHandle();
    setImmediate(() => {
      if (this.reading && !this.keeps) this.#startHandle();
    });
  }

  #startHandle(): void {
    if (this.#handleReads || this.#closed || this.#peerEnded) return;
    this.#handleReads = true;
    this.#handle.readStart();
  }

  #stopHandle(): void {
    if (!this.#handleReads) return;
    this.#handleReads = false;
    if (!this.#closed) this.#handle.readStop();
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
    if (gatherer === undefined) return;
    this.#gatherer = undefined;
    if (gatherer.length > 0) {
      gatherer.copyRun();
      this.#send(gatherer.bytes, 0, gatherer.length, true);
    }
    if (gatherer.runEnd > gatherer.runStart && !this.#closed) {
      this.#send(gatherer.run, gatherer.runStart, gatherer.runEnd);
    }
    gatherer.giveBack();
  }

  /** @param reused whether these bytes will soon be others. */
  #send(bytes: Buffer, start: number, end: number, reused = false): void {
    if (this.#pending !== undefined) {
      this.#wait(kept(bytes, start, end, reused));
      return;
    }
    if (end - start <= SMALL_BYTES) {
      const outcome = writeSmall(this.#handles, this.#handle, bytes, start, end);
      if (typeof outcome !== 'number') this.#await(outcome);
      else if (outcome < 0) this.#fail(systemError(outcome, 'write'));
      return;
    }
    try {
      const sent = writeByDescriptor(this.#descriptor, bytes, start, end);
      if (sent < end - start) this.#sendLater(kept(bytes, start + sent, end, reused));
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #wait(bytes: Buffer): void {
    this.#waiting ??= [];
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Leaves bytes that stay as they are to the system. */
  #sendLater(bytes: Buffer): void {
    const request = this.#handles.createWriteRequest();
    request.bytes = bytes;
    const failed = this.#handle.writeBuffer(request, bytes);
    if (failed < 0) this.#fail(systemError(failed, 'write'));
    // There may be room again already.
    else if (this.#handles.lastWriteWasAsync()) this.#await(request);
  }

  #await(request: WriteRequest): void {
    request.oncomplete = (status) => this.#sent(status);
    this.#pending = request;
  }

  #sent(status: number): void {
    this.#pending = undefined;
    if (this.#closed) return;
    if (status < 0) {
      this.#fail(systemError(status, 'write'));
      return;
    }
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      this.#waitingBytes = 0;
      this.#sendLater(waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting));
      if (this.#ended) this.#shutDown();
      if (this.#pending !== undefined) return;
    }
    this.reader?.onDrain();
  }

  /** The system sends the FIN behind what is pending. */
  #shutDown(): void {
    if (this.#closed) return;
    const request = this.#handles.createShutdownRequest();
    request.oncomplete = () => this.#shut();
    if (this.#handle.shutdown(request) < 0) this.terminate();
  }

  #shut(): void {
    this.#endWritten = true;
    if (this.#peerEnded) this.terminate();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.terminate();
  }
}

function onRead(this: StreamHandle): void {
  (this as OwnedHandle)[WIRE].onHandleRead();
}

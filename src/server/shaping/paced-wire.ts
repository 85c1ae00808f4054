/**
 * Owns a wire at the rates of its connection: it hands on and writes no faster. It stands between a wire and its reader only where a
 * connection has a rate, so that all others pay nothing for it. Refuses to know frames.
 */
import type { Buffer } from 'node:buffer';
import type { TLSSocket } from 'node:tls';
import { copyIfShared, kept } from '../wires/read-buffer.js';
import type { Wire, WireAddresses, WireReader } from '../wires/wire.js';
import type { FloodGuard } from './flood-guard.js';
import { Lane } from './lane.js';
import type { Pacer } from './pacer.js';

/** Bits a second; 0 for as fast as it goes. What is left out stays as it is. */
export interface Rates {
  readonly read?: number | undefined;
  readonly write?: number | undefined;
}

/** Who is told why a paced wire says "wait": only a peer that does not take what is sent is backpressure. */
export interface PaceOwner {
  /** The wire below is full. */
  onFull(): void;
  /** It is not any more. */
  onTaken(): void;
  /** What was read is held back for the sake of the rate. */
  onHeld(): void;
  /** Some of what waited for the rate was written. */
  onPaced(): void;
}

interface Part {
  readonly bytes: Buffer;
  readonly exempt: boolean;
}

/** A wire that keeps to rates. */
export class PacedWire implements Wire, WireReader {
  before: Wire | undefined;
  behind: Wire | undefined;
  /** The rate at which what is written waits. */
  readonly writes: Lane;
  readonly #reads: Lane;
  #wire: Wire;
  readonly #owner: PaceOwner;
  /** What is read here is written there, so that no more is read at once than may pass there. */
  readonly #ahead: Lane | undefined;
  #guard: FloodGuard | undefined;
  #reader: WireReader;
  #wanted: 'read' | 'stop' | 'watch';
  #readsWaited = false;
  #unreadBytes = 0;
  #queue: Part[] = [];
  #queuedBytes = 0;
  #full: boolean;
  #lifted = false;

  /** @param now what the wire is doing already. */
  constructor(options: {
    wire: Wire;
    reader: WireReader;
    owner: PaceOwner;
    pacer: Pacer;
    ahead?: Lane | undefined;
    now: { readonly reading: boolean; readonly full: boolean };
  }) {
    this.#wire = options.wire;
    this.#reader = options.reader;
    this.#owner = options.owner;
    this.#ahead = options.ahead;
    this.#wanted = options.now.reading ? 'read' : 'watch';
    this.#full = options.now.full;
    this.#reads = new Lane(options.pacer, () => this.#readOn());
    this.writes = new Lane(options.pacer, () => this.#writeOn());
    this.#wire.attach(this);
  }

  get addresses(): WireAddresses {
    return this.#wire.addresses;
  }

  get tls(): TLSSocket | undefined {
    return this.#wire.tls;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#wire.bufferedBytes;
  }

  get bytesRead(): number {
    return this.#wire.bytesRead;
  }

  get closed(): boolean {
    return this.#wire.closed;
  }

  /** Bytes that are to be written, and wait here. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The wire below. */
  get wire(): Wire {
    return this.#wire;
  }

  /** Another wire stands before the one below. */
  rewire(wire: Wire): void {
    this.#wire = wire;
  }

  /** Changes the rates. */
  limit({ read, write }: Rates): void {
    if (this.#lifted) return;
    if (read !== undefined) this.#reads.limit(read);
    if (write !== undefined) this.writes.limit(write);
  }

  /** Whoever sends more than this allows is read no further until it may send more. */
  guard(guard: FloodGuard): void {
    this.#guard = guard;
    guard.onOpen = () => this.#readOn();
  }

  /** Ends pacing: what waits goes on at once. A closing handshake has a deadline, and must not wait for a rate. */
  lift(): void {
    this.limit({ read: 0, write: 0 });
    this.#lifted = true;
    this.#guard?.leave();
    this.#guard = undefined;
    this.#readOn();
    this.#writeOn();
  }

  /** True when there was a time since the last call in which nothing was read for the sake of the rate. */
  takeWait(): boolean {
    const waited = this.#readsWaited;
    this.#readsWaited = this.#held;
    return waited;
  }

  /** Bytes that were read and are not handed on yet. */
  get unreadBytes(): number {
    return this.#wire.closed ? 0 : this.#unreadBytes;
  }

  /** Whether a control frame waits here. */
  get holdsControl(): boolean {
    return this.#queue.some(({ exempt }) => exempt);
  }

  /** Whether the peer does not take what is sent, so that it is not our pace that it waits for. */
  get full(): boolean {
    return this.#full;
  }

  // Reading.

  attach(reader: WireReader): void {
    this.#reader = reader;
  }

  read(): void {
    this.#wanted = 'read';
    if (this.#held) this.#wire.watch();
    else this.#wire.read();
  }

  stopReading(): void {
    this.#wanted = 'stop';
    this.#wire.stopReading();
  }

  watch(): void {
    this.#wanted = 'watch';
    this.#wire.watch();
  }

  unread(bytes: Buffer): void {
    this.#wire.unread(bytes);
  }

  onBytes(chunk: Buffer): void {
    const allowed = this.#reads.cut(chunk.length);
    const length = this.#ahead === undefined ? allowed : this.#ahead.ahead(allowed);
    this.#unreadBytes = chunk.length - length;
    if (length < chunk.length) {
      this.#wire.unread(copyIfShared(chunk.subarray(length)));
      this.#owner.onHeld();
    }
    if (length > 0) {
      this.#reads.spend(length);
      this.#reader.onBytes(length < chunk.length ? chunk.subarray(0, length) : chunk);
    }
    const allowedOn = this.#guard?.passed(length) ?? true;
    const open = this.#reads.open;
    if (open && allowedOn) return;
    this.#readsWaited = true;
    if (!open) this.#reads.wait();
    if (this.#wanted === 'read') this.#wire.watch();
  }

  onEnd(): void {
    this.#reader.onEnd();
  }

  /** Reading is held back, whoever wants to. */
  get #held(): boolean {
    return this.#reads.waiting || (this.#guard?.waiting ?? false);
  }

  #readOn(): void {
    if (this.#wanted === 'read' && !this.#held) this.#wire.read();
  }

  // Writing.

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    if (this.#wire.closed) return true;
    const length = this.#mayWrite ? this.writes.cut(end - start) : 0;
    if (length > 0) this.#pass(bytes, start, start + length);
    if (start + length < end) this.#keep(kept(bytes, start + length, end, false), false);
    return this.#answer();
  }

  /** Writes a control frame: it waits for no rate, only for what must not be cut before it. */
  writeControl(frame: Buffer): boolean {
    if (this.#queue.length > 0) this.#keep(frame, true);
    else this.#fullUnless(this.#wire.write(frame));
    return this.#answer();
  }

  cork(): void {
    this.#wire.cork();
  }

  uncork(): boolean {
    this.#fullUnless(this.#wire.uncork());
    return this.#answer();
  }

  end(): void {
    this.lift();
    for (const { bytes } of this.#queue) this.#wire.write(bytes);
    this.#forget();
    this.#wire.end();
  }

  terminate(): void {
    this.#wire.terminate();
  }

  probe(): void {
    this.#wire.probe();
  }

  onDrain(): void {
    this.#full = false;
    this.#owner.onTaken();
    this.#writeOn();
  }

  onClosed(error: Error | undefined): void {
    this.#reads.leave();
    this.#guard?.leave();
    this.writes.leave();
    this.#reader.onClosed(error);
  }

  get #mayWrite(): boolean {
    return !this.#full && this.#queue.length === 0;
  }

  #answer(): boolean {
    if (this.#full) return false;
    if (this.#queue.length === 0 && this.writes.open) return true;
    this.writes.wait();
    return false;
  }

  #pass(bytes: Buffer, start: number, end: number): void {
    this.writes.spend(end - start);
    this.#fullUnless(this.#wire.write(bytes, start, end));
  }

  #fullUnless(room: boolean): void {
    if (room || this.#full) return;
    this.#full = true;
    this.writes.leave();
    this.#owner.onFull();
  }

  #keep(bytes: Buffer, exempt: boolean): void {
    this.#queue.push({ bytes, exempt });
    this.#queuedBytes += bytes.length;
  }

  #forget(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** More may be written. */
  #writeOn(): void {
    if (this.#wire.closed) return;
    const before = this.#queuedBytes;
    while (!this.#full && this.#queue.length > 0) {
      const { bytes, exempt } = this.#queue[0]!;
      const length = exempt ? bytes.length : this.writes.cut(bytes.length);
      if (length === 0) break;
      if (length < bytes.length) this.#queue[0] = { bytes: bytes.subarray(length), exempt };
      else this.#queue.shift();
      this.#queuedBytes -= length;
      if (exempt) this.#fullUnless(this.#wire.write(bytes));
      else this.#pass(bytes, 0, length);
    }
    if (this.#queuedBytes < before) this.#owner.onPaced();
    if (this.#answer()) this.#reader.onDrain();
  }
}

/**
 * Owns writing to one wire and what its fullness means: the mechanism (whoever feeds it stops at once) and the state
 * (told to the chart when it lasts). Refuses to know frames.
 */
import { Watermark } from '../../actors/watermark.js';
import type { PacedWire, PaceOwner } from '../shaping/paced-wire.js';
import type { Wire } from '../wires/wire.js';
import type { Blocked, PressureWatch } from './pressure-watch.js';

/** Who is told about the pressure on an outlet. */
export interface OutletOwner {
  /** Backpressure lasts: it is a state of the chart from now on. */
  onThrottled(): void;
  onUnthrottled(): void;
  /** While throttled: the peer took some of what waits. At most ten times a second. */
  onProgress(): void;
  /** What fed this outlet may go on. */
  onDrained(): void;
  /** Blocked for another second; time to see whether the other wire, which is not read now, is still there. */
  onStillBlocked(): void;
  /** A send of the application found no room, and that is to end the connection. */
  onOverflow(): void;
  /** Bytes are held for this connection, for longer than a moment. */
  onHolding(): void;
}

/** The thresholds of an outlet, in bytes. */
export interface OutletLimits {
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
}

/** An event of a chart costs far more than a write, so a slow peer's progress is told now and then only. */
const PROGRESS_EVERY_MS = 100;

/** The writing side of one wire. */
export class Outlet implements Blocked, PaceOwner {
  wire: Wire;
  /** The same wire, where the connection has a rate. */
  #paced: PacedWire | undefined;
  readonly owner: OutletOwner;
  readonly #watch: PressureWatch;
  readonly #limits: OutletLimits;
  /** Made for the first message of the application: most connections send none. */
  #watermark: Watermark | undefined;
  #blocked = false;
  #dwelled = false;
  #throttled = false;
  #progressed = false;
  #progressTold = 0;

  constructor(wire: Wire, owner: OutletOwner, watch: PressureWatch, limits: OutletLimits) {
    this.wire = wire;
    this.owner = owner;
    this.#watch = watch;
    this.#limits = limits;
  }

  /** True from a write that said "wait" until the wire drained. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Bytes accepted here and not with the operating system yet. */
  get bufferedBytes(): number {
    return this.wire.bufferedBytes;
  }

  /** Writes `bytes[start, end)`, and answers whether the feeder may go on. */
  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    if (!this.wire.write(bytes, start, end)) this.#block();
    return !this.#blocked;
  }

  /** Writes a control frame, which waits for no rate. */
  protected writeControl(frame: Buffer): boolean {
    if (this.#paced === undefined) return this.write(frame);
    if (!this.#paced.writeControl(frame)) this.#block();
    return !this.#blocked;
  }

  /** Whether a control frame waits behind what must not be cut, for the sake of the rate. */
  protected get holdsControl(): boolean {
    return this.#paced?.holdsControl ?? false;
  }

  /** Writes at a rate from now on. */
  pace(paced: PacedWire): void {
    this.wire = paced;
    this.#paced = paced;
  }

  /** Gathers the writes until `uncork`; what came by `onBytes` has to leave before that returns. */
  cork(): void {
    this.wire.cork();
  }

  uncork(): void {
    if (!this.wire.uncork()) this.#block();
  }

  #block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    // Our own pace is no backpressure: a paced wire tells by itself when the peer takes nothing.
    if (this.#paced === undefined) this.#watch.begin(this);
    this.owner.onHolding();
  }

  onFull(): void {
    this.#watch.begin(this);
  }

  onTaken(): void {
    this.#progressed ||= this.#dwelled;
    this.#dwelled = false;
    this.#watch.end(this);
  }

  onHeld(): void {
    this.owner.onHolding();
  }

  onPaced(): void {
    this.levelFell();
    if (this.#throttled) this.#noteProgress();
  }

  /** The wire drained. */
  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.onTaken();
    this.writable();
    this.levelFell();
    if (this.#throttled) this.#noteProgress();
    if (!this.#blocked) this.owner.onDrained();
  }

  /** The wire takes more: what waits here goes first, before any feeder goes on. */
  protected writable(): void {}

  /**
   * True when the peer took something since the last call that had to wait for it: it is there, although what it says may
   * have to wait behind everything else. A write that merely filled the buffers of the operating system proves nothing.
   */
  takeProgress(): boolean {
    const progressed = this.#progressed;
    this.#progressed = false;
    return progressed;
  }

  /** Whoever feeds this outlet may go on after waiting for something other than the wire. */
  notifyDrained(): void {
    this.owner.onDrained();
  }

  /** The wire is gone: nothing waits any more. */
  closed(): void {
    this.#blocked = false;
    this.#watch.end(this);
  }

  onDwelled(): void {
    this.#dwelled = true;
    this.#tell();
  }

  onStillBlocked(): void {
    this.owner.onStillBlocked();
  }

  /**
   * The application sent something: nobody stops feeding for it, so the water marks tell when it is too much. What is
   * passed on from the other wire never crosses the high one: its feeder stops, and the dwell tells when that lasts.
   */
  noteSend(): void {
    this.#watermark ??= new Watermark(this.#limits.highWaterMark, this.#limits.lowWaterMark);
    this.#watermark.update(this.bufferedBytes);
    this.#tell();
  }

  /** Less waits than before. */
  levelFell(): void {
    if (this.#watermark?.above) this.#watermark.update(this.bufferedBytes);
    this.#tell();
  }

  #noteProgress(): void {
    const now = performance.now();
    if (now - this.#progressTold < PROGRESS_EVERY_MS) return;
    this.#progressTold = now;
    this.owner.onProgress();
  }

  #tell(): void {
    const throttled = this.#dwelled || this.#watermark?.above === true;
    if (throttled === this.#throttled) return;
    this.#throttled = throttled;
    if (throttled) this.owner.onThrottled();
    else this.owner.onUnthrottled();
  }
}

/**
 * Owns when a connection is probed and when it is judged: one turn of the shared wheel per interval, and per pending
 * ping. Refuses to send pings or to decide what a silent peer means; the charts do.
 */
import { type DatedEntry, type TimerWheel, Wait } from './timer-wheel.js';

/** How heartbeats are done. Milliseconds; an interval of 0 switches them off. */
export interface HeartbeatOptions {
  readonly interval: number;
  /** How long after a ping the peer must have been heard. */
  readonly timeout: number;
  /** `always` pings every interval, `if-idle` only when nothing was received during the last one. */
  readonly mode: 'always' | 'if-idle';
}

/** One side that is kept under watch: a connection or an upstream. */
export interface Beating {
  readonly port: {
    /** Grows whenever anything is received. */
    readonly bytesRead: number;
    /** True when silence since the last call says nothing: we did not read, or the peer was busy reading from us. */
    takeExcuse(): boolean;
    /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
    probe(): void;
  };
  /** True while a ping waits for a sign of life. */
  readonly probing: boolean;
  send(event: { type: 'heartbeat.due' | 'heartbeat.missed' | 'peer.heard' }): void;
}

/** Watches one side until the watch is cancelled; there is none without an interval. */
export function watchHeart(side: Beating, wheel: TimerWheel, options: HeartbeatOptions): HeartWatch | undefined {
  return options.interval <= 0 ? undefined : new HeartWatch(side, wheel, options);
}

/** The watch over one side: it waits for the next beat, or for the answer to a ping. */
export class HeartWatch extends Wait implements DatedEntry {
  readonly #side: Beating;
  readonly #wheel: TimerWheel;
  readonly #options: HeartbeatOptions;
  #lastHeard: number;
  /** After a ping: how much longer than this wait its answer is waited for. */
  #left: number | undefined;
  #cancelled = false;

  constructor(side: Beating, wheel: TimerWheel, options: HeartbeatOptions) {
    super();
    this.#side = side;
    this.#wheel = wheel;
    this.#options = options;
    this.#lastHeard = side.port.bytesRead;
    this.#wait(options.interval, undefined);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#wheel.leave(this);
  }

  /** When the next ping is due; while one waits for its answer, when it has waited long enough. Milliseconds since the epoch. */
  get due(): number {
    return this.#wheel.dueOf(this) + (this.#left ?? 0);
  }

  /** Whether anything came since the last look: the answer to a ping is noted with the next one. */
  get heard(): boolean {
    return this.#side.port.bytesRead !== this.#lastHeard;
  }

  onDue(): void {
    if (this.#left === undefined) this.#beat();
    else this.#judge(this.#left);
  }

  /** A peer that was heard is due for its next ping after the interval, however long a silent one is waited for. */
  get #step(): number {
    return Math.min(this.#options.interval, this.#options.timeout);
  }

  #wait(delay: number, left: number | undefined): void {
    this.#left = left;
    if (!this.#cancelled) this.#wheel.enter(this, delay);
  }

  #beat(): void {
    const { port } = this.#side;
    const { interval, timeout, mode } = this.#options;
    const quiet = port.bytesRead === this.#lastHeard;
    const excused = port.takeExcuse();
    this.#lastHeard = port.bytesRead;
    if (excused) port.probe();
    if (excused || (mode === 'if-idle' && !quiet)) {
      this.#wait(interval, undefined);
      return;
    }
    this.#side.send({ type: 'heartbeat.due' });
    this.#wait(this.#step, timeout - this.#step);
  }

  #judge(left: number): void {
    const side = this.#side;
    // A peer that we did not read from meanwhile, or that was busy reading, gets a new chance once we do (P9).
    const silent = side.port.bytesRead === this.#lastHeard && !side.port.takeExcuse();
    if (silent && side.probing) {
      const step = Math.min(this.#step, left);
      if (left > 0) this.#wait(step, left - step);
      else side.send({ type: 'heartbeat.missed' });
      return;
    }
    if (side.probing) side.send({ type: 'peer.heard' });
    this.#lastHeard = side.port.bytesRead;
    this.#wait(this.#options.interval - this.#step, undefined);
  }
}

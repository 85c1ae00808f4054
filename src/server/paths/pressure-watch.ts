/**
 * Owns how long writes have been pending, over all connections, with one timer that runs only while some are. Refuses to
 * act on it: whoever is blocked is told when the pause lasts.
 */
import { type Clock, systemClock } from '../../actors/clock.js';

/** A writer that waits for its peer. */
export interface Blocked {
  /** The wait has lasted for the dwell time: it is backpressure now, and not only a full buffer. */
  onDwelled(): void;
  /** The wait goes on; called about once a second. */
  onStillBlocked(): void;
}

const STILL_BLOCKED_EVERY_MS = 1000;

/** Notices waits that last. */
export class PressureWatch {
  readonly #dwell: number;
  readonly #clock: Clock;
  /** When each blocked writer is looked at next. */
  readonly #blocked = new Map<Blocked, { due: number; dwelled: boolean }>();
  #timer: unknown;

  /** @param dwell milliseconds until a wait counts. */
  constructor(dwell: number, clock: Clock = systemClock) {
    this.#dwell = dwell;
    this.#clock = clock;
  }

  /** How many writers wait. */
  get size(): number {
    return this.#blocked.size;
  }

  begin(writer: Blocked): void {
    this.#blocked.set(writer, { due: this.#clock.now() + this.#dwell, dwelled: false });
    this.#timer ??= this.#clock.setInterval(() => this.#look(), Math.max(1, this.#dwell));
  }

  end(writer: Blocked): void {
    this.#blocked.delete(writer);
    if (this.#blocked.size === 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#blocked.clear();
  }

  #look(): void {
    const now = this.#clock.now();
    for (const [writer, wait] of this.#blocked) {
      if (wait.due > now) continue;
      wait.due = now + STILL_BLOCKED_EVERY_MS;
      if (wait.dwelled) writer.onStillBlocked();
      else {
        wait.dwelled = true;
        writer.onDwelled();
      }
    }
  }
}

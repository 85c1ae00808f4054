/**
 * Owns the one timer of all that wait for their rate, over all connections of a server. It runs only while somebody waits. Refuses to
 * know what they wait with.
 */
import { Chain, type Chained } from '../../actors/chain.js';
import { type Clock, systemClock } from '../../actors/clock.js';

/** How often those who wait are looked at. */
const PACE_EVERY_MS = 10;

/** Somebody who waits for a rate. */
export interface Waiting extends Chained<Waiting> {
  /** Whether the wait is over. */
  isDue(now: number): boolean;
  /** It is; not waiting any more. May wait again at once. Must not throw. */
  onDue(now: number): void;
}

/** Wakes those who wait. */
export class Pacer {
  readonly #waiting = new Chain<Waiting>();
  readonly #clock: Clock;
  #timer: unknown;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Milliseconds on a clock that only goes forward. */
  get now(): number {
    return this.#clock.now();
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  has(one: Waiting): boolean {
    return this.#waiting.has(one);
  }

  wait(one: Waiting): void {
    if (this.#waiting.has(one)) return;
    this.#waiting.add(one);
    this.#timer ??= this.#clock.setInterval(() => this.#look(), PACE_EVERY_MS);
  }

  leave(one: Waiting): void {
    this.#waiting.delete(one);
    if (this.#waiting.size === 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #look(): void {
    const { now } = this;
    for (const one of this.#waiting) {
      if (!this.#waiting.has(one) || !one.isDue(now)) continue;
      this.#waiting.delete(one);
      one.onDue(now);
    }
    if (this.#waiting.size === 0) this.stop();
  }
}

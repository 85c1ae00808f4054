/**
 * Owns how often something may be read that costs time: whoever asks more often gets what was read last. Refuses to know what it is. A
 * server with tens of thousands of connections is walked over for each page and each scraper that looks at it.
 */

/** The share of the time that may be spent on reading. */
const SHARE = 0.05;

/** Milliseconds. What takes less is read each time, so that a small server is always told as it is now. */
const CHEAP = 3;

/** Something that is read at most as often as it may cost. */
export class Rationed<Value> {
  readonly #read: () => Value;
  readonly #now: () => number;
  #value: Value | undefined;
  #until = 0;

  /** @param now milliseconds, on a clock that never goes back. */
  constructor(read: () => Value, now = () => performance.now()) {
    this.#read = read;
    this.#now = now;
  }

  /** As it is now, or was when it was read last. */
  get(): Value {
    const began = this.#now();
    if (this.#value !== undefined && began < this.#until) return this.#value;
    this.#value = this.#read();
    const took = this.#now() - began;
    this.#until = took < CHEAP ? 0 : began + took / SHARE;
    return this.#value;
  }
}

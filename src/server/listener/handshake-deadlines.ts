/**
 * Owns one deadline for each of many waiting things, with a single timer. Refuses to know what waits.
 */

import { Chain, type Chained } from '../../actors/chain.js';

/** What waits. */
export interface Waiting<Member> extends Chained<Member> {
  /** When it expires, on the clock of `performance.now()`. Written here only. */
  expiry: number;
}

/**
 * All waits are equally long, so the order of insertion is the order of expiry, and the timer only ever has to look at
 * the oldest one: no timer per connection, no sweep over all of them, and no rounding.
 */
export class HandshakeDeadlines<Member extends Waiting<Member>> {
  readonly #milliseconds: number;
  readonly #onExpired: (waiting: Member) => void;
  readonly #waiting = new Chain<Member>();
  #timer: NodeJS.Timeout | undefined;

  /** @param milliseconds 0 for no deadline. */
  constructor(milliseconds: number, onExpired: (waiting: Member) => void) {
    this.#milliseconds = milliseconds;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** What waits for the longest time. */
  get oldest(): Member | undefined {
    return this.#waiting.first;
  }

  /** Starts the wait. Each expires once, unless it is removed before. */
  add(waiting: Member): void {
    const endless = this.#milliseconds <= 0;
    waiting.expiry = endless ? Number.POSITIVE_INFINITY : performance.now() + this.#milliseconds;
    this.#waiting.add(waiting);
    if (this.#timer === undefined && !endless) this.#arm(this.#milliseconds);
  }

  /** Ends the wait. A timer that was armed for it stays: it looks for the next one when it fires. */
  delete(waiting: Member): void {
    this.#waiting.delete(waiting);
  }

  /** Ends all waits, and the timer. Answers with what waited. */
  clear(): Member[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#waiting.clear();
  }

  #arm(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, Math.ceil(milliseconds))).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (first.expiry > now) {
        this.#arm(first.expiry - now);
        return;
      }
      this.#waiting.delete(first);
      this.#onExpired(first);
    }
  }
}

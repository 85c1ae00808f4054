/**
 * Owns one deadline for each of many waiting things, with a single timer. Refuses to know what waits.
 */

/**
 * All waits are equally long, so the order of insertion is the order of expiry, and the timer only ever has to look at
 * the oldest one: no timer per connection, no sweep over all of them, and no rounding.
 */
export class HandshakeDeadlines<Waiting> {
  readonly #milliseconds: number;
  readonly #onExpired: (waiting: Waiting) => void;
  readonly #expiries = new Map<Waiting, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param milliseconds 0 for no deadline. */
  constructor(milliseconds: number, onExpired: (waiting: Waiting) => void) {
    this.#milliseconds = milliseconds;
    this.#onExpired = onExpired;
  }

  /** Starts the wait. Each expires once, unless it is removed before. */
  add(waiting: Waiting): void {
    const endless = this.#milliseconds <= 0;
    this.#expiries.set(waiting, endless ? Number.POSITIVE_INFINITY : performance.now() + this.#milliseconds);
    if (this.#timer === undefined && !endless) this.#arm(this.#milliseconds);
  }

  /** Ends the wait. A timer that was armed for it stays: it looks for the next one when it fires. */
  delete(waiting: Waiting): void {
    this.#expiries.delete(waiting);
  }

  /** Ends all waits, and the timer. Answers with what waited. */
  clear(): Waiting[] {
    const waiting = [...this.#expiries.keys()];
    this.#expiries.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return waiting;
  }

  #arm(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, Math.ceil(milliseconds))).unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [waiting, expiry] of this.#expiries) {
      if (expiry > now) {
        this.#arm(expiry - now);
        return;
      }
      this.#expiries.delete(waiting);
      this.#onExpired(waiting);
    }
  }
}

/**
 * Owns how much may pass now of something that may pass at a rate. The time is given to it. Refuses to wait or to know what passes.
 */

/** What waits for its turn gets all of the time that it waited, up to this; a timer that comes late must not lower the rate. */
const LATENESS_MS = 1000;

/** Fills at a rate, up to a burst. May be overdrawn: the debt is paid before anything more passes, so that the average holds. */
export class TokenBucket {
  /** Per millisecond. */
  #rate: number;
  #burst: number;
  #tokens: number;
  #filledAt: number;

  /**
   * @param perSecond more than 0.
   * @param burst how much may pass at once after a time of rest; it is full at the beginning.
   * @param now milliseconds on any clock that only goes forward.
   */
  constructor(perSecond: number, burst: number, now: number) {
    this.#rate = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** How much may pass now; below zero is debt. @param waited whether somebody waited since the last call. */
  level(now: number, waited = false): number {
    const filled = this.#tokens + (now - this.#filledAt) * this.#rate;
    const most = waited ? Math.max(this.#burst, LATENESS_MS * this.#rate) : this.#burst;
    this.#tokens = Math.min(filled, Math.max(most, this.#tokens));
    this.#filledAt = now;
    return this.#tokens;
  }

  /** That much passed. */
  spend(amount: number): void {
    this.#tokens -= amount;
  }

  /** Goes on at another rate. A debt is kept, what was saved up beyond the new burst is not. */
  change(perSecond: number, burst: number, now: number): void {
    this.level(now);
    this.#rate = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }
}

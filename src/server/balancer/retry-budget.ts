/** Owns how many further attempts there may be in all: in a large outage retries would be a storm of their own. Refuses to retry. */

/** Attempts that may be saved up, so that a quiet time helps a busy one, but not for ever. */
const MOST = 20;

/** Further attempts earned by first ones. */
export class RetryBudget {
  readonly #share: number;
  #left = MOST;

  /** @param share further attempts for each first one. */
  constructor(share: number) {
    this.#share = share;
  }

  /** A first attempt begins. */
  began(): void {
    this.#left = Math.min(MOST, this.#left + this.#share);
  }

  /** Whether there is none left now. */
  get isSpent(): boolean {
    return this.#left < 1;
  }

  /** Takes a further attempt, if there is one. */
  take(): boolean {
    if (this.isSpent) return false;
    this.#left -= 1;
    return true;
  }
}

/**
 * Owns the judgement over a backend by the connections of its clients: when it has failed too often, and how long it is ejected then.
 * Pure; refuses to know the time, to look at connections, and to eject.
 */

/** By what is judged. Milliseconds. */
export interface OutlierOptions {
  /** Failures in a row; 0 for any number. */
  readonly maxFailures: number;
  /** The first ejection. */
  readonly ejection: number;
  readonly maxEjection: number;
}

/** What is remembered of one backend. */
export class Outlier {
  readonly #options: OutlierOptions;
  #failures = 0;
  /** Each doubles the next ejection. */
  #ejections = 0;
  #until = 0;
  #wellSince = 0;

  constructor(options: OutlierOptions) {
    this.#options = options;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Ejections that are not forgiven yet. */
  get ejections(): number {
    return this.#ejections;
  }

  /** When the ejection ends. */
  get until(): number {
    return this.#until;
  }

  /** How long the ejection is. */
  get duration(): number {
    return this.#durationOf(this.#ejections);
  }

  /** A connection failed. Answers whether there were too many. */
  failed(): boolean {
    this.#failures += 1;
    const { maxFailures } = this.#options;
    return maxFailures > 0 && this.#failures >= maxFailures;
  }

  /** A connection did well. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** It is ejected, for longer than the time before. */
  eject(now: number): void {
    this.#forgive(now);
    if (this.duration < this.#options.maxEjection) this.#ejections += 1;
    this.#until = now + this.duration;
    this.#wellSince = this.#until;
  }

  /** It is well from now on. */
  recovered(now: number): void {
    this.#failures = 0;
    this.#wellSince = now;
  }

  /** An ejection is forgiven when it has been well for as long as that one was. */
  #forgive(now: number): void {
    let well = now - this.#wellSince;
    while (this.#ejections > 0 && well >= this.duration) {
      well -= this.duration;
      this.#ejections -= 1;
    }
  }

  #durationOf(ejections: number): number {
    const { ejection, maxEjection } = this.#options;
    return ejections === 0 ? 0 : Math.min(ejection * 2 ** (ejections - 1), maxEjection);
  }
}

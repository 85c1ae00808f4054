/** Owns how often something took how long: counts between fixed bounds, as a histogram has them. Refuses to keep single values. */

/** What is read of a {@link Distribution}. */
export interface DistributionSnapshot {
  /** The upper bounds, in seconds, ascending. */
  readonly bounds: readonly number[];
  /** How many were not above a bound and above the one before; the last number counts those above all. */
  readonly counts: readonly number[];
  /** Of all values, in seconds. */
  readonly sum: number;
}

/** Counts durations. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds seconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  add(seconds: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && seconds > bounds[at]!) at += 1;
    this.#counts[at]! += 1;
    this.#sum += seconds;
  }

  snapshot(): DistributionSnapshot {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}

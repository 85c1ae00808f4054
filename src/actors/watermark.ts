/** Owns the two thresholds of a buffer and which side of them it is on. Refuses to hold the buffer. */

/** A crossing: `high` when the high water mark was reached, `low` when the low one was reached again. */
export type WatermarkEdge = 'high' | 'low' | undefined;

/** Tells when a level crosses the high water mark, and then only when it is back at the low one: no flapping. */
export class Watermark {
  readonly #high: number;
  readonly #low: number;
  #above = false;

  /** @throws RangeError unless `0 <= low <= high`. */
  constructor(high: number, low: number) {
    if (!(low >= 0 && low <= high))
      throw new RangeError(`low water mark ${low} must be from 0 to the high one, ${high}`);
    this.#high = high;
    this.#low = low;
  }

  /** True from the high edge until the low one. */
  get above(): boolean {
    return this.#above;
  }

  /** Takes the present level and tells the edge it crossed, if it did. */
  update(level: number): WatermarkEdge {
    if (!this.#above && level >= this.#high) {
      this.#above = true;
      return 'high';
    }
    if (this.#above && level <= this.#low) {
      this.#above = false;
      return 'low';
    }
    return undefined;
  }
}

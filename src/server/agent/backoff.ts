/** Owns how long a backend waits before it comes back to a balancer. Refuses to wait. */

/** Milliseconds. */
export interface BackoffOptions {
  /** The first wait, about; 0 for never. */
  readonly initial: number;
  readonly max: number;
  /** From 0 to 1; default `Math.random`. */
  readonly random?: () => number;
}

/** Waits that double, each between a half and the whole of its length, so that backends do not all come at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next wait; undefined for never. */
  next(): number | undefined {
    const { initial, max, random = Math.random } = this.#options;
    if (initial <= 0) return undefined;
    const whole = Math.min(max, initial * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return Math.round(whole / 2 + (random() * whole) / 2);
  }

  /** It was there, and long enough to be more than luck. */
  reset(): void {
    this.#attempts = 0;
  }
}

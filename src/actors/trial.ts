/** Owns how many connections a backend gets that was ejected, and how many of them were made. Refuses to judge by them. */

/** The trial of one backend: the half-open state of a circuit breaker. */
export class Trial {
  readonly #size: number;
  #taken = 0;
  #connected = 0;

  /** @param size how many connections it takes. */
  constructor(size: number) {
    this.#size = size;
  }

  get hasRoom(): boolean {
    return this.#taken < this.#size;
  }

  take(): void {
    this.#taken += 1;
  }

  /** One was not needed after all, and says nothing. */
  giveBack(): void {
    this.#taken -= 1;
  }

  /** One was made. Answers whether all were. */
  connected(): boolean {
    this.#connected += 1;
    return this.#connected >= this.#size;
  }
}

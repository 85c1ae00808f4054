/** Owns how many registrations were refused, and why. Refuses to refuse one. */

/** How many backends registered and how many were turned away since the balancer was made. Plain JSON. */
export interface RegistrationSnapshot {
  /** Registrations that were taken, those of backends that came back among them. */
  readonly accepted: number;
  /** Registrations that were turned away, and channels that were ended for what came over them. */
  readonly refused: number;
  /** The same by the word that the backend was told, such as `unauthorized`. */
  readonly byReason: Readonly<Record<string, number>>;
}

/** Counts registrations. Outlives a restart, so that the numbers only grow. */
export class RegistrationCounts {
  #accepted = 0;
  #refused = 0;
  readonly #byReason = new Map<string, number>();

  accept(): void {
    this.#accepted += 1;
  }

  refuse(why: string): void {
    this.#refused += 1;
    this.#byReason.set(why, (this.#byReason.get(why) ?? 0) + 1);
  }

  snapshot(): RegistrationSnapshot {
    return { accepted: this.#accepted, refused: this.#refused, byReason: Object.fromEntries(this.#byReason) };
  }
}

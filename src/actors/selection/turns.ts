/** Owns what a policy remembers of each backend between two picks. Refuses to remember for ever those that are not there any more. */
import type { Candidate } from './policy.js';

/** So many more than the candidates may be remembered: some are only not available for a while. */
const SPARE = 64;

/** A number for each backend, by its id; 0 for one that is new. */
export class Turns {
  readonly #numbers = new Map<string, number>();

  get size(): number {
    return this.#numbers.size;
  }

  of({ id }: Candidate): number {
    return this.#numbers.get(id) ?? 0;
  }

  set({ id }: Candidate, number: number): void {
    this.#numbers.set(id, number);
  }

  /** To be called with those that are available now, at each pick. */
  tidy(candidates: readonly Candidate[]): void {
    if (this.#numbers.size <= 2 * candidates.length + SPARE) return;
    const known = new Set(candidates.map(({ id }) => id));
    for (const id of this.#numbers.keys()) if (!known.has(id)) this.#numbers.delete(id);
  }
}

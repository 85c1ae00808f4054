/** Owns the policy `weighted-round-robin`. */
import type { Candidate, SelectionPolicy } from './policy.js';
import { Turns } from './turns.js';

/**
 * Each in turn, as often as its weight says, and as evenly mixed as can be: `a a a b` with weights 3 and 1 comes as `a a b a`. Each pick
 * gives every candidate its weight as credit, takes the one with the most, and has that pay for all (nginx calls this smooth).
 */
export class WeightedRoundRobin implements SelectionPolicy {
  readonly #credit = new Turns();

  select(candidates: readonly Candidate[]): Candidate | undefined {
    let total = 0;
    let next: Candidate | undefined;
    for (const candidate of candidates) {
      total += candidate.weight;
      this.#credit.set(candidate, this.#credit.of(candidate) + candidate.weight);
      if (next === undefined || this.#credit.of(candidate) > this.#credit.of(next)) next = candidate;
    }
    if (next === undefined) return undefined;
    this.#credit.set(next, this.#credit.of(next) - total);
    this.#credit.tidy(candidates);
    return next;
  }
}

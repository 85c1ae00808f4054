/** Owns the policy `round-robin`. */
import type { Candidate, SelectionPolicy } from './policy.js';
import { Turns } from './turns.js';

/** Each in turn, whatever its weight: the one whose last turn is the longest ago, so that it stays fair while backends come and go. */
export class RoundRobin implements SelectionPolicy {
  readonly #turns = new Turns();
  #turn = 0;

  select(candidates: readonly Candidate[]): Candidate | undefined {
    let next = candidates[0];
    if (next === undefined) return undefined;
    for (const candidate of candidates) if (this.#turns.of(candidate) < this.#turns.of(next)) next = candidate;
    this.#turn += 1;
    this.#turns.set(next, this.#turn);
    this.#turns.tidy(candidates);
    return next;
  }
}

/** Owns the policy `random`. */
import type { SelectionPolicy } from './policy.js';

/** Any, as often as its weight says (sgc: lbRandom). */
export const random: SelectionPolicy = {
  select(candidates, context) {
    let total = 0;
    for (const { weight } of candidates) total += weight;
    let rest = context.random() * total;
    for (const candidate of candidates) {
      rest -= candidate.weight;
      if (rest < 0) return candidate;
    }
    return candidates.at(-1);
  },
};

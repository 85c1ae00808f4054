/** Owns the policy `least-connections`. */
import type { Candidate, SelectionPolicy } from './policy.js';

/** The one with the fewest connections for its weight; any of those that have as few (sgc: lbConnections). */
export const leastConnections: SelectionPolicy = {
  select(candidates, context) {
    let least: Candidate[] = [];
    let share = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const own = candidate.load / candidate.weight;
      if (own > share) continue;
      if (own < share) least = [];
      share = own;
      least.push(candidate);
    }
    return least[Math.floor(context.random() * least.length)];
  },
};

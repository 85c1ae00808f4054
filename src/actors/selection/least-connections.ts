/** Owns the policy `least-connections`. */
import type { Candidate, SelectionPolicy } from './policy.js';

/** How full it would be for its weight with one more: the heavier of two that have none comes first. */
export function fullness({ load, weight }: Candidate): number {
  return (load + 1) / weight;
}

/** The one with the fewest connections for its weight; any of those that have as few (sgc: lbConnections). */
export const leastConnections: SelectionPolicy = {
  select(candidates, context) {
    let least: Candidate[] = [];
    let level = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const own = fullness(candidate);
      if (own > level) continue;
      if (own < level) least = [];
      level = own;
      least.push(candidate);
    }
    return least[Math.floor(context.random() * least.length)];
  },
};

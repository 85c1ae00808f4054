/** Owns the policy `two-choices`. */
import { fullness } from './least-connections.js';
import type { SelectionPolicy } from './policy.js';
import { draw } from './random.js';

/**
 * Of two that are drawn by weight, the one with fewer connections for its weight: nearly as even as `least-connections`, and several
 * balancers that do not know of each other do not all send their next client to the same backend.
 */
export const twoChoices: SelectionPolicy = {
  select(candidates, context) {
    const one = draw(candidates, context);
    if (one === undefined || candidates.length === 1) return one;
    const other = draw(candidates, context, one);
    return other !== undefined && fullness(other) < fullness(one) ? other : one;
  },
};

/** Owns the policy `first`. */
import type { SelectionPolicy } from './policy.js';

/** The first that is available, in the order in which they came: the others are for when it is not. */
export const first: SelectionPolicy = { select: (candidates) => candidates[0] };

/** Owns the policies by name. Refuses to know how each one chooses. */
import { first } from './first.js';
import { leastConnections } from './least-connections.js';
import type { SelectionPolicy } from './policy.js';
import { random } from './random.js';

/** The names of the policies there are. */
export const POLICY_NAMES = ['least-connections', 'random', 'first'] as const;

/** The name of a policy. */
export type PolicyName = (typeof POLICY_NAMES)[number];

const POLICIES: Readonly<Record<PolicyName, () => SelectionPolicy>> = {
  'least-connections': () => leastConnections,
  random: () => random,
  first: () => first,
};

/** Makes a policy for one pool. */
export function createPolicy(name: PolicyName): SelectionPolicy {
  return POLICIES[name]();
}

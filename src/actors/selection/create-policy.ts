/** Owns the policies by name. Refuses to know how each one chooses. */
import { first } from './first.js';
import { hash } from './hash.js';
import { leastConnections } from './least-connections.js';
import type { SelectionPolicy } from './policy.js';
import { random } from './random.js';
import { RoundRobin } from './round-robin.js';
import { twoChoices } from './two-choices.js';
import { WeightedRoundRobin } from './weighted-round-robin.js';

/** The names of the policies there are. */
export const POLICY_NAMES = [
  'least-connections',
  'round-robin',
  'weighted-round-robin',
  'two-choices',
  'random',
  'hash',
  'first',
] as const;

/** The name of a policy. */
export type PolicyName = (typeof POLICY_NAMES)[number];

const POLICIES: Readonly<Record<PolicyName, () => SelectionPolicy>> = {
  'least-connections': () => leastConnections,
  'round-robin': () => new RoundRobin(),
  'weighted-round-robin': () => new WeightedRoundRobin(),
  'two-choices': () => twoChoices,
  random: () => random,
  hash: () => hash,
  first: () => first,
};

/** Makes a policy for one pool. */
export function createPolicy(name: PolicyName): SelectionPolicy {
  return POLICIES[name]();
}

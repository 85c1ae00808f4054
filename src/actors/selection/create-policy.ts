/** Owns the policies by name. Refuses to know how each one chooses. */
import { TidegateError } from '../../receivers/index.js';
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

/** A policy of the user's own: an object, or only its function. */
export type OwnPolicy = SelectionPolicy | SelectionPolicy['select'];

/**
 * Makes a policy for one pool.
 *
 * @throws TidegateError `INVALID_OPTION` for what is no policy.
 */
export function createPolicy(policy: PolicyName | OwnPolicy): SelectionPolicy {
  if (typeof policy === 'string') return POLICIES[policy]();
  if (typeof policy === 'function') return { select: policy };
  if (typeof policy?.select === 'function') return policy;
  throw new TidegateError(
    'INVALID_OPTION',
    `selection: got ${typeof policy}; expected a function, or an object with select`,
  );
}

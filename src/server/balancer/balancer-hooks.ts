/** Owns what only code can give a load balancer, beside its options and the hooks of every server. Refuses to call any of it. */
import type { OwnPolicy } from '../../actors/selection/create-policy.js';

/** What code may give a load balancer beside its options. */
export interface BalancerHooks {
  /** A policy of your own, in place of the option `policy`: an object with `select`, or only that function. */
  readonly selection?: OwnPolicy | undefined;
}

/** The names of those hooks, which are no options. */
export const BALANCER_HOOK_NAMES: readonly string[] = ['selection'];

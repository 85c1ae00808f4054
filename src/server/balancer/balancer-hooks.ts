/** Owns what only code can give a load balancer, beside its options and the hooks of every server. Refuses to call any of it. */
import type { SelectionPolicy } from '../../actors/selection/policy.js';
import type { HttpHooks } from '../http/http-hooks.js';

/** What code may give a load balancer beside its options. */
export interface BalancerHooks extends HttpHooks {
  /** A policy of your own, in place of the option `policy`. */
  readonly selection?: SelectionPolicy | undefined;
}

/** The names of those hooks, which are no options. */
export const BALANCER_HOOK_NAMES: readonly string[] = ['selection', 'onHttpRequest', 'onHttpResponse'];

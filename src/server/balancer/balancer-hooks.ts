/** Owns what only code can give a load balancer, beside its options and the hooks of every server. Refuses to call any of it. */
import type { SelectionPolicy } from '../../actors/selection/policy.js';
import type { DnsResolver } from './discovery/resolve-name.js';

/** What code may give a load balancer beside its options. */
export interface BalancerHooks {
  /** A policy of your own, in place of the option `policy`. */
  readonly selection?: SelectionPolicy | undefined;
  /**
   * Resolves the names of the option `discovery`, in place of the DNS servers of the operating system: a `Resolver` of
   * `node:dns/promises`, perhaps with servers of its own, or anything that answers as one. Asked at the start and every
   * `discovery.interval`. A rejection with `ENOTFOUND` or `ENODATA` says that there are none; after any other the backends that are
   * known stay. It is not cancelled when the balancer stops.
   */
  readonly resolver?: DnsResolver | undefined;
}

/** The names of those hooks, which are no options. */
export const BALANCER_HOOK_NAMES: readonly string[] = ['selection', 'resolver'];

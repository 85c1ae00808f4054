/** Owns what only code can give a load balancer, beside its options and the hooks of every server. Refuses to call any of it. */
import type { OwnPolicy } from '../../actors/selection/create-policy.js';
import type { HttpHooks } from '../http/http-hooks.js';
import type { DnsResolver } from './discovery/resolve-name.js';
import type { BindingHook } from './redirect/directory.js';

/** What code may give a load balancer beside its options. */
export interface BalancerHooks extends HttpHooks {
  /** A policy of your own, in place of the option `policy`: an object with `select`, or only that function. */
  readonly selection?: OwnPolicy | undefined;
  /**
   * Changes the address that a client is told: behind NAT, to another scheme, to a name (sgc: OnBeforeSendServerBinding). Called for each
   * client that is to be told one, after it was let in and a backend was picked, with its request, the whole address and the backend. May
   * be asynchronous. Answer with another `ws:` or `wss:` address, or with nothing to leave it. What it throws or rejects with, or an
   * answer that is no such address, answers this client 500 and is told by `exception`. One that does not answer within
   * `timeouts.handshake` answers 503 or 504.
   */
  readonly onBeforeBinding?: BindingHook | undefined;
  /**
   * Resolves the names of the option `discovery`, in place of the DNS servers of the operating system: a `Resolver` of
   * `node:dns/promises`, perhaps with servers of its own, or anything that answers as one. Asked at the start and every
   * `discovery.interval`. A rejection with `ENOTFOUND` or `ENODATA` says that there are none; after any other the backends that are
   * known stay. It is not cancelled when the balancer stops.
   */
  readonly resolver?: DnsResolver | undefined;
}

/** The names of those hooks, which are no options. */
export const BALANCER_HOOK_NAMES: readonly string[] = [
  'selection',
  'onBeforeBinding',
  'resolver',
  'onHttpRequest',
  'onHttpResponse',
];

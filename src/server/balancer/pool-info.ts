/** Owns the pool of a balancer in a few numbers. Refuses to keep any of them. */
import type { BackendInfo } from '../../actors/backend.js';

/** The backends of a balancer together, as plain JSON. */
export interface PoolInfo {
  /** The state of the statechart `pool`: what it can do for the next client. */
  readonly state: 'empty' | 'unavailable' | 'full' | 'available' | 'closed';
  /** How many backends there are. */
  readonly backends: number;
  /** How many of them are ready, healthy, and have room. */
  readonly available: number;
  readonly draining: number;
  /** How many are ready and not healthy. */
  readonly unhealthy: number;
  /** Connections on all of them, and picks that are under way. */
  readonly load: number;
  /** Clients that wait for room (`queue`). */
  readonly waiting: number;
}

/** Counts. */
export function poolInfo(state: PoolInfo['state'], backends: readonly BackendInfo[], waiting: number): PoolInfo {
  const count = (is: (backend: BackendInfo) => boolean) => backends.filter(is).length;
  return {
    state,
    backends: backends.length,
    available: count(({ available }) => available),
    draining: count((backend) => backend.state === 'draining'),
    unhealthy: count(({ health }) => health === 'unhealthy' || health === 'ejected'),
    load: backends.reduce((sum, { load }) => sum + load, 0),
    waiting,
  };
}

/** Owns the options that all backends of a pool share. */
import type { PairsFate } from './backend.js';
import type { DepartureOptions } from './departure.js';
import type { TrafficHealthOptions } from './traffic-health.js';

/** The options of a backend. Milliseconds; 0 switches a limit off. */
export interface BackendOptions extends DepartureOptions {
  readonly drainTimeout: number;
  /** What becomes of the clients of a backend whose health check fails. */
  readonly whenUnhealthy: PairsFate;
  /** How long it gets less than its share after it became ready or well. */
  readonly slowStart: number;
  readonly outliers: TrafficHealthOptions;
}

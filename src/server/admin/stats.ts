/** Owns the numbers of a server at one moment, for whoever looks every second. Refuses to keep any. */
import { countStates, type StateCounts } from '../observation/state-counts.js';
import type { TotalsSnapshot } from '../observation/totals.js';
import type { Administration } from './administration.js';

/** A server in numbers; a balancer has its `pool`, too. */
export interface Stats extends TotalsSnapshot {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: Administration['kind'];
  readonly state: string;
  /** The value of the chart `supervisor`; undefined when the server is stopped. */
  readonly chart: unknown;
  /** Every connection there is, those in their handshake too. */
  readonly connections: number;
  /** By state id, of connections and upstreams. */
  readonly states: StateCounts;
  readonly heldBytes: number;
}

/** Reads the numbers of a server; walks over every connection. */
export function readStats({ kind, verbs, observation, ownStats }: Administration): Stats {
  const { parts, totals } = observation;
  return {
    at: Date.now(),
    kind,
    state: verbs.state,
    chart: parts?.supervisor.chartValue,
    connections: parts?.supervisor.registry.size ?? 0,
    states: parts === undefined ? {} : countStates(parts.supervisor),
    heldBytes: parts?.heldBytes() ?? 0,
    ...totals.snapshot(),
    ...ownStats(),
  };
}

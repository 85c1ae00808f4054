/** Owns what is told of a whole server at one moment. Refuses to take it down. */
import type { SupervisorActor } from '../actors/supervisor-actor.js';
import type { ConnectionSnapshot } from '../receivers/index.js';
import type { RefusalCounts, RefusalSnapshot } from './admission/refusal-counts.js';
import type { BoundAddress } from './listener/listen-address.js';

/** Where in its life a server is. */
export type ServerState = 'stopped' | 'starting' | 'running' | 'draining';

/** A server at one moment, as plain JSON. */
export interface ServerSnapshot {
  readonly state: ServerState;
  /** The value of the statechart `supervisor`, or undefined when the server is stopped. */
  readonly chart: unknown;
  readonly addresses: readonly BoundAddress[];
  readonly connections: readonly ConnectionSnapshot[];
  /** How many were refused since the server was made, and why. */
  readonly refused: RefusalSnapshot;
  /** Bytes held for all connections together; `limits.maxHeldBytes` bounds them. */
  readonly heldBytes: number;
}

/** What of a running server is looked at. */
interface Running {
  readonly supervisor: Pick<SupervisorActor, 'registry' | 'chartValue'>;
  readonly addresses: readonly BoundAddress[];
  readonly budget: { readonly heldBytes: number };
}

/** Looks at a server. @param running undefined unless it runs. */
export function snapshotOf(
  state: ServerState,
  running: Running | undefined,
  refusals: Pick<RefusalCounts, 'snapshot'>,
): ServerSnapshot {
  const connections = running === undefined ? [] : [...running.supervisor.registry.all()];
  return {
    state,
    chart: running?.supervisor.chartValue,
    addresses: running?.addresses ?? [],
    connections: connections.map(({ handle }) => handle.snapshot()),
    refused: refusals.snapshot(),
    heldBytes: running?.budget.heldBytes ?? 0,
  };
}

/** Owns how a connection is shown to who runs its server: in one row of a list, and in full. Refuses to choose which. */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import type { ConnectionSnapshot } from '../../receivers/index.js';
import type { EndedConnection } from '../explain/ended-connections.js';
import { explainConnection } from '../explain/explain-connection.js';
import { explainEnded } from '../explain/explain-ended.js';
import type { ObservedParts } from '../observation/onlooker.js';

/** A connection in a list. */
export interface ConnectionRow extends ConnectionSnapshot {
  /** Whether it is the control channel of a backend, which is no client. */
  readonly control: boolean;
  /** Undefined for a connection that has no upstream, or none yet. */
  readonly upstream: { readonly chart: unknown } | undefined;
}

/** The upstream of a connection, also when it is over. */
export function upstreamOf({ counterpart }: ConnectionActor): UpstreamActor | undefined {
  return counterpart instanceof UpstreamActor ? counterpart : undefined;
}

/** Shows one in a row. */
export function rowOf(connection: ConnectionActor, { supervisor }: ObservedParts): ConnectionRow {
  const upstream = upstreamOf(connection);
  return {
    ...connection.handle.snapshot(),
    control: supervisor.registry.isControl(connection),
    upstream: upstream === undefined ? undefined : { chart: upstream.chartValue },
  };
}

/** Shows everything that is known of one. */
export function detailOf(connection: ConnectionActor, parts: ObservedParts): object {
  const { history } = connection;
  const { highWaterMark, lowWaterMark } = parts.config.limits;
  return {
    ...rowOf(connection, parts),
    history: history?.entries() ?? [],
    historyDropped: history?.dropped ?? 0,
    waterMarks: { high: highWaterMark, low: lowWaterMark },
    upstream: upstreamDetail(connection),
    explanation: explainConnection(connection, parts.supervisor.watches, parts.config),
  };
}

/** Shows what is remembered of one that is over, or was refused. */
export function endDetailOf(ended: EndedConnection): object {
  const { id, sides, history, report, refusal } = ended;
  return {
    id,
    state: refusal === undefined ? 'closed' : 'rejected',
    ...sides,
    history: history?.entries() ?? [],
    historyDropped: history?.dropped ?? 0,
    closeReport: report,
    refusal,
    explanation: explainEnded(ended),
  };
}

function upstreamDetail(connection: ConnectionActor): object | undefined {
  const upstream = upstreamOf(connection);
  if (upstream === undefined) return undefined;
  const { port, chartValue } = upstream;
  return {
    chart: chartValue,
    target: connection.port.target,
    speaksWebSocket: port.speaksWebSocket,
    bytesRead: port.bytesRead,
    bufferedBytes: port.bufferedBytes,
  };
}

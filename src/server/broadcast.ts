/** Owns sending one message or ping to many connections: the filters and the report. Refuses to know channels; the registry does. */
import type { ConnectionActor } from '../actors/connection-actor.js';
import type { Registry } from '../actors/registry.js';
import type { Message } from '../receivers/index.js';

/** Which connections get a broadcast. Filters are combined with "and"; `exclude` always wins. */
export interface BroadcastFilter {
  /** Only connections that joined this channel. */
  readonly channel?: string;
  /** Only connections with this subprotocol. */
  readonly protocol?: string;
  /** Only connections of the user with this name. */
  readonly user?: string;
  /** Only connections whose principal has this tag. */
  readonly tag?: string;
  /** Only these connection ids; an empty list is no filter. */
  readonly include?: readonly string[];
  /** None of these connection ids. */
  readonly exclude?: readonly string[];
}

/** What became of a broadcast: how many connections matched, and what their sends answered. */
export interface BroadcastReport {
  readonly matched: number;
  readonly accepted: number;
  readonly queued: number;
  readonly dropped: number;
  readonly closed: number;
}

/** Which connections are meant at all, whatever a filter says. */
export type IsMeant = (connection: ConnectionActor) => boolean;

/** Sends a message to every open connection that passes the filter. Returns after the hand-off to the sockets. */
export function broadcast(
  registry: Registry,
  message: Message,
  filter: BroadcastFilter = {},
  isMeant: IsMeant = everybody,
): BroadcastReport {
  const include = filter.include !== undefined && filter.include.length > 0 ? new Set(filter.include) : undefined;
  const exclude = new Set(filter.exclude);
  const report = { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };
  const candidates = filter.channel === undefined ? registry.clients() : registry.members(filter.channel);
  // A copy: a send may end a connection, which changes the registry.
  for (const connection of [...candidates]) {
    if (!connection.gate || !passes(connection, filter, include) || exclude.has(connection.id)) continue;
    if (!isMeant(connection)) continue;
    report.matched += 1;
    report[connection.handle.send(message)] += 1;
  }
  return report;
}

/** Sends a ping to every open connection of a client. */
export function pingAll(registry: Registry, payload: Message, isMeant: IsMeant = everybody): BroadcastReport {
  const report = { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };
  for (const connection of [...registry.clients()]) {
    if (!connection.gate || !isMeant(connection)) continue;
    report.matched += 1;
    report[connection.handle.ping(payload)] += 1;
  }
  return report;
}

function everybody(): boolean {
  return true;
}

function passes(
  connection: ConnectionActor,
  { protocol, user, tag }: BroadcastFilter,
  include: ReadonlySet<string> | undefined,
): boolean {
  if (protocol !== undefined && connection.handle.subprotocol !== protocol) return false;
  if (user !== undefined && connection.principal?.name !== user) return false;
  if (tag !== undefined && connection.principal?.tags?.includes(tag) !== true) return false;
  return include?.has(connection.id) ?? true;
}

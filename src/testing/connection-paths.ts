/**
 * Owns the ways through the chart `connection`: a path for each of its transitions that a client, a target, an operator or time can bring
 * about, with what the chart says on the way. Refuses to go any of them.
 */
import { type AnyMachineSnapshot, initialTransition, type StateValue, transition } from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import type { ConnectionEffects } from '../actors/connection.effects.js';
import { type ConnectionEvent, connectionMachine, type DialOrder } from '../actors/connection.machine.js';
import { closedBy, cut, type Ending, failure } from '../actors/ending.js';

/** What may happen on a path: an event of the chart, or one of its deadlines that passes, such as `xstate.after.closeTimeout.connection.closing`. */
export type PathEvent = ConnectionEvent | { readonly type: `xstate.after.${string}` };

/** A way through the chart from where the decision about the handshake is waited for. */
export interface ConnectionPath {
  /** In words, for the name of a test. */
  readonly name: string;
  readonly events: readonly PathEvent[];
  /** The value of the chart after each of them. */
  readonly values: readonly StateValue[];
}

/** Which paths are wanted. */
export interface ConnectionPathsOptions {
  /** When the target is dialled; with `none` the receiver is all there is. Default: `none`. */
  readonly dial?: DialOrder | undefined;
}

const DEADLINES = [
  'xstate.after.handshakeTimeout.connection.handshaking',
  'xstate.after.closeTimeout.connection.closing',
  'xstate.after.writeStallTimeout.connection.open.outbound.throttled',
] as const;

/** Everything that can happen to a connection with this order of dialling, but for what it raises itself. */
function happenings(dial: DialOrder): PathEvent[] {
  return [
    { type: 'decision.accept', dial },
    { type: 'decision.reject' },
    ...(dial === 'none'
      ? []
      : ([{ type: 'upstream.ready' }, { type: 'upstream.failed', error: 'UPSTREAM_REFUSED' }] as const)),
    { type: 'receiver.failed' },
    {
      type: 'close.request',
      ending: { initiator: 'operator', cause: 'disconnected', code: 1001, reason: '' },
    },
    { type: 'terminate.request', ending: cut('application', 'terminated') },
    { type: 'peer.closed', ending: closedBy('downstream', 1000, 'bye') },
    { type: 'protocol.violated', ending: failure('downstream', 'PROTOCOL_ERROR', 1002) },
    { type: 'idle.expired' },
    { type: 'lifetime.expired' },
    { type: 'transport.closed', ending: cut('downstream') },
    { type: 'pressure.high' },
    { type: 'pressure.low' },
    { type: 'read.pause' },
    { type: 'read.resume' },
    { type: 'heartbeat.due' },
    { type: 'heartbeat.missed' },
    { type: 'peer.heard' },
    ...DEADLINES.map((type) => ({ type })),
  ];
}

/** Nothing follows from a walk. */
const port = new Proxy({}, { get: () => () => undefined }) as ConnectionEffects;

/** The chart alone, as what a connection is compared with. */
export class Oracle {
  #snapshot: AnyMachineSnapshot = initialTransition(connectionMachine, { port })[0];

  get value(): StateValue {
    return this.#snapshot.value;
  }

  /** Lets an event happen; one for which the chart has no use changes nothing. */
  happen(event: PathEvent): void {
    if (this.#snapshot.status !== 'active') return;
    [this.#snapshot] = transition(connectionMachine, this.#snapshot as never, event as ConnectionEvent);
  }

  /** Whether nothing outside can bring an event about where the chart is. */
  excludes(event: PathEvent, dial: DialOrder): boolean {
    return cannotHappen(this.#snapshot, event, dial);
  }
}

/** Lists a path for each transition of the chart, the shortest that takes it. They are the same each time, about a hundred, and made in milliseconds. */
export function connectionPaths({ dial = 'none' }: ConnectionPathsOptions = {}): ConnectionPath[] {
  const walk = {
    input: { port },
    events: happenings(dial) as ConnectionEvent[],
    filterEvents: (snapshot: AnyMachineSnapshot, event: ConnectionEvent) =>
      snapshot.status === 'active' && snapshot.can(event) && !cannotHappen(snapshot, event, dial),
    serializeState: (snapshot: AnyMachineSnapshot) => placeOf(snapshot),
  };
  const ways = new Map(
    getShortestPaths(connectionMachine, walk as never).map((path) => [
      placeOf(path.state),
      // The first step is the start, which is no event.
      path.steps.slice(1).map((step) => step.event as PathEvent),
    ]),
  );
  return adjacencyMapToArray(getAdjacencyMap(connectionMachine, walk as never)).map(({ state, event }) =>
    pathOf([...(ways.get(placeOf(state)) ?? []), event as PathEvent]),
  );
}

/**
 * Makes a path of events, such as one that `xstate/graph` found.
 *
 * @throws TypeError when one of them leads nowhere: the chart has no transition for it there.
 */
export function pathOf(events: readonly PathEvent[]): ConnectionPath {
  let [snapshot] = initialTransition(connectionMachine, { port });
  const values: StateValue[] = [];
  for (const [at, event] of events.entries()) {
    if (!snapshot.can(event as ConnectionEvent)) {
      const where = JSON.stringify(snapshot.value);
      throw new TypeError(`events[${at}]: got ${eventInWords(event)}, for which the chart has no use in ${where}`);
    }
    [snapshot] = transition(connectionMachine, snapshot, event as ConnectionEvent);
    values.push(snapshot.value);
  }
  return { name: events.map((event) => eventInWords(event)).join(', '), events, values };
}

/** Writes an event in words, such as `pressure.high` or `after closeTimeout`. */
export function eventInWords(event: { readonly type: string }): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(event.type);
  return after === null ? event.type : `after ${after[1]}`;
}

/** What tells one configuration from another: where it is, and on the way out why. */
function placeOf({ value, context }: AnyMachineSnapshot): string {
  const { code, cause } = (context as { ending: Ending }).ending;
  return value === 'closing' || value === 'closed' ? `${value} ${code} ${cause}` : JSON.stringify(value);
}

/** What nothing outside can bring about there. */
function cannotHappen(snapshot: AnyMachineSnapshot, { type }: PathEvent, dial: DialOrder): boolean {
  const { value } = snapshot;
  const where = placeOf(snapshot);
  if (where.includes('deciding')) return type.startsWith('upstream.');
  if (where.includes('dialling')) return type.startsWith('decision.') || type === 'receiver.failed';
  const isOpen = typeof value === 'object' && 'open' in value;
  const isPaused = where.includes('paused');
  // The target is there, or it is what is waited for.
  if (isOpen && type === 'upstream.failed') return dial !== 'after-accept' || where.includes('throttled') || !isPaused;
  if (isOpen && type === 'upstream.ready') return true;
  // Nothing is read there, so that nothing is heard from the client.
  const isUnread = isPaused || where === 'closing 1000 closed' || where === 'closing 1002 PROTOCOL_ERROR';
  return isUnread && (type === 'peer.closed' || type === 'protocol.violated');
}

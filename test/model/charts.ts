/**
 * Owns the list of everything that can happen to each chart, one event of every kind. Refuses to say what has to follow.
 */
import type { AnyEventObject } from 'xstate';
import type { DrainCause, PairsFate } from '../../src/actors/backend.js';
import { type BackendEvent, backendMachine } from '../../src/actors/backend.machine.js';
import { type ConnectionEvent, connectionMachine } from '../../src/actors/connection.machine.js';
import { closedBy, cut, failure } from '../../src/actors/ending.js';
import { type PoolEvent, poolMachine } from '../../src/actors/pool.machine.js';
import { type SupervisorEvent, supervisorMachine } from '../../src/actors/supervisor.machine.js';
import { type UpstreamEvent, upstreamMachine } from '../../src/actors/upstream.machine.js';
import {
  FakeBackendEffects,
  FakeConnectionEffects,
  FakePoolEffects,
  FakeSupervisorEffects,
  FakeUpstreamEffects,
} from '../support/fake-effects.js';
import type { Chart } from './walk.js';

// Events that a chart raises itself. They come about in a walk by what raises them, and nobody else sends them.
type Raised = 'write.stalled' | 'liveness.lost' | 'trial.passed';

// One list entry for every kind of event: a kind that is added to a chart and not here is a compile error.
type EveryKind<Event extends { type: string }> = {
  readonly [Type in Exclude<Event['type'], Raised>]: readonly Extract<Event, { type: Type }>[];
};

function flat<Event extends AnyEventObject>(kinds: Readonly<Record<string, readonly Event[]>>): Event[] {
  return Object.values(kinds).flat();
}

const connectionEvents: EveryKind<ConnectionEvent> = {
  'decision.accept': [
    { type: 'decision.accept', dial: 'none' },
    { type: 'decision.accept', dial: 'before-accept' },
    { type: 'decision.accept', dial: 'after-accept' },
  ],
  'decision.reject': [{ type: 'decision.reject' }],
  'upstream.ready': [{ type: 'upstream.ready' }],
  'upstream.failed': [{ type: 'upstream.failed', error: 'UPSTREAM_REFUSED' }],
  'receiver.failed': [{ type: 'receiver.failed' }],
  'close.request': [
    { type: 'close.request', ending: { initiator: 'operator', cause: 'disconnected', code: 1001, reason: '' } },
  ],
  'terminate.request': [{ type: 'terminate.request', ending: cut('application', 'terminated') }],
  'peer.closed': [{ type: 'peer.closed', ending: closedBy('downstream', 1000, 'bye') }],
  'protocol.violated': [{ type: 'protocol.violated', ending: failure('downstream', 'PROTOCOL_ERROR', 1002) }],
  'idle.expired': [{ type: 'idle.expired' }],
  'lifetime.expired': [{ type: 'lifetime.expired' }],
  'transport.closed': [{ type: 'transport.closed', ending: cut('downstream') }],
  'pressure.high': [{ type: 'pressure.high' }],
  'pressure.low': [{ type: 'pressure.low' }],
  'write.progressed': [{ type: 'write.progressed' }],
  'read.pause': [{ type: 'read.pause' }],
  'read.resume': [{ type: 'read.resume' }],
  'heartbeat.due': [{ type: 'heartbeat.due' }],
  'heartbeat.missed': [{ type: 'heartbeat.missed' }],
  'peer.heard': [{ type: 'peer.heard' }],
};

/** The `connection` chart. */
export const connection: Chart = {
  machine: connectionMachine,
  newPort: () => new FakeConnectionEffects(),
  events: flat<ConnectionEvent>(connectionEvents),
  deadlines: {
    'xstate.after.handshakeTimeout.connection.handshaking': 300,
    'xstate.after.closeTimeout.connection.closing': 200,
    'xstate.after.writeStallTimeout.connection.open.outbound.throttled': 100,
  },
  endings: ['closing', 'closed'],
};

const upstreamEvents: EveryKind<UpstreamEvent> = {
  'dial.succeeded': [{ type: 'dial.succeeded' }],
  'dial.failed': [{ type: 'dial.failed' }],
  'close.request': [{ type: 'close.request', ending: closedBy('downstream', 1001, 'away') }],
  'terminate.request': [{ type: 'terminate.request', ending: cut('operator', 'terminated') }],
  'peer.closed': [{ type: 'peer.closed', ending: closedBy('upstream', 1000, 'bye') }],
  'protocol.violated': [{ type: 'protocol.violated', ending: failure('upstream', 'PROTOCOL_ERROR', 1002) }],
  'transport.closed': [{ type: 'transport.closed', ending: cut('upstream', 'UPSTREAM_LOST') }],
  'pressure.high': [{ type: 'pressure.high' }],
  'pressure.low': [{ type: 'pressure.low' }],
  'write.progressed': [{ type: 'write.progressed' }],
  'read.pause': [{ type: 'read.pause' }],
  'read.resume': [{ type: 'read.resume' }],
  'heartbeat.due': [{ type: 'heartbeat.due' }],
  'heartbeat.missed': [{ type: 'heartbeat.missed' }],
  'peer.heard': [{ type: 'peer.heard' }],
};

/** The `upstream` chart. */
export const upstream: Chart = {
  machine: upstreamMachine,
  newPort: () => new FakeUpstreamEffects(),
  events: flat<UpstreamEvent>(upstreamEvents),
  deadlines: {
    'xstate.after.dialTimeout.upstream.dialling': 300,
    'xstate.after.closeTimeout.upstream.closing': 200,
    'xstate.after.writeStallTimeout.upstream.open.outbound.throttled': 100,
  },
  endings: ['closing', 'closed'],
};

const supervisorEvents: EveryKind<SupervisorEvent> = {
  'listeners.bound': [{ type: 'listeners.bound' }],
  'listeners.failed': [{ type: 'listeners.failed' }],
  'capacity.reached': [{ type: 'capacity.reached' }],
  'capacity.freed': [{ type: 'capacity.freed' }],
  'disconnect.all': [{ type: 'disconnect.all' }],
  'stop.request': [{ type: 'stop.request' }],
  'terminate.all': [{ type: 'terminate.all' }],
  'connections.gone': [{ type: 'connections.gone' }],
  'xstate.error.actor.connection': [{ type: 'xstate.error.actor.connection', error: new Error('a connection failed') }],
};

/** The `supervisor` chart. */
export const supervisor: Chart = {
  machine: supervisorMachine,
  newPort: () => new FakeSupervisorEffects(),
  events: flat<SupervisorEvent>(supervisorEvents),
  deadlines: { 'xstate.after.drainTimeout.supervisor.draining': 300 },
};

const causes: readonly DrainCause[] = ['backend', 'lost', 'operator', 'removed'];
const fates: readonly PairsFate[] = ['keep', 'drain', 'close'];

const backendEvents: EveryKind<BackendEvent> = {
  'ready.announced': [{ type: 'ready.announced' }],
  'drain.request': causes.flatMap((cause) => fates.map((fate) => ({ type: 'drain.request', cause, fate }) as const)),
  'resume.request': [{ type: 'resume.request' }],
  'room.gone': [{ type: 'room.gone' }],
  'room.freed': [{ type: 'room.freed' }],
  'check.down': [{ type: 'check.down' }],
  'check.up': [{ type: 'check.up' }],
  'outlier.found': [{ type: 'outlier.found' }],
  'trial.connected': [{ type: 'trial.connected' }],
  'trial.failed': [{ type: 'trial.failed' }],
  'ejection.lifted': [{ type: 'ejection.lifted' }],
  'pairs.gone': [{ type: 'pairs.gone' }],
  'pool.closed': [{ type: 'pool.closed' }],
};

/**
 * What of the context tells one configuration of the `backend` chart from another. Whether it was ever announced matters only to one that
 * an operator may resume.
 */
function detailsOfBackend(state: string, context: unknown): string {
  if (state !== 'draining') return '';
  const { cause, fate, lost, announced } = context as Record<string, unknown>;
  const known = lost === true ? ' lost' : announced === true ? '' : ' unannounced';
  return `(${cause}${cause === 'operator' ? known : ''} ${fate})`;
}

/** The `backend` chart. */
export const backend: Chart = {
  machine: backendMachine,
  newPort: () => new FakeBackendEffects(),
  events: flat<BackendEvent>(backendEvents),
  deadlines: {
    'xstate.after.ejectionTime.backend.ready.health.ejected': 200,
    'xstate.after.provingTime.backend.ready.health.trial.proving': 50,
    'xstate.after.drainTimeout.backend.draining': 300,
  },
  details: detailsOfBackend,
};

/**
 * The `backend` chart with one fate only and always with room: what is left out stands beside what is in, and every simple path of all
 * together would be millions.
 */
export const backendLife: Chart = {
  ...backend,
  events: backend.events.filter(
    (event) => !('fate' in event && event.fate !== 'drain') && !event.type.startsWith('room.'),
  ),
};

const poolEvents: EveryKind<PoolEvent> = {
  'backends.none': [{ type: 'backends.none' }],
  'backends.unavailable': [{ type: 'backends.unavailable' }],
  'backends.full': [{ type: 'backends.full' }],
  'backends.available': [{ type: 'backends.available' }],
  'pool.closed': [{ type: 'pool.closed' }],
};

/** The `pool` chart. */
export const pool: Chart = {
  machine: poolMachine,
  newPort: () => new FakePoolEffects(),
  events: flat<PoolEvent>(poolEvents),
  deadlines: {},
};

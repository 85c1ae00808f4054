/**
 * Owns the list of everything that can happen to each chart, one event of every kind. Refuses to say what has to follow.
 */
import type { AnyEventObject } from 'xstate';
import { type ConnectionEvent, connectionMachine } from '../../src/actors/connection.machine.js';
import { closedBy, cut, failure } from '../../src/actors/ending.js';
import { type SupervisorEvent, supervisorMachine } from '../../src/actors/supervisor.machine.js';
import { type UpstreamEvent, upstreamMachine } from '../../src/actors/upstream.machine.js';
import { FakeConnectionEffects, FakeSupervisorEffects, FakeUpstreamEffects } from '../support/fake-effects.js';
import type { Chart } from './walk.js';

// Events that a chart raises itself. They come about in a walk by what raises them, and nobody else sends them.
type Raised = 'write.stalled' | 'liveness.lost';

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

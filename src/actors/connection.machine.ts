/**
 * Owns the life of a downstream connection as a statechart. Refuses to hold sockets, counters or bytes: what it decides
 * is carried out by the effects port, and only edges reach it as events.
 */
import { assign, raise, setup } from 'xstate';
import { CloseCode, CloseIndicator, type CloseReport, type ErrorCode } from '../receivers/index.js';
import type { ConnectionEffects } from './connection.effects.js';
import { deadline } from './deadline.js';
import { cut, type Ending, failure } from './ending.js';
import { inbound, liveness } from './regions.js';

/** When the upstream of a connection is dialled; `none` for a server without target. */
export type DialOrder = 'before-accept' | 'after-accept' | 'none';

/** Everything that can happen to a connection, as its chart sees it. */
export type ConnectionEvent =
  | { type: 'decision.accept'; dial: DialOrder }
  | { type: 'decision.reject' }
  | { type: 'upstream.ready' }
  | { type: 'upstream.failed'; error: ErrorCode }
  | { type: 'receiver.failed' }
  | { type: 'close.request'; ending: Ending }
  | { type: 'terminate.request'; ending: Ending }
  | { type: 'peer.closed'; ending: Ending }
  | { type: 'protocol.violated'; ending: Ending }
  | { type: 'idle.expired' }
  | { type: 'lifetime.expired' }
  | { type: 'transport.closed'; ending: Ending }
  | { type: 'pressure.high' }
  | { type: 'pressure.low' }
  | { type: 'write.progressed' }
  | { type: 'read.pause' }
  | { type: 'read.resume' }
  | { type: 'heartbeat.due' }
  | { type: 'heartbeat.missed' }
  | { type: 'peer.heard' }
  | { type: 'write.stalled' }
  | { type: 'liveness.lost' };

interface ConnectionContext {
  readonly port: ConnectionEffects;
  readonly dial: DialOrder;
  readonly ending: Ending;
}

/** The ending that goes with an event that ends a connection. */
function endingOf(event: ConnectionEvent): Ending {
  if ('ending' in event) return event.ending;
  switch (event.type) {
    case 'receiver.failed':
      return failure('application', 'RECEIVER_FAILED', CloseCode.InternalError);
    case 'upstream.failed':
      // Nobody was asked: the target that was chosen is one that may not be.
      if (event.error === 'TARGET_DENIED') return failure('proxy', event.error, CloseCode.PolicyViolation);
      return failure('upstream', event.error, CloseCode.BadGateway);
    case 'idle.expired':
      return failure('proxy', 'IDLE_TIMEOUT', CloseCode.GoingAway, 'idle timeout');
    case 'lifetime.expired':
      return failure('proxy', 'LIFETIME_EXCEEDED', CloseCode.GoingAway, 'lifetime exceeded');
    case 'write.stalled':
      return failure('proxy', 'WRITE_STALLED', CloseCode.PolicyViolation, 'nothing was read for too long');
    case 'liveness.lost':
      return { initiator: 'network', cause: 'HEARTBEAT_LOST', code: CloseIndicator.Abnormal, reason: '' };
    default:
      return cut('network');
  }
}

/** Before there is another one; shared by all. */
const LOST = cut('network');

/** The statechart of a downstream connection. */
export const connectionMachine = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionEvent,
    input: {} as { port: ConnectionEffects },
    output: {} as CloseReport,
  },
  actions: {
    decide: ({ context }) => context.port.decide(),
    dial: ({ context }) => context.port.dial(),
    refuse: ({ context }) => context.port.refuse(),
    expireHandshake: ({ context }) => context.port.expireHandshake(),
    acceptUpgrade: ({ context }) => context.port.acceptUpgrade(),
    openGate: ({ context }) => context.port.openGate(),
    shutGate: ({ context }) => context.port.shutGate(),
    pauseReading: ({ context }) => context.port.pauseReading(),
    resumeReading: ({ context }) => context.port.resumeReading(),
    sendPing: ({ context }) => context.port.sendPing(),
    sendClose: ({ context }) => context.port.sendClose(context.ending),
    answerClose: ({ context, event }) => context.port.answerClose(endingOf(event)),
    finishClose: ({ context }) => context.port.finishClose(),
    terminate: ({ context }) => context.port.terminate(),
    deliverOpen: ({ context }) => context.port.deliverOpen(),
    deliverThrottled: ({ context }) => context.port.deliverThrottled(),
    deliverUnthrottled: ({ context }) => context.port.deliverUnthrottled(),
    deliverClosed: ({ context }) => context.port.deliverClosed(context.ending),
    rememberDial: assign({ dial: ({ event }) => (event.type === 'decision.accept' ? event.dial : 'none') }),
    rememberEnding: assign({ ending: ({ event }) => endingOf(event) }),
    raiseStalled: raise({ type: 'write.stalled' }),
    raiseLost: raise({ type: 'liveness.lost' }),
    raisePause: raise({ type: 'read.pause' }),
  },
  guards: {
    dialsFirst: ({ event }) => event.type === 'decision.accept' && event.dial === 'before-accept',
    dialsLater: ({ context }) => context.dial === 'after-accept',
  },
  delays: {
    handshakeTimeout: ({ context }) => deadline(context.port.timeouts.handshake),
    closeTimeout: ({ context }) => deadline(context.port.timeouts.close),
    writeStallTimeout: ({ context }) => deadline(context.port.timeouts.writeStall),
  },
}).createMachine({
  id: 'connection',
  context: ({ input }) => ({ port: input.port, dial: 'none', ending: LOST }),
  initial: 'handshaking',
  states: {
    handshaking: {
      initial: 'deciding',
      states: {
        deciding: {
          entry: 'decide',
          on: {
            'decision.accept': [
              { guard: 'dialsFirst', target: 'dialling' },
              { target: 'settled', actions: 'rememberDial' },
            ],
          },
        },
        dialling: { entry: 'dial', on: { 'upstream.ready': 'settled' } },
        settled: { type: 'final' },
      },
      on: {
        'decision.reject': 'rejected',
        'upstream.failed': 'rejected',
        'receiver.failed': 'rejected',
        'close.request': 'rejected',
        'terminate.request': 'rejected',
        'transport.closed': 'rejected',
      },
      after: { handshakeTimeout: { target: 'rejected', actions: 'expireHandshake' } },
      onDone: [{ guard: 'dialsLater', target: 'open', actions: ['raisePause', 'dial'] }, { target: 'open' }],
    },
    open: {
      type: 'parallel',
      entry: ['acceptUpgrade', 'openGate', 'deliverOpen'],
      exit: 'shutGate',
      on: {
        'close.request': { target: 'closing', actions: 'rememberEnding' },
        'peer.closed': { target: 'closing', actions: 'rememberEnding' },
        'receiver.failed': { target: 'closing', actions: 'rememberEnding' },
        'upstream.failed': { target: 'closing', actions: 'rememberEnding' },
        'protocol.violated': { target: 'closing', actions: 'rememberEnding' },
        'idle.expired': { target: 'closing', actions: 'rememberEnding' },
        'lifetime.expired': { target: 'closing', actions: 'rememberEnding' },
        'write.stalled': { target: 'closing', actions: 'rememberEnding' },
        'transport.closed': { target: 'closed', actions: 'rememberEnding' },
        'terminate.request': { target: 'closed', actions: ['rememberEnding', 'terminate'] },
        'liveness.lost': { target: 'closed', actions: ['rememberEnding', 'terminate'] },
      },
      states: {
        outbound: {
          initial: 'flowing',
          states: {
            flowing: { on: { 'pressure.high': { target: 'throttled', actions: 'deliverThrottled' } } },
            throttled: {
              on: {
                'pressure.low': { target: 'flowing', actions: 'deliverUnthrottled' },
                // Entered anew, so that the deadline is one for a peer that reads nothing, and not for a slow one.
                'write.progressed': { target: 'throttled', reenter: true },
              },
              after: { writeStallTimeout: { actions: 'raiseStalled' } },
            },
          },
        },
        inbound,
        liveness,
      },
    },
    closing: {
      entry: 'sendClose',
      on: {
        'close.request': { actions: 'answerClose' },
        'peer.closed': { actions: 'finishClose' },
        'transport.closed': 'closed',
        // Nothing can be read any more, the peer's answer neither (RFC 6455 section 7.1.7).
        'protocol.violated': { target: 'closed', actions: 'terminate' },
        'terminate.request': { target: 'closed', actions: 'terminate' },
      },
      after: { closeTimeout: { target: 'closed', actions: 'terminate' } },
    },
    rejected: { type: 'final', entry: 'refuse' },
    closed: { type: 'final', entry: 'deliverClosed' },
  },
  output: ({ context }) => context.port.report(context.ending),
});

/**
 * Owns the life of the connection to a target as a statechart: the mirror of `connection`, with a dial in place of the
 * decision. Refuses to know which protocol the target speaks.
 */
import { assign, raise, setup } from 'xstate';
import { CloseCode, CloseIndicator } from '../receivers/index.js';
import { deadline } from './deadline.js';
import { cut, type Ending, failure } from './ending.js';
import { inbound, liveness } from './regions.js';
import type { UpstreamEffects } from './upstream.effects.js';

/** Everything that can happen to an upstream, as its chart sees it. */
export type UpstreamEvent =
  | { type: 'dial.succeeded' }
  | { type: 'dial.failed' }
  | { type: 'close.request'; ending: Ending }
  | { type: 'terminate.request'; ending: Ending }
  | { type: 'peer.closed'; ending: Ending }
  | { type: 'protocol.violated'; ending: Ending }
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

interface UpstreamContext {
  readonly port: UpstreamEffects;
  readonly ending: Ending;
}

function endingOf(event: UpstreamEvent): Ending {
  if ('ending' in event) return event.ending;
  if (event.type === 'write.stalled') return failure('upstream', 'WRITE_STALLED', CloseCode.TryAgainLater);
  if (event.type === 'liveness.lost') {
    return { initiator: 'upstream', cause: 'HEARTBEAT_LOST', code: CloseIndicator.Abnormal, reason: '' };
  }
  return cut('upstream', 'UPSTREAM_LOST');
}

/** Before there is another one; shared by all. */
const LOST = cut('upstream', 'UPSTREAM_LOST');

/** The statechart of a connection to a target. */
export const upstreamMachine = setup({
  types: {
    context: {} as UpstreamContext,
    events: {} as UpstreamEvent,
    input: {} as { port: UpstreamEffects },
  },
  actions: {
    dial: ({ context }) => context.port.dial(),
    abortDial: ({ context }) => context.port.abortDial(),
    expireDial: ({ context }) => context.port.expireDial(),
    pauseReading: ({ context }) => context.port.pauseReading(),
    resumeReading: ({ context }) => context.port.resumeReading(),
    sendPing: ({ context }) => context.port.sendPing(),
    sendClose: ({ context }) => context.port.sendClose(context.ending),
    answerClose: ({ context, event }) => context.port.answerClose(endingOf(event)),
    finishClose: ({ context }) => context.port.finishClose(),
    terminate: ({ context }) => context.port.terminate(),
    announceUnreachable: ({ context }) => context.port.announceUnreachable(),
    announceClosed: ({ context }) => context.port.announceClosed(context.ending),
    rememberEnding: assign({ ending: ({ event }) => endingOf(event) }),
    raiseStalled: raise({ type: 'write.stalled' }),
    raiseLost: raise({ type: 'liveness.lost' }),
  },
  delays: {
    dialTimeout: ({ context }) => deadline(context.port.timeouts.dial),
    closeTimeout: ({ context }) => deadline(context.port.timeouts.close),
    writeStallTimeout: ({ context }) => deadline(context.port.timeouts.writeStall),
  },
}).createMachine({
  id: 'upstream',
  context: ({ input }) => ({ port: input.port, ending: LOST }),
  initial: 'dialling',
  states: {
    dialling: {
      entry: 'dial',
      on: {
        'dial.succeeded': 'open',
        'dial.failed': 'unreachable',
        'close.request': { target: 'unreachable', actions: 'abortDial' },
        'terminate.request': { target: 'unreachable', actions: 'abortDial' },
      },
      after: { dialTimeout: { target: 'unreachable', actions: ['expireDial', 'abortDial'] } },
    },
    open: {
      type: 'parallel',
      on: {
        'close.request': { target: 'closing', actions: 'rememberEnding' },
        'peer.closed': { target: 'closing', actions: 'rememberEnding' },
        'protocol.violated': { target: 'closing', actions: 'rememberEnding' },
        'write.stalled': { target: 'closed', actions: ['rememberEnding', 'terminate'] },
        'transport.closed': { target: 'closed', actions: 'rememberEnding' },
        'terminate.request': { target: 'closed', actions: ['rememberEnding', 'terminate'] },
        'liveness.lost': { target: 'closed', actions: ['rememberEnding', 'terminate'] },
      },
      states: {
        outbound: {
          initial: 'flowing',
          states: {
            flowing: { on: { 'pressure.high': 'throttled' } },
            throttled: {
              on: {
                'pressure.low': 'flowing',
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
    unreachable: { type: 'final', entry: 'announceUnreachable' },
    closed: { type: 'final', entry: 'announceClosed' },
  },
});

/**
 * Owns the life of a backend as a statechart: announced, ready with its load and its health, draining, gone. Refuses to hold
 * connections or to count; what it decides is carried out by the effects port.
 */
import { assign, setup } from 'xstate';
import type { BackendEffects } from './backend.effects.js';
import type { DrainCause, PairsFate } from './backend.js';
import { deadline } from './deadline.js';

/** Everything that can happen to a backend, as its chart sees it. */
export type BackendEvent =
  /** It was announced as ready: at its first registration, or at one after its control channel was lost. */
  | { type: 'ready.announced' }
  | { type: 'drain.request'; cause: DrainCause; fate: PairsFate }
  | { type: 'resume.request' }
  | { type: 'room.gone' }
  | { type: 'room.freed' }
  | { type: 'check.down' }
  | { type: 'check.up' }
  | { type: 'outlier.found' }
  | { type: 'trial.passed' }
  | { type: 'trial.failed' }
  | { type: 'pairs.gone' };

interface BackendContext {
  readonly port: BackendEffects;
  /** Why it is draining, when it is; of several reasons the strongest. */
  readonly cause: DrainCause;
  readonly fate: PairsFate;
  /** It is to be gone when its pairs are. */
  readonly leaving: boolean;
}

/** What an operator took out stays out until an operator says otherwise; what was removed never comes back. */
const STRENGTH: Readonly<Record<DrainCause, number>> = { backend: 0, lost: 1, operator: 2, removed: 3 };

function leaves(cause: DrainCause): boolean {
  return cause === 'lost' || cause === 'removed';
}

/** The statechart of a backend. */
export const backendMachine = setup({
  types: {
    context: {} as BackendContext,
    events: {} as BackendEvent,
    input: {} as { port: BackendEffects },
  },
  actions: {
    announceReady: ({ context }) => context.port.announceReady(),
    announceDraining: ({ context }) => context.port.announceDraining(context.fate),
    announceUnhealthy: ({ context }) => context.port.announceUnhealthy(),
    announceEjected: ({ context }) => context.port.announceEjected(),
    announceHealthy: ({ context }) => context.port.announceHealthy(),
    beginTrial: ({ context }) => context.port.beginTrial(),
    terminatePairs: ({ context }) => context.port.terminatePairs(),
    announceGone: ({ context }) => context.port.announceGone(),
    rememberDrain: assign(({ event }) =>
      event.type === 'drain.request' ? { cause: event.cause, fate: event.fate, leaving: leaves(event.cause) } : {},
    ),
    addDrain: assign(({ context, event }) =>
      event.type === 'drain.request'
        ? {
            cause: STRENGTH[event.cause] > STRENGTH[context.cause] ? event.cause : context.cause,
            fate: event.fate,
            leaving: context.leaving || leaves(event.cause),
          }
        : {},
    ),
    stay: assign({ leaving: false }),
  },
  guards: {
    mayComeBack: ({ context }) => context.cause === 'backend' || context.cause === 'lost',
    mayResume: ({ context }) => !context.leaving,
    wasRemoved: ({ context }) => context.cause === 'removed',
    isLeaving: ({ context }) => context.leaving,
    leavesNow: ({ event }) => event.type === 'drain.request' && leaves(event.cause),
  },
  delays: {
    drainTimeout: ({ context }) => (context.fate === 'keep' ? deadline(0) : deadline(context.port.timeouts.drain)),
    ejectionTime: ({ context }) => context.port.ejectionTime(),
  },
}).createMachine({
  id: 'backend',
  context: ({ input }) => ({ port: input.port, cause: 'backend', fate: 'keep', leaving: false }),
  initial: 'registering',
  states: {
    registering: {
      on: {
        'ready.announced': 'ready',
        'drain.request': [
          { guard: 'leavesNow', target: 'gone' },
          { target: 'draining', actions: 'rememberDrain' },
        ],
      },
    },
    ready: {
      type: 'parallel',
      entry: 'announceReady',
      on: { 'drain.request': { target: 'draining', actions: 'rememberDrain' } },
      states: {
        load: {
          initial: 'available',
          states: {
            available: { on: { 'room.gone': 'saturated' } },
            saturated: { on: { 'room.freed': 'available' } },
          },
        },
        health: {
          initial: 'healthy',
          states: {
            healthy: { on: { 'check.down': 'unhealthy', 'outlier.found': 'ejected' } },
            unhealthy: {
              entry: 'announceUnhealthy',
              on: { 'check.up': { target: 'healthy', actions: 'announceHealthy' } },
            },
            ejected: {
              entry: 'announceEjected',
              on: { 'check.down': 'unhealthy' },
              after: { ejectionTime: 'trial' },
            },
            trial: {
              entry: 'beginTrial',
              on: {
                'trial.passed': { target: 'healthy', actions: 'announceHealthy' },
                'trial.failed': 'ejected',
                'check.down': 'unhealthy',
              },
            },
          },
        },
      },
    },
    draining: {
      entry: 'announceDraining',
      on: {
        'ready.announced': [
          { guard: 'mayComeBack', target: 'ready' },
          { guard: 'wasRemoved' },
          // Its control channel is back, and an operator wants it drained: it does not leave.
          { actions: 'stay' },
        ],
        'resume.request': { guard: 'mayResume', target: 'ready' },
        // One more reason, perhaps with another fate: entered anew, so that the pairs meet it.
        'drain.request': { target: 'draining', reenter: true, actions: 'addDrain' },
        'pairs.gone': { guard: 'isLeaving', target: 'gone' },
      },
      after: { drainTimeout: { actions: 'terminatePairs' } },
    },
    gone: { type: 'final', entry: 'announceGone' },
  },
});

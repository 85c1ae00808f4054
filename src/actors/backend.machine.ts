/**
 * Owns the life of a backend as a statechart: announced, ready with its load and its health, draining, gone. Refuses to hold
 * connections or to count; what it decides is carried out by the effects port.
 */
import { assign, raise, setup } from 'xstate';
import type { BackendEffects } from './backend.effects.js';
import { type DrainCause, isHarsher, type PairsFate } from './backend.js';
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
  /** Every connection of the trial was made. */
  | { type: 'trial.connected' }
  | { type: 'trial.passed' }
  | { type: 'trial.failed' }
  /** Too much of the pool is ejected. */
  | { type: 'ejection.lifted' }
  | { type: 'pairs.gone' }
  | { type: 'pool.closed' };

interface BackendContext {
  readonly port: BackendEffects;
  /** Why it is draining, when it is; of several reasons the strongest. */
  readonly cause: DrainCause;
  /** Of several the harshest. */
  readonly fate: PairsFate;
  /** Nobody hears from it: its control channel is lost. */
  readonly lost: boolean;
  /** It said once that it is ready. */
  readonly announced: boolean;
}

/** What an operator took out stays out until an operator says otherwise; what was removed never comes back. */
const STRENGTH: Readonly<Record<DrainCause, number>> = { backend: 0, lost: 1, operator: 2, removed: 3 };

function stronger(one: DrainCause, other: DrainCause): DrainCause {
  return STRENGTH[one] > STRENGTH[other] ? one : other;
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
    announceDraining: ({ context }) => context.port.announceDraining(),
    announceHealthy: ({ context }) => context.port.announceHealthy(),
    announceUnhealthy: ({ context }) => context.port.announceUnhealthy(),
    announceEjected: ({ context }) => context.port.announceEjected(),
    beginTrial: ({ context }) => context.port.beginTrial(),
    meetFate: ({ context }) => context.port.meetFate(context.fate),
    lookForPairs: ({ context }) => context.port.lookForPairs(),
    terminatePairs: ({ context }) => context.port.terminatePairs(),
    announceGone: ({ context }) => context.port.announceGone(),
    raiseTrialPassed: raise({ type: 'trial.passed' }),
    noteReady: assign({ announced: true, lost: false }),
    beginDrain: assign(({ event }) =>
      event.type === 'drain.request' ? { cause: event.cause, fate: event.fate, lost: event.cause === 'lost' } : {},
    ),
    addDrain: assign(({ context, event }) =>
      event.type === 'drain.request'
        ? {
            cause: stronger(event.cause, context.cause),
            fate: isHarsher(event.fate, context.fate) ? event.fate : context.fate,
            lost: context.lost || event.cause === 'lost',
          }
        : {},
    ),
    beLost: assign({ cause: 'lost' }),
  },
  guards: {
    leavesNow: ({ event }) => event.type === 'drain.request' && (event.cause === 'lost' || event.cause === 'removed'),
    isOfOperator: ({ event }) => event.type === 'drain.request' && event.cause === 'operator',
    isHarsher: ({ context, event }) => event.type === 'drain.request' && isHarsher(event.fate, context.fate),
    mayComeBack: ({ context }) => context.cause === 'backend' || context.cause === 'lost',
    wasDrained: ({ context }) => context.cause === 'operator',
    mayResume: ({ context }) => context.cause !== 'removed' && !context.lost && context.announced,
    isUnannounced: ({ context }) => context.cause === 'operator' && !context.lost,
    isLeaving: ({ context }) => context.cause === 'removed' || context.cause === 'lost',
  },
  delays: {
    drainTimeout: ({ context }) => deadline(context.fate === 'keep' ? 0 : context.port.timeouts.drain),
    ejectionTime: ({ context }) => context.port.ejectionTime(),
    provingTime: ({ context }) => context.port.timeouts.proving,
  },
}).createMachine({
  id: 'backend',
  context: ({ input }) => ({ port: input.port, cause: 'backend', fate: 'keep', lost: false, announced: false }),
  initial: 'registering',
  states: {
    /** Known, and not ready: a backend that drains itself here only stays what it is. */
    registering: {
      on: {
        'ready.announced': { target: 'ready', actions: 'noteReady' },
        'drain.request': [
          { guard: 'leavesNow', target: 'gone' },
          { guard: 'isOfOperator', target: 'draining', actions: ['beginDrain', 'announceDraining'] },
        ],
        'pool.closed': 'gone',
      },
    },
    ready: {
      type: 'parallel',
      entry: 'announceReady',
      on: {
        'drain.request': { target: 'draining', actions: ['beginDrain', 'announceDraining'] },
        'pool.closed': 'gone',
      },
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
            /** Active checks failed; only they say when it is well again. */
            unhealthy: {
              entry: 'announceUnhealthy',
              on: { 'check.up': { target: 'healthy', actions: 'announceHealthy' } },
            },
            /** Its clients' connections failed too often. */
            ejected: {
              entry: 'announceEjected',
              on: { 'check.down': 'unhealthy', 'ejection.lifted': { target: 'healthy', actions: 'announceHealthy' } },
              after: { ejectionTime: 'trial' },
            },
            /** A few connections find out: first they have to be made, then to last for a while. */
            trial: {
              entry: 'beginTrial',
              initial: 'trying',
              on: {
                'check.down': 'unhealthy',
                'trial.failed': 'ejected',
                'trial.passed': { target: 'healthy', actions: 'announceHealthy' },
                'ejection.lifted': { target: 'healthy', actions: 'announceHealthy' },
              },
              states: {
                trying: { on: { 'trial.connected': 'proving' } },
                proving: { after: { provingTime: { actions: 'raiseTrialPassed' } } },
              },
            },
          },
        },
      },
    },
    draining: {
      entry: 'meetFate',
      on: {
        'ready.announced': [
          { guard: 'mayComeBack', target: 'ready', actions: 'noteReady' },
          // An operator wants it drained: it is only known again that it is there.
          { guard: 'wasDrained', actions: 'noteReady' },
        ],
        'resume.request': [
          { guard: 'mayResume', target: 'ready' },
          { guard: 'isUnannounced', target: 'registering' },
          // There is nobody to be resumed: it goes as every other one that is lost.
          { guard: 'wasDrained', actions: ['beLost', 'lookForPairs'] },
        ],
        'drain.request': [
          // Entered anew, so that the pairs meet the other fate.
          { guard: 'isHarsher', target: 'draining', reenter: true, actions: 'addDrain' },
          { actions: ['addDrain', 'lookForPairs'] },
        ],
        'pairs.gone': { guard: 'isLeaving', target: 'gone' },
        'pool.closed': 'gone',
      },
      after: { drainTimeout: { actions: 'terminatePairs' } },
    },
    gone: { type: 'final', entry: 'announceGone' },
  },
});

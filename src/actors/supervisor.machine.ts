/**
 * Owns the life of a server as a statechart: listening, admitting, beating the heartbeat, draining. Refuses to hold the
 * connections; the registry does, and reports only edges.
 */
import { setup } from 'xstate';
import { deadline } from './deadline.js';
import type { SupervisorEffects } from './supervisor.effects.js';

/** Everything that can happen to a server, as its chart sees it. */
export type SupervisorEvent =
  | { type: 'listeners.bound' }
  | { type: 'listeners.failed' }
  | { type: 'capacity.reached' }
  | { type: 'capacity.freed' }
  | { type: 'disconnect.all' }
  | { type: 'stop.request' }
  | { type: 'terminate.all' }
  | { type: 'connections.gone' }
  | { type: 'xstate.error.actor.connection'; error: unknown };

/** The statechart of a server. */
export const supervisorMachine = setup({
  types: {
    context: {} as { readonly port: SupervisorEffects },
    events: {} as SupervisorEvent,
    input: {} as { port: SupervisorEffects },
  },
  actions: {
    bindListeners: ({ context }) => context.port.bindListeners(),
    closeListeners: ({ context }) => context.port.closeListeners(),
    startHeartbeat: ({ context }) => context.port.startHeartbeat(),
    stopHeartbeat: ({ context }) => context.port.stopHeartbeat(),
    disconnectAll: ({ context }) => context.port.disconnectAll(),
    drainConnections: ({ context }) => context.port.drainConnections(),
    terminateAll: ({ context }) => context.port.terminateAll(),
    announceStarted: ({ context }) => context.port.announceStarted(),
    announceFailed: ({ context }) => context.port.announceFailed(),
    announceStopped: ({ context }) => context.port.announceStopped(),
    noteFailure: ({ context, event }) => context.port.noteFailure('error' in event ? event.error : undefined),
  },
  delays: {
    drainTimeout: ({ context }) => deadline(context.port.timeouts.drain),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ port: input.port }),
  initial: 'starting',
  // Second line behind the guards in the actors: one bad connection must never stop the server.
  on: { 'xstate.error.actor.*': { actions: 'noteFailure' } },
  states: {
    starting: {
      entry: 'bindListeners',
      on: {
        'listeners.bound': 'running',
        'listeners.failed': 'failed',
      },
    },
    running: {
      type: 'parallel',
      entry: 'announceStarted',
      on: {
        'disconnect.all': { actions: 'disconnectAll' },
        'terminate.all': { actions: 'terminateAll' },
        'stop.request': 'draining',
      },
      states: {
        admission: {
          initial: 'accepting',
          states: {
            accepting: { on: { 'capacity.reached': 'full' } },
            full: { on: { 'capacity.freed': 'accepting' } },
          },
        },
        heartbeat: {
          initial: 'beating',
          states: { beating: { entry: 'startHeartbeat', exit: 'stopHeartbeat' } },
        },
      },
    },
    draining: {
      entry: ['closeListeners', 'drainConnections'],
      on: {
        'connections.gone': 'stopped',
        'terminate.all': { actions: 'terminateAll' },
      },
      after: { drainTimeout: { actions: 'terminateAll' } },
    },
    stopped: { type: 'final', entry: 'announceStopped' },
    failed: { type: 'final', entry: ['closeListeners', 'announceFailed'] },
  },
});

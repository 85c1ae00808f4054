/**
 * Owns what a pool of backends can do for the next client, as a statechart: nothing (`empty`, `unavailable`), nothing yet (`full`),
 * or take it (`available`). Refuses to know which backends there are; who keeps them tells only the edges.
 */
import { setup } from 'xstate';
import type { PoolEffects } from './pool.effects.js';

/** Everything that can happen to a pool, as its chart sees it. */
export type PoolEvent =
  | { type: 'backends.none' }
  | { type: 'backends.unavailable' }
  | { type: 'backends.full' }
  | { type: 'backends.available' }
  | { type: 'pool.closed' };

/** The statechart of a pool of backends. */
export const poolMachine = setup({
  types: {
    context: {} as { readonly port: PoolEffects },
    events: {} as PoolEvent,
    input: {} as { port: PoolEffects },
  },
  actions: {
    serveWaiting: ({ context }) => context.port.serveWaiting(),
    refuseWaiting: ({ context }) => context.port.refuseWaiting(),
  },
}).createMachine({
  id: 'pool',
  context: ({ input }) => ({ port: input.port }),
  initial: 'empty',
  states: {
    /** No backend is known. */
    empty: {
      entry: 'refuseWaiting',
      on: {
        'backends.unavailable': 'unavailable',
        'backends.full': 'full',
        'backends.available': 'available',
        'pool.closed': 'closed',
      },
    },
    /** There are backends, and none may be picked, with room or without: not ready, not healthy, draining. */
    unavailable: {
      entry: 'refuseWaiting',
      on: {
        'backends.none': 'empty',
        'backends.full': 'full',
        'backends.available': 'available',
        'pool.closed': 'closed',
      },
    },
    /** There are healthy backends, and none has room. */
    full: {
      on: {
        'backends.none': 'empty',
        'backends.unavailable': 'unavailable',
        'backends.available': 'available',
        'pool.closed': 'closed',
      },
    },
    available: {
      entry: 'serveWaiting',
      on: {
        'backends.none': 'empty',
        'backends.unavailable': 'unavailable',
        'backends.full': 'full',
        'pool.closed': 'closed',
      },
    },
    closed: { type: 'final', entry: 'refuseWaiting' },
  },
});

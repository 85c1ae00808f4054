/** Owns what metrics say of a server as a whole, and of its dials. Refuses to know its connections. */
import type { Family } from './family.js';

const STATES = ['stopped', 'starting', 'running', 'draining'] as const;

export const serverFamilies: readonly Family[] = [
  {
    name: 'tidegate_server_state',
    type: 'gauge',
    help: '1 for the state the server is in, 0 for the others.',
    labels: ['kind', 'state'],
    read: ({ kind, state }) => STATES.map((one) => [[kind, one], Number(one === state)]),
  },
  {
    name: 'tidegate_server_ready',
    type: 'gauge',
    help: '1 when clients may be sent to the server, as /readyz tells; 0 when not.',
    labels: [],
    read: ({ ready }) => [[[], Number(ready)]],
  },
  {
    name: 'tidegate_dials_running',
    type: 'gauge',
    help: 'Dials to targets that are under way; limits.maxConcurrentDials bounds them.',
    labels: [],
    read: ({ dials }) => [[[], dials.running]],
  },
  {
    name: 'tidegate_dials_waiting',
    type: 'gauge',
    help: 'Dials to targets that wait for their turn.',
    labels: [],
    read: ({ dials }) => [[[], dials.waiting]],
  },
  {
    name: 'tidegate_warm_connections',
    type: 'gauge',
    help: 'Connections to the target that were dialled ahead of need; no series where option warmConnections is 0.',
    labels: [],
    read: ({ warm }) => (warm === undefined ? [] : [[[], warm]]),
  },
];

/** Owns what metrics say of the backends of a balancer. Refuses to let backends choose how many series there are. */
import type { BackendInfo } from '../../../actors/backend.js';
import { poolMachine } from '../../../actors/pool.machine.js';
import { exclusiveStates } from './chart-states.js';
import type { Family, Row } from './family.js';
import { boundedValues } from './label-values.js';
import type { PoolReading, ServerReading } from './reading.js';

/** A backend that registers itself chooses its id: more than these are told together. */
export const MOST_BACKENDS = 100;

const POOL_STATES = exclusiveStates(poolMachine);
const BACKEND_STATES = ['registering', 'ready', 'draining'] as const;
const HEALTHS = ['healthy', 'unhealthy', 'ejected', 'trial'] as const;
const EACH = `The first ${MOST_BACKENDS} backends each by its id, all others as "other".`;

export const balancerFamilies: readonly Family[] = [
  {
    name: 'tidegate_pool_state',
    type: 'gauge',
    help: '1 for the state of the statechart "pool", which says what the balancer can do for the next client; 0 for the others.',
    labels: ['state'],
    read: ofPool(({ state }) => POOL_STATES.map(({ name }) => [[name], Number(name === state)])),
  },
  {
    name: 'tidegate_pool_waiting_clients',
    type: 'gauge',
    help: 'Clients that wait for room on a backend (option queue).',
    labels: [],
    read: ofPool(({ waiting }) => [[[], waiting]]),
  },
  {
    name: 'tidegate_backends',
    type: 'gauge',
    help: 'Backends there are, by state of the statechart "backend".',
    labels: ['state'],
    read: ofPool(({ backends }) => counted(backends, BACKEND_STATES, ({ state }) => state)),
  },
  {
    name: 'tidegate_backends_by_health',
    type: 'gauge',
    help: 'Backends that are ready, by what their health is judged to be.',
    labels: ['health'],
    read: ofPool(({ backends }) => counted(backends, HEALTHS, ({ health }) => health)),
  },
  {
    name: 'tidegate_backend_load',
    type: 'gauge',
    help: `Connections on a backend, and picks that are under way. ${EACH}`,
    labels: ['backend'],
    read: ofPool(({ backends }) => eachBackend(backends, ({ load }) => load)),
  },
  {
    name: 'tidegate_backend_capacity',
    type: 'gauge',
    help: `Connections a backend takes; 0 for any number. ${EACH}`,
    labels: ['backend'],
    read: ofPool(({ backends }) => eachBackend(backends, ({ capacity }) => capacity)),
  },
  {
    name: 'tidegate_backend_available',
    type: 'gauge',
    help: `1 for a backend that is ready, healthy and has room, 0 for one that is not; of "other" how many. ${EACH}`,
    labels: ['backend'],
    read: ofPool(({ backends }) => eachBackend(backends, ({ available }) => Number(available))),
  },
  {
    name: 'tidegate_backend_failures',
    type: 'gauge',
    help: `Connections of clients that failed in a row; too many get a backend ejected. ${EACH}`,
    labels: ['backend'],
    read: ofPool(({ backends }) => eachBackend(backends, ({ failures }) => failures)),
  },
  {
    name: 'tidegate_backend_check_duration_seconds',
    type: 'gauge',
    help: `How long the last health check of a backend took; of "other" added up. ${EACH}`,
    labels: ['backend'],
    read: ofPool(({ backends }) =>
      eachBackend(
        backends.filter(({ lastCheck }) => lastCheck !== undefined),
        ({ lastCheck }) => (lastCheck?.latency ?? 0) / 1000,
      ),
    ),
  },
  {
    name: 'tidegate_registrations_total',
    type: 'counter',
    help: 'Backends that registered themselves ("accepted"), or why they were turned away.',
    labels: ['outcome'],
    read: ofPool(registrations),
  },
];

function ofPool(read: (pool: PoolReading) => Iterable<Row>): (reading: ServerReading) => Iterable<Row> {
  return ({ pool }) => (pool === undefined ? [] : read(pool));
}

function registrations({ registrations: counts }: PoolReading): Row[] {
  if (counts === undefined) return [];
  const refused = Object.entries(counts.byReason).map(([reason, count]): Row => [[reason], count]);
  return [[['accepted'], counts.accepted], ...refused];
}

function counted(
  backends: readonly BackendInfo[],
  values: readonly string[],
  numberOf: (backend: BackendInfo) => string | undefined,
): Row[] {
  return values.map((value) => [[value], backends.filter((backend) => numberOf(backend) === value).length]);
}

function* eachBackend(backends: readonly BackendInfo[], numberOf: (backend: BackendInfo) => number): Iterable<Row> {
  for (const [id, group] of boundedValues(backends, (backend) => backend.id, MOST_BACKENDS)) {
    yield [[id], group.reduce((sum, backend) => sum + numberOf(backend), 0)];
  }
}

/** Owns a pool for tests, with a clock that the test moves, and clients that only remember what they were told. */
import type { BackendSpec } from '../../src/actors/backend.js';
import type { Ending } from '../../src/actors/ending.js';
import type { Occupant, Pairing } from '../../src/actors/pairing.js';
import { PoolActor, type PoolOptions } from '../../src/actors/pool-actor.js';
import { createPolicy } from '../../src/actors/selection/create-policy.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { seededRandom } from './seeded-random.js';

const AWAY: Ending = { initiator: 'operator', cause: 'disconnected', code: 1012, reason: '' };

/** A client that goes when it is told to, if the test wants it so. */
export class FakeClient implements Occupant {
  /** What it was told, such as `close 1012` or `terminate`. */
  readonly told: string[] = [];
  pairing: Pairing | undefined;
  readonly #obeys: boolean;

  constructor(obeys = true) {
    this.#obeys = obeys;
  }

  close({ code }: Ending): void {
    this.told.push(`close ${code}`);
    if (this.#obeys) this.pairing?.release('ended');
  }

  requestTerminate(): void {
    this.told.push('terminate');
    this.pairing?.release('ended');
  }
}

/** What of the options of a pool a test wants otherwise. */
export interface TestPoolOptions extends Omit<Partial<PoolOptions>, 'outliers' | 'clock'> {
  readonly outliers?: Partial<PoolOptions['outliers']>;
  readonly seed?: number;
}

/** A pool that writes down what it tells. */
export function makePool({ seed = 1, outliers, ...options }: TestPoolOptions = {}) {
  const clock = new SimulatedClock();
  const told: string[] = [];
  const exceptions: unknown[] = [];
  const pool = new PoolActor(
    {
      policy: createPolicy('least-connections'),
      whenUnhealthy: 'close',
      drainTimeout: 60_000,
      drainsPerSecond: 100,
      slowStart: 0,
      queue: { max: 0, timeout: 5000 },
      ending: () => AWAY,
      random: seededRandom(seed),
      ...options,
      outliers: {
        maxFailures: 3,
        earlyClose: 1000,
        ejection: 10_000,
        maxEjection: 60_000,
        maxEjected: 0.5,
        trials: 1,
        ...outliers,
      },
      clock,
    },
    {
      ready: ({ id }) => told.push(`${id} ready`),
      judged: ({ id }, health) => told.push(`${id} ${health}`),
      draining: ({ id }) => told.push(`${id} draining`),
      gone: ({ id }) => told.push(`${id} gone`),
      exception: (error) => exceptions.push(error),
    },
  );
  const add = (id: string, spec: Partial<BackendSpec> = {}) => {
    const backend = pool.add({
      id,
      url: `ws://${id}:1`,
      bindings: [],
      weight: 1,
      capacity: 0,
      tags: [],
      source: 'registered',
      ...spec,
    });
    backend.send({ type: 'ready.announced' });
    return backend;
  };
  /** A client that is on a backend; throws when there is none for it. */
  const connect = (query: Parameters<PoolActor['pick']>[0] = {}, client = new FakeClient()) => {
    const picked = pool.pick(query);
    if (typeof picked === 'string') throw new Error(`the pool is ${picked}`);
    client.pairing = picked;
    picked.paired(client);
    return { client, pairing: picked, id: picked.backend.id };
  };
  return { pool, clock, told, exceptions, add, connect };
}

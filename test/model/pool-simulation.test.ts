/**
 * Owns ten thousand random histories of a pool, each with a seed of its own. `SIMULATION_SEED=17` lives only that one, and
 * `SIMULATION_RUNS` says how many. Refuses to know what has to be true; the history does.
 */
import { describe, expect, it } from 'vitest';
import { PoolHistory } from './pool-history.js';

const STEPS = 40;

/** What happens to a pool, all of which has to happen often enough to find something. */
const THINGS = [
  'ready',
  'healthy',
  'unhealthy',
  'ejected',
  'trial',
  'draining',
  'gone',
  'served',
  'served after a while',
  'full',
  'unavailable',
  'empty',
];

/** Lives a history; throws with what went wrong in it, and what led to that. */
async function live(seed: number): Promise<PoolHistory> {
  const history = new PoolHistory(seed);
  try {
    await history.live(STEPS);
    return history;
  } catch (error) {
    const log = history.log.join('\n  ');
    throw new Error(`in the history of SIMULATION_SEED=${seed}:\n  ${log}\n${String(error)}`, { cause: error });
  }
}

const { SIMULATION_SEED: only, SIMULATION_RUNS: runs = '5000' } = process.env;
const seeds = only === undefined ? Array.from({ length: Number(runs) }, (_, seed) => seed) : [Number(only)];

describe('a pool', () => {
  it('keeps its promises in every history of joins, losses, drains, checks, failures and clients', {
    timeout: 120_000,
  }, async () => {
    const happened = new Map<string, number>();
    for (const seed of seeds) {
      for (const [thing, times] of (await live(seed)).happened) happened.set(thing, (happened.get(thing) ?? 0) + times);
    }
    const seldom = THINGS.filter((thing) => (happened.get(thing) ?? 0) < seeds.length / 100);
    expect(only === undefined ? seldom : []).toEqual([]);
  });
});

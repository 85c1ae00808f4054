/**
 * Owns what each policy promises about the backends it picks, for whatever candidates there are. Refuses to know where candidates come
 * from. Bounds on chance are five standard deviations wide, and the runs that need them have a seed: they cannot fail by chance.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPolicy, POLICY_NAMES, type PolicyName } from '../../src/actors/selection/create-policy.js';
import type { Candidate, SelectionContext } from '../../src/actors/selection/policy.js';
import { seededRandom } from '../support/seeded-random.js';

/** A candidate whose load is what the test says. */
interface Stand extends Candidate {
  load: number;
}

const weights = (weight: fc.Arbitrary<number>) => fc.array(weight, { minLength: 1, maxLength: 12 });
const anyWeight = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.double({ min: 0.1, max: 1000, noNaN: true }));
const seeds = fc.integer();

function backends(all: readonly number[]): Stand[] {
  return all.map((weight, index) => ({ id: `backend-${index}`, weight, load: 0, tags: [] }));
}

const context = (seed: number, key?: string): SelectionContext => ({ key, random: seededRandom(seed) });

/** How often each was picked, and left at once or kept. */
function tally(
  name: PolicyName,
  all: Stand[],
  picks: number,
  seed: number,
  keyOf: (pick: number) => string | undefined,
) {
  const policy = createPolicy(name);
  const { random } = context(seed);
  const counts = new Map(all.map(({ id }) => [id, 0]));
  for (let pick = 0; pick < picks; pick += 1) {
    const { id } = policy.select(all, { key: keyOf(pick), random })!;
    counts.set(id, counts.get(id)! + 1);
  }
  return counts;
}

/** Counts within five standard deviations of what the weights say, or what is wrong. */
function unlikely(counts: ReadonlyMap<string, number>, all: readonly Stand[], picks: number): string[] {
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  return all.flatMap(({ id, weight }) => {
    const share = weight / total;
    const bound = 5 * Math.sqrt(picks * share * (1 - share)) + 1;
    const off = Math.abs(counts.get(id)! - picks * share);
    return off <= bound ? [] : [`${id} of weight ${weight} was picked ${counts.get(id)} times of ${picks}`];
  });
}

describe.each(POLICY_NAMES)('the policy %s', (name) => {
  const picture = fc.array(fc.record({ weight: anyWeight, load: fc.nat(1000), there: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });

  it('picks a candidate whenever there is one, and never anything else, while candidates come and go', () => {
    fc.assert(
      fc.property(fc.array(picture, { maxLength: 20 }), seeds, fc.option(fc.string()), (pictures, seed, key) => {
        const policy = createPolicy(name);
        const { random } = context(seed);
        for (const all of pictures) {
          const candidates = all.flatMap(({ weight, load, there }, index) =>
            there ? [{ id: `backend-${index}`, weight, load, tags: [] }] : [],
          );
          const picked = policy.select(candidates, { key: key ?? undefined, random });
          if (candidates.length === 0) expect(picked).toBeUndefined();
          else expect(candidates).toContain(picked);
        }
      }),
    );
  });

  it('picks the same again with the same random numbers', () => {
    fc.assert(
      fc.property(weights(anyWeight), seeds, (all, seed) => {
        const once = () => {
          const stands = backends(all);
          const policy = createPolicy(name);
          const { random } = context(seed);
          return Array.from({ length: 30 }, (_, pick) => {
            const picked = policy.select(stands, { key: `key-${pick}`, random })! as Stand;
            picked.load += 1;
            return picked.id;
          });
        };
        expect(once()).toEqual(once());
      }),
    );
  });
});

describe('the policies that go by weight and chance', () => {
  it.each([
    ['random', () => undefined],
    ['hash', (pick: number) => `client-${pick}`],
    ['hash', () => undefined],
  ] as const)('%s gives each backend its share, within statistical bounds', (name, keyOf) => {
    fc.assert(
      fc.property(weights(anyWeight), seeds, (all, seed) => {
        const stands = backends(all);
        expect(unlikely(tally(name, stands, 2000, seed, keyOf), stands, 2000)).toEqual([]);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

describe('the policies that take turns', () => {
  it('round-robin picks each exactly once in a round, whatever the weights', () => {
    fc.assert(
      fc.property(weights(anyWeight), fc.integer({ min: 1, max: 5 }), (all, rounds) => {
        const stands = backends(all);
        const counts = tally('round-robin', stands, all.length * rounds, 0, () => undefined);
        expect([...counts.values()]).toEqual(all.map(() => rounds));
      }),
    );
  });

  it('round-robin is at once fair to one that comes back: one turn, and then the round goes on', () => {
    const policy = createPolicy('round-robin');
    const [a, b, c] = backends([1, 1, 1]) as [Stand, Stand, Stand];
    const pick = (...candidates: Stand[]) => policy.select(candidates, context(0))!.id;
    expect([pick(a, b, c), pick(a, c), pick(a, c), pick(a, b, c), pick(a, b, c), pick(a, b, c)]).toEqual(
      [a, c, a, b, c, a].map(({ id }) => id),
    );
  });

  it('weighted-round-robin picks each exactly as often as its weight says in every cycle', () => {
    fc.assert(
      fc.property(weights(fc.integer({ min: 1, max: 20 })), fc.integer({ min: 1, max: 3 }), (all, cycles) => {
        const stands = backends(all);
        const cycle = all.reduce((sum, weight) => sum + weight, 0);
        const counts = tally('weighted-round-robin', stands, cycle * cycles, 0, () => undefined);
        expect([...counts.values()]).toEqual(all.map((weight) => weight * cycles));
      }),
    );
  });

  it('weighted-round-robin mixes: nobody is ever further than one pick per backend from its share', () => {
    fc.assert(
      fc.property(weights(fc.integer({ min: 1, max: 20 })), (all) => {
        const stands = backends(all);
        const policy = createPolicy('weighted-round-robin');
        const cycle = all.reduce((sum, weight) => sum + weight, 0);
        const counts = new Map<Candidate, number>();
        for (let pick = 1; pick <= cycle; pick += 1) {
          const picked = policy.select(stands, context(0))!;
          counts.set(picked, (counts.get(picked) ?? 0) + 1);
          for (const stand of stands) {
            const due = (pick * stand.weight) / cycle;
            expect(Math.abs((counts.get(stand) ?? 0) - due)).toBeLessThanOrEqual(all.length);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('least-connections', () => {
  const loads = fc.array(fc.nat(50), { minLength: 1, maxLength: 12 });

  it('ends within one of even in any burst, whatever it began with: once level, always level', () => {
    fc.assert(
      fc.property(loads, fc.nat(200), seeds, (begun, more, seed) => {
        const policy = createPolicy('least-connections');
        const stands = begun.map((load, index) => ({ id: `backend-${index}`, weight: 1, load, tags: [] }));
        const { random } = context(seed);
        const spread = () => Math.max(...stands.map(({ load }) => load)) - Math.min(...stands.map(({ load }) => load));
        const missing = begun.reduce((sum, load) => sum + Math.max(...begun) - load, 0);
        for (let pick = 0; pick < missing + more; pick += 1) {
          const before = spread();
          (policy.select(stands, { key: undefined, random }) as Stand).load += 1;
          expect(spread()).toBeLessThanOrEqual(Math.max(1, before));
        }
        expect(spread()).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('gives each exactly its share by weight, whenever that comes out even', () => {
    fc.assert(
      fc.property(
        weights(fc.integer({ min: 1, max: 20 })),
        fc.integer({ min: 1, max: 4 }),
        seeds,
        (all, times, seed) => {
          const policy = createPolicy('least-connections');
          const stands = backends(all);
          const { random } = context(seed);
          const total = all.reduce((sum, weight) => sum + weight, 0);
          for (let pick = 0; pick < total * times; pick += 1) {
            (policy.select(stands, { key: undefined, random }) as Stand).load += 1;
          }
          expect(stands.map(({ load }) => load)).toEqual(all.map((weight) => weight * times));
        },
      ),
    );
  });

  it('settles ties by chance: each of those that have as few is as likely', () => {
    const policy = createPolicy('least-connections');
    const stands = backends([1, 1, 1, 1]);
    stands[3]!.load = 1;
    const { random } = context(7);
    const counts = new Map<string, number>();
    for (let pick = 0; pick < 3000; pick += 1) {
      const { id } = policy.select(stands, { key: undefined, random })!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['backend-0', 'backend-1', 'backend-2']);
    expect(unlikely(counts, stands.slice(0, 3), 3000)).toEqual([]);
  });
});

describe('two-choices', () => {
  it('never picks the fullest of several, and keeps a burst far more even than chance does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), seeds, (size, seed) => {
        const policy = createPolicy('two-choices');
        const stands = backends(Array.from({ length: size }, () => 1));
        const { random } = context(seed);
        for (let pick = 0; pick < 100 * size; pick += 1) {
          const fullest = Math.max(...stands.map(({ load }) => load));
          const alone = stands.filter(({ load }) => load === fullest).length === 1;
          const picked = policy.select(stands, { key: undefined, random }) as Stand;
          if (alone) expect(picked.load).toBeLessThan(fullest);
          picked.load += 1;
        }
        // 100 each on average; by chance alone about 30 off.
        for (const { load } of stands) expect(Math.abs(load - 100)).toBeLessThanOrEqual(10);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('follows the weights', () => {
    const policy = createPolicy('two-choices');
    const stands = backends([1, 2, 5]);
    const { random } = context(3);
    for (let pick = 0; pick < 800; pick += 1) {
      (policy.select(stands, { key: undefined, random }) as Stand).load += 1;
    }
    expect(stands.map(({ load, weight }) => Math.abs(load - 100 * weight) <= 20)).toEqual([true, true, true]);
  });
});

describe('hash', () => {
  const policy = createPolicy('hash');
  const homeOf = (key: string, candidates: readonly Candidate[]) => policy.select(candidates, context(0, key))!.id;
  const keys = Array.from({ length: 2000 }, (_, index) => `10.${index >> 8}.${index & 255}.7`);

  it('gives a key the same backend in whatever order the candidates come', () => {
    fc.assert(
      fc.property(weights(anyWeight), fc.string(), (all, key) => {
        const stands = backends(all);
        expect(homeOf(key, [...stands].reverse())).toBe(homeOf(key, stands));
      }),
    );
  });

  it('moves only the keys of a backend that goes, and only to one that comes: about its share of all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 12 }),
        fc.nat(11),
        (all, which) => {
          const stands = backends(all);
          const leaving = stands[which % stands.length]!;
          const others = stands.filter((stand) => stand !== leaving);
          let moved = 0;
          for (const key of keys) {
            const home = homeOf(key, stands);
            // Seen backwards this is a backend that comes.
            if (home === leaving.id) moved += 1;
            else expect(homeOf(key, others)).toBe(home);
          }
          const share = leaving.weight / all.reduce((sum, weight) => sum + weight, 0);
          expect(Math.abs(moved - keys.length * share)).toBeLessThanOrEqual(
            5 * Math.sqrt(keys.length * share * (1 - share)) + 1,
          );
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  it('moves keys only to a backend whose weight grows', () => {
    const before = backends([1, 1, 1]);
    const after = backends([1, 1, 3]);
    const moved = keys.filter((key) => homeOf(key, before) !== homeOf(key, after));
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.every((key) => homeOf(key, after) === 'backend-2')).toBe(true);
  });
});

describe('first', () => {
  it('picks the first that is available, however full it is', () => {
    const stands = backends([1, 5]);
    stands[0]!.load = 1000;
    expect(createPolicy('first').select(stands, context(0))).toBe(stands[0]);
  });
});

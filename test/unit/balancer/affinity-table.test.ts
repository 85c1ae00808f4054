/** Owns how long a client is remembered, and that there is a bound to how many are. */
import { expect, it } from 'vitest';
import { AffinityTable } from '../../../src/server/balancer/affinity/affinity-table.js';

function table(maxAge: number, maxRows: number) {
  const clock = { now: 0 };
  return { clock, table: new AffinityTable({ maxAge, maxRows, now: () => clock.now }) };
}

it('forgets a client that did not come for its age, and none that came in between', () => {
  const { clock, table: known } = table(1000, 10);
  known.remember('ada', 'a');
  known.remember('bob', 'b');
  clock.now = 900;
  known.remember('ada', 'a');
  clock.now = 1000;
  expect([known.backendOf('ada'), known.backendOf('bob')]).toEqual(['a', undefined]);
  clock.now = 1900;
  expect(known.backendOf('ada')).toBeUndefined();
  expect(known.size).toBe(0);
});

it('remembers the latest backend of a client', () => {
  const { table: known } = table(0, 10);
  known.remember('ada', 'a');
  known.remember('ada', 'b');
  expect([known.backendOf('ada'), known.size]).toEqual(['b', 1]);
});

it('without an age remembers until there is no room, and then forgets who did not come for the longest time', () => {
  const { clock, table: known } = table(0, 3);
  for (const name of ['ada', 'bob', 'cyd']) known.remember(name, name);
  clock.now = 1e12;
  known.remember('ada', 'ada');
  known.remember('dan', 'dan');
  expect(known.size).toBe(3);
  expect(known.backendOf('bob')).toBeUndefined();
  expect([known.backendOf('ada'), known.backendOf('cyd'), known.backendOf('dan')]).toEqual(['ada', 'cyd', 'dan']);
});

it('holds no more than its bound, whoever comes, and lets go of what is over as others come', () => {
  const { clock, table: known } = table(1000, 100);
  for (let count = 0; count < 1000; count += 1) {
    known.remember(`client ${count}`, 'a');
    expect(known.size).toBeLessThanOrEqual(100);
  }
  clock.now = 5000;
  for (let count = 0; count < 100; count += 1) known.remember(`later ${count}`, 'a');
  expect(known.size).toBe(100);
  clock.now = 10_000;
  for (let count = 0; count < 10; count += 1) known.remember(`last ${count}`, 'a');
  expect(known.size).toBeLessThanOrEqual(100 - 2 * 10 + 10);
});

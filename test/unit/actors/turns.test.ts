/** Owns that a policy that takes turns remembers backends that are away for a while, and does not fill up with those that are gone. */
import { expect, it } from 'vitest';
import { Turns } from '../../../src/actors/selection/turns.js';

const backend = (id: string) => ({ id, weight: 1, load: 0, tags: [] });

it('remembers a number for each backend, and zero for one that is new', () => {
  const turns = new Turns();
  turns.set(backend('a'), 3);
  turns.tidy([backend('b')]);
  expect([turns.of(backend('a')), turns.of(backend('b'))]).toEqual([3, 0]);
});

it('holds no more than a few times as many as there are, however many come and go', () => {
  const turns = new Turns();
  const stays = backend('stays');
  turns.set(stays, 5);
  for (let index = 0; index < 10_000; index += 1) {
    const passes = backend(`passes-${index}`);
    turns.set(passes, index);
    turns.tidy([stays, passes]);
    expect(turns.size).toBeLessThan(100);
  }
  expect(turns.of(stays)).toBe(5);
});

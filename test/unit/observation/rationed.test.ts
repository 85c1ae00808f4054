/** Holds that what costs time is read no more often than it may cost. */
import { expect, it } from 'vitest';
import { Rationed } from '../../../src/server/observation/rationed.js';

function reading(cost: number) {
  const clock = { now: 0, reads: 0 };
  const rationed = new Rationed(
    () => {
      clock.now += cost;
      clock.reads += 1;
      return clock.reads;
    },
    () => clock.now,
  );
  return { clock, rationed };
}

it('what costs much is read again when it was left alone for twenty times as long', () => {
  const { clock, rationed } = reading(10);
  expect(rationed.get()).toBe(1);
  clock.now = 199;
  expect(rationed.get()).toBe(1);
  clock.now = 200;
  expect(rationed.get()).toBe(2);
});

it('what costs little is read each time', () => {
  const { rationed } = reading(2);
  expect([rationed.get(), rationed.get(), rationed.get()]).toEqual([1, 2, 3]);
});

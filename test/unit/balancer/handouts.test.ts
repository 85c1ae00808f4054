/** Owns that a place which was kept for a client is given back, once, in time or at the end. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type PairedBackend, Pairing } from '../../../src/actors/pairing.js';
import { HANDOUT_MS, Handouts } from '../../../src/server/balancer/redirect/handouts.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function backend() {
  const counts = { load: 0 };
  const self = {
    paired() {},
    released: () => {
      counts.load -= 1;
    },
  } as unknown as PairedBackend;
  const reserve = () => {
    counts.load += 1;
    return new Pairing(self);
  };
  return { counts, reserve };
}

it('each place is kept for its time, with one timer for all, and none is left', () => {
  const { counts, reserve } = backend();
  const handouts = new Handouts();
  handouts.keep(reserve());
  vi.advanceTimersByTime(HANDOUT_MS - 1000);
  handouts.keep(reserve());
  handouts.keep(reserve());
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1000);
  expect([counts.load, handouts.size]).toEqual([2, 2]);
  vi.advanceTimersByTime(HANDOUT_MS);
  expect([counts.load, handouts.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
  handouts.keep(reserve());
  vi.advanceTimersByTime(HANDOUT_MS);
  expect([counts.load, vi.getTimerCount()]).toEqual([0, 0]);
});

it('all are given back at the end, and no timer is left', () => {
  const { counts, reserve } = backend();
  const handouts = new Handouts();
  for (let count = 0; count < 5; count += 1) handouts.keep(reserve());
  handouts.close();
  // A hook answered after the end.
  handouts.keep(reserve());
  expect([counts.load, handouts.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
});

/** Owns how long a backend waits before it comes back. */
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/server/agent/backoff.js';

describe('the waits', () => {
  it('double from the first to the longest, and begin anew after a reset', () => {
    const backoff = new Backoff({ initial: 100, max: 1000, random: () => 1 });
    expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('are between a half and the whole, so that backends do not all come at once', () => {
    expect(new Backoff({ initial: 100, max: 1000, random: () => 0 }).next()).toBe(50);
    const waits = new Set(Array.from({ length: 50 }, () => new Backoff({ initial: 10_000, max: 20_000 }).next()));
    expect(waits.size).toBeGreaterThan(40);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(5000);
      expect(wait).toBeLessThanOrEqual(10_000);
    }
  });

  it('are none with 0', () => {
    expect(new Backoff({ initial: 0, max: 1000 }).next()).toBeUndefined();
  });

  it('stay the longest however many there were', () => {
    const backoff = new Backoff({ initial: 1, max: 1000, random: () => 1 });
    for (let attempt = 0; attempt < 2000; attempt += 1) backoff.next();
    expect(backoff.next()).toBe(1000);
  });
});

/** Owns the shared wheel: when a wait is over, that a cancelled one never is, and that an empty wheel has no timer. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimerWheel, wheelTick } from '../../../src/actors/timer-wheel.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the wheel', () => {
  it('calls back once, not before the delay and at most one tick late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(500), { minLength: 1 }), (tick, delays) => {
        const wheel = new TimerWheel(tick);
        const begun = Date.now();
        const calls: number[][] = delays.map(() => []);
        for (const [index, delay] of delays.entries()) {
          wheel.schedule(delay, () => calls[index]!.push(Date.now() - begun));
        }
        vi.advanceTimersByTime(600);
        for (const [index, delay] of delays.entries()) {
          expect(calls[index]).toHaveLength(1);
          expect(calls[index]![0]).toBeGreaterThanOrEqual(delay);
          expect(calls[index]![0]).toBeLessThanOrEqual(Math.max(delay, 1) + tick);
        }
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });

  it('is neither early nor more than a tick late for a wait that begins while it turns', () => {
    const wheel = new TimerWheel(10);
    wheel.schedule(1000, () => {});
    for (const offset of [3, 8, 14, 9]) {
      vi.advanceTimersByTime(offset);
      const begun = Date.now();
      let called = 0;
      wheel.schedule(50, () => {
        called = Date.now() - begun;
      });
      vi.advanceTimersByTime(70);
      expect(called).toBeGreaterThanOrEqual(50);
      expect(called).toBeLessThanOrEqual(60);
    }
    wheel.stop();
  });

  it('keeps one timer for all, and none once everything was called', () => {
    const wheel = new TimerWheel(10);
    for (let n = 1; n <= 100; n += 1) wheel.schedule(n, () => {});
    expect(wheel.size).toBe(100);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(120);
    expect(wheel.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never calls what was cancelled, and has no timer when the last one is', () => {
    const wheel = new TimerWheel(10);
    const called: string[] = [];
    const first = wheel.schedule(20, () => called.push('first'));
    const second = wheel.schedule(20, () => called.push('second'));
    first.cancel();
    expect(vi.getTimerCount()).toBe(1);
    second.cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100);
    expect(called).toEqual([]);
  });

  it('takes a second cancel, and one after the call, as nothing', () => {
    const wheel = new TimerWheel(10);
    const entry = wheel.schedule(10, () => {});
    const other = wheel.schedule(30, () => {});
    vi.advanceTimersByTime(20);
    entry.cancel();
    entry.cancel();
    expect(wheel.size).toBe(1);
    other.cancel();
    other.cancel();
    expect(wheel.size).toBe(0);
  });

  it('lets a callback cancel another one of the same tick', () => {
    const wheel = new TimerWheel(10);
    const called: string[] = [];
    wheel.schedule(10, () => {
      called.push('first');
      second.cancel();
    });
    const second = wheel.schedule(10, () => called.push('second'));
    vi.advanceTimersByTime(50);
    expect(called).toEqual(['first']);
  });

  it('goes on when a callback schedules the next one, and begins again after it was empty', () => {
    const wheel = new TimerWheel(10);
    let beats = 0;
    const beat = () => {
      beats += 1;
      if (beats < 3) wheel.schedule(30, beat);
    };
    wheel.schedule(30, beat);
    vi.advanceTimersByTime(1000);
    expect(beats).toBe(3);
    wheel.schedule(30, beat);
    vi.advanceTimersByTime(40);
    expect(beats).toBe(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forgets everything when it is stopped', () => {
    const wheel = new TimerWheel(10);
    let called = false;
    wheel.schedule(10, () => {
      called = true;
    });
    wheel.stop();
    vi.advanceTimersByTime(100);
    expect(called).toBe(false);
    expect(wheel.size).toBe(0);
  });
});

describe('the tick of a wheel', () => {
  it.each([
    [[30_000, 30_000, 0, 0], 938],
    [[64, 0], 2],
    [[1], 2],
    [[0, 0], 1000],
    [[3_600_000], 1000],
  ])('for waits of %j ms is %d ms', (delays, tick) => {
    expect(wheelTick(...delays)).toBe(tick);
  });
});

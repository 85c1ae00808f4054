/** Owns when a connection counts as idle, on a wheel with a simulated clock. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleWatch } from '../../../src/actors/idle.js';
import { TimerWheel } from '../../../src/actors/timer-wheel.js';

function watch(timeout: number) {
  const begun = Date.now();
  const state = { activity: 0, expired: [] as number[] };
  const idling = {
    port: {
      get received() {
        return { messages: state.activity, bytes: 0 };
      },
      sent: { messages: 0, bytes: 0 },
    },
    expireIdle: () => void state.expired.push(Date.now() - begun),
  };
  const entry = new IdleWatch(idling, new TimerWheel(5), timeout);
  return { state, entry };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the idle watch', () => {
  it('expires when nothing happened for the timeout, and at most an eighth later', () => {
    const { state, entry } = watch(800);
    vi.advanceTimersByTime(799);
    expect(state.expired).toEqual([]);
    vi.advanceTimersByTime(102);
    expect(state.expired).toHaveLength(1);
    entry.cancel();
  });

  it('begins again with every activity', () => {
    const { state, entry } = watch(800);
    for (let n = 0; n < 20; n += 1) {
      vi.advanceTimersByTime(700);
      state.activity += 1;
    }
    expect(state.expired).toEqual([]);
    vi.advanceTimersByTime(800);
    expect(state.expired).toEqual([]);
    vi.advanceTimersByTime(105);
    expect(state.expired).toHaveLength(1);
    entry.cancel();
  });

  it('expires again after another timeout when it is kept', () => {
    const { state, entry } = watch(80);
    vi.advanceTimersByTime(80 * 3 + 10);
    expect(state.expired).toHaveLength(3);
    entry.cancel();
  });

  it('is over once it is cancelled, also while it expires', () => {
    const begun: string[] = [];
    const expireIdle = () => {
      begun.push('expired');
      entry.cancel();
    };
    const none = { messages: 0, bytes: 0 };
    const entry = new IdleWatch({ port: { received: none, sent: none }, expireIdle }, new TimerWheel(5), 80);
    vi.advanceTimersByTime(1000);
    expect(begun).toEqual(['expired']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

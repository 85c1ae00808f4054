/** Owns that a deadline waits for silence: it is put off by what happens, given up, and begun again. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TimerWheel } from '../../../src/actors/timer-wheel.js';
import { Deadline } from '../../../src/server/http/deadline.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const wheel = new TimerWheel(10);
  return { wheel, deadline: new Deadline(wheel), call: vi.fn() };
}

it('calls when nothing happens for its time, once', () => {
  const { wheel, deadline, call } = setUp();
  deadline.begin(100, call);
  vi.advanceTimersByTime(90);
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(call).toHaveBeenCalledTimes(1);
  expect(wheel.size).toBe(0);
});

it('is put off by everything that happens', () => {
  const { deadline, call } = setUp();
  deadline.begin(100, call);
  for (let round = 0; round < 10; round += 1) {
    vi.advanceTimersByTime(90);
    deadline.touch();
  }
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(130);
  expect(call).toHaveBeenCalledTimes(1);
});

it('may be given up, and begun for something else', () => {
  const { wheel, deadline, call } = setUp();
  deadline.begin(100, call);
  deadline.end();
  expect(wheel.size).toBe(0);
  const other = vi.fn();
  deadline.begin(100, call);
  deadline.begin(200, other);
  vi.advanceTimersByTime(1000);
  expect([call.mock.calls.length, other.mock.calls.length]).toEqual([0, 1]);
});

it('of no time waits for ever', () => {
  const { wheel, deadline, call } = setUp();
  deadline.begin(0, call);
  expect(wheel.size).toBe(0);
  vi.advanceTimersByTime(1e6);
  expect(call).not.toHaveBeenCalled();
});

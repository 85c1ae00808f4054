/** Owns when members are told of again and again: each by its own time, a few at a time, and with one timer. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Periodic } from '../../../src/server/telemetry/periodic.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('each is told of at its interval from when it came, and not after it left', () => {
  const told: string[] = [];
  const periodic = new Periodic<string>(1000, (member) => told.push(member));
  periodic.add('a');
  vi.advanceTimersByTime(500);
  periodic.add('b');
  vi.advanceTimersByTime(499);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1002);
  expect(told).toEqual(['a', 'b', 'a']);
  expect(vi.getTimerCount()).toBe(1);
  periodic.delete('a');
  vi.advanceTimersByTime(1000);
  expect(told).toEqual(['a', 'b', 'a', 'b']);
  periodic.delete('b');
  expect(vi.getTimerCount()).toBe(0);
});

it('many that came at once are told of a hundred at a time', () => {
  const told: number[] = [];
  const periodic = new Periodic<number>(1000, (member) => told.push(member));
  for (let member = 0; member < 250; member += 1) periodic.add(member);
  vi.advanceTimersByTime(1000);
  expect(told).toHaveLength(100);
  vi.advanceTimersByTime(10);
  expect(told).toHaveLength(200);
  vi.advanceTimersByTime(10);
  expect(told).toEqual(Array.from({ length: 250 }, (_, member) => member));
});

it('without an interval nobody is told of, and there is no timer', () => {
  const periodic = new Periodic<string>(0, () => expect.unreachable());
  periodic.add('a');
  expect(vi.getTimerCount()).toBe(0);
});

/** Owns who is let go of when too much is held, on simulated time. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Holder, type Holding, MemoryBudget } from '../../../src/server/shaping/memory-budget.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Held implements Holder {
  holding: Holding | undefined;
  heldBytes: number;
  readonly told: string[] = [];

  constructor(bytes: number) {
    this.heldBytes = bytes;
  }

  letGo = () => void this.told.push('let go');
  cut = () => {
    this.told.push('cut');
    this.heldBytes = 0;
  };
}

describe('a memory budget', () => {
  it('looks at who holds something, with one timer, until nobody does', () => {
    const budget = new MemoryBudget(1000);
    const [one, other] = [new Held(300), new Held(400)];
    expect(vi.getTimerCount()).toBe(0);
    for (const holder of [one, other, one]) budget.note(holder);
    budget.early = 50;
    expect([budget.heldBytes, vi.getTimerCount(), budget.overloaded]).toEqual([750, 1, false]);
    one.heldBytes = 0;
    vi.advanceTimersByTime(100);
    expect([one.holding, budget.heldBytes]).toEqual([undefined, 450]);
    other.heldBytes = 0;
    vi.advanceTimersByTime(100);
    expect([vi.getTimerCount(), one.told, other.told]).toEqual([0, [], []]);
  });

  it('lets go of those that hold the most for the longest, until it would be enough', () => {
    const budget = new MemoryBudget(1000);
    const [old, large, small] = [new Held(300), new Held(600), new Held(200)];
    budget.note(old);
    vi.advanceTimersByTime(5000);
    budget.note(large);
    budget.note(small);
    vi.advanceTimersByTime(100);
    expect([old.told, large.told, small.told]).toEqual([['let go'], [], []]);
    expect(budget.overloaded).toBe(true);
  });

  it('cuts those that hold on to it when it looks again, and takes new connections when it is enough', () => {
    const budget = new MemoryBudget(1000);
    const [stubborn, other] = [new Held(900), new Held(500)];
    budget.note(stubborn);
    budget.note(other);
    vi.advanceTimersByTime(200);
    expect([stubborn.told, other.told]).toEqual([['let go', 'cut'], []]);
    expect([budget.overloaded, budget.heldBytes, other.told]).toEqual([false, 500, []]);
  });

  it('counts what comes early, and lets nobody go without a limit', () => {
    const bounded = new MemoryBudget(1000);
    bounded.early = 1001;
    expect(bounded.overloaded).toBe(true);
    const unlimited = new MemoryBudget(0);
    const holder = new Held(2 ** 40);
    unlimited.note(holder);
    vi.advanceTimersByTime(1000);
    expect([unlimited.overloaded, holder.told, unlimited.heldBytes]).toEqual([false, [], 2 ** 40]);
    unlimited.stop();
    expect([vi.getTimerCount(), unlimited.heldBytes]).toEqual([0, 0]);
  });
});

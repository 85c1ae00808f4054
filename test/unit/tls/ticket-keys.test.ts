/** Owns how long session tickets are sealed with the same keys. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TicketKeys } from '../../../src/server/tls/ticket-keys.js';

const HOUR = 60 * 60 * 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('ticket keys', () => {
  it('are the same for all who ask, and changed every twelve hours', () => {
    const keys = new TicketKeys();
    const told: Buffer[] = [];
    const user = { setTicketKeys: (now: Buffer) => void told.push(now) };
    keys.attach(user);
    const first = keys.keys;
    expect(first).toHaveLength(48);
    vi.advanceTimersByTime(11 * HOUR);
    expect([keys.keys.equals(first), told.length]).toEqual([true, 0]);
    vi.advanceTimersByTime(1 * HOUR);
    expect([keys.keys.equals(first), told.length]).toEqual([false, 1]);
    expect(told[0]).toBe(keys.keys);
  });

  it('hold no timer when nobody uses them, and are changed all the same', () => {
    const keys = new TicketKeys();
    const users = [{ setTicketKeys: vi.fn() }, { setTicketKeys: vi.fn() }];
    for (const user of users) keys.attach(user);
    const first = keys.keys;
    keys.detach(users[0]!);
    expect(vi.getTimerCount()).toBe(1);
    keys.detach(users[1]!);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(HOUR);
    expect(keys.keys).toBe(first);
    vi.advanceTimersByTime(12 * HOUR);
    expect(keys.keys.equals(first)).toBe(false);
    expect(users[0]!.setTicketKeys).not.toHaveBeenCalled();
  });
});

/** Owns how much a client may send, on simulated time: the burst, the rate, the rest, and when it is a flood. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FloodGuard, type FloodLimits } from '../../../src/server/shaping/flood-guard.js';
import { Pacer } from '../../../src/server/shaping/pacer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function guarded(limits: Partial<FloodLimits>) {
  const told: string[] = [];
  const guard = new FloodGuard(
    new Pacer(),
    { messagesPerSecond: 0, bytesPerSecond: 0, floodBurst: 1000, floodGrace: 5000, ...limits },
    (why) => told.push(why),
  );
  guard.onOpen = () => told.push('open');
  const send = (frames: number, bytes = 0) => {
    guard.frames += frames;
    return guard.passed(bytes);
  };
  return { guard, told, send };
}

describe('a flood guard', () => {
  it('lets a burst pass, and then holds back until the rate allows more', () => {
    const { told, send } = guarded({ messagesPerSecond: 100 });
    expect(send(99)).toBe(true);
    expect(send(1)).toBe(false);
    vi.advanceTimersByTime(20);
    expect(told).toEqual(['open']);
    expect(send(1)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets pass as much as its rate allows, however long that goes on', () => {
    const { told, send } = guarded({ messagesPerSecond: 100, floodGrace: 1000 });
    for (let sent = 0; sent < 1000; sent += 1) {
      expect(send(1)).toBe(true);
      vi.advanceTimersByTime(10);
    }
    expect(told).toEqual([]);
  });

  it('counts bytes as well, and holds back for whichever is exceeded', () => {
    const { told, send } = guarded({ messagesPerSecond: 100, bytesPerSecond: 1000 });
    expect(send(1, 999)).toBe(true);
    expect(send(1, 1001)).toBe(false);
    vi.advanceTimersByTime(990);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(30);
    expect(told).toEqual(['open']);
  });

  it('calls it a flood when it had to hold back for the whole of the grace', () => {
    const { told, send, guard } = guarded({ messagesPerSecond: 100, bytesPerSecond: 5, floodGrace: 2000 });
    guard.onOpen = () => void send(50);
    send(150);
    vi.advanceTimersByTime(1990);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(30);
    expect(told).toEqual(['more than 100 messages or 5 bytes a second for 2000 ms']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls it a flood when one read brought more than the grace allows', () => {
    const { told, send } = guarded({ messagesPerSecond: 100, floodGrace: 2000 });
    send(10_000);
    vi.advanceTimersByTime(2010);
    expect(told).toEqual(['more than 100 messages a second for 2000 ms']);
  });

  it('begins anew with whoever rested, so that bursts now and then are no flood', () => {
    const { told, send } = guarded({ messagesPerSecond: 100, floodGrace: 1000 });
    for (let burst = 0; burst < 20; burst += 1) {
      send(110);
      vi.advanceTimersByTime(1500);
    }
    expect(told.filter((line) => line !== 'open')).toEqual([]);
  });

  it('has no timer when its client is gone', () => {
    const { guard, send } = guarded({ messagesPerSecond: 1 });
    send(100);
    expect(vi.getTimerCount()).toBe(1);
    guard.leave();
    expect(vi.getTimerCount()).toBe(0);
  });
});

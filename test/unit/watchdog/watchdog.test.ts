/** Owns when the watchdog tries, waits, asks, gives up and stops; with a clock of its own and listeners that are none. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TidegateError } from '../../../src/receivers/errors.js';
import { Watchdog, type WatchdogOptions } from '../../../src/server/watchdog/watchdog.js';

const ADDRESS = { host: '127.0.0.1', port: 1, url: 'ws://127.0.0.1:1' };
const DIED = new TidegateError('LISTENER_LOST', 'it died');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watchdog over one listener whose address can be had after so many attempts. */
function stage({ failures = 0, attempts = 0, enabled = true, onWatchdog }: StageOptions = {}) {
  const told: string[] = [];
  let left = failures;
  let opened = 0;
  const listener = {
    inspect: vi.fn(),
    reopen: vi.fn(async () => {
      left -= 1;
      if (left >= 0) throw new TidegateError('ADDRESS_IN_USE', 'taken');
      opened += 1;
    }),
  };
  const watchdog = new Watchdog({
    config: { enabled, interval: 1000, attempts, selfProbe: { enabled: false, timeout: 1000 } },
    hooks: { onWatchdog },
    tell: (name, ...[value]) => {
      const { attempts: tries } = value as { attempts?: number };
      told.push(tries === undefined ? name : `${name} ${tries}`);
    },
  });
  watchdog.watch(listener, ADDRESS);
  return { told, listener, watchdog, opened: () => opened };
}

interface StageOptions {
  failures?: number;
  attempts?: number;
  enabled?: boolean;
  onWatchdog?: WatchdogOptions['hooks']['onWatchdog'];
}

describe('the watchdog', () => {
  it('looks at its listeners every interval', async () => {
    const { listener } = stage();
    await vi.advanceTimersByTimeAsync(3500);
    expect(listener.inspect).toHaveBeenCalledTimes(3);
  });

  it('tries at once, and then once every interval', async () => {
    const { told, listener, watchdog } = stage({ failures: 3 });
    watchdog.lost(listener, DIED, false);
    await vi.advanceTimersByTimeAsync(1);
    expect(listener.reopen).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1500);
    expect(listener.reopen).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(2000);
    expect(told).toEqual(['listener.lost', 'listener.restored 4']);
  });

  it('waits an interval before it tries when the process has no room', async () => {
    const { listener, watchdog, opened } = stage();
    watchdog.lost(listener, DIED, true);
    await vi.advanceTimersByTimeAsync(900);
    expect(listener.reopen).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(opened()).toBe(1);
  });

  it('hears of one loss once, and does not look at a listener that it is opening', async () => {
    const { told, listener, watchdog } = stage({ failures: 2 });
    watchdog.lost(listener, DIED, false);
    watchdog.lost(listener, DIED, false);
    await vi.advanceTimersByTimeAsync(1500);
    expect(told).toEqual(['listener.lost']);
    expect(listener.inspect).not.toHaveBeenCalled();
  });

  it('gives up after as many attempts as it may make, and looks no more', async () => {
    const { told, listener, watchdog } = stage({ failures: 9, attempts: 3 });
    watchdog.lost(listener, DIED, false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(listener.reopen).toHaveBeenCalledTimes(3);
    expect(told).toEqual(['listener.lost', 'error']);
    expect(listener.inspect).not.toHaveBeenCalled();
  });

  it('only tells when it is off', async () => {
    const { told, listener, watchdog } = stage({ enabled: false });
    watchdog.lost(listener, DIED, false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual(['listener.lost', 'error']);
    expect(listener.reopen).not.toHaveBeenCalled();
  });

  it('counts an attempt that was vetoed', async () => {
    const { told, listener, watchdog } = stage({ attempts: 2, onWatchdog: () => false });
    watchdog.lost(listener, DIED, false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(listener.reopen).not.toHaveBeenCalled();
    expect(told).toEqual(['listener.lost', 'error']);
  });

  it.each([
    ['while it waits for the next attempt', 500],
    ['right after the loss', 0],
  ])('does and tells nothing once it is stopped, %s', async (_when, after) => {
    const { told, listener, watchdog } = stage({ failures: 9 });
    watchdog.lost(listener, DIED, false);
    await vi.advanceTimersByTimeAsync(after);
    watchdog.stop();
    const before = told.length;
    listener.reopen.mockClear();
    await vi.advanceTimersByTimeAsync(60_000);
    watchdog.lost(listener, DIED, false);
    expect(listener.reopen).not.toHaveBeenCalled();
    expect(told.length).toBe(before);
    expect(vi.getTimerCount()).toBe(0);
  });
});

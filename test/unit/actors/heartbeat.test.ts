/** Owns when a side is probed and when it is judged, on a wheel with a simulated clock. Refuses charts: a side here is numbers. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Beating, type HeartbeatOptions, watchHeart } from '../../../src/actors/heartbeat.js';
import { TimerWheel } from '../../../src/actors/timer-wheel.js';

const OPTIONS: HeartbeatOptions = { interval: 1000, timeout: 400, mode: 'always' };

/** A side whose bytes and deafness the test sets. It probes and is relieved as the charts do it. */
class Side implements Beating {
  readonly told: Array<[type: string, at: number]> = [];
  readonly port = {
    bytesRead: 0,
    probes: 0,
    deaf: false,
    takeExcuse: () => {
      const was = this.port.deaf;
      this.port.deaf = false;
      return was;
    },
    probe: () => {
      this.port.probes += 1;
    },
  };
  probing = false;
  readonly #begun = Date.now();

  send(event: { type: string }): void {
    this.told.push([event.type, Date.now() - this.#begun]);
    this.probing = event.type === 'heartbeat.due';
  }
}

function watch(options: Partial<HeartbeatOptions> = {}) {
  const side = new Side();
  const wheel = new TimerWheel(10);
  const entry = watchHeart(side, wheel, { ...OPTIONS, ...options });
  return { side, wheel, entry };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the heartbeat', () => {
  it('is due after an interval, and missed when nothing was heard for the timeout', () => {
    const { side } = watch();
    vi.advanceTimersByTime(5000);
    expect(side.told).toEqual([
      ['heartbeat.due', 1000],
      ['heartbeat.missed', 1400],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('finds a silent peer within two intervals, also with a timeout as long as the interval (P9)', () => {
    const { side } = watch({ timeout: 1000 });
    vi.advanceTimersByTime(2000);
    expect(side.told.at(-1)).toEqual(['heartbeat.missed', 2000]);
  });

  it('takes anything the peer sends as life, and goes on every interval', () => {
    const { side, entry } = watch();
    for (let beat = 1; beat <= 3; beat += 1) {
      vi.advanceTimersByTime(1000);
      expect(side.told.at(-1)).toEqual(['heartbeat.due', beat * 1000]);
      side.port.bytesRead += 1;
    }
    vi.advanceTimersByTime(400);
    expect(side.told.map(([type]) => type)).toEqual([
      'heartbeat.due',
      'peer.heard',
      'heartbeat.due',
      'peer.heard',
      'heartbeat.due',
      'peer.heard',
    ]);
    entry?.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps its interval with a timeout that is longer, and waits the whole timeout for a silent peer', () => {
    const { side } = watch({ interval: 300, timeout: 900 });
    vi.advanceTimersByTime(300);
    side.port.bytesRead += 1;
    vi.advanceTimersByTime(320);
    expect(side.told.map(([type]) => type)).toEqual(['heartbeat.due', 'peer.heard', 'heartbeat.due']);
    const due = side.told[2]![1];
    vi.advanceTimersByTime(5000);
    expect(side.told.slice(3)).toEqual([['heartbeat.missed', due + 900]]);
  });

  it('with if-idle pings only a peer that sent nothing during the last interval', () => {
    const { side, entry } = watch({ mode: 'if-idle' });
    for (let interval = 0; interval < 3; interval += 1) {
      side.port.bytesRead += 1;
      vi.advanceTimersByTime(1000);
    }
    expect(side.told).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(side.told).toEqual([['heartbeat.due', 4000]]);
    entry?.cancel();
  });

  it('with always pings a peer that talks, too', () => {
    const { side, entry } = watch();
    side.port.bytesRead += 100;
    vi.advanceTimersByTime(1000);
    expect(side.told).toEqual([['heartbeat.due', 1000]]);
    entry?.cancel();
  });

  it('neither pings nor judges a peer that was not read, and looks whether its wire broke (P9)', () => {
    const { side, entry } = watch();
    for (let interval = 0; interval < 5; interval += 1) {
      side.port.deaf = true;
      vi.advanceTimersByTime(1000);
    }
    expect(side.told).toEqual([]);
    expect(side.port.probes).toBe(5);
    entry?.cancel();
  });

  it('gives a peer a new chance when it was not read while its ping was out (P9)', () => {
    const { side } = watch();
    vi.advanceTimersByTime(1000);
    side.port.deaf = true;
    vi.advanceTimersByTime(400);
    expect(side.told).toEqual([
      ['heartbeat.due', 1000],
      ['peer.heard', 1400],
    ]);
    vi.advanceTimersByTime(1000);
    expect(side.told.slice(2)).toEqual([
      ['heartbeat.due', 2000],
      ['heartbeat.missed', 2400],
    ]);
  });

  it('does not judge a side whose chart has stopped probing meanwhile', () => {
    const { side, entry } = watch();
    vi.advanceTimersByTime(1000);
    side.probing = false;
    vi.advanceTimersByTime(400);
    expect(side.told).toEqual([['heartbeat.due', 1000]]);
    entry?.cancel();
  });

  it('is off with an interval of 0', () => {
    const { side, entry } = watch({ interval: 0 });
    vi.advanceTimersByTime(100_000);
    expect(side.told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    entry?.cancel();
  });

  it('is never due again once it is cancelled, also from inside of its own event', () => {
    const { side, entry } = watch();
    const send = side.send.bind(side);
    side.send = (event) => {
      send(event);
      entry?.cancel();
    };
    vi.advanceTimersByTime(10_000);
    expect(side.told).toEqual([['heartbeat.due', 1000]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

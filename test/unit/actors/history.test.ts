/** Owns what the history of a pair keeps, in which order, and for how long it is known since when a region is where it is. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StateValue } from 'xstate';
import { closedBy } from '../../../src/actors/ending.js';
import { type ChartSide, History } from '../../../src/actors/history.js';

const START = Date.UTC(2030, 0, 1, 14, 3, 22, 120);

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const open = (regions: object = {}): StateValue => ({
  open: { outbound: 'flowing', inbound: 'reading', liveness: 'alive', ...regions },
});
const OPEN = open();
const PROBING = open({ liveness: 'probing' });

/** A history, and what notes steps in it a second apart. */
function create(size: number) {
  const history = new History(size);
  const before: Partial<Record<ChartSide, StateValue>> = {};
  const note = (event: string, value: StateValue, side: ChartSide = 'connection') => {
    history.note(side, { type: event }, value, before[side]);
    before[side] = value;
    vi.advanceTimersByTime(1000);
  };
  const kept = () => history.entries().map(({ at, side, event }) => `${(at - START) / 1000} ${side} ${event}`);
  return { history, note, kept };
}

describe('the steps of a pair', () => {
  it('are told oldest first, to the millisecond, with where the chart was after each', () => {
    const { history, note } = create(3);
    note('xstate.init', { handshaking: 'deciding' });
    note('xstate.init', 'dialling', 'upstream');
    expect(history.entries()).toEqual([
      { at: START, side: 'connection', event: 'xstate.init', value: { handshaking: 'deciding' } },
      { at: START + 1000, side: 'upstream', event: 'xstate.init', value: 'dialling' },
    ]);
    expect(history.dropped).toBe(0);
  });

  it('are as many as were asked for, and how many were before those is known', () => {
    const { history, note, kept } = create(3);
    for (let count = 0; count < 100; count += 1) note(`step-${count}`, OPEN);
    expect(kept()).toEqual(['97 connection step-97', '98 connection step-98', '99 connection step-99']);
    expect(history.dropped).toBe(97);
  });

  it('are one for all of the same routine of a side, also where the sides take turns', () => {
    const { history, note, kept } = create(4);
    note('read.resume', OPEN);
    for (let beat = 0; beat < 10; beat += 1) {
      for (const side of ['connection', 'upstream'] as const) {
        note('heartbeat.due', PROBING, side);
        note('peer.heard', OPEN, side);
      }
    }
    expect(kept()).toEqual(['0 connection read.resume', '38 connection peer.heard', '40 upstream peer.heard']);
    expect(history.dropped).toBe(0);
    expect(history.entries().at(-1)?.value).toEqual(OPEN);
  });

  it.each([1, 2, 3])('keep their order in a ring of %i that is full of routine and other steps', (size) => {
    const { history, note } = create(size);
    const events = ['heartbeat.due', 'peer.heard', 'read.pause', 'peer.heard', 'write.progressed', 'read.resume'];
    for (let count = 0; count < 200; count += 1) {
      note(events[(count * 7) % 6]!, OPEN, count % 3 === 0 ? 'upstream' : 'connection');
      const entries = history.entries();
      expect(entries.length).toBeLessThanOrEqual(size);
      expect(entries.map(({ at }) => at)).toEqual([...entries.map(({ at }) => at)].sort((a, b) => a - b));
      expect(entries.at(-1)?.at).toBe(START + count * 1000);
    }
  });

  it('keep how a connection was to end, and nothing else of an event', () => {
    const history = new History(3);
    const ending = closedBy('downstream', 1001, 'away');
    history.note('connection', { type: 'xstate.init', input: { port: 'a socket' } }, 'a', undefined);
    history.note('connection', { type: 'peer.closed', ending }, 'closing', OPEN);
    history.note('connection', { type: 'upstream.failed', error: 'UPSTREAM_REFUSED' }, 'rejected', 'closing');
    expect(history.entries()).toMatchObject([
      { event: 'xstate.init' },
      { event: 'peer.closed', ending },
      { event: 'upstream.failed', error: 'UPSTREAM_REFUSED' },
    ]);
    expect(JSON.stringify(history.entries())).not.toContain('socket');
  });

  it('keep their sides when the clock is set back', () => {
    const { history, note } = create(4);
    note('xstate.init', OPEN);
    vi.setSystemTime(START - 5000);
    note('read.pause', OPEN, 'upstream');
    note('read.pause', OPEN);
    expect(history.entries().map(({ at, side }) => [at - START, side])).toEqual([
      [0, 'connection'],
      [-5000, 'upstream'],
      [-4000, 'connection'],
    ]);
  });
});

describe('since when a region is where it is', () => {
  it('is known however many steps were since', () => {
    const { history, note } = create(2);
    note('xstate.init', { handshaking: 'deciding' });
    note('decision.accept', OPEN);
    note('pressure.high', open({ outbound: 'throttled' }));
    for (let count = 0; count < 50; count += 1) {
      note('heartbeat.due', open({ outbound: 'throttled', liveness: 'probing' }));
      note('peer.heard', open({ outbound: 'throttled' }));
      note('read.pause', open({ outbound: 'throttled', inbound: 'paused', liveness: 'suspended' }));
      note('read.resume', open({ outbound: 'throttled' }));
    }
    const since = (region: 'life' | 'outbound' | 'inbound' | 'liveness') =>
      (history.since('connection', region) - START) / 1000;
    expect(since('life')).toBe(1);
    expect(since('outbound')).toBe(2);
    expect(since('inbound')).toBe(202);
    expect(since('liveness')).toBe(202);
  });

  it('is that of its side', () => {
    const { history, note } = create(2);
    note('xstate.init', { handshaking: 'dialling' });
    note('xstate.init', 'dialling', 'upstream');
    note('dial.succeeded', OPEN, 'upstream');
    note('upstream.ready', OPEN);
    expect(history.since('upstream', 'life')).toBe(START + 2000);
    expect(history.since('connection', 'life')).toBe(START + 3000);
    expect(history.since('upstream', 'outbound')).toBe(START + 2000);
    note('transport.closed', 'closed', 'upstream');
    expect(history.since('upstream', 'life')).toBe(START + 4000);
  });
});

/** Owns what the dashboard plots of two looks at a server: rates, gaps, and servers that count anew. */
import { describe, expect, it } from 'vitest';
import type { Stats } from '../../../src/dashboard/api/contract.js';
import { Samples } from '../../../src/dashboard/samples.js';

function statsAt(at: number, messages: number, more: Partial<Stats> = {}): Stats {
  const traffic = { messages, bytes: messages * 10 };
  return {
    at,
    kind: 'proxy',
    state: 'running',
    connections: 3,
    states: { 'connection.open.outbound.throttled': 2 },
    heldBytes: 0,
    opened: 0,
    closed: 0,
    received: traffic,
    sent: traffic,
    closes: [],
    ...more,
  };
}

describe('samples', () => {
  it('have rates for a second, whatever lies between two looks, and none for the first', () => {
    const samples = new Samples();
    samples.add(statsAt(10_000, 100));
    samples.add(statsAt(12_000, 300));
    expect(samples.series.messagesIn).toEqual([null, 100]);
    expect(samples.series.bytesOut).toEqual([null, 1000]);
    expect(samples.series.slowClients).toEqual([2, 2]);
    expect(samples.times).toEqual([10, 12]);
  });

  it('tell closes that were said from others, and those that stalled', () => {
    const samples = new Samples();
    samples.add(statsAt(1000, 0));
    const close = { initiator: 'proxy', status: 1006 };
    const closes = [
      { ...close, cause: 'closed', count: 4 },
      { ...close, cause: 'WRITE_STALLED', count: 2 },
      { ...close, cause: 'HEARTBEAT_LOST', count: 1 },
    ];
    samples.add(statsAt(2000, 0, { closes }));
    expect([samples.last('closesClean'), samples.last('closesOther'), samples.last('stalled')]).toEqual([4, 3, 2]);
  });

  it('show a gap where nobody looked, and no rate below nought where a server counts anew', () => {
    const samples = new Samples();
    samples.add(statsAt(1000, 100));
    samples.add(statsAt(60_000, 5000));
    expect(samples.series.connections).toEqual([3, null, 3]);
    expect(samples.last('messagesIn')).toBe(null);
    samples.add(statsAt(61_000, 7));
    expect(samples.last('messagesIn')).toBe(null);
    samples.add(statsAt(62_000, 9));
    expect(samples.last('messagesIn')).toBe(2);
  });

  it('keep five minutes', () => {
    const samples = new Samples();
    for (let second = 0; second < 400; second += 1) samples.add(statsAt(second * 1000, second));
    expect(samples.times).toHaveLength(300);
    expect(samples.series.messagesIn).toHaveLength(300);
  });
});

/** Owns how the clients of a backend that goes, or of a balancer that stops, are sent away: at a pace, with a time after which to come back. */
import { describe, expect, it } from 'vitest';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { eventually } from '../../support/events.js';
import { startUpstream } from '../../support/for-one-test.js';
import type { RawClient } from '../../support/raw-client.js';
import { type RunningBalancer, startBalancer, startEchoBackend } from './balancer-with-backends.js';

interface SentAway {
  /** When its Close frame came. */
  readonly at: number;
  readonly code: number | undefined;
  readonly retryAfterMs: number;
}

/** Waits for the Close frame of each client, answers it, and gives them in the order in which they came. */
async function sentAway(clients: readonly RawClient[]): Promise<SentAway[]> {
  const all = await Promise.all(
    clients.map(async (client): Promise<SentAway> => {
      const { code, reason } = await client.expectClose();
      const at = performance.now();
      client.sendClose(code);
      return { at, code, retryAfterMs: JSON.parse(reason).retryAfterMs };
    }),
  );
  return all.sort((a, b) => a.at - b.at);
}

function openMany(stage: RunningBalancer, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => stage.open()));
}

/** The most that came within a window of so many milliseconds. */
function mostWithin(times: readonly number[], window: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + window).length));
}

describe('a backend that is drained', () => {
  it('loses its clients at the pace of `drain.perSecond`, each with another time after which to come back', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({
      backends: [{ id: 'a', url }],
      drain: { perSecond: 100, minDelay: 1000, maxDelay: 3000 },
    });
    const clients = await openMany(stage, 40);
    const began = performance.now();
    stage.balancer.drainBackend('a');
    const told = await sentAway(clients);
    const times = told.map(({ at }) => at - began);
    // Forty at a hundred in a second; a busy machine is late, and never early.
    expect(times.at(-1)).toBeGreaterThan(340);
    expect(times.at(-1)).toBeLessThan(3000);
    expect(mostWithin(times, 100)).toBeLessThanOrEqual(20);
    expect(told.every(({ code }) => code === 1012)).toBe(true);
    const delays = told.map(({ retryAfterMs }) => retryAfterMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(3000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(500);
    await eventually(() => stage.backend('a').load === 0, 'nobody is on it');
  });

  it('loses them slowly when it is told so', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({ backends: [{ id: 'a', url }], drain: { perSecond: 10 } });
    const clients = await openMany(stage, 5);
    const began = performance.now();
    stage.balancer.drainBackend('a');
    const times = (await sentAway(clients)).map(({ at }) => at - began);
    expect(times[0]).toBeLessThan(100);
    expect(times.at(-1)).toBeGreaterThan(380);
    expect(mostWithin(times, 90)).toBe(1);
  });

  it('shows how far it is, and until when it may take', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({ backends: [{ id: 'a', url }], drain: { perSecond: 20, timeout: '30s' } });
    const clients = await openMany(stage, 6);
    expect(stage.backend('a')).toMatchObject({ pairs: 6, draining: undefined, drainingSince: undefined });
    const before = Date.now();
    stage.balancer.drainBackend('a');
    const { draining, drainingSince, drainingUntil } = stage.backend('a');
    expect(draining).toBe('operator');
    const since = Date.parse(drainingSince!);
    expect(since).toBeGreaterThanOrEqual(before);
    expect(Date.parse(drainingUntil!) - since).toBe(30_000);
    const left: number[] = [];
    await Promise.all([
      sentAway(clients),
      eventually(() => {
        const { pairs } = stage.backend('a');
        if (left.at(-1) !== pairs) left.push(pairs);
        return pairs === 0;
      }, 'all are gone'),
    ]);
    expect(left).toEqual([...left].sort((a, b) => b - a));
    expect(left.length).toBeGreaterThan(3);
    expect(stage.backend('a')).toMatchObject({ state: 'draining', drainingSince });
  });

  it('does not make others wait that are closed at once', async () => {
    const [slow, fast] = [await startEchoBackend(), await startEchoBackend()];
    const stage = await startBalancer({
      backends: [
        { id: 'slow', url: slow.url, tags: ['slow'] },
        { id: 'fast', url: fast.url },
      ],
      drain: { perSecond: 1, whenRemoved: 'close' },
    });
    const clients = await openMany(stage, 8);
    expect(stage.backend('fast').load).toBe(4);
    stage.balancer.drainBackend('slow');
    const began = performance.now();
    stage.balancer.removeBackend('fast');
    const told: number[] = [];
    await new Promise<void>((resolve) => {
      for (const client of clients) {
        void client.expectClose().then(
          () => {
            client.sendClose(1012);
            told.push(performance.now() - began);
            if (told.length === 5) resolve();
          },
          () => {},
        );
      }
    });
    // All four of the one, and the first one of the other.
    expect(told.at(-1)).toBeLessThan(900);
    await stage.told('backend.gone fast');
    expect(stage.backend('slow').pairs).toBeGreaterThanOrEqual(3);
  });

  it('closes the rest at once when a stronger reason comes', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({
      backends: [{ id: 'a', url }],
      drain: { perSecond: 1, whenRemoved: 'close' },
    });
    const clients = await openMany(stage, 10);
    stage.balancer.drainBackend('a');
    const began = performance.now();
    stage.balancer.removeBackend('a');
    const times = (await sentAway(clients)).map(({ at }) => at - began);
    expect(times.at(-1)).toBeLessThan(1500);
    await stage.told('backend.gone a');
  });

  it('keeps those that were not told yet when it is resumed', async () => {
    const { url, clients: served } = await startEchoBackend();
    const stage = await startBalancer({ backends: [{ id: 'a', url }], drain: { perSecond: 10 } });
    const clients = await openMany(stage, 10);
    stage.balancer.drainBackend('a');
    const answering = sentAway(clients).catch(() => undefined);
    await eventually(() => served.size === 8, 'two are gone');
    stage.balancer.resumeBackend('a');
    const left = stage.backend('a').pairs;
    expect(left).toBeGreaterThanOrEqual(6);
    // As long as three of them would have taken.
    const began = performance.now();
    await eventually(() => performance.now() - began > 300, 'time passes');
    expect(stage.backend('a')).toMatchObject({ pairs: left, state: 'ready', drainingSince: undefined });
    for (const client of clients) client.destroy();
    await answering;
  });

  it('cuts what is left when its time is over', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({ backends: [{ id: 'a', url }], drain: { perSecond: 1, timeout: 300 } });
    const clients = await openMany(stage, 4);
    const began = performance.now();
    stage.balancer.drainBackend('a');
    const told = clients.map(async (client) => {
      const close = await client.expectClose().catch(() => undefined);
      if (close !== undefined) client.sendClose(close.code);
      await client.waitForEnd();
      return close?.code;
    });
    expect((await Promise.all(told)).sort()).toEqual([1012, undefined, undefined, undefined]);
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(280);
    expect(took).toBeLessThan(2000);
    await eventually(() => stage.backend('a').load === 0, 'nobody is on it');
  });

  it('keeps its clients for ever when its fate is `keep`', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({
      backends: [{ id: 'a', url }],
      drain: { whenDraining: 'keep', timeout: 100 },
    });
    const client = await stage.open();
    stage.balancer.drainBackend('a');
    expect(stage.backend('a')).toMatchObject({ state: 'draining', drainingUntil: undefined, pairs: 1 });
    const began = performance.now();
    await eventually(() => performance.now() - began > 250, 'the deadline of others is over');
    client.sendText('still here');
    expect(await client.nextText()).toBe('still here');
    expect((await stage.handshake()).status).toBe(503);
  });

  it('gets nobody who was on the way to it: another one is dialled', async () => {
    const upstream = await startUpstream({ onUpgrade: () => {} });
    const other = await startEchoBackend();
    const backends = [
      { id: 'a', url: upstream.url },
      { id: 'b', url: other.url },
    ];
    const stage = await startBalancer({ backends, policy: 'first', failover: { attemptTimeout: 0, budget: 0 } });
    const opening = stage.open();
    const peer = await upstream.nextConnection();
    stage.balancer.drainBackend('a');
    peer.accept();
    const client = await opening;
    client.sendText('where am I?');
    expect(await client.nextText()).toBe('where am I?');
    expect(stage.lines.filter((line) => line.startsWith('client.'))).toEqual(['client.paired conn-1 b']);
    await peer.waitForEnd();
    expect(stage.backend('a').load).toBe(0);
  });

  it('gets nobody who was on the way to it: without another one it is 503, with the time after which to come back', async () => {
    const upstream = await startUpstream({ onUpgrade: () => {} });
    const backends = [{ id: 'a', url: upstream.url }];
    const stage = await startBalancer({ backends, retryAfter: '9s', failover: { attemptTimeout: 0 } });
    const answer = stage.handshake();
    const peer = await upstream.nextConnection();
    stage.balancer.drainBackend('a');
    peer.accept();
    expect(await answer).toMatchObject({ status: 503, headers: { 'retry-after': '9' } });
    await stage.told('rejected NO_BACKEND');
  });
});

describe('a balancer that stops', () => {
  it.each(['stop', 'restart'] as const)('tells its clients when to come back (%s)', async (verb) => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({ backends: [url], drain: { minDelay: 700, maxDelay: 900 } });
    const clients = await openMany(stage, 5);
    const [told] = await Promise.all([sentAway(clients), stage.balancer[verb]()]);
    expect(told.every(({ code }) => code === 1012)).toBe(true);
    for (const { retryAfterMs } of told) {
      expect(retryAfterMs).toBeGreaterThanOrEqual(700);
      expect(retryAfterMs).toBeLessThanOrEqual(900);
    }
    expect(stage.balancer.state).toBe(verb === 'stop' ? 'stopped' : 'running');
  });

  it('sends them away at the pace of `limits.disconnectsPerSecond`', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({ backends: [url], limits: { disconnectsPerSecond: 100 } });
    const clients = await openMany(stage, 40);
    const began = performance.now();
    const [told] = await Promise.all([sentAway(clients), stage.balancer.stop({ drainTimeout: 60_000 })]);
    const times = told.map(({ at }) => at - began);
    expect(times.at(-1)).toBeGreaterThan(340);
    expect(mostWithin(times, 100)).toBeLessThanOrEqual(20);
  });

  it('leaves nothing behind in the middle of a drain', async () => {
    const { url, clients: served } = await startEchoBackend();
    const before = holdings();
    const stage = await startBalancer({ backends: [{ id: 'a', url }], drain: { perSecond: 1, timeout: '1h' } });
    const clients = await openMany(stage, 3);
    stage.balancer.drainBackend('a');
    await stage.told('backend.draining a');
    await stage.balancer.stop({ drainTimeout: 0 });
    for (const client of clients) await client.waitForEnd();
    for (const client of clients) client.destroy();
    await eventually(() => served.size === 0, 'the backend has no client');
    await expectQuiet(before);
  });
});

/** Owns what is told of a pair of client and backend, in which order and how often, and what the client is told when its backend is lost. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/events.js';
import { startTcpPeer, startUpstream } from '../../support/for-one-test.js';
import type { RawClient } from '../../support/raw-client.js';
import type { RawPeer } from '../../support/raw-upstream.js';
import { type RunningBalancer, startBalancer, startEchoBackend } from './balancer-with-backends.js';

interface Pair {
  readonly stage: RunningBalancer;
  readonly client: RawClient;
  readonly peer: RawPeer;
}

async function pairUp(connectUpstream: 'before-accept' | 'after-accept'): Promise<Pair> {
  const upstream = await startUpstream();
  const stage = await startBalancer({
    backends: [{ id: 'a', url: upstream.url }],
    connectUpstream,
    timeouts: { close: 200 },
    drain: { minDelay: 100, maxDelay: 300 },
  });
  const client = await stage.open();
  const peer = await upstream.nextConnection();
  await stage.told('client.paired conn-1 a');
  return { stage, client, peer };
}

/** How a pair comes to its end. */
const ENDINGS: Readonly<Record<string, (pair: Pair) => unknown>> = {
  'the client closes': ({ client }) => client.sendClose(1000),
  'the client is cut off': ({ client }) => client.reset(),
  'the client breaks the protocol': ({ client }) => client.sendRaw(Buffer.from([0xff, 0xff])),
  'the backend closes': ({ peer }) => peer.sendClose(4000),
  'the backend hangs up': ({ peer }) => peer.end(),
  'the backend is cut off': ({ peer }) => peer.reset(),
  'the backend breaks the protocol': ({ peer }) => peer.sendRaw(Buffer.from([0xff, 0xff])),
  'an operator disconnects the client': ({ stage }) => stage.balancer.disconnect({ id: 'conn-1' }),
  'an operator cuts everybody off': ({ stage }) => stage.balancer.terminateAll(),
  'the backend is drained': ({ stage }) => stage.balancer.drainBackend('a'),
  'the balancer stops': ({ stage }) => stage.balancer.stop({ drainTimeout: 100 }),
};

describe.each(['before-accept', 'after-accept'] as const)('with connectUpstream %s', (connectUpstream) => {
  it.each(Object.keys(ENDINGS))('a pair is told once, after its connection and up to its end: %s', async (how) => {
    const pair = await pairUp(connectUpstream);
    const { stage } = pair;
    await ENDINGS[how]!(pair);
    await eventually(() => stage.lines.some((line) => line.startsWith('disconnected')), 'it is over');
    await eventually(() => stage.balancer.backends().every(({ load }) => load === 0), 'its place is free');
    expect(stage.lines.filter((line) => line.includes('conn-1'))).toEqual([
      'connection conn-1',
      'client.paired conn-1 a',
      'client.unpaired conn-1 a',
      expect.stringMatching(/^disconnected conn-1 \d+$/),
    ]);
  });

  it('a client that a backend refused is in no pair', async () => {
    const upstream = await startUpstream({ answer: { status: 403 } });
    const stage = await startBalancer({ backends: [upstream.url], connectUpstream });
    const answer = await stage.handshake();
    if (connectUpstream === 'after-accept') {
      await answer.client?.answerClose();
      await eventually(() => stage.lines.some((line) => line.startsWith('disconnected')), 'it is over');
    } else {
      expect(answer.status).toBe(403);
      await stage.told('rejected UPSTREAM_REJECTED');
    }
    expect(stage.lines.filter((line) => line.startsWith('client.'))).toEqual([]);
  });
});

describe('many pairs that come and go', () => {
  it('are told once each, and leave no place taken', async () => {
    const { url } = await startEchoBackend();
    const stage = await startBalancer({ backends: [{ id: 'a', url }] });
    for (let round = 0; round < 5; round += 1) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => stage.open()));
      for (const [at, client] of clients.entries()) {
        if (at % 2 === 0) client.sendClose(1000);
        else client.reset();
      }
    }
    const count = (word: string) => stage.lines.filter((line) => line.startsWith(word)).length;
    await eventually(() => count('disconnected') === 100, 'all are gone');
    expect([count('connection '), count('client.paired'), count('client.unpaired')]).toEqual([100, 100, 100]);
    expect(new Set(stage.lines).size).toBe(stage.lines.length);
    await eventually(() => stage.backend('a').load === 0, 'no place is taken');
  });
});

describe('a listener', () => {
  it('finds a backend that went unavailable already, or not at all', async () => {
    const [one, other] = [await startEchoBackend(), await startEchoBackend()];
    const backends = [
      { id: 'a', url: one.url },
      { id: 'b', url: other.url },
    ];
    const health = { check: 'tcp', interval: 100, fall: 1 } as const;
    const stage = await startBalancer({ backends, health, policy: 'first' });
    const { balancer } = stage;
    const seen: string[] = [];
    const look = (event: string) => {
      const found = balancer.backends().find(({ id }) => id === 'a');
      seen.push(`${event} ${found === undefined ? 'unknown' : found.available ? 'available' : 'unavailable'}`);
    };
    const landed: Promise<unknown>[] = [];
    for (const event of ['backend.draining', 'backend.health', 'backend.gone'] as const) {
      balancer.on(event, () => {
        look(event);
        landed.push(stage.open());
      });
    }
    await one.close();
    await stage.told('backend.health a unhealthy');
    balancer.removeBackend('a');
    await stage.told('backend.gone a');
    expect(seen).toEqual(['backend.health unavailable', 'backend.draining unavailable', 'backend.gone unknown']);
    await Promise.all(landed);
    expect(stage.backend('b').pairs).toBe(3);
  });
});

describe('when its backend is lost without a word', () => {
  it.each(['reset', 'end'] as const)('a client is told 1012 and when to come back (%s)', async (how) => {
    const { stage, client, peer } = await pairUp('before-accept');
    const reports: unknown[] = [];
    stage.balancer.on('disconnected', (_, report) => reports.push(report));
    peer[how]();
    const { code, reason } = await client.answerClose();
    expect(code).toBe(1012);
    const { retryAfterMs } = JSON.parse(reason);
    expect(retryAfterMs).toBeGreaterThanOrEqual(100);
    expect(retryAfterMs).toBeLessThanOrEqual(300);
    await eventually(() => reports.length === 1, 'it is told');
    expect(reports).toMatchObject([{ initiator: 'upstream', cause: 'UPSTREAM_LOST' }]);
  });

  it('a client of a backend of bytes is told the same, and 1000 when that came to its end', async () => {
    const peer = await startTcpPeer();
    const stage = await startBalancer({ backends: [peer.url] });
    const [lost, ended] = [await stage.open(), await stage.open()];
    const [first, second] = [await peer.nextConnection(), await peer.nextConnection()];
    first.reset();
    second.end();
    expect(await lost.expectClose()).toMatchObject({ code: 1012, reason: expect.stringContaining('retryAfterMs') });
    expect(await ended.expectClose()).toMatchObject({ code: 1000 });
  });
});

describe("a backend's own Close", () => {
  it.each([
    [1000, 'done'],
    [1001, 'going away'],
    [1011, ''],
    [1012, 'by itself'],
    [4001, 'as it is'],
    [undefined, ''],
  ])('passes as it is: %s %j', async (code, reason) => {
    const { client, peer } = await pairUp('before-accept');
    peer.sendClose(code, reason);
    expect(await client.expectClose()).toEqual({ code: code ?? 1005, reason });
  });
});

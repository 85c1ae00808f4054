/** Owns how clients are spread over backends, over real sockets: as the policy says, within bounds, and on nobody who is not available. */
import { describe, expect, it } from 'vitest';
import { POLICY_NAMES, type PolicyName } from '../../../src/actors/selection/create-policy.js';
import type { LoadBalancerOptions } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { startUpstream } from '../../support/for-one-test.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { type EchoBackend, type RunningBalancer, startBalancer, startEchoBackend } from './balancer-with-backends.js';

const names: readonly string[] = POLICY_NAMES;

async function echoing(count: number): Promise<EchoBackend[]> {
  return Promise.all(Array.from({ length: count }, () => startEchoBackend()));
}

function openAtOnce(stage: RunningBalancer, count: number, pathOf = (_: number) => '/'): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => stage.open({ path: pathOf(at) })));
}

/** How many clients each backend has, as the backend counts them. */
function counts(backends: readonly EchoBackend[]): number[] {
  return backends.map(({ clients }) => clients.size);
}

describe('least-connections', () => {
  it('is even within one in a burst: picks that are under way count', async () => {
    // They answer late, so that all are picked before any is connected.
    const upstreams = await Promise.all(
      [0, 1, 2].map(() => startUpstream({ onUpgrade: (_, peer) => void setTimeout(() => peer.accept(), 100) })),
    );
    const stage = await startBalancer({ backends: upstreams.map(({ url }) => url) });
    const opening = openAtOnce(stage, 100);
    for (let round = 0; round < 20; round += 1) {
      await new Promise(setImmediate);
      const loads = stage.balancer.backends().map(({ load }) => load);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
    }
    await opening;
    expect(upstreams.map(({ peers }) => peers.length).sort()).toEqual([33, 33, 34]);
  });

  it('is even within one however clients come and go', async () => {
    const backends = await echoing(3);
    const stage = await startBalancer({ backends: backends.map(({ url }) => url) });
    for (let round = 0; round < 4; round += 1) {
      await openAtOnce(stage, 25);
      const [all] = backends.map(({ clients }) => [...clients]);
      for (const client of all!.slice(0, 5)) client.close();
      await eventually(() => {
        const taken = stage.balancer.backends().reduce((sum, { pairs }) => sum + pairs, 0);
        return taken === counts(backends).reduce((sum, count) => sum + count, 0);
      }, 'both count the same');
    }
    await openAtOnce(stage, 20);
    const loads = counts(backends);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
  });

  it('gives each its share by weight, within one', async () => {
    const backends = await echoing(3);
    const weights = [1, 2, 5];
    const stage = await startBalancer({ backends: backends.map(({ url }, at) => ({ url, weight: weights[at]! })) });
    await openAtOnce(stage, 80);
    for (const [at, count] of counts(backends).entries()) {
      expect(Math.abs(count - 10 * weights[at]!)).toBeLessThanOrEqual(1);
    }
  });
});

describe('random', () => {
  it('is even within what chance allows', async () => {
    const backends = await echoing(3);
    const stage = await startBalancer({ backends: backends.map(({ url }) => url), policy: 'random' });
    await openAtOnce(stage, 300);
    // A hundred each, and a standard deviation of 8.2: six of them are one in 500 million.
    for (const count of counts(backends)) expect(Math.abs(count - 100)).toBeLessThan(50);
  });
});

describe.runIf(names.includes('hash'))('hash', () => {
  const options: LoadBalancerOptions = { policy: 'hash' as PolicyName, hashBy: 'query:user' };
  const pathOf = (at: number): string => `/?user=${at}`;

  it('is even within what chance allows, and moves the clients of nobody but the one that goes', async () => {
    const backends = await echoing(3);
    const stage = await startBalancer({
      ...options,
      backends: backends.map(({ url }, at) => ({ id: `b${at}`, url })),
      drain: { whenDraining: 'keep' },
    });
    const homeOf: string[] = [];
    stage.balancer.on('client.paired', ({ id }, backend) => {
      const user = new URL(stage.balancer.connection(id)!.request.url, 'ws://any').searchParams.get('user');
      homeOf[Number(user)] = backend.id;
    });
    await openAtOnce(stage, 300, pathOf);
    for (const count of counts(backends)) expect(Math.abs(count - 100)).toBeLessThan(50);
    const before = [...homeOf];
    stage.balancer.drainBackend('b0');
    await openAtOnce(stage, 300, pathOf);
    const moved = homeOf.filter((id, at) => id !== before[at]);
    expect(moved).toHaveLength(before.filter((id) => id === 'b0').length);
    expect(homeOf).not.toContain('b0');
  });
});

describe.runIf(names.includes('round-robin'))('round-robin', () => {
  it('takes turns', async () => {
    const backends = await echoing(3);
    const stage = await startBalancer({
      backends: backends.map(({ url }) => url),
      policy: 'round-robin' as PolicyName,
    });
    await openAtOnce(stage, 90);
    expect(counts(backends)).toEqual([30, 30, 30]);
  });
});

describe.each(POLICY_NAMES)('whatever the policy (%s)', (policy) => {
  it('nobody lands on a backend that is not available', async () => {
    const [good, better, drained, full] = await echoing(4);
    const dead = await refusedPort();
    const stage = await startBalancer({
      policy,
      backends: [
        { id: 'drained', url: drained!.url },
        { id: 'dead', url: `ws://127.0.0.1:${dead}` },
        { id: 'full', url: full!.url, capacity: 5 },
        { id: 'good', url: good!.url },
        { id: 'better', url: better!.url, weight: 3 },
      ],
      health: { check: 'tcp', interval: 100 },
      hashBy: 'query:user',
    });
    stage.balancer.drainBackend('drained');
    await stage.told('backend.health dead unhealthy');
    const taken = drained!.taken();
    await openAtOnce(stage, 60, (at) => `/?user=${at}`);
    expect(full!.clients.size).toBeLessThanOrEqual(5);
    expect(good!.clients.size + better!.clients.size + full!.clients.size).toBe(60);
    expect(drained!.taken()).toBe(taken);
    const landed = stage.lines.filter((line) => line.startsWith('client.paired'));
    expect(landed).toHaveLength(60);
    expect(landed.filter((line) => /drained|dead/.test(line))).toEqual([]);
  });
});

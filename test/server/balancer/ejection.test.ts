/** Owns that a backend which fails clients over real sockets is ejected, tried, and taken back. The checks are off: traffic alone tells. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BackendHealth, LoadBalancer, type LoadBalancerOptions } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { openClient, startUpstream } from '../../support/for-one-test.js';

type Health = Extract<LoadBalancerOptions['health'], object>;

/** A balancer that prefers a bad backend to a good one. */
async function balance(health: Health) {
  const [bad, good] = [await startUpstream(), await startUpstream()];
  const server = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: [
      { id: 'bad', url: bad.url },
      { id: 'good', url: good.url },
    ],
    policy: 'first',
    failover: { budget: 1 },
    health: { check: 'off', maxFailures: 2, ...health },
  });
  const healths: BackendHealth[] = [];
  server.on('backend.health', (_, now) => healths.push(now));
  const [address] = await server.start();
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const info = (id: string) => server.backends().find((backend) => backend.id === id);
  const becomes = (health: BackendHealth) =>
    eventually(() => info('bad')?.health === health, `it is ${health}`, { instead: () => String(info('bad')?.health) });
  return { bad, good, healths, becomes, info, connect: () => openClient({ port: address!.port }) };
}

describe('a backend that fails its clients', () => {
  it('is ejected when it cannot be reached, without a client seeing that, and serves again after a trial', async () => {
    const { bad, healths, becomes, info, connect } = await balance({ ejection: 200, earlyClose: 50 });
    await bad.close();
    for (let client = 0; client < 3; client += 1) await connect();
    expect(info('bad')).toMatchObject({ load: 0, ejections: 1 });
    expect(info('good')).toMatchObject({ load: 3, health: 'healthy' });
    await becomes('trial');
    await startUpstream({ port: bad.port });
    await connect();
    await becomes('healthy');
    expect(healths).toEqual(['ejected', 'trial', 'healthy']);
    expect(info('bad')).toMatchObject({ load: 1, failures: 0, available: true });
  });

  it('is ejected when it breaks connections early, and keeps those that it has', async () => {
    const { bad, becomes, info, connect } = await balance({ ejection: '1m', earlyClose: '1m' });
    const kept = await connect();
    const peer = await bad.nextConnection();
    for (let client = 0; client < 2; client += 1) {
      const open = await connect();
      (await bad.nextConnection()).reset();
      expect((await open.nextFrame(8)).opcode).toBe(8);
    }
    await becomes('ejected');
    await connect();
    expect(info('good')?.load).toBe(1);
    kept.sendText('still there');
    expect((await peer.nextFrame()).payload.toString()).toBe('still there');
  });
});

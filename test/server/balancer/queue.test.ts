/** Owns what happens to clients over real sockets while every backend is full: they wait for room, in order, or are refused. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadBalancer, type LoadBalancerOptions } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { openClient, startUpstream } from '../../support/for-one-test.js';
import { RawClient } from '../../support/raw-client.js';
import { connectTcp } from '../../support/tcp-connection.js';

async function balance(options: LoadBalancerOptions) {
  const upstream = await startUpstream();
  const backend = { id: 'only', url: `ws://127.0.0.1:${upstream.port}`, capacity: 1 };
  const server = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: [backend],
    health: { check: 'off' },
    ...options,
  });
  const [address] = await server.start();
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const { port } = address!;
  /** The next connection of a client, on the backend's side. */
  const serve = () => upstream.nextConnection();
  const waiting = (count: number) =>
    eventually(() => server.waitingClients === count, `${count} clients wait`, {
      instead: () => `${server.waitingClients} do`,
    });
  return { server, port, serve, waiting };
}

describe('the queue', () => {
  it('serves the client that has waited for the longest time when there is room', async () => {
    const { server, port, serve, waiting } = await balance({ queue: { max: 2, timeout: '10s' } });
    const served = serve();
    await openClient({ port });
    const first = await served;
    const order: string[] = [];
    const wait = async (name: string) => {
      const client = await openClient({ port });
      order.push(name);
      return client;
    };
    const second = wait('second');
    await waiting(1);
    const third = wait('third');
    await waiting(2);
    const refused = await RawClient.handshake({ port });
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');

    first.destroy();
    const other = await serve();
    await second;
    other.destroy();
    await serve();
    await third;
    expect(order).toEqual(['second', 'third']);
    expect(server.backends()[0]).toMatchObject({ load: 1, pairs: 1 });
  });

  it('refuses a client with 503 when it has waited too long', async () => {
    const { port, serve } = await balance({ queue: { max: 2, timeout: 50 } });
    const served = serve();
    await openClient({ port });
    await served;
    const answer = await RawClient.handshake({ port });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('5');
  });

  it('forgets a client that leaves while it waits', async () => {
    const { server, port, serve, waiting } = await balance({ queue: { max: 2, timeout: '10s' } });
    const served = serve();
    await openClient({ port });
    const first = await served;
    const leaving = await connectTcp({ port });
    leaving.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await waiting(1);
    leaving.destroy();
    await waiting(0);
    first.destroy();
    await eventually(() => server.backends()[0]?.load === 0, 'the place is free');
    const next = serve();
    await openClient({ port });
    await next;
    expect(server.backends()[0]).toMatchObject({ load: 1, pairs: 1 });
  });

  it('refuses all who wait when the only backend is drained, and when the server stops', async () => {
    for (const end of ['drain', 'stop'] as const) {
      const { server, port, serve, waiting } = await balance({
        queue: { max: 2, timeout: '10s' },
        drain: { whenDraining: 'keep' },
      });
      const served = serve();
      await openClient({ port });
      await served;
      const answer = RawClient.handshake({ port });
      await waiting(1);
      if (end === 'drain') server.drainBackend('only');
      else void server.stop({ drainTimeout: 0 });
      expect((await answer).status).toBe(503);
    }
  });
});

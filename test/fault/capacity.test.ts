/** Owns `limits.maxConnections` at a running server: who is refused, and how a place is freed again. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { RawClient } from '../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { openClient, startProxy, startReceiverServer, startTcpPeer, startUpstream } from './running.js';

describe('a server with room for two', () => {
  it('refuses a third with 503 and Retry-After, and no receiver hears of it', async () => {
    const receivers = receiverFactory(() => new QuietReceiver());
    const server = await startReceiverServer({ receiver: receivers.create, limits: { maxConnections: 2 } });
    await openClient({ port: server.port });
    await openClient({ port: server.port });
    for (let count = 0; count < 3; count += 1) {
      const answer = await RawClient.handshake({ port: server.port });
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(await server.rejected.next()).toMatchObject({ error: 'CAPACITY_REACHED', status: 503 });
    }
    expect(receivers.receivers.length).toBe(2);
  });

  it.each([
    [
      'closes',
      async (client: RawClient) => {
        client.sendClose(1000);
        await client.waitForEnd();
      },
    ],
    ['is reset', async (client: RawClient) => client.reset()],
    ['ends without a Close', async (client: RawClient) => client.end()],
  ])('has room again when one %s, time after time', async (_how, leave) => {
    const server = await startReceiverServer({ receiver: () => new QuietReceiver(), limits: { maxConnections: 2 } });
    await openClient({ port: server.port });
    for (let round = 0; round < 20; round += 1) {
      const client = await openClient({ port: server.port });
      expect((await RawClient.handshake({ port: server.port })).status).toBe(503);
      await leave(client);
      await eventually(() => server.server.snapshot().connections.length === 1, 'its place is free');
    }
    await openClient({ port: server.port });
  });

  it('has room again after refusals of the application and of the target', async () => {
    const upstream = await startUpstream({ answer: { status: 404 } });
    const proxy = await startProxy({ target: upstream.url, limits: { maxConnections: 1 } });
    for (let round = 0; round < 5; round += 1) {
      expect((await RawClient.handshake({ port: proxy.port })).status).toBe(404);
      await eventually(() => proxy.server.snapshot().connections.length === 0, 'its place is free');
    }
  });

  it('counts those whose handshake is not decided yet', async () => {
    const upstream = await startUpstream({ answer: 'nothing' });
    const proxy = await startProxy({ target: upstream.url, limits: { maxConnections: 1 }, timeouts: { dial: 3000 } });
    const waiting = RawClient.handshake({ port: proxy.port });
    const peer = await upstream.nextConnection();
    expect((await RawClient.handshake({ port: proxy.port })).status).toBe(503);
    peer.accept();
    const { client } = await waiting;
    expect(client).toBeDefined();
    client?.destroy();
  });
});

describe('limits.maxConcurrentDials', () => {
  it('lets clients wait their turn, and all are connected in the end', async () => {
    let dialling = 0;
    let most = 0;
    const upstream = await startUpstream({
      onUpgrade: (_head, peer) => {
        dialling += 1;
        most = Math.max(most, dialling);
        setImmediate(() => {
          dialling -= 1;
          peer.accept();
        });
      },
    });
    const proxy = await startProxy({ target: upstream.url, limits: { maxConcurrentDials: 2 } });
    await Promise.all(Array.from({ length: 20 }, () => openClient({ port: proxy.port })));
    expect(most).toBeLessThanOrEqual(2);
  });

  it('P8: a client behind a slow dial waits no longer than its own deadline', async () => {
    const target = await startTcpPeer();
    const silent = await startUpstream({ answer: 'nothing' });
    const proxy = await startProxy({
      target: silent.url,
      limits: { maxConcurrentDials: 1 },
      timeouts: { dial: 200 },
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => RawClient.handshake({ port: proxy.port })));
    expect(answers.map(({ status }) => status)).toEqual([504, 504, 504, 504, 504]);
    expect(target.connections).toEqual([]);
  });
});

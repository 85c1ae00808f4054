/**
 * Owns a Redis client that reaches its server through the proxy: the client speaks TCP, so a small adapter turns its
 * connections into WebSockets, and the `stream` path turns them back.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { createClient, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { type FoundService, findRedis, type Missing } from '../support/services.js';
import { listenOn } from './listen-on.js';
import { Queue, startProxy } from './stage.js';

let redis: FoundService | Missing;

beforeAll(async () => {
  redis = await findRedis();
});
afterAll(async () => {
  if (redis.missing === undefined) await redis.stop();
});

/** Listens for TCP, and carries each connection over a WebSocket. */
async function startAdapter(url: string): Promise<number> {
  return listenOn(
    createServer((socket) => {
      const tunnel = createWebSocketStream(new WebSocket(url, ['binary']));
      socket.on('error', () => tunnel.destroy());
      tunnel.on('error', () => socket.destroy());
      socket.pipe(tunnel);
      tunnel.pipe(socket);
    }),
  );
}

async function stage(context: TestContext) {
  if (redis.missing !== undefined) return context.skip(redis.missing);
  const proxy = await startProxy({ target: `tcp://${redis.host}:${redis.port}` });
  const port = await startAdapter(proxy.url);
  const { username, password } = new URL(redis.url);
  const connect = async () => {
    const socket = { host: '127.0.0.1', port, reconnectStrategy: false } as const;
    const client = createClient({ socket, ...(username && { username }), ...(password && { password }) });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.destroy());
    return client;
  };
  return { proxy, connect, key: `tidegate:${randomUUID()}` };
}

describe('redis through the stream path', () => {
  it('answers commands', async (context) => {
    const { connect, proxy, key } = await stage(context);
    const client = await connect();
    expect(await client.ping()).toBe('PONG');
    expect(await client.set(key, 'välue', { EX: 60 })).toBe('OK');
    expect(await client.get(key)).toBe('välue');
    expect(await client.del(key)).toBe(1);
    const connection = await proxy.nextConnection();
    expect(connection.snapshot()).toMatchObject({ dataPath: 'stream', subprotocol: 'binary' });
  });

  it('answers ten thousand pipelined commands in order', async (context) => {
    const { connect, key } = await stage(context);
    const client = await connect();
    const counted = await Promise.all(Array.from({ length: 10_000 }, () => client.incr(key)));
    expect(counted).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
    await client.del(key);
  });

  it('runs a transaction', async (context) => {
    const { connect, key } = await stage(context);
    const client = await connect();
    expect(await client.multi().set(key, '1').incr(key).get(key).del(key).exec()).toEqual(['OK', 2, '2', 1]);
  });

  it('carries binary values of 1 MB there and back', async (context) => {
    const { connect, key } = await stage(context);
    const client = (await connect()).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const values = Array.from({ length: 8 }, () => randomBytes(1024 * 1024));
    await Promise.all(values.map((value, index) => client.set(`${key}:${index}`, value, { EX: 60 })));
    const read = await Promise.all(values.map((_, index) => client.get(`${key}:${index}`)));
    for (const [index, value] of values.entries()) expect(value.equals(read[index] as Buffer)).toBe(true);
    await client.del(values.map((_, index) => `${key}:${index}`));
  });

  it('delivers what is published to subscribers', async (context) => {
    const { connect, key } = await stage(context);
    const [subscriber, publisher] = [await connect(), await connect()];
    const heard = new Queue<string>();
    await subscriber.subscribe(key, (message) => heard.add(message));
    await subscriber.pSubscribe(`${key}:*`, (message, channel) => heard.add(`${channel.slice(key.length)} ${message}`));
    await publisher.publish(key, 'one');
    await publisher.publish(`${key}:two`, '2');
    expect(await heard.next()).toBe('one');
    expect(await heard.next()).toBe(':two 2');
    const many = Array.from({ length: 1_000 }, (_, index) => `message ${index}`);
    await Promise.all(many.map((message) => publisher.publish(key, message)));
    for (const message of many) expect(await heard.next()).toBe(message);
    await subscriber.unsubscribe();
  });

  it('waits for as long as a blocking command waits', async (context) => {
    const { connect, key } = await stage(context);
    const [waiting, pushing] = [await connect(), await connect()];
    const popped = waiting.blPop(key, 0);
    // The list is waited for once the server says so; then the push finds the one who waits.
    let blocked = '';
    while (!/^blocked_clients:[1-9]/m.test(blocked)) blocked = await pushing.info('clients');
    await pushing.rPush(key, 'at last');
    expect(await popped).toMatchObject({ key, element: 'at last' });
  });

  it('ends with 1000 when the server ends the connection', async (context) => {
    const { connect, proxy } = await stage(context);
    const client = await connect();
    await client.sendCommand(['QUIT']);
    await client.close().catch(() => {});
    expect(await proxy.nextReport()).toMatchObject({ codeSent: 1000 });
  });
});

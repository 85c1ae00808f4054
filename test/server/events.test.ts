/** Owns the server-wide events: their order beside the callbacks, what they carry, and that a listener harms nobody (P5). */
import { describe, expect, it } from 'vitest';
import { accept, ConnectionReceiver, ReceiverServer } from '../../src/index.js';
import { deferred } from '../support/events.js';
import { QuietReceiver, RecordingReceiver, receiverFactory } from '../support/recording-receiver.js';
import { connectTcp, refusedPort } from '../support/tcp-peer.js';
import { openClient, startProxy, startReceivers, startTcp, stopAfterTest } from './stage.js';

/** A server whose events and callbacks are written down in one story. */
async function storyOf(make: (say: (line: string) => void) => ConnectionReceiver) {
  const lines: string[] = [];
  const closed = deferred();
  const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => make((line) => lines.push(line)) });
  server.on('startup', () => lines.push('startup'));
  server.on('connection', ({ state }) => lines.push(`connection, ${state}`));
  server.on('rejected', ({ error, status }) => lines.push(`rejected ${error} ${status}`));
  server.on('exception', (error) => lines.push(`exception ${(error as Error).message}`));
  server.on('shutdown', () => lines.push('shutdown'));
  server.on('disconnected', ({ state }, { status, cause }) => {
    lines.push(`disconnected ${status} ${cause}, ${state}`);
    closed.resolve();
  });
  stopAfterTest(server);
  const [address] = await server.start();
  return { server, lines, closed: closed.promise, port: address!.port };
}

/** Says what is called on it. */
function telling(say: (line: string) => void, fails?: 'onOpen' | 'onText' | 'onClosed'): ConnectionReceiver {
  const failing = (name: string) => {
    if (name === fails) throw new Error(`${name} failed`);
  };
  return new RecordingReceiver({
    onUpgradeRequest: (_, { connection }) => void say(`onUpgradeRequest, ${connection.state}`),
    onOpen(_, { connection }) {
      say(`onOpen, ${connection.state}`);
      failing('onOpen');
    },
    onText(text) {
      say(`onText ${text}`);
      failing('onText');
    },
    onClosed(status, _, { connection }) {
      say(`onClosed ${status}, ${connection.state}`);
      failing('onClosed');
    },
  });
}

describe('the order of events and callbacks', () => {
  it('is startup, onUpgradeRequest, connection, onOpen, messages, onClosed, disconnected, shutdown', async () => {
    const { server, lines, closed, port } = await storyOf((say) => telling(say));
    const client = await openClient({ port });
    client.sendText('hello');
    client.sendClose(4000, 'bye');
    await closed;
    await server.stop();
    expect(lines).toEqual([
      'startup',
      'onUpgradeRequest, handshaking',
      'connection, open',
      'onOpen, open',
      'onText hello',
      'onClosed 4000, closed',
      'disconnected 4000 closed, closed',
      'shutdown',
    ]);
  });

  it('has an exception for a callback that throws, before the end it causes', async () => {
    const { lines, closed, port } = await storyOf((say) => telling(say, 'onText'));
    const client = await openClient({ port });
    client.sendText('hello');
    expect((await client.answerClose()).code).toBe(1011);
    await closed;
    expect(lines.slice(4)).toEqual([
      'onText hello',
      'exception onText failed',
      'onClosed 1011, closed',
      'disconnected 1011 RECEIVER_FAILED, closed',
    ]);
  });

  it('has an exception and a disconnected for an onClosed that throws', async () => {
    const { server, lines, closed, port } = await storyOf((say) => telling(say, 'onClosed'));
    const client = await openClient({ port });
    client.sendClose(1000);
    await closed;
    await server.stop();
    expect(lines.slice(4).sort()).toEqual([
      'disconnected 1000 closed, closed',
      'exception onClosed failed',
      'onClosed 1000, closed',
      'shutdown',
    ]);
    expect(lines.at(-1)).toBe('shutdown');
  });

  it('has neither a connection nor a disconnected for a refused upgrade (P1)', async () => {
    const { server, lines, port } = await storyOf(
      (say) =>
        new QuietReceiver({
          onUpgradeRequest: () => {
            say('onUpgradeRequest');
            return false;
          },
        }),
    );
    await expect(openClient({ port })).rejects.toThrow('403');
    await server.stop();
    expect(lines).toEqual(['startup', 'onUpgradeRequest', 'rejected REJECTED 403', 'shutdown']);
  });

  it('has shutdown last, behind every disconnected', async () => {
    const { server, events, open } = await startReceivers();
    const clients = [await open(), await open(), await open()];
    await Promise.all([server.stop(), ...clients.map((client) => client.answerClose())]);
    expect(events.lines.slice(-4).map((line) => line.split(' ')[0])).toEqual([
      'disconnected',
      'disconnected',
      'disconnected',
      'shutdown',
    ]);
  });
});

describe('the rejected event', () => {
  it('says why, with the status, the path without its query and the address', async () => {
    const { handshake, events } = await startReceivers({
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => false }),
    });
    await handshake({ path: '/secret?token=1' });
    expect(await events.rejections.next()).toEqual({
      error: 'REJECTED',
      status: 403,
      message: expect.any(String),
      path: '/secret',
      remoteAddress: '127.0.0.1',
    });
  });

  it.each<[error: string, status: number, request: Record<string, unknown>]>([
    ['NOT_AN_UPGRADE', 426, { rawRequest: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' }],
    ['BAD_HANDSHAKE', 400, { headers: { 'Sec-WebSocket-Key': 'short' } }],
    ['WRONG_VERSION', 426, { headers: { 'Sec-WebSocket-Version': '8' } }],
    ['BAD_HANDSHAKE', 400, { rawRequest: 'GET no http\r\n\r\n' }],
    ['UNKNOWN_PROTOCOL', 400, { rawRequest: 'no http\r\n\r\n' }],
  ])('tells %s with status %d of what never reached a receiver', async (error, status, request) => {
    const { handshake, events } = await startReceivers();
    expect((await handshake(request)).status).toBe(status);
    expect(await events.rejections.next()).toMatchObject({ error, status });
    expect(events.rejections.all).toHaveLength(1);
  });

  it('tells of a target that refused (P6)', async () => {
    const { handshake, events } = await startProxy({ target: `tcp://127.0.0.1:${await refusedPort()}` });
    expect((await handshake()).status).toBe(502);
    expect(await events.rejections.next()).toMatchObject({ error: 'UPSTREAM_REFUSED', status: 502 });
  });

  it('tells of a client that left before its answer', async () => {
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => new Promise(() => {}) }));
    const { port, events } = await startReceivers({ receiver: receivers.create });
    const client = await connectTcp({ port });
    const lines = [
      'GET / HTTP/1.1',
      'Host: x',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
    ];
    client.write([...lines, `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`, '', ''].join('\r\n'));
    await (await receivers.nextReceiver()).waitFor('upgrade');
    client.destroy();
    expect(await events.rejections.next()).toMatchObject({ error: 'DOWNSTREAM_GONE' });
  });
});

describe('a listener that throws', () => {
  it('is told as an exception, and the connection goes on (P5)', async () => {
    const { server, open, events } = await startReceivers();
    server.on('connection', () => {
      throw new Error('listener');
    });
    const client = await open();
    client.sendPing('still there?');
    expect((await client.nextFrame(10)).payload.toString()).toBe('still there?');
    expect(events.exceptions.all).toEqual([new Error('listener')]);
  });

  it('of the exception event itself harms nobody (P5)', async () => {
    const { server, open, events } = await startReceivers({
      receiver: () => new QuietReceiver({ onOpen: () => Promise.reject(new Error('onOpen')) }),
    });
    server.on('exception', () => {
      throw new Error('listener of exception');
    });
    const client = await open();
    expect((await client.answerClose()).code).toBe(1011);
    await events.reports.next();
    await expect(open()).resolves.toBeDefined();
  });
});

describe('the factory of receivers', () => {
  it('gets the request, once for each valid one', async () => {
    const asked: string[] = [];
    const { open, handshake } = await startReceivers({
      receiver: ({ url }) => {
        asked.push(url);
        return new ConnectionReceiver();
      },
    });
    await open({ path: '/a?b' });
    await handshake({ path: '/bad', omitHeaders: ['Sec-WebSocket-Key'] });
    expect(asked).toEqual(['/a?b']);
  });

  it('that throws is an exception and a 500, and the next client is served (P5)', async () => {
    let calls = 0;
    const { handshake, events, open } = await startReceivers({
      receiver: () => {
        calls += 1;
        if (calls === 1) throw new Error('factory');
        return new ConnectionReceiver();
      },
    });
    expect((await handshake()).status).toBe(500);
    await open();
    expect(events.lines).toEqual(['startup 1', 'exception factory', 'rejected RECEIVER_FAILED', 'connection conn-2']);
  });

  it('may be left out of a proxy', async () => {
    const target = await startTcp();
    const { open } = await startProxy({ target: target.url });
    const client = await open();
    client.sendText('hello');
    expect((await (await target.nextConnection()).read(5)).toString()).toBe('hello');
  });

  it('may give a receiver that accepts with a target of its own, on a server that has none', async () => {
    const target = await startTcp();
    const { open } = await startReceivers({
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ target: target.url }) }),
    });
    const client = await open();
    client.sendText('hello');
    expect((await (await target.nextConnection()).read(5)).toString()).toBe('hello');
  });
});

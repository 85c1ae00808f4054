/** Owns what an operator can do to the connections of a running server: send, ping, end, look. */
import { describe, expect, it } from 'vitest';
import { DROP } from '../../src/index.js';
import { Opcode } from '../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { startEcho, startProxy, startReceivers, startUpstream } from './stage.js';

describe('send()', () => {
  it('sends text and bytes to one client only, and never to the target', async () => {
    const target = await startUpstream();
    const { server, open } = await startProxy({ target: target.url });
    const [one, two] = [await open(), await open()];
    const upstream = await target.nextConnection();
    expect(server.send('conn-1', 'text')).toBe('accepted');
    expect(server.send('conn-1', Buffer.from([1, 2, 3]))).toBe('accepted');
    expect(server.send('conn-2', new Uint8Array([4]))).toBe('accepted');
    expect(await one.nextText()).toBe('text');
    expect([...(await one.nextBinary())]).toEqual([1, 2, 3]);
    expect([...(await two.nextBinary())]).toEqual([4]);
    expect(upstream.received).toEqual([]);
  });

  it('answers unknown for an id that no connection has, also once it had one', async () => {
    const { server, open, events } = await startReceivers();
    expect(server.send('conn-1', 'early')).toBe('unknown');
    const client = await open();
    client.sendClose(1000);
    await events.reports.next();
    expect(server.send('conn-1', 'late')).toBe('unknown');
  });

  it('answers unknown when the server is stopped', async () => {
    const { server } = await startReceivers();
    await server.stop();
    expect(server.send('conn-1', 'late')).toBe('unknown');
  });

  it('throws INVALID_MESSAGE for what is neither text nor bytes', async () => {
    const { server, open, events } = await startReceivers();
    await open();
    const message: Uint8Array = JSON.parse('{"an":"object"}');
    expect(() => server.send('conn-1', message)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
    expect(events.exceptions.all).toEqual([]);
  });
});

describe('ping()', () => {
  it('reaches every client with its payload, and answers with how many', async () => {
    const { server, open } = await startReceivers();
    const clients = [await open(), await open(), await open()];
    expect(server.ping('are you there?')).toBe(3);
    for (const client of clients) {
      expect((await client.nextFrame(Opcode.Ping)).payload.toString()).toBe('are you there?');
    }
  });

  it('of one connection takes at most 125 bytes', async () => {
    const { server, open } = await startReceivers();
    const client = await open();
    const connection = server.connection('conn-1')!;
    expect(connection.ping(Buffer.alloc(125))).toBe('accepted');
    expect((await client.nextFrame(Opcode.Ping)).payload.length).toBe(125);
    expect(() => connection.ping('é'.repeat(63))).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
  });

  it('never reaches a target', async () => {
    const target = await startUpstream();
    const { server, open } = await startProxy({ target: target.url });
    const client = await open();
    const upstream = await target.nextConnection();
    server.ping();
    await client.nextFrame(Opcode.Ping);
    client.sendText('after');
    expect((await upstream.nextFrame()).opcode).toBe(Opcode.Text);
  });

  it('is 0 when the server is stopped', async () => {
    const { server } = await startReceivers();
    await server.stop();
    expect(server.ping()).toBe(0);
  });
});

describe('disconnectAll()', () => {
  it('closes every connection with 1001 and goes on listening (P7)', async () => {
    const { server, open, events } = await startReceivers();
    const clients = [await open(), await open()];
    const [count, ...closes] = await Promise.all([
      server.disconnectAll(),
      ...clients.map((client) => client.answerClose()),
    ]);
    expect(count).toBe(2);
    expect(closes.map(({ code, end }) => [code, end])).toEqual([
      [1001, 'fin'],
      [1001, 'fin'],
    ]);
    expect(server.state).toBe('running');
    await open();
    expect(events.reports.all).toMatchObject([
      { initiator: 'operator', cause: 'disconnected', status: 1001, codeSent: 1001, codeReceived: 1001 },
      { initiator: 'operator', cause: 'disconnected', status: 1001 },
    ]);
  });

  it('tells the target of a pair the same (P4)', async () => {
    const target = await startUpstream();
    const { server, open } = await startProxy({ target: target.url });
    const client = await open();
    const upstream = await target.nextConnection();
    const [close] = await Promise.all([upstream.expectClose(), client.answerClose(), server.disconnectAll()]);
    expect(close.code).toBe(1001);
    // The target is the server on its connection, and ends it.
    upstream.sendClose(1001);
    upstream.end();
    await upstream.waitForEnd();
  });

  it('is paced: no more than a batch at a time, in the order the clients came', async () => {
    // A batch is what fits into 20 ms: two at a hundred a second.
    const { server, open, events } = await startReceivers({ limits: { disconnectsPerSecond: 100 } });
    const clients = [];
    for (let n = 0; n < 8; n += 1) clients.push(await open());
    const told: number[] = [];
    const waves: number[] = [];
    for (const [index, client] of clients.entries()) {
      client.nextFrame(Opcode.Close).then(() => {
        told.push(index);
        // How many of all are closing or gone when this one was told: the later ones are not, if it is paced.
        waves.push(8 - server.connections.length);
      });
    }
    const begun = performance.now();
    expect(await server.disconnectAll()).toBe(8);
    const took = performance.now() - begun;
    for (const client of clients) {
      client.sendClose(1001);
      await events.reports.next();
    }
    expect([...told].sort()).toEqual(told);
    expect(waves[0]).toBeLessThanOrEqual(4);
    // Four batches have three pauses between them.
    expect(took).toBeGreaterThanOrEqual(3 * 19);
  });

  it('refuses a handshake that is not answered yet with 503', async () => {
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => new Promise(() => {}) }));
    const { server, handshake, events } = await startReceivers({ receiver: receivers.create });
    const answered = handshake();
    await (await receivers.nextReceiver()).waitFor('upgrade');
    expect(await server.disconnectAll()).toBe(1);
    expect((await answered).status).toBe(503);
    expect(events.lines).toEqual(['startup 1', 'rejected SHUTTING_DOWN']);
  });

  it('answers 0 when there is nobody, or no server', async () => {
    const { server } = await startReceivers();
    expect(await server.disconnectAll()).toBe(0);
    await server.stop();
    expect(await server.disconnectAll()).toBe(0);
  });
});

describe('terminateAll()', () => {
  it('cuts every connection without a Close frame, and goes on listening', async () => {
    const target = await startEcho();
    const { server, open, events } = await startProxy({ target: target.url });
    const clients = [await open(), await open()];
    expect(server.terminateAll()).toBe(2);
    for (const client of clients) await client.waitForEnd();
    expect(clients.flatMap(({ received }) => received)).toEqual([]);
    expect([await events.reports.next(), await events.reports.next()]).toMatchObject([
      { initiator: 'operator', cause: 'terminated', status: 1006, codeSent: undefined },
      { status: 1006 },
    ]);
    await open();
  });
});

describe('looking', () => {
  it('gives every open connection, and one by its id', async () => {
    const { server, open, events } = await startReceivers();
    const client = await open({ path: '/first' });
    await open({ path: '/second' });
    expect(server.connections.map(({ id, request }) => [id, request.path])).toEqual([
      ['conn-1', '/first'],
      ['conn-2', '/second'],
    ]);
    expect(server.connection('conn-2')).toBe(server.connections[1]);
    expect(server.connection('conn-3')).toBeUndefined();
    client.sendClose(1000);
    await events.reports.next();
    expect(server.connections.map(({ id }) => id)).toEqual(['conn-2']);
    expect(server.connection('conn-1')).toBeUndefined();
  });

  it('gives no connection whose handshake is not answered yet, but shows it in the snapshot', async () => {
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => new Promise(() => {}) }));
    const { server, handshake } = await startReceivers({ receiver: receivers.create });
    const answered = handshake();
    await (await receivers.nextReceiver()).waitFor('upgrade');
    expect(server.connections).toEqual([]);
    expect(server.snapshot().connections).toMatchObject([
      { id: 'conn-1', state: 'handshaking', chart: { handshaking: 'deciding' }, dataPath: undefined },
    ]);
    await server.disconnectAll();
    await answered;
  });

  it('shows the server and its connections as plain JSON', async () => {
    const target = await startEcho();
    const { server, open, port, address } = await startProxy({ target: target.url });
    const client = await open({ path: '/desk?x=1' });
    client.sendBinary(Buffer.from('hello'));
    await client.nextBinary();
    server.connection('conn-1')?.subscribe('news');
    const snapshot = server.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(snapshot).toEqual({
      state: 'running',
      chart: { running: { admission: 'accepting', heartbeat: 'beating' } },
      addresses: [{ host: '127.0.0.1', port, url: address.url }],
      connections: [
        {
          id: 'conn-1',
          state: 'open',
          chart: { open: { outbound: 'flowing', inbound: 'reading', liveness: 'alive' } },
          path: '/desk',
          target: target.url,
          dataPath: 'stream',
          subprotocol: '',
          remoteAddress: '127.0.0.1',
          remotePort: expect.any(Number),
          channels: ['news'],
          tags: [],
          openedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          received: { messages: 1, bytes: 5 },
          sent: { messages: 1, bytes: 5 },
          throttled: false,
          bufferedBytes: 0,
        },
      ],
      refused: { total: 0, byError: {}, byPolicy: {} },
      heldBytes: 0,
    });
  });

  it('shows a snapshot that does not change afterwards', async () => {
    const receivers = receiverFactory({ onText: () => DROP });
    const { server, open } = await startReceivers({ receiver: receivers.create });
    const client = await open();
    const before = server.snapshot();
    const copy = structuredClone(before);
    client.sendText('more');
    await (await receivers.nextReceiver()).waitFor('text');
    server.connection('conn-1')?.subscribe('news');
    expect(before).toEqual(copy);
    expect(server.snapshot().connections[0]?.received).toEqual({ messages: 1, bytes: 4 });
  });
});

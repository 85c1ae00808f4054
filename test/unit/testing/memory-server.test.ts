/** Owns that a connection in memory behaves as one over sockets does, for receivers of every kind. */
import { describe, expect, it } from 'vitest';
import { accept, type CloseReport, ConnectionReceiver, reject, type UpgradeRequest } from '../../../src/index.js';
import { MemoryServer, openInMemory, RecordingReceiver, SimulatedClock } from '../../../src/testing.js';

class Echo extends ConnectionReceiver {
  override onText(text: string) {
    this.connection.send(text);
  }
  override onBinary(data: Buffer) {
    this.connection.send(data);
  }
}

const recorded = () => new RecordingReceiver(new Echo());

describe('a connection in memory', () => {
  it('carries messages both ways, in order, whole and in fragments', async () => {
    await using opened = await openInMemory(recorded);
    const { client, connection, receiver } = opened;
    client.send('one');
    client.sendFragments(['tw', 'o']);
    client.send(Buffer.from([3]));
    expect(await client.next('text')).toEqual({ kind: 'text', text: 'one' });
    expect(await client.next()).toEqual({ kind: 'text', text: 'two' });
    expect(await client.next()).toEqual({ kind: 'binary', data: Buffer.from([3]) });
    expect(connection.state).toBe('open');
    expect(receiver.names).toEqual(['onUpgradeRequest', 'onOpen', 'onText', 'onText', 'onBinary']);
  });

  it('is opened by a request that the receiver sees as it would over a socket', async () => {
    const seen: UpgradeRequest[] = [];
    class Picky extends ConnectionReceiver {
      override onUpgradeRequest(request: UpgradeRequest) {
        seen.push(request);
        return accept({ subprotocol: 'b', headers: { 'x-room': 'one' } });
      }
    }
    const request = {
      path: '/chat?room=1',
      headers: { Origin: 'https://a.test' },
      subprotocols: ['a', 'b'],
      remoteAddress: '192.0.2.7',
    };
    await using opened = await openInMemory(() => new Picky(), { request });
    const { client, connection } = opened;
    expect(seen[0]).toMatchObject({
      path: '/chat',
      origin: 'https://a.test',
      remoteAddress: '192.0.2.7',
      subprotocols: ['a', 'b'],
    });
    expect(client.answer?.headers).toMatchObject({ 'x-room': 'one', 'sec-websocket-protocol': 'b' });
    expect(connection.subprotocol).toBe('b');
  });

  it('has the principal that a test gives it', async () => {
    const principal = { name: 'ada', scheme: 'bearer', tags: ['staff'] };
    await using opened = await openInMemory(() => new Echo(), { principal });
    expect(opened.connection.principal).toMatchObject(principal);
    expect(opened.connection.request.headers.authorization).toBeUndefined();
  });

  it('is refused as the receiver says, and openInMemory rejects with the answer', async () => {
    class Closed extends ConnectionReceiver {
      override onUpgradeRequest() {
        return reject(404, { body: 'no such room' });
      }
    }
    await expect(openInMemory(() => new Closed())).rejects.toThrow('answered with 404: no such room');
    await using server = await MemoryServer.start(() => new Closed());
    const client = server.connect();
    expect(await client.answered()).toMatchObject({ status: 404, body: 'no such room' });
    expect(await client.closed()).toMatchObject({ clean: true });
  });

  it('tells both sides how it was closed, whoever began', async () => {
    const reports: CloseReport[] = [];
    await using server = await MemoryServer.start(recorded);
    server.on('disconnected', (_, report) => reports.push(report));
    const one = server.connect();
    await one.answered();
    one.close(4001, 'bye');
    expect(await one.closed()).toEqual({ code: 4001, reason: 'bye', clean: true });
    const other = server.connect();
    await other.answered();
    server.connectionOf(other)?.close(1000, 'enough');
    expect(await other.closed()).toEqual({ code: 1000, reason: 'enough', clean: true });
    expect(reports.map(({ initiator, status, reason }) => [initiator, status, reason])).toEqual([
      ['downstream', 4001, 'bye'],
      ['application', 1000, 'enough'],
    ]);
  });

  it('is lost by a reset, and cut by terminate', async () => {
    await using server = await MemoryServer.start(recorded);
    const one = server.connect();
    await one.answered();
    const receiver = server.receiverOf(one) as RecordingReceiver;
    one.reset();
    expect((await receiver.next('onClosed')).args).toEqual([1006, '']);
    const other = server.connect();
    await other.answered();
    server.connectionOf(other)?.terminate();
    expect(await other.closed()).toMatchObject({ code: 1006, clean: false });
  });

  it('is throttled by a client that reads nothing, until it reads again', async () => {
    const clock = new SimulatedClock();
    await using opened = await openInMemory(() => new RecordingReceiver(), { clock, window: 1024 });
    const { client, connection, receiver } = opened;
    client.pauseReading();
    expect(connection.send('x'.repeat(500))).toBe('accepted');
    connection.send(Buffer.alloc(2000));
    expect(connection.send('more')).toBe('queued');
    expect(connection.throttled).toBe(false);
    await clock.advance('50ms');
    expect(connection.throttled).toBe(true);
    client.resumeReading();
    expect((await receiver.next('onUnthrottled')).state).toBe('open');
    expect(receiver.names.slice(2)).toEqual(['onThrottled', 'onUnthrottled']);
    expect((await client.next('text')).text).toHaveLength(500);
    expect((await client.next('binary')).data).toHaveLength(2000);
    expect(await client.next('text')).toEqual({ kind: 'text', text: 'more' });
  });

  it('is closed with 1008 when nothing is read for the write stall timeout, without waiting for it', async () => {
    const clock = new SimulatedClock();
    await using opened = await openInMemory(() => new RecordingReceiver(), { clock, window: 1024 });
    opened.client.pauseReading();
    opened.connection.send(Buffer.alloc(64 * 1024));
    await clock.advance('2m');
    expect(opened.receiver.callsOf('onClosed')[0]?.args[0]).toBe(1008);
  });

  it('slows a client down that is not read', async () => {
    await using opened = await openInMemory(recorded);
    const { client, connection } = opened;
    connection.pause();
    client.send('held back');
    expect(client.unreadBytes).toBeGreaterThan(0);
    connection.resume();
    expect(await client.next('text')).toEqual({ kind: 'text', text: 'held back' });
    expect(client.unreadBytes).toBe(0);
  });

  it('is pinged by the simulated heartbeat, and lost when the client has vanished', async () => {
    const clock = new SimulatedClock();
    await using opened = await openInMemory(recorded, { clock, heartbeat: { interval: '30s', timeout: '10s' } });
    const { client, receiver, connection } = opened;
    await clock.advance('31s');
    expect((await client.next('ping')).kind).toBe('ping');
    await clock.advance('30s');
    expect(connection.state).toBe('open');
    client.vanish();
    await clock.advance('90s');
    expect(receiver.callsOf('onClosed')[0]?.args[0]).toBe(1006);
    expect(clock.now()).toBe(151_000);
  });

  it('is refused with 503 when its decision takes longer than the handshake may', async () => {
    const clock = new SimulatedClock();
    class Slow extends ConnectionReceiver {
      override onUpgradeRequest() {
        return new Promise<boolean>(() => {});
      }
    }
    await using server = await MemoryServer.start(() => new Slow(), { clock, timeouts: { handshake: '10s' } });
    const client = server.connect();
    await clock.advance('11s');
    expect(await client.answered()).toMatchObject({ status: 503 });
  });

  it('ends with 1002 for what is no frame, and 1007 for a text that is no UTF-8', async () => {
    await using server = await MemoryServer.start(recorded);
    const one = server.connect();
    await one.answered();
    one.sendFrame({ opcode: 3 });
    expect(await one.closed()).toMatchObject({ code: 1002 });
    const other = server.connect();
    await other.answered();
    other.sendFrame({ opcode: 1, payload: Buffer.from([0xff]) });
    expect(await other.closed()).toMatchObject({ code: 1007 });
    expect((server.receiverOf(other) as RecordingReceiver).callsOf('onText')).toEqual([]);
  });

  it('reaches every client of one server by a broadcast', async () => {
    await using server = await MemoryServer.start(() => new Echo());
    const clients = [server.connect(), server.connect(), server.connect()];
    await Promise.all(clients.map((client) => client.answered()));
    expect(server.broadcast('all')).toMatchObject({ matched: 3, accepted: 3 });
    for (const client of clients) expect(await client.next('text')).toEqual({ kind: 'text', text: 'all' });
  });

  it('asks the admission policies of the server', async () => {
    const policies = [{ name: 'nobody', connection: () => ({ error: 'ADDRESS_DENIED', message: 'not you' }) as const }];
    await using server = await MemoryServer.start(() => new Echo(), { policies });
    const client = server.accept();
    expect(await client.closed()).toMatchObject({ clean: false });
  });
});

describe('a target in memory', () => {
  class Upper extends ConnectionReceiver {
    override onText(text: string) {
      return text.toUpperCase();
    }
    onUpstreamText(text: string) {
      return `${text}!`;
    }
  }

  it('is what a connection is forwarded to, over a WebSocket', async () => {
    await using opened = await openInMemory(() => new Upper(), { target: 'ws://backend.test/feed' });
    const target = await opened.server.targets.next();
    expect(target.asked?.url).toBe('/feed');
    opened.client.send('hello');
    expect(await target.next('text')).toEqual({ kind: 'text', text: 'HELLO' });
    target.send('news');
    expect(await opened.client.next('text')).toEqual({ kind: 'text', text: 'news!' });
    target.close(1001, 'away');
    expect(await opened.client.closed()).toMatchObject({ code: 1001, reason: 'away' });
  });

  it('is what a connection is forwarded to, over plain bytes', async () => {
    await using opened = await openInMemory(() => new ConnectionReceiver(), { target: 'tcp://192.0.2.9:5900' });
    const target = await opened.server.targets.next();
    expect([target.address, target.port]).toEqual(['192.0.2.9', 5900]);
    target.sendBytes('RFB');
    expect(await opened.client.next('binary')).toEqual({ kind: 'binary', data: Buffer.from('RFB') });
    opened.client.send(Buffer.from('hi'));
    expect(await target.next('bytes')).toEqual({ kind: 'bytes', data: Buffer.from('hi') });
    target.end();
    expect(await opened.client.closed()).toMatchObject({ code: 1000 });
  });

  it('refuses when the test says so: the client gets a real 502', async () => {
    await using server = await MemoryServer.start(() => new ConnectionReceiver(), {
      target: 'tcp://192.0.2.9:1',
      targetManners: 'hold',
    });
    const client = server.connect();
    const target = await server.targets.next();
    expect(server.connectionOf(client)?.snapshot().chart).toEqual({ handshaking: 'dialling' });
    target.refuse();
    expect(await client.answered()).toMatchObject({ status: 502 });
  });
});

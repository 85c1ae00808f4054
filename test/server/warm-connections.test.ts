/** Owns what `warmConnections` does between real sockets: to the target, and to clients that get such a connection. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { accept, ConnectionReceiver, type ProxyServerOptions } from '../../src/index.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { RawClient } from '../support/raw-client.js';
import { QuietReceiver, RecordingReceiver } from '../support/recording-receiver.js';
import { refusedPort, type TcpConnection, type TcpPeer, unansweredPort } from '../support/tcp-peer.js';
import { marked } from '../support/wires.js';
import { startEcho, startProxy, startTcp, startUpstream } from './stage.js';

describe('connections opened ahead of need', () => {
  /** A proxy that holds as many connections to the target as it is to. */
  async function startWarm(target: TcpPeer, warmConnections: number, options: ProxyServerOptions = {}) {
    const proxy = await startProxy({ target: target.url, warmConnections, ...options });
    return { ...proxy, kept: await next(target, warmConnections) };
  }

  async function next(target: TcpPeer, count: number): Promise<TcpConnection[]> {
    const connections: TcpConnection[] = [];
    while (connections.length < count) connections.push(await target.nextConnection());
    return connections;
  }

  async function echoed(client: RawClient, text: string): Promise<void> {
    client.sendText(text);
    expect((await client.nextBinary()).toString()).toBe(text);
  }

  it('are none without the option', async () => {
    const target = await startEcho();
    const { open } = await startProxy({ target: target.url });
    await echoed(await open(), 'one');
    expect(target.connections).toHaveLength(1);
  });

  it('are as many as the option says; one that is taken is replaced, and the oldest is taken', async () => {
    const target = await startEcho();
    const { open, kept } = await startWarm(target, 2);
    await echoed(await open(), 'one');
    const [third] = await next(target, 1);
    await echoed(await open(), 'two');
    const [fourth] = await next(target, 1);
    expect(kept.map(({ bytesReceived }) => bytesReceived)).toEqual([3, 3]);
    expect([third, fourth].map((connection) => connection?.bytesReceived)).toEqual([0, 0]);
    expect([target.connections.length, target.openConnections]).toEqual([4, 4]);
  });

  it('are not enough for many clients at once, and each has a connection of its own', async () => {
    const target = await startEcho();
    const { open } = await startWarm(target, 2);
    const clients = await Promise.all(Array.from({ length: 8 }, () => open()));
    await Promise.all(clients.map((client, n) => echoed(client, `client ${n}`)));
    await eventually(() => target.openConnections === 10, 'there are two spare ones again');
    expect(target.connections.filter(({ bytesReceived }) => bytesReceived === 8)).toHaveLength(8);
  });

  it('end as others do once a client has them: in order, or with 1011', async () => {
    const target = await startTcp();
    const { open, kept } = await startWarm(target, 2);
    const clients = [await open(), await open()];
    for (const client of clients) client.sendText('x');
    for (const connection of kept) await connection.read(1);
    kept[0]?.end('bye');
    kept[1]?.reset();
    const ended = clients.map(async (client) => {
      const { payload } = await client.nextFrame();
      return payload.toString('latin1') === 'bye' ? (await client.answerClose()).code : payload.readUInt16BE();
    });
    expect((await Promise.all(ended)).sort()).toEqual([1000, 1011]);
    expect(await kept[0]?.waitForEnd()).toBe('fin');
  });

  describe.each<[string, ProxyServerOptions]>([
    ['the stream path', { receiver: () => new ConnectionReceiver() }],
    ['the messages path', { receiver: () => new RecordingReceiver() }],
    ['a client that has its 101 already', { connectUpstream: 'after-accept' }],
  ])('to %s', (_, options) => {
    it('a target that speaks first is heard from its first byte on (P2)', async () => {
      const target = await startTcp({ onConnection: (connection) => void connection.write('SSH-') });
      const { open, kept } = await startWarm(target, 1, options);
      const client = await open();
      kept[0]?.write('2.0\r\n');
      let heard = '';
      while (heard.length < 9) heard += (await client.nextBinary()).toString();
      expect(heard).toBe('SSH-2.0\r\n');
      client.sendText('hello');
      expect((await kept[0]?.read(5))?.toString()).toBe('hello');
    });

    it('a target that sends more than is kept loses nothing (P2)', async () => {
      const all = marked(1, 8 * 2 ** 20);
      const target = await startTcp({ onConnection: (connection) => connection.end(all) });
      const { open } = await startWarm(target, 1, { limits: { highWaterMark: '16KiB' }, ...options });
      const client = await open();
      const heard: Buffer[] = [];
      for (let length = 0; length < all.length; length += heard.at(-1)!.length) heard.push(await client.nextBinary());
      expect(Buffer.concat(heard).equals(all)).toBe(true);
      expect((await client.answerClose()).code).toBe(1000);
    });
  });

  it.each<[string, (connection: TcpConnection) => void]>([
    ['ends', (connection) => connection.end()],
    ['ends after some words', (connection) => connection.end('too many connections')],
    ['resets', (connection) => connection.reset()],
  ])('that their target %s are dropped and replaced, and no client gets one (P5)', async (_, finish) => {
    const target = await startEcho();
    const { open, events, kept } = await startWarm(target, 2);
    for (const connection of kept) {
      finish(connection);
      await connection.closed();
    }
    await next(target, 2);
    await echoed(await open(), 'alive');
    await next(target, 1);
    expect(kept.map(({ bytesReceived }) => bytesReceived)).toEqual([0, 0]);
    expect(events.lines).toEqual(['startup 1', 'connection conn-1']);
  });

  it('come back with their target; meanwhile a client learns the truth, and nothing else is told (P6)', async () => {
    const before = await startEcho();
    const { server, open, handshake, events } = await startWarm(before, 2);
    server.on('error', (error) => events.lines.push(`error ${error.message}`));
    await Promise.all([before.close(), ...before.connections.map((connection) => connection.closed())]);
    await eventually(async () => (await handshake()).status === 502, 'a client is refused');
    const after = await startEcho({ port: before.port });
    await next(after, 2);
    await echoed(await open(), 'back');
    expect(events.lines).toContain('rejected UPSTREAM_REFUSED');
    expect(events.lines.filter((line) => /^(error|exception)/.test(line))).toEqual([]);
  });

  it('need no target that is there when the server starts', async () => {
    const port = await refusedPort();
    const { open, handshake } = await startProxy({ target: `tcp://127.0.0.1:${port}`, warmConnections: 3 });
    expect((await handshake()).status).toBe(502);
    const target = await startEcho({ port });
    await next(target, 3);
    await echoed(await open(), 'here');
  });

  it('are not for a connection to which its receiver gave another target', async () => {
    const [target, other] = [await startEcho(), await startEcho()];
    const { open } = await startWarm(target, 1, {
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ target: other.url }) }),
    });
    await echoed(await open(), 'there');
    expect(other.connections).toHaveLength(1);
    expect(target.connections.map(({ bytesReceived }) => bytesReceived)).toEqual([0]);
  });

  it('are found by a name as well', async () => {
    const target = await startEcho();
    const { open } = await startWarm(target, 1, { target: `tcp://localhost:${target.port}` });
    await echoed(await open(), 'named');
    await next(target, 1);
    expect(target.connections.map(({ bytesReceived }) => bytesReceived)).toEqual([5, 0]);
  });

  it('are none to a target that speaks WebSocket, or through a socket file', async () => {
    const upstream = await startUpstream();
    const first = await startProxy({ target: upstream.url, warmConnections: 2 });
    await first.open();
    expect(upstream.peers).toHaveLength(1);
    const peer = await startEcho({ unix: true });
    const second = await startProxy({ target: peer.url, warmConnections: 2 });
    await echoed(await second.open(), 'file');
    expect(peer.connections).toHaveLength(1);
  });

  describe('when the server stops', () => {
    it('are closed at once, while clients have their time to go', async () => {
      const target = await startTcp();
      const { server, open } = await startWarm(target, 2);
      const client = await open();
      client.sendText('x');
      await next(target, 1);
      const used = () => target.connections.filter(({ bytesReceived }) => bytesReceived > 0);
      await eventually(() => used().length === 1, 'the target is used');
      const spare = target.connections.filter((connection) => !used().includes(connection));
      const stopped = server.stop();
      expect(await Promise.all(spare.map((connection) => connection.waitForEnd()))).toEqual(['fin', 'fin']);
      expect(server.snapshot()).toMatchObject({ state: 'draining', connections: [{ state: 'closing' }] });
      for (const connection of target.connections) connection.end();
      await Promise.all([stopped, client.answerClose()]);
      expect(target.connections).toHaveLength(3);
    });

    it('leave nothing behind (P7)', async () => {
      const target = await startEcho();
      const before = holdings();
      const { server, port } = await startWarm(target, 3);
      const client = await RawClient.open({ port });
      await next(target, 1);
      await server.stop({ drainTimeout: 0 });
      client.destroy();
      await expectQuiet(before);
    });

    it.each([
      ['refuses them', async () => ({ port: await refusedPort(), close: async () => {} })],
      ['does not answer', unansweredPort],
    ])('leave nothing behind when their target %s (P7)', async (_, startTarget) => {
      const target = await startTarget();
      onTestFinished(() => target.close());
      // What fills the backlog of a target that does not answer is connecting by then.
      await nextTurn();
      const before = holdings();
      const url = `tcp://127.0.0.1:${target.port}`;
      const { server } = await startProxy({ target: url, warmConnections: 3 });
      await server.stop();
      await server.start();
      await server.stop();
      await expectQuiet(before);
    });

    it('are there again after a restart', async () => {
      const target = await startEcho();
      const { server, open, kept } = await startWarm(target, 2);
      await server.restart();
      await next(target, 2);
      await echoed(await open(), 'again');
      expect(kept.map(({ bytesReceived }) => bytesReceived)).toEqual([0, 0]);
    });
  });
});

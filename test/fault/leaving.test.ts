/** Owns clients that leave, or speak, before their handshake is answered. */
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/events.js';
import { encodeFrame, Opcode, requestBytes } from '../support/raw-client.js';
import { QuietReceiver, RecordingReceiver, receiverFactory } from '../support/recording-receiver.js';
import { connectTcp, type TcpConnection } from '../support/tcp-peer.js';
import {
  emptied,
  openClient,
  type Running,
  startProxy,
  startReceiverServer,
  startTcpPeer,
  startUpstream,
} from './running.js';

const LEAVE: readonly (readonly [how: string, leave: (connection: TcpConnection) => void])[] = [
  ['ends its connection', (connection) => connection.end()],
  ['resets its connection', (connection) => connection.reset()],
];

/** Sends a handshake and leaves the answer unread. */
async function ask(port: number): Promise<TcpConnection> {
  const connection = await connectTcp({ port });
  connection.write(requestBytes({ port }));
  return connection;
}

async function expectGone(proxy: Running, connection: TcpConnection): Promise<void> {
  expect(await proxy.rejected.next()).toMatchObject({ error: 'DOWNSTREAM_GONE' });
  await emptied(proxy.server);
  expect(proxy.rejected.all.length).toBe(1);
  expect(proxy.reports.all).toEqual([]);
  expect(proxy.exceptions.all).toEqual([]);
  connection.destroy();
  await connection.closed();
}

describe.each(LEAVE)('a client that %s', (_how, leave) => {
  it('while its WebSocket target does not answer: the dial is given up, and no 101 is written', async () => {
    const upstream = await startUpstream({ answer: 'nothing' });
    const receivers = receiverFactory(() => new QuietReceiver());
    const proxy = await startProxy({ target: upstream.url, receiver: receivers.create });
    const connection = await ask(proxy.port);
    const peer = await upstream.nextConnection();
    leave(connection);
    await peer.waitForEnd();
    // P1: a refused upgrade gets neither onOpen nor onClosed.
    expect(receivers.receivers[0]?.names).toEqual(['upgrade']);
    if (connection.ended === undefined) expect((await connection.readAll()).toString()).not.toContain('101');
    await expectGone(proxy, connection);
  });

  it('while its target answers just now: the answer comes too late, and nothing is left open', async () => {
    const upstream = await startUpstream({ answer: 'nothing' });
    const proxy = await startProxy({ target: upstream.url });
    const connection = await ask(proxy.port);
    const peer = await upstream.nextConnection();
    leave(connection);
    await proxy.rejected.next();
    peer.accept();
    await peer.waitForEnd();
    await emptied(proxy.server);
    connection.destroy();
  });

  it('while the application decides: its signal tells, and a late decision changes nothing', async () => {
    const decision = deferred<boolean>();
    const target = await startTcpPeer();
    const receivers = receiverFactory({ onUpgradeRequest: () => decision.promise });
    const proxy = await startProxy({ target: target.url, receiver: receivers.create });
    const connection = await ask(proxy.port);
    const receiver = await receivers.nextReceiver();
    await receiver.waitFor('upgrade');
    const { signal } = receiver.request!;
    leave(connection);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    decision.resolve(true);
    await expectGone(proxy, connection);
    expect(target.connections).toEqual([]);
    expect(receiver.names).toEqual(['upgrade']);
  });
});

describe('P2: bytes that come with the handshake are not lost', () => {
  const early = (payload: string): Buffer => encodeFrame({ opcode: Opcode.Text, payload, masked: true });

  it('to a WebSocket target, on both data paths, with those that come with its 101', async () => {
    for (const make of [() => new QuietReceiver(), () => new RecordingReceiver()]) {
      const upstream = await startUpstream({ firstBytes: encodeFrame({ opcode: Opcode.Text, payload: 'from it' }) });
      const proxy = await startProxy({ target: upstream.url, receiver: make });
      const client = await openClient({ port: proxy.port, head: Buffer.concat([early('one'), early('two')]) });
      const peer = await upstream.nextConnection();
      expect([await peer.nextText(), await peer.nextText()]).toEqual(['one', 'two']);
      expect(await client.nextText()).toBe('from it');
    }
  });

  it('to a TCP target that speaks first', async () => {
    const target = await startTcpPeer({ onConnection: (connection) => void connection.write('banner') });
    const proxy = await startProxy({ target: target.url });
    const client = await openClient({ port: proxy.port, head: early('one') });
    expect((await (await target.nextConnection()).read(3)).toString()).toBe('one');
    expect((await client.nextBinary()).toString()).toBe('banner');
  });

  it('to a receiver, behind onOpen, also when that takes its time', async () => {
    const opening = deferred();
    const receivers = receiverFactory({ onOpen: () => opening.promise });
    const server = await startReceiverServer({ receiver: receivers.create });
    const client = await openClient({ port: server.port, head: early('one') });
    const receiver = await receivers.nextReceiver();
    client.sendText('two');
    await receiver.waitFor('open');
    opening.resolve();
    await receiver.waitFor('text');
    await receiver.waitFor('text');
    expect(receiver.entries.slice(1)).toEqual([
      ['open', '/'],
      ['text', 'one'],
      ['text', 'two'],
    ]);
    expect(receiver.overlapping).toEqual([]);
  });

  it('a whole conversation in one segment: handshake, message and Close', async () => {
    const receivers = receiverFactory();
    const server = await startReceiverServer({ receiver: receivers.create });
    const close = encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x0f, 0xa0]), masked: true });
    const client = await openClient({ port: server.port, head: Buffer.concat([early('all'), close]) });
    expect((await client.expectClose()).code).toBe(4000);
    expect(await client.waitForEnd()).toBe('fin');
    const receiver = await receivers.nextReceiver();
    await receiver.waitFor('closed');
    expect(receiver.names).toEqual(['upgrade', 'open', 'text', 'closed']);
  });

  it('what comes while the target is dialled arrives behind the 101, in order', async () => {
    const upstream = await startUpstream({ answer: 'nothing' });
    const proxy = await startProxy({ target: upstream.url });
    const connection = await connectTcp({ port: proxy.port });
    connection.write(Buffer.concat([requestBytes({ port: proxy.port }), early('one')]));
    const peer = await upstream.nextConnection();
    connection.write(early('two'));
    await connection.drained();
    peer.accept();
    await connection.readUntil('\r\n\r\n');
    connection.write(early('three'));
    expect([await peer.nextText(), await peer.nextText(), await peer.nextText()]).toEqual(['one', 'two', 'three']);
    connection.destroy();
  });

  it('P3: what comes while the target is dialled is held up to the high water mark, and then not read', async () => {
    const upstream = await startUpstream({ answer: 'nothing' });
    const proxy = await startProxy({ target: upstream.url, limits: { highWaterMark: '64KiB' } });
    const connection = await connectTcp({ port: proxy.port });
    connection.write(requestBytes({ port: proxy.port }));
    const peer = await upstream.nextConnection();
    const frame = encodeFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(1_000_000, 'x'), masked: true });
    for (let count = 0; count < 20; count += 1) connection.write(frame);
    // The buffers of the system take some megabytes; the rest stays with the client as long as nobody reads.
    expect(connection.socket.writableLength).toBeGreaterThan(0);
    peer.accept();
    for (let count = 0; count < 20; count += 1) expect((await peer.nextBinary()).length).toBe(1_000_000);
    connection.destroy();
  });
});

/** Owns who gets a broadcast: channels, filters, and what the report counts. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { accept, type BroadcastFilter } from '../../src/index.js';
import type { RawClient } from '../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { startReceivers } from './stage.js';

const CLOSED = { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };

/** Four clients: `conn-1` and `conn-2` speak `chat`, `conn-3` speaks `log`, `conn-4` nothing. The odd ones read news. */
async function four() {
  const running = await startReceivers({
    receiver: () =>
      new QuietReceiver({
        onUpgradeRequest: ({ subprotocols }) => accept({ subprotocol: subprotocols[0] }),
        onOpen: (request, { connection }) => {
          if (request.path === '/news') connection.subscribe('news');
        },
      }),
  });
  const clients: RawClient[] = [];
  for (const [path, ...subprotocols] of [['/news', 'chat'], ['/', 'chat'], ['/news', 'log'], ['/']]) {
    clients.push(await running.open({ path, subprotocols }));
  }
  return { ...running, clients };
}

/** Which of the clients got the message. A second one, to everybody, marks the end. */
async function whoGot(clients: readonly RawClient[], message: string): Promise<string[]> {
  const got: string[] = [];
  for (const [index, client] of clients.entries()) {
    let text = await client.nextText();
    if (text === message) {
      got.push(`conn-${index + 1}`);
      text = await client.nextText();
    }
    expect(text).toBe('end');
  }
  return got;
}

describe('broadcast()', () => {
  it.each<[what: string, filter: BroadcastFilter | undefined, expected: string[]]>([
    ['everybody without a filter', undefined, ['conn-1', 'conn-2', 'conn-3', 'conn-4']],
    ['everybody with an empty filter', {}, ['conn-1', 'conn-2', 'conn-3', 'conn-4']],
    ['the members of a channel', { channel: 'news' }, ['conn-1', 'conn-3']],
    ['nobody in a channel that nobody joined', { channel: 'sport' }, []],
    ['who speaks a subprotocol', { protocol: 'chat' }, ['conn-1', 'conn-2']],
    ['who speaks none', { protocol: '' }, ['conn-4']],
    ['the included ones', { include: ['conn-4', 'conn-2', 'conn-99'] }, ['conn-2', 'conn-4']],
    ['everybody with an empty list of included ones', { include: [] }, ['conn-1', 'conn-2', 'conn-3', 'conn-4']],
    ['everybody but the excluded ones', { exclude: ['conn-1', 'conn-99'] }, ['conn-2', 'conn-3', 'conn-4']],
    ['nobody who is included and excluded', { include: ['conn-1', 'conn-2'], exclude: ['conn-1'] }, ['conn-2']],
    ['who passes channel and subprotocol', { channel: 'news', protocol: 'log' }, ['conn-3']],
    ['who passes channel and include', { channel: 'news', include: ['conn-1', 'conn-2'] }, ['conn-1']],
    [
      'who passes everything',
      { channel: 'news', protocol: 'chat', include: ['conn-1', 'conn-3'], exclude: ['conn-3'] },
      ['conn-1'],
    ],
  ])('reaches %s', async (_, filter, expected) => {
    const { server, clients } = await four();
    const report = server.broadcast('hello', filter);
    expect(report).toEqual({ ...CLOSED, matched: expected.length, accepted: expected.length });
    server.broadcast('end');
    expect(await whoGot(clients, 'hello')).toEqual(expected);
  });

  it('sends bytes as binary', async () => {
    const { server, open } = await startReceivers();
    const client = await open();
    server.broadcast(new Uint8Array([1, 2, 3]));
    expect([...(await client.nextBinary())]).toEqual([1, 2, 3]);
  });

  it('counts what was queued behind a client that does not read, and drops beyond the bound, for it alone', async () => {
    const { server, open, events } = await startReceivers({
      limits: { maxQueuedBytes: 1024 * 1024, highWaterMark: 16 * 1024 },
    });
    const slow = await open();
    const quick = await open();
    slow.pauseReading();
    const message = Buffer.alloc(256 * 1024);
    const total = { ...CLOSED };
    let sent = 0;
    for (; total.dropped === 0; sent += 1) {
      const report = server.broadcast(message);
      expect(report.matched).toBe(2);
      expect(report.accepted + report.queued + report.dropped).toBe(2);
      total.queued += report.queued;
      total.dropped += report.dropped;
      await quick.nextBinary();
    }
    expect(total.queued).toBeGreaterThan(0);
    expect(server.connections).toHaveLength(2);
    slow.resumeReading();
    // What was accepted for the slow one arrives, whole; what was dropped is the last one.
    for (let n = 0; n < sent - 1; n += 1) expect((await slow.nextBinary()).length).toBe(message.length);
    expect(events.exceptions.all).toEqual([]);
  });

  it('reaches nobody whose connection is closing, or whose handshake is not answered', async () => {
    const receivers = receiverFactory(
      () =>
        new QuietReceiver({
          onUpgradeRequest: ({ path }) => (path === '/late' ? new Promise<boolean>(() => {}) : true),
        }),
    );
    const { server, open, handshake } = await startReceivers({ receiver: receivers.create });
    const client = await open();
    const late = handshake({ path: '/late' });
    await receivers.nextReceiver();
    await (await receivers.nextReceiver()).waitFor('upgrade');
    server.connection('conn-1')?.close();
    expect(server.broadcast('hello')).toEqual(CLOSED);
    await client.expectClose();
    onTestFinished(async () => void (await late));
    await server.disconnectAll();
  });

  it('reaches nobody when the server is stopped', async () => {
    const { server } = await startReceivers();
    await server.stop();
    expect(server.broadcast('hello')).toEqual(CLOSED);
  });
});

describe('channels', () => {
  it('are joined and left by a connection, any number of times', async () => {
    const { server, open } = await startReceivers();
    const client = await open();
    const connection = server.connection('conn-1')!;
    connection.subscribe('news');
    connection.subscribe('news');
    connection.subscribe('sport');
    expect([...connection.channels]).toEqual(['news', 'sport']);
    expect(server.broadcast('once', { channel: 'news' }).matched).toBe(1);
    connection.unsubscribe('news');
    connection.unsubscribe('news');
    expect(server.broadcast('never', { channel: 'news' }).matched).toBe(0);
    server.broadcast('end', { channel: 'sport' });
    expect([await client.nextText(), await client.nextText()]).toEqual(['once', 'end']);
  });

  it('are left when the connection ends, and cannot be joined afterwards', async () => {
    const { server, open, events } = await startReceivers();
    const [one, two] = [await open(), await open()];
    const connections = server.connections;
    for (const connection of connections) connection.subscribe('news');
    one.sendClose(1000);
    await events.reports.next();
    expect(server.broadcast('hello', { channel: 'news' }).matched).toBe(1);
    connections[0]!.subscribe('news');
    connections[0]!.unsubscribe('news');
    expect(server.broadcast('hello', { channel: 'news' }).matched).toBe(1);
    expect(await two.nextText()).toBe('hello');
  });
});

/** Owns what a plain TCP client gets from a server: the same receiver and the same life as a WebSocket client, with bytes for messages. */
import { describe, expect, it } from 'vitest';
import { accept, ConnectionReceiver, DROP, type ProxyServerOptions } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { openTcp } from '../support/for-one-test.js';
import { QuietReceiver, RecordingReceiver, receiverFactory } from '../support/recording-receiver.js';
import type { TcpConnection } from '../support/tcp-connection.js';
import { localhostCertificate } from '../support/tls.js';
import { startEcho, startProxy, startReceivers, startTcp, startUpstream } from './stage.js';

const TCP = { listen: { host: '127.0.0.1', port: 0, protocol: 'tcp' } } as const;
const ANY = { listen: { host: '127.0.0.1', port: 0, protocol: 'any' } } as const;

/** Every way bytes of a TCP client can go: relayed as they are, or shown to the receiver. */
const WAYS = [
  ['bytes', () => new QuietReceiver()],
  ['messages', () => new RecordingReceiver()],
] as const;

describe.each(WAYS)('a plain TCP client of a byte target, on the %s path,', (dataPath, create) => {
  async function pair(options: Partial<ProxyServerOptions> = {}) {
    const target = await startTcp();
    const receivers: QuietReceiver[] = [];
    const receiver = () => {
      const made = create();
      receivers.push(made);
      return made;
    };
    const running = await startProxy({ ...TCP, target: target.url, receiver, ...options });
    const client = await openTcp({ port: running.port });
    const upstream = await target.nextConnection();
    await eventually(() => receivers[0]?.names.includes('open') === true, 'it is open');
    return { ...running, client, upstream, receiver: receivers[0]! };
  }

  it('is relayed both ways, every byte in order, also when the target speaks first', async () => {
    const { client, upstream, server, receiver } = await pair();
    expect(server.snapshot().connections[0]).toMatchObject({ dataPath, subprotocol: '', remoteAddress: '127.0.0.1' });
    expect(receiver.request).toMatchObject({
      transport: 'tcp',
      path: '',
      method: '',
      headers: {},
      peerAddress: '127.0.0.1',
    });
    upstream.write('220 welcome\r\n');
    expect((await client.readUntil('\n')).toString()).toBe('220 welcome\r\n');
    const bytes = Buffer.alloc(3_000_000);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 7) % 251;
    client.write(bytes);
    expect((await upstream.read(bytes.length)).equals(bytes)).toBe(true);
    upstream.write(bytes);
    expect((await client.read(bytes.length)).equals(bytes)).toBe(true);
  });

  it('that ends in order is reported 1000, and the target has every byte before its own end', async () => {
    const { client, upstream, events, receiver } = await pair();
    client.end('the last words');
    expect((await upstream.readAll()).toString()).toBe('the last words');
    upstream.end();
    await expect(client.waitForEnd()).resolves.toBe('fin');
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1000, '']);
    expect(await events.reports.next()).toMatchObject({
      initiator: 'downstream',
      cause: 'closed',
      status: 1000,
      received: { bytes: 14 },
    });
  });

  it('is ended in order with its target, after everything that the target sent', async () => {
    const { client, upstream, receiver } = await pair();
    upstream.end('goodbye');
    expect((await client.readAll()).toString()).toBe('goodbye');
    client.end();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1000, '']);
  });

  it('that resets is reported 1006, and its target is ended', async () => {
    const { client, upstream, events, receiver } = await pair();
    client.reset();
    await upstream.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(await events.reports.next()).toMatchObject({ initiator: 'downstream', cause: 'CONNECTION_RESET' });
  });

  it('whose target resets is ended, and the cause is told', async () => {
    const { client, upstream, events } = await pair();
    upstream.reset();
    await client.waitForEnd();
    client.end();
    expect(await events.reports.next()).toMatchObject({ initiator: 'upstream', cause: 'UPSTREAM_LOST', status: 1011 });
  });

  it('that reads nothing stops its target, is throttled, and nothing is lost (P3)', async () => {
    const { client, upstream, receiver } = await pair({ timeouts: { pressureDwell: 5 } });
    client.pauseReading();
    const chunk = Buffer.alloc(256 * 1024, 7);
    let sent = 0;
    while (upstream.socket.writableLength < 4 * chunk.length) {
      upstream.write(chunk);
      sent += chunk.length;
      await new Promise(setImmediate);
    }
    await receiver.waitFor('throttled');
    expect(receiver.connection.throttled).toBe(true);
    expect(receiver.connection.bufferedBytes).toBeLessThan(1024 * 1024);
    client.resumeReading();
    await client.read(sent);
    await receiver.waitFor('unthrottled');
  });

  it('whose target reads nothing is stopped, and nothing is lost (P3)', async () => {
    const { client, upstream } = await pair();
    upstream.pauseReading();
    const chunk = Buffer.alloc(256 * 1024, 7);
    let sent = 0;
    while (client.socket.writableLength < 4 * chunk.length) {
      client.write(chunk);
      sent += chunk.length;
      await new Promise(setImmediate);
    }
    upstream.resumeReading();
    await upstream.read(sent);
  });

  it('gets what the application sends, and no pings', async () => {
    const { client, server, receiver } = await pair();
    const { connection } = receiver;
    expect(connection.send('text ')).toBe('accepted');
    expect(connection.send(Buffer.from('bytes '))).toBe('accepted');
    expect(server.broadcast('all')).toMatchObject({ matched: 1, accepted: 1 });
    expect(connection.ping()).toBe('dropped');
    expect(server.ping()).toBe(0);
    expect((await client.read(14)).toString()).toBe('text bytes all');
    expect(connection.snapshot().sent).toEqual({ messages: 3, bytes: 14 });
  });

  it('is ended by close() behind what was sent before, and cut by terminate()', async () => {
    const { client, upstream, receiver, events } = await pair();
    receiver.connection.send('bye');
    receiver.connection.close(4001, 'enough');
    expect(receiver.connection.send('late')).toBe('closed');
    expect((await client.readAll()).toString()).toBe('bye');
    await upstream.waitForEnd();
    client.end();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 4001, '']);
    expect(await events.reports.next()).toMatchObject({ initiator: 'application', codeSent: 4001 });
    const second = await pair();
    second.receiver.connection.terminate();
    await second.client.waitForEnd();
    expect(await second.receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
  });

  it('that does not answer our end is cut after the close timeout (P8)', async () => {
    const { client, receiver } = await pair({ timeouts: { close: 30 } });
    receiver.connection.close();
    await client.waitForEnd();
    await receiver.waitFor('closed');
  });

  it('is sent away by disconnectAll and by stop', async () => {
    // The target does not end by itself.
    const { client, server, events, port } = await pair({ timeouts: { close: 200 } });
    const ended = client.waitForEnd().then(() => client.end());
    await expect(server.disconnectAll()).resolves.toBe(1);
    await ended;
    await events.reports.next();
    const other = await openTcp({ port });
    await eventually(() => server.connections.length === 1, 'the other is there');
    const gone = other.waitForEnd().then(() => other.end());
    await server.stop();
    await gone;
    expect(events.reports.all).toHaveLength(2);
  });

  it('is not judged by the heartbeat, and is by the idle timeout', async () => {
    const { client, receiver } = await pair({
      heartbeat: { interval: 10, timeout: 10 },
      timeouts: { idle: 400 },
    });
    const begin = performance.now();
    await client.waitForEnd();
    expect(performance.now() - begin).toBeGreaterThan(200);
    client.end();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1001, 'idle timeout']);
  });

  it('that stops reading for good is ended by the write stall deadline', async () => {
    const { client, upstream, events } = await pair({ timeouts: { writeStall: 60, close: 60, pressureDwell: 5 } });
    client.pauseReading();
    const chunk = Buffer.alloc(1024 * 1024);
    for (let count = 0; count < 20; count += 1) upstream.write(chunk);
    expect(await events.reports.next()).toMatchObject({ cause: 'WRITE_STALLED', status: 1008 });
  });
});

describe('halfClose', () => {
  it('lets a client end its direction and still be answered', async () => {
    const target = await startTcp();
    const { port, events } = await startProxy({ ...TCP, target: target.url, halfClose: true });
    const client = await openTcp({ port });
    client.end('question');
    const upstream = await target.nextConnection();
    expect((await upstream.readAll()).toString()).toBe('question');
    upstream.write('an answer that ');
    await client.read(15);
    upstream.end('takes its time');
    expect((await client.readAll()).toString()).toBe('takes its time');
    expect(await events.reports.next()).toMatchObject({ status: 1000, cause: 'closed' });
  });

  it('lets a target end its direction and still be sent to', async () => {
    const target = await startTcp();
    const { port, events } = await startProxy({ ...TCP, target: target.url, halfClose: true });
    const client = await openTcp({ port });
    const upstream = await target.nextConnection();
    upstream.end('that is all');
    expect((await client.readAll()).toString()).toBe('that is all');
    client.end('and this');
    expect((await upstream.readAll()).toString()).toBe('and this');
    expect(await events.reports.next()).toMatchObject({ status: 1000 });
  });
});

describe('a plain TCP client that is asked about', () => {
  it('is refused without a word when the receiver says no, and gets neither onOpen nor onClosed', async () => {
    const { create, receivers: all } = receiverFactory({
      onUpgradeRequest: ({ transport }) => transport === 'websocket',
    });
    const { port, events } = await startReceivers({ ...TCP, receiver: create });
    const client = await openTcp({ port });
    expect((await client.readAll()).length).toBe(0);
    expect(await events.rejections.next()).toMatchObject({ error: 'REJECTED', status: 403, path: '' });
    expect(all[0]?.names).toEqual(['upgrade']);
  });

  it('goes where the receiver sends it', async () => {
    const target = await startEcho();
    const { port } = await startReceivers({
      ...TCP,
      receiver: () =>
        new (class extends ConnectionReceiver {
          override onUpgradeRequest = () => accept({ target: target.url });
        })(),
    });
    const client = await openTcp({ port });
    client.write('echo');
    expect((await client.read(4)).toString()).toBe('echo');
  });

  it('has what it sent and ended with before it was accepted delivered', async () => {
    const { create, receivers: all } = receiverFactory({
      onUpgradeRequest: async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return true;
      },
    });
    const { port } = await startReceivers({ ...TCP, receiver: create });
    const client = await openTcp({ port });
    client.end('early');
    await client.waitForEnd();
    expect(await all[0]!.waitFor('closed')).toEqual(['closed', 1000, '']);
    expect(Buffer.concat(all[0]!.entriesOf('binary').map(([, data]) => data)).toString()).toBe('early');
  });

  it('is ended when its target cannot be reached, and counted', async () => {
    const { port, events } = await startProxy({ ...TCP, target: 'tcp://127.0.0.1:1' });
    const client = await openTcp({ port });
    await client.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'UPSTREAM_REFUSED' });
  });

  it('is ended when the server is full', async () => {
    const { port, events } = await startReceivers({ ...TCP, limits: { maxConnections: 1 } });
    await openTcp({ port });
    await events.connections.next();
    const second = await openTcp({ port });
    await second.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'CAPACITY_REACHED' });
  });
});

describe('a plain TCP client of a WebSocket target', () => {
  it('has its bytes made binary messages, and gets the payloads of messages back', async () => {
    const target = await startUpstream();
    const { port } = await startProxy({ ...TCP, target: target.url });
    const client = await openTcp({ port });
    const upstream = await target.nextConnection();
    client.write('hello');
    expect((await upstream.nextBinary()).toString()).toBe('hello');
    upstream.sendText('text ');
    upstream.sendBinary(Buffer.from('bytes'));
    expect((await client.read(10)).toString()).toBe('text bytes');
    client.end();
    expect((await upstream.expectClose()).code).toBe(1000);
  });
});

describe('tcpFraming', () => {
  async function framed(scan: 'all' | 'tail' | 'none', options = {}) {
    const { create, receivers: all } = receiverFactory({});
    const running = await startReceivers({
      ...TCP,
      receiver: create,
      tcpFraming: { delimiter: '\r\n', scan },
      ...options,
    });
    const client = await openTcp({ port: running.port });
    await running.events.connections.next();
    return { ...running, client, receiver: all[0]! };
  }

  const messages = (receiver: QuietReceiver) => receiver.entriesOf('binary').map(([, data]) => data.toString());

  it('cuts at every delimiter, however the bytes come, and puts one behind what is sent', async () => {
    const { client, receiver } = await framed('all');
    for (const byte of 'one\r\n\r\ntw\ro\r\nrest') {
      client.write(byte);
      await client.drained();
    }
    client.end();
    receiver.connection.send('answer');
    expect((await client.readUntil('\n')).toString()).toBe('answer\r\n');
    await receiver.waitFor('closed');
    expect(messages(receiver)).toEqual(['one', '', 'tw\ro']);
  });

  it('cuts only where what was read ends with the delimiter', async () => {
    const { client, receiver } = await framed('tail');
    client.write('one\r\ntwo');
    await client.drained();
    client.write('three\r\n');
    await receiver.waitFor('binary');
    expect(messages(receiver)).toEqual(['one\r\ntwothree']);
  });

  it('makes a message of each read when nothing is scanned', async () => {
    const { client, receiver } = await framed('none');
    client.write('one\r\ntwo');
    await receiver.waitFor('binary');
    expect(messages(receiver)).toEqual(['one\r\ntwo']);
    receiver.connection.send('as it is');
    expect((await client.read(8)).toString()).toBe('as it is');
  });

  it('ends a client whose message is too large, which is reported 1009', async () => {
    const { client, events } = await framed('all', { limits: { maxMessageBytes: 10 } });
    client.write('0123456789\r\n');
    client.write('0123456789xx');
    await client.waitForEnd();
    client.end();
    expect(await events.reports.next()).toMatchObject({
      cause: 'MESSAGE_TOO_BIG',
      status: 1009,
      received: { messages: 1 },
    });
  });

  it('shows the messages of a client to the receiver on their way to a byte target, which gets the delimiters too', async () => {
    const target = await startTcp();
    const { create } = receiverFactory({
      onBinary: (data) => (data.toString() === 'secret' ? DROP : data.toString().toUpperCase()),
    });
    const { port } = await startProxy({
      ...TCP,
      target: target.url,
      receiver: create,
      tcpFraming: { delimiter: '\n' },
    });
    const client = await openTcp({ port });
    const upstream = await target.nextConnection();
    client.write('one\nsecret\ntwo\n');
    expect((await upstream.read(8)).toString()).toBe('ONE\nTWO\n');
    upstream.write('three\nfour');
    expect((await client.read(10)).toString()).toBe('three\nfour');
  });
});

describe('one port for TCP and WebSocket', () => {
  it('tells them apart by their first bytes, and gives both to the same receivers', async () => {
    const { create, receivers: all } = receiverFactory({
      onBinary: (data, receiver) => void receiver.connection.send(data),
    });
    const { port, open, server } = await startReceivers({ ...ANY, receiver: create });
    const socket = await open();
    const client = await openTcp({ port });
    client.write('SSH-2.0-client\r\n');
    expect((await client.readUntil('\n')).toString()).toBe('SSH-2.0-client\r\n');
    socket.sendBinary(Buffer.from('frame'));
    expect((await socket.nextBinary()).toString()).toBe('frame');
    expect(all.map(({ request }) => request?.transport)).toEqual(['websocket', 'tcp']);
    expect(server.broadcast('all').accepted).toBe(2);
    expect((await client.read(3)).toString()).toBe('all');
    expect(await socket.nextText()).toBe('all');
  });

  it('still answers HTTP that is no handshake', async () => {
    const { handshake } = await startReceivers(ANY);
    expect((await handshake({ omitHeaders: ['Upgrade'] })).status).toBe(426);
  });
});

describe('onTcpConnect', () => {
  it('takes a client for plain TCP before it has said a word', async () => {
    const target = await startTcp();
    const { port } = await startProxy({ target: target.url, onTcpConnect: () => 'tcp' as const });
    const client = await openTcp({ port });
    const upstream = await target.nextConnection();
    upstream.write('220 welcome\r\n');
    expect((await client.readUntil('\n')).toString()).toBe('220 welcome\r\n');
    client.write('GET / HTTP/1.1\r\n\r\n');
    expect((await upstream.read(18)).toString()).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('may take some clients so, over TLS too, and leave the others', async () => {
    const { create, receivers } = receiverFactory({});
    let asked = 0;
    const { port, open } = await startReceivers({
      listen: { host: '127.0.0.1', port: 0, tls: localhostCertificate },
      receiver: create,
      onTcpConnect: async () => {
        asked += 1;
        return asked === 1 ? ('tcp' as const) : true;
      },
    });
    const client = await openTcp({ port, tls: { servername: 'localhost', ca: localhostCertificate.cert } });
    client.write('hello');
    await eventually(() => receivers.length === 1, 'it has a receiver');
    expect((await receivers[0]!.waitFor('binary'))[1].toString()).toBe('hello');
    await open({ tls: { servername: 'localhost', ca: localhostCertificate.cert } });
    expect(receivers.map(({ request }) => request?.transport)).toEqual(['tcp', 'websocket']);
  });

  it('has no say over those that the policies deny', async () => {
    const { port, events } = await startReceivers({ ...TCP, admission: { deny: ['127.0.0.1'] } });
    const client = await openTcp({ port });
    await client.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'ADDRESS_DENIED' });
    expect(events.connections.all).toEqual([]);
  });
});

describe('onUnknownProtocol', () => {
  async function asking(onUnknownProtocol: ProxyServerOptions['onUnknownProtocol'], options = {}) {
    const target = await startEcho();
    const running = await startProxy({ target: target.url, onUnknownProtocol, ...options });
    return { ...running, target };
  }

  it('is told who it is and the first bytes, and takes the connection with all of them', async () => {
    const seen: unknown[] = [];
    const { port, events } = await asking((peer, bytes) => {
      seen.push([peer, bytes.toString()]);
      bytes.fill(0);
      return true;
    });
    const client = await openTcp({ port });
    client.write('SSH-2.0-x\r\n');
    expect((await client.read(11)).toString()).toBe('SSH-2.0-x\r\n');
    const { localPort } = client.socket;
    expect(seen).toEqual([
      [
        { remoteAddress: '127.0.0.1', remotePort: localPort, localAddress: '127.0.0.1', localPort: port },
        'SSH-2.0-x\r\n',
      ],
    ]);
    expect((await events.connections.next()).request.transport).toBe('tcp');
  });

  it('may send it elsewhere, after a while', async () => {
    const other = await startTcp();
    const { port } = await asking(async (_peer, bytes) =>
      accept({ target: bytes[0] === 0x10 ? other.url : 'tcp://127.0.0.1:1' }),
    );
    const client = await openTcp({ port });
    client.write(Buffer.from([0x10, 1]));
    client.end('more');
    expect((await (await other.nextConnection()).readAll()).toString('latin1')).toBe('\x10\x01more');
  });

  it.each<[string, ProxyServerOptions['onUnknownProtocol']]>([
    ['false', () => false],
    ['nothing', () => undefined],
    ['a promise of false', async () => false],
    [
      'an error',
      () => {
        throw new Error('it breaks');
      },
    ],
    [
      'a promise that fails',
      async () => {
        throw new Error('it breaks');
      },
    ],
  ])('closes the connection without a word when it answers %s', async (_what, hook) => {
    const { port, events } = await asking(hook);
    const client = await openTcp({ port });
    client.write('\x00\x01');
    expect((await client.readAll()).length).toBe(0);
    expect(await events.rejections.next()).toMatchObject({ error: 'UNKNOWN_PROTOCOL', remoteAddress: '127.0.0.1' });
  });

  it('is not asked about HTTP, however wrong, nor about TLS', async () => {
    let asked = 0;
    const { port, handshake } = await asking(() => {
      asked += 1;
      return true;
    });
    expect((await handshake({ rawRequest: 'GET / HTTP/1.1\r\nHost : h\r\n\r\n' })).status).toBe(400);
    const tls = await openTcp({ port });
    tls.write(Buffer.from('160301020001', 'hex'));
    expect((await tls.readAll()).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(asked).toBe(0);
  });

  it('has as long as a handshake has, and a client that leaves is not waited for', async () => {
    const answers: Array<(answer: boolean) => void> = [];
    const slow = () => new Promise<boolean>((resolve) => answers.push(resolve));
    const { port, events, target, handshake } = await asking(slow, { timeouts: { handshake: 60 } });
    const client = await openTcp({ port });
    client.write('\x00');
    await client.waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'HANDSHAKE_TIMEOUT' });
    const second = await openTcp({ port });
    second.write('\x00');
    await eventually(() => answers.length === 2, 'it was asked again');
    second.reset();
    // Whoever comes later has an answer: the reset has been seen.
    await handshake({ method: 'POST' });
    for (const answer of answers) answer(true);
    await new Promise(setImmediate);
    expect(target.connections).toHaveLength(0);
  });

  it('is told of a client that never ends its line', async () => {
    const { port } = await asking(() => true);
    const client = await openTcp({ port });
    client.write('hello world');
    expect((await client.read(11)).toString()).toBe('hello world');
  });
});

describe('without a hook', () => {
  it('a client of another protocol gets 400, and is counted', async () => {
    const { port, events } = await startReceivers();
    const client: TcpConnection = await openTcp({ port });
    client.write('SSH-2.0-OpenSSH_9.2\r\n');
    expect((await client.readAll()).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(await events.rejections.next()).toMatchObject({ error: 'UNKNOWN_PROTOCOL', status: 400 });
  });

  it('a client of HTTP/2 is told in its own frames to come with HTTP/1.1', async () => {
    const { port, events } = await startReceivers();
    const client = await openTcp({ port });
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    const answer = await client.readAll();
    expect(answer.subarray(0, 9).toString('hex')).toBe('000000040000000000');
    expect(answer[12]).toBe(7);
    expect(answer.readUInt32BE(22)).toBe(0x0d);
    expect(await events.rejections.next()).toMatchObject({ error: 'NOT_AN_UPGRADE' });
  });
});

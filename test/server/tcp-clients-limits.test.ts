/** Owns that the limits hold for plain TCP clients as they do for WebSocket clients: rates, floods, policies, memory and overflow. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AdmissionPolicy, accept, type ProxyServerOptions } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { openTcp } from '../support/for-one-test.js';
import { QuietReceiver, RecordingReceiver } from '../support/recording-receiver.js';
import { startProxy, startReceivers, startTcp, startUpstream } from './stage.js';

const LISTEN = { host: '127.0.0.1', port: 0, protocol: 'tcp' } as const;
const FRAMING = { delimiter: '\n' };
/** 64 KiB take about a second. */
const RATE = '512kbit';
const DATA = randomBytes(64 * 1024);
const MIB = 2 ** 20;

/** Every way the bytes of a plain TCP client go toward a byte target. */
const WAYS = [
  ['bytes', () => new QuietReceiver(), undefined],
  ['messages', () => new RecordingReceiver(), undefined],
  ['framed messages', () => new RecordingReceiver(), FRAMING],
] as const;

type Create = (typeof WAYS)[number][1];

async function start(create: Create, options: Partial<ProxyServerOptions>) {
  const target = await startTcp({ onConnection: (end) => void end.waitForEnd().then(() => end.end()) });
  const receivers: QuietReceiver[] = [];
  const receiver = () => {
    const made = create();
    receivers.push(made);
    return made;
  };
  const running = await startProxy({ listen: LISTEN, target: target.url, receiver, ...options });
  const pair = async () => {
    const before = receivers.length;
    const client = await openTcp({ port: running.port });
    const upstream = await target.nextConnection();
    await eventually(() => receivers[before]?.names.includes('open') === true, 'it is open');
    return { client, upstream, receiver: receivers[before]! };
  };
  return { ...running, pair, ...(await pair()) };
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe.each(WAYS)('a plain TCP client on the path of %s', (_name, create, tcpFraming) => {
  const started = (options: Partial<ProxyServerOptions> = {}) => start(create, { tcpFraming, ...options });
  // Without a delimiter in it, and with one behind it.
  const data = Buffer.from(`${DATA.toString('base64').slice(0, DATA.length - 1)}\n`);

  it('is read at its rate, and written to at its rate, and nothing is lost', async () => {
    const { client, upstream } = await started({ throttle: { read: RATE, write: RATE } });
    let arrived: Buffer | undefined;
    client.write(data);
    const reading = await took(async () => {
      arrived = await upstream.read(data.length);
    });
    expect(arrived?.equals(data)).toBe(true);
    expect(reading).toBeGreaterThan(700);
    upstream.write(data);
    const writing = await took(async () => {
      arrived = await client.read(data.length);
    });
    expect(arrived?.equals(data)).toBe(true);
    expect(writing).toBeGreaterThan(700);
  });

  it('has the rate that its receiver accepted it with, until it is told another one', async () => {
    const { client, receiver } = await start(
      () => {
        const made = create();
        made.onUpgradeRequest = () => accept({ throttle: { write: 8000 } });
        return made;
      },
      { tcpFraming },
    );
    expect(receiver.connection.send(DATA)).toBe('queued');
    await client.read(100);
    expect(client.bytesReceived).toBeLessThan(DATA.length / 2);
    receiver.connection.limitRate({ write: 0 });
    expect((await client.read(DATA.length - 100)).equals(DATA.subarray(100))).toBe(true);
  });

  it('that sends more bytes a second than it may is read more slowly, and nothing is lost', async () => {
    const limits = { bytesPerSecond: '64KiB', floodBurst: 100, floodGrace: 60_000 } as const;
    const { client, upstream, events } = await started({ limits });
    client.write(data);
    const elapsed = await took(async () => expect((await upstream.read(data.length)).equals(data)).toBe(true));
    client.write(data);
    const again = await took(() => upstream.read(data.length));
    expect(elapsed + again).toBeGreaterThan(700);
    expect(events.reports.all).toEqual([]);
  });

  it('that floods is ended, and the report says why; its neighbour goes on', async () => {
    const { client, upstream, pair, events } = await started({
      limits: { bytesPerSecond: '16KiB', floodGrace: 200 },
    });
    const neighbour = await pair();
    client.write(Buffer.alloc(MIB, '.'));
    await client.waitForEnd();
    client.end();
    await upstream.waitForEnd();
    expect(await events.reports.next()).toMatchObject({ initiator: 'proxy', cause: 'RATE_LIMITED', status: 1008 });
    neighbour.client.write('still here\n');
    expect((await neighbour.upstream.read(11)).toString()).toBe('still here\n');
  });

  it('is ended by a policy about messages, and what it denied does not arrive', async () => {
    const asked: number[] = [];
    const policy: AdmissionPolicy = {
      name: 'short',
      message: (_connection, { kind, bytes }) => {
        expect(kind).toBe('binary');
        asked.push(bytes);
        return bytes > 10 ? { error: 'POLICY_DENIED', message: 'too long' } : undefined;
      },
    };
    const { client, upstream, events } = await started({ policies: [policy] });
    client.write('short\n');
    expect((await upstream.read(6)).toString()).toBe('short\n');
    client.write('much too long\nafter\n');
    await client.waitForEnd();
    client.end('more\n');
    expect((await upstream.readAll()).length).toBe(0);
    expect(await events.reports.next()).toMatchObject({
      initiator: 'proxy',
      cause: 'POLICY_DENIED',
      status: 1008,
      received: { messages: 1 },
    });
    expect(asked).toEqual(tcpFraming === undefined ? [6, 20] : [5, 13]);
  });

  it('is ended when too much waits for it, where that is asked for, and keeps what waits otherwise', async () => {
    for (const overflow of ['close', 'drop-oldest'] as const) {
      const limits = { maxQueuedBytes: MIB };
      const { client, receiver, events } = await started({ outbound: { overflow }, limits });
      const { connection } = receiver;
      client.pauseReading();
      while (connection.bufferedBytes <= MIB) expect(connection.send(DATA)).not.toBe('dropped');
      expect(connection.send(DATA)).toBe(overflow === 'close' ? 'closed' : 'dropped');
      expect(connection.state).toBe(overflow === 'close' ? 'closing' : 'open');
      client.resumeReading();
      if (overflow !== 'close') continue;
      await client.waitForEnd();
      client.end();
      expect(await events.reports.next()).toMatchObject({ cause: 'SEND_OVERFLOW', status: 1008 });
    }
  });

  it('that reads nothing is let go of when too much is held for all, and nobody else is', async () => {
    const limits = { maxHeldBytes: 4 * MIB, maxQueuedBytes: 8 * MIB };
    const { client, receiver, pair, events, server } = await started({ limits, timeouts: { close: 60_000 } });
    const good = await pair();
    client.pauseReading();
    while (receiver.connection.bufferedBytes < 6 * MIB) receiver.connection.send(DATA);
    expect(await events.reports.next()).toMatchObject({ initiator: 'proxy', cause: 'OVERLOADED', status: 1013 });
    await eventually(() => server.snapshot().heldBytes === 0, 'nothing is held');
    good.receiver.connection.send('well');
    expect((await good.client.read(4)).toString()).toBe('well');
  });
});

describe('messages of a plain TCP client', () => {
  it('that come too fast for too long end it, however few bytes they have', async () => {
    const { client, events, receiver } = await start(() => new RecordingReceiver(), {
      tcpFraming: FRAMING,
      limits: { messagesPerSecond: 20, floodGrace: 200 },
    });
    client.write('\n'.repeat(200));
    await client.waitForEnd();
    client.end();
    expect(await events.reports.next()).toMatchObject({ cause: 'RATE_LIMITED', status: 1008 });
    expect(receiver.entries.filter(([name]) => name === 'binary').length).toBeLessThanOrEqual(200);
  });

  it('are not those that reading made of a stream', async () => {
    const { client, upstream, events } = await start(() => new RecordingReceiver(), {
      limits: { messagesPerSecond: 1, floodBurst: 1, floodGrace: 1 },
    });
    for (let count = 0; count < 30; count += 1) {
      client.write('x');
      await upstream.read(1);
    }
    expect(events.reports.all).toEqual([]);
  });

  it('that are not complete count as held, and so do those whose callbacks are not done', async () => {
    let done = (): void => {};
    const { port, server, events } = await startReceivers({
      listen: LISTEN,
      tcpFraming: FRAMING,
      limits: { maxHeldBytes: 4 * MIB, maxMessageBytes: 0 },
      receiver: () =>
        new RecordingReceiver({
          onBinary: () =>
            new Promise((resolve) => {
              done = () => resolve();
            }),
        }),
    });
    const client = await openTcp({ port });
    client.write(Buffer.alloc(3 * MIB, '.'));
    await eventually(() => server.snapshot().heldBytes >= 3 * MIB, 'what is not complete is counted');
    client.write('\n');
    await eventually(() => server.connections[0]?.snapshot().received.messages === 1, 'it is complete');
    expect(server.snapshot().heldBytes).toBeGreaterThanOrEqual(3 * MIB);
    done();
    await eventually(() => server.snapshot().heldBytes === 0, 'nothing is held');
    client.write(Buffer.alloc(6 * MIB, '.'));
    expect(await events.reports.next()).toMatchObject({ cause: 'OVERLOADED', status: 1013 });
  });

  it('of a WebSocket target are written at the rate of the client', async () => {
    const target = await startUpstream();
    const { port } = await startProxy({ listen: LISTEN, target: target.url, throttle: { write: RATE } });
    const client = await openTcp({ port });
    const upstream = await target.nextConnection();
    upstream.sendBinary(DATA);
    const elapsed = await took(async () => expect((await client.read(DATA.length)).equals(DATA)).toBe(true));
    expect(elapsed).toBeGreaterThan(700);
  });
});

/**
 * Owns that what is shown is true: real connections are brought through every state of both charts, over real sockets, and at each stop
 * everything that shows states has to say the same. Refuses to test how it is shown; the tests of each witness do.
 */
import { expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { ConnectionReceiver, ProxyServer, type ProxyServerOptions, type UpgradeAnswer } from '../../src/index.js';
import { type Deferred, deferred, eventually } from '../support/events.js';
import { openTcp, startTcpPeer, startUpstream } from '../support/for-one-test.js';
import { closePayload, encodeFrame, type FrameSpec, Opcode } from '../support/frames.js';
import { requestBytes } from '../support/raw-client.js';
import { useChromium } from './chromium.js';
import { INNERMOST, Witnesses } from './witnesses.js';

const browser = useChromium();

// A browser and a relay beside a server, and a look at all of it at each stop.
vi.setConfig({ testTimeout: 60_000 });

/** Decides when the test says so. */
class Deciding extends ConnectionReceiver {
  readonly decision: Deferred<UpgradeAnswer> = deferred();

  get handle() {
    return this.connection;
  }

  override onUpgradeRequest(): Promise<UpgradeAnswer> {
    return this.decision.promise;
  }
}

/** Comes to an end with its messages when the test says so. */
class Overworked extends Deciding {
  readonly done = deferred();

  override onText(): Promise<void> {
    return this.done.promise;
  }
}

/** The states that were shown, over all tests of this file. */
const shown = new Set<string>();

function open(chart: 'connection' | 'upstream', outbound: string, inbound: string, liveness: string): string[] {
  const regions = { outbound, inbound, liveness };
  return Object.entries(regions).map(([region, state]) => `${chart}.open.${region}.${state}`);
}

const connectionIn = (outbound: string, inbound: string, liveness: string) =>
  open('connection', outbound, inbound, liveness);
const upstreamIn = (outbound: string, inbound: string, liveness: string) =>
  open('upstream', outbound, inbound, liveness);
const CONNECTION = connectionIn('flowing', 'reading', 'alive');
const UPSTREAM = upstreamIn('flowing', 'reading', 'alive');

/** Nothing moves by itself. */
const STILL: ProxyServerOptions = {
  heartbeat: { interval: 0 },
  timeouts: { handshake: '1h', dial: '1h', close: '1h', writeStall: '1h', idle: 0, lifetime: 0 },
  limits: { maxQueuedBytes: '256MiB' },
};

/** A server with its first client, which waits for the decision, and all who look at it. */
async function begin(context: TestContext, options: ProxyServerOptions, receiver = new Deciding()) {
  const asked = deferred();
  const server = new ProxyServer({
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    ...STILL,
    ...options,
    receiver: () => {
      asked.resolve();
      return receiver;
    },
  });
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const [address] = await server.start();
  const witnesses = await Witnesses.of(server, browser, context);
  const { port } = address!;
  // Half-open, so that the end of the server's side is not answered before the test says so.
  const client = await openTcp({ port, allowHalfOpen: true });
  client.discard();
  client.write(requestBytes({ port }));
  await asked.promise;
  const send = (spec: FrameSpec) => client.write(encodeFrame({ masked: true, ...spec }));
  const agree = async (...leaves: string[]) => {
    await witnesses.agreeOn(leaves);
    for (const leaf of leaves) shown.add(leaf);
  };
  await agree('connection.handshaking.deciding');
  return { server, client, receiver, send, agree, connection: receiver.handle };
}

const CLOSE = { opcode: Opcode.Close, payload: closePayload(1000, 'bye') };
const LARGE = Buffer.alloc(1024 * 1024);

it('of a connection to a WebSocket target that is dialled, not read for a while, and closed', async (context) => {
  const target = await startUpstream({ onUpgrade: () => {} });
  const { client, receiver, send, agree, connection } = await begin(context, { target: target.url });
  receiver.decision.resolve(true);
  await agree('connection.handshaking.dialling', 'upstream.dialling');
  const peer = await target.nextConnection();
  peer.accept();
  await agree(...CONNECTION, ...UPSTREAM);
  connection.pause();
  await agree(...connectionIn('flowing', 'paused', 'suspended'), ...UPSTREAM);
  connection.resume();
  await agree(...CONNECTION, ...UPSTREAM);

  send(CLOSE);
  await agree('connection.closing', 'upstream.closing');
  peer.sendClose(1000, 'bye');
  peer.connection.end();
  await agree('connection.closing', 'upstream.closed');
  client.end();
  await agree('connection.closed', 'upstream.closed');
});

it('of a connection one side of which reads slowly, and then the other', async (context) => {
  const target = await startUpstream();
  const { client, receiver, send, agree, connection } = await begin(context, { target: target.url });
  receiver.decision.resolve(true);
  const peer = await target.nextConnection();
  client.pauseReading();
  await eventually(() => connection.state === 'open', 'it is open');
  while (!connection.throttled) connection.send(LARGE);
  await agree(...connectionIn('throttled', 'reading', 'alive'), ...UPSTREAM);
  client.resumeReading();
  await agree(...CONNECTION, ...UPSTREAM);
  peer.connection.pauseReading();
  for (let sent = 0; sent < 16; sent += 1) send({ opcode: Opcode.Binary, payload: LARGE });
  await agree(...CONNECTION, ...upstreamIn('throttled', 'reading', 'alive'));
  peer.connection.resumeReading();
  await agree(...CONNECTION, ...UPSTREAM);
});

it('of a connection whose sides answer no ping, and whose target is lost', async (context) => {
  const target = await startUpstream();
  const heartbeat = { interval: 60, timeout: '1h' } as const;
  const { client, receiver, agree } = await begin(context, { target: target.url, heartbeat });
  receiver.decision.resolve(true);
  await agree(...connectionIn('flowing', 'reading', 'probing'), ...upstreamIn('flowing', 'reading', 'probing'));
  const peer = await target.nextConnection();
  peer.connection.reset();
  await agree('connection.closing', 'upstream.closed');
  client.reset();
  await agree('connection.closed', 'upstream.closed');
});

it('of a connection whose application is behind with its messages, and which is cut', async (context) => {
  const target = await startUpstream();
  const limits = { ...STILL.limits, maxPendingMessages: 1 };
  const receiver = new Overworked();
  const { send, agree, connection } = await begin(context, { target: target.url, limits }, receiver);
  receiver.decision.resolve(true);
  await agree(...CONNECTION, ...UPSTREAM);
  for (let sent = 0; sent < 3; sent += 1) send({ opcode: Opcode.Text, payload: 'more work' });
  await agree(...connectionIn('flowing', 'paused', 'suspended'), ...upstreamIn('flowing', 'paused', 'suspended'));
  connection.terminate();
  receiver.done.resolve();
  await agree('connection.closed', 'upstream.closing');
  (await target.nextConnection()).connection.reset();
  await agree('connection.closed', 'upstream.closed');
});

it('of a connection to a TCP target, which is not pinged and ends in its own way', async (context) => {
  const target = await startTcpPeer();
  const found = deferred<readonly string[]>();
  const { client, receiver, send, agree } = await begin(context, {
    target: `tcp://service.test:${target.port}`,
    lookup: () => found.promise,
    heartbeat: { interval: 60, timeout: '1h' },
  });
  receiver.decision.resolve(true);
  await agree('connection.handshaking.dialling', 'upstream.dialling');
  found.resolve(['127.0.0.1']);
  await agree(...connectionIn('flowing', 'reading', 'probing'), ...UPSTREAM);
  const peer = await target.nextConnection();
  send(CLOSE);
  await agree('connection.closing', 'upstream.closing');
  peer.end();
  await agree('connection.closing', 'upstream.closed');
  client.end();
  await agree('connection.closed', 'upstream.closed');
});

it('of a handshake that is refused', async (context) => {
  const { receiver, agree } = await begin(context, { target: 'ws://127.0.0.1:9' });
  receiver.decision.resolve(false);
  await agree('connection.rejected');
});

it('of a handshake whose target cannot be reached', async (context) => {
  const target = await startUpstream({ onUpgrade: () => {} });
  const { receiver, agree } = await begin(context, { target: target.url });
  receiver.decision.resolve(true);
  await agree('connection.handshaking.dialling', 'upstream.dialling');
  (await target.nextConnection()).connection.reset();
  await agree('connection.rejected', 'upstream.unreachable');
});

it('in every state of both charts, but for one that is left as soon as it is reached', () => {
  expect(INNERMOST.filter((id) => !shown.has(id))).toEqual(['connection.handshaking.settled']);
});

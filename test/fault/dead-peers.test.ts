/** Owns peers that are there and do nothing: every wait for them has a deadline (P8), and TCP looks after idle ones (P9). */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { emptied, openClient, startProxy, startReceiverServer, startTcpPeer } from './running.js';
import { isWebSocket, PROXY_WAYS, WAYS, Way, WEBSOCKET_WAYS } from './way.js';

const timeouts = { close: 150 } as const;

async function startWay(name: (typeof WAYS)[number]): Promise<Way> {
  const way = await Way.start(name, { server: { timeouts } });
  onTestFinished(() => way.stop());
  return way;
}

describe.each(WAYS)('P8: on the way "%s", at the close deadline', (name) => {
  it('a client that never answers our Close is cut, and reported 1006', async () => {
    const way = await startWay(name);
    const { client, receiver } = await way.open();
    receiver.connection.close(4000, 'enough');
    expect(await client.expectClose()).toEqual({ code: 4000, reason: 'enough' });
    await client.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    await emptied(way.running.server);
  });

  it('a client that answers and never ends TCP is cut', async () => {
    const way = await startWay(name);
    const { client, receiver } = await way.open({ allowHalfOpen: true });
    const before = holdings();
    receiver.connection.close(4000);
    await client.answerClose();
    // It still could send: its own direction stays open until the proxy cuts it.
    await emptied(way.running.server);
    client.destroy();
    await expectQuiet(before);
  });

  it('a client that begins the closing handshake and never ends TCP is cut', async () => {
    const way = await startWay(name);
    const pair = await way.open({ allowHalfOpen: true });
    pair.client.sendClose(1000);
    if (isWebSocket(name)) {
      await pair.upstream.expectClose();
      pair.upstream.sendClose(1000);
    }
    expect((await pair.client.expectClose()).code).toBe(1000);
    await emptied(way.running.server);
    const [, status] = await pair.receiver.waitFor('closed');
    expect(status).toBe(1000);
  });

  it('a client that breaks a rule and never ends TCP is cut', async () => {
    const way = await startWay(name);
    const { client, receiver } = await way.open({ allowHalfOpen: true });
    client.sendRaw(Buffer.from([0xff, 0xff]));
    expect((await client.expectClose()).code).toBe(1002);
    const [, status] = await receiver.waitFor('closed');
    expect(status).toBe(1002);
    await emptied(way.running.server);
  });

  it('a client that trickles pings after our Close gains no time', async () => {
    const way = await startWay(name);
    const { client, receiver } = await way.open();
    receiver.connection.close(4000);
    const trickle = setInterval(() => client.sendPing('still here'), 10);
    try {
      await receiver.waitFor('closed');
    } finally {
      clearInterval(trickle);
    }
    await emptied(way.running.server);
  });
});

describe.each(PROXY_WAYS)('P8: on the way "%s", at the close deadline', (name) => {
  it('a target that does nothing when the client has closed is cut', async () => {
    const way = await startWay(name);
    const before = holdings();
    const pair = await way.open();
    const far = isWebSocket(name) ? pair.upstream : pair.peer;
    pair.client.sendClose(4001, 'bye');
    expect((await pair.client.expectClose()).code).toBe(4001);
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 4001, 'bye']);
    await far.waitForEnd();
    far.destroy();
    await pair.client.waitForEnd();
    await expectQuiet(before);
  });
});

describe.each(WEBSOCKET_WAYS)('P8: on the way "%s", at the close deadline', (name) => {
  it('a target that sends Close, gets the answer and never ends TCP is cut', async () => {
    const way = await startWay(name);
    const { client, receiver, upstream } = await way.open();
    upstream.sendClose(4002);
    expect((await client.answerClose()).code).toBe(4002);
    expect((await upstream.expectClose()).code).toBe(4002);
    await upstream.waitForEnd();
    const [, status] = await receiver.waitFor('closed');
    expect(status).toBe(4002);
  });
});

/** The kinds of timer that Linux runs for each TCP connection between two ports of this machine, `02` for keepalive. */
function timersOf(localPort: number, remotePort: number): string[] {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote]) => local?.endsWith(`:${hex(localPort)}`) && remote?.endsWith(`:${hex(remotePort)}`))
    .map((fields) => fields[5]!.slice(0, 2));
}

describe.skipIf(!existsSync('/proc/net/tcp'))('P9: TCP keepalive', () => {
  it.each([
    ['is on at both sides by default', undefined, '02'],
    ['is off at both sides with keepAlive 0', 0, '00'],
  ])('%s', async (_what, keepAlive, timer) => {
    const target = await startTcpPeer();
    const proxy = await startProxy({ target: target.url, ...(keepAlive === undefined ? {} : { keepAlive }) });
    const client = await openClient({ port: proxy.port });
    const peer = await target.nextConnection();
    // Just after data another timer may run for a moment.
    await eventually(
      () => timersOf(proxy.port, client.socket.localPort ?? 0).join() === timer,
      `the timer toward the client is ${timer}`,
    );
    await eventually(
      () => timersOf(peer.socket.remotePort ?? 0, target.port).join() === timer,
      `the timer toward the target is ${timer}`,
    );
  });
});

describe('P9: a peer that is gone without a word', () => {
  it('is found by the heartbeat, and reported 1006', async () => {
    const receivers = receiverFactory(() => new QuietReceiver());
    const server = await startReceiverServer({ receiver: receivers.create, heartbeat: { interval: 50, timeout: 50 } });
    // The client never answers a ping by itself.
    const client = await openClient({ port: server.port });
    const receiver = await receivers.nextReceiver();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(await server.reports.next()).toMatchObject({ initiator: 'network', cause: 'HEARTBEAT_LOST' });
    await client.waitForEnd();
  });
});

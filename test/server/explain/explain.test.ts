/** Holds that what is said about a connection is true, in every state that it can wait in, over real sockets. */
import { describe, expect, it } from 'vitest';
import { CloseCode, type Explanation, type ProxyServerOptions, type UpgradeAnswer } from '../../../src/index.js';
import { administration } from '../../../src/server/admin/administration.js';
import { stateIds } from '../../../src/server/observation/state-counts.js';
import type { ProxyServer } from '../../../src/server/proxy-server.js';
import type { ReceiverServer } from '../../../src/server/receiver-server.js';
import { isPrintable } from '../../../src/server/telemetry/printable.js';
import { openTcp } from '../../support/for-one-test.js';
import { requestBytes } from '../../support/raw-client.js';
import { receiverFactory } from '../../support/recording-receiver.js';
import { refusedPort, TcpPeer } from '../../support/tcp-peer.js';
import { askAdmin } from '../admin/ask-admin.js';
import { openClient, startEcho, startProxy, startReceivers, startUpstream } from '../stage.js';

type Server = ProxyServer | ReceiverServer;

const admin = { listen: '127.0.0.1:0' };

/** Resolves when the connection, or its upstream, is in a state. */
function reached(server: Server, state: string, id = 'conn-1'): Promise<Explanation> {
  return new Promise((resolve) => {
    const { supervisor } = server[administration]().observation.parts!;
    const look = () => {
      const explanation = server.explain(id);
      if (explanation?.facts.some((fact) => fact.state === state) !== true) return false;
      resolve(explanation);
      return true;
    };
    if (look()) return;
    // Once the step is over: what it asked for, such as its deadline, comes right after it.
    const later = (chart: string, value: Parameters<typeof stateIds>[1]) => {
      if (stateIds(chart, value).includes(state)) queueMicrotask(() => void (look() && stop()));
    };
    const stop = supervisor.steps.observe({
      connectionStepped: ({ chartValue }) => later('connection', chartValue),
      upstreamStepped: ({ chartValue }) => later('upstream', chartValue),
    });
  });
}

function fact(explanation: Explanation, state: string) {
  const found = explanation.facts.find((one) => one.state === state);
  expect(found, explanation.text).toBeDefined();
  return found!;
}

// A state is entered a moment before its step is noted, or its timer begins a moment after it.
function expectWithin(value: number, least: number, most: number): void {
  expect(value).toBeGreaterThanOrEqual(least - 50);
  expect(value).toBeLessThanOrEqual(most);
}

const FLOOD = Buffer.alloc(4 * 1024 * 1024, 7);

/** A server without a target whose client reads nothing of what it was sent. */
async function throttled(options: Partial<ProxyServerOptions> = {}) {
  const receivers = receiverFactory();
  const running = await startReceivers({ ...options, receiver: receivers.create });
  const client = await running.open();
  const receiver = await receivers.nextReceiver();
  await receiver.waitFor('open');
  client.pauseReading();
  while (receiver.connection.send(FLOOD) !== 'dropped' && !receiver.connection.throttled);
  return { ...running, client, receiver };
}

describe('a handshake', () => {
  it('waits for the receiver, until the deadline of the handshake', async () => {
    let answer: (answer: UpgradeAnswer) => void = () => {};
    const decision = new Promise<UpgradeAnswer>((resolve) => {
      answer = resolve;
    });
    const { create } = receiverFactory({ onUpgradeRequest: () => decision });
    const before = Date.now();
    const { server, port } = await startReceivers({ receiver: create, timeouts: { handshake: '30s' } });
    const client = await openTcp({ port });
    client.write(requestBytes({ port }));
    const explanation = await reached(server, 'connection.handshaking.deciding');
    const { since, deadline, words, next } = fact(explanation, 'connection.handshaking.deciding');
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(explanation.at);
    expectWithin(deadline!.at, since! + 30_000, explanation.at + 30_000);
    expect(deadline).toMatchObject({ name: 'handshake', option: 'timeouts.handshake' });
    expect(words).toBe(
      'It is being decided whether the client may connect. The receiver was asked (onUpgradeRequest).',
    );
    expect(next).toBe('it answers');
    expect(explanation.summary).toContain('(timeouts.handshake) the client is refused with 503 or 504.');
    answer(true);
    expect((await reached(server, 'connection.open')).state).toBe('open');
  });

  it('waits for the target, until the deadline of the dial', async () => {
    const hole = await startUpstream({ answer: 'nothing' });
    const { server, port } = await startProxy({ target: hole.url });
    const client = await openTcp({ port });
    client.write(requestBytes({ port }));
    const explanation = await reached(server, 'upstream.dialling');
    const { since, deadline, words } = fact(explanation, 'upstream.dialling');
    expect(words).toBe(`The target is being connected. It is ${hole.url}.`);
    expect(deadline).toMatchObject({ name: 'dial', option: 'timeouts.dial' });
    expectWithin(deadline!.at, since! + 10_000, explanation.at + 10_000);
    expect(fact(explanation, 'connection.handshaking.dialling').deadline).toMatchObject({ name: 'handshake' });
    expect(explanation.deadlines.map(({ name }) => name)).toEqual(['dial', 'handshake']);
  });
});

describe('an open connection', () => {
  it('that is well is said to be, with the deadlines that run and what happened', async () => {
    const target = await startEcho();
    const timeouts = { idle: '10m', lifetime: '1h', lifetimeJitter: 0 } as const;
    const { server, open } = await startProxy({ admin, target: target.url, timeouts });
    const before = Date.now();
    await open({ path: '/vnc' });
    const explanation = server.explain('conn-1')!;
    expect(explanation).toMatchObject({ state: 'open', slow: [], unknown: [], historyDropped: 0 });
    expect(explanation.summary).toBe('It is open, and nothing holds it up.');
    expect(explanation.deadlines.map(({ name, option }) => `${name} ${option}`)).toEqual([
      'ping heartbeat.interval',
      'idle timeouts.idle',
      'lifetime timeouts.lifetime',
    ]);
    for (const [index, span] of [30_000, 600_000, 3_600_000].entries()) {
      const early = explanation.deadlines[index]!.at - before - span;
      expect(early).toBeGreaterThanOrEqual(-5);
    }
    expect(explanation.history.map(({ text }) => text)).toEqual([
      'the handshake of the client was complete',
      'the handshake was accepted',
      'the dial of the target began',
      'the target answered the dial',
      'the target was connected',
    ]);
    expect(explanation.buffers).toMatchObject({ client: { bytes: 0 }, target: { bytes: 0 } });
    expect(explanation.text).toContain('path /vnc, target tcp://');
    expect(isPrintable(explanation.text.replaceAll('\n', ''))).toBe(true);
  });

  it('with a slow client says how much waits, and when it is closed', async () => {
    const { server, receiver } = await throttled({ timeouts: { writeStall: '20s' } });
    const explanation = await reached(server, 'connection.open.outbound.throttled');
    const { words, deadline, next } = fact(explanation, 'connection.open.outbound.throttled');
    expect(words).toBe(
      `The client reads more slowly than data comes for it. ${receiver.connection.bufferedBytes} bytes wait.`,
    );
    expect(next).toBe('the client reads what waits for it');
    expect(deadline).toMatchObject({ option: 'timeouts.writeStall', effect: 'the client is closed with 1008' });
    expect(deadline!.at - explanation.at).toBeLessThanOrEqual(20_000);
    expect(explanation.slow).toEqual(['client']);
    expect(explanation.buffers?.client.bytes).toBeGreaterThanOrEqual(explanation.buffers!.client.highWaterMark);
  });

  it('with a slow target says that the client waits for it', async () => {
    const hole = await TcpPeer.blackHole();
    const { server, open } = await startProxy({ target: hole.url });
    const client = await open();
    for (let sent = 0; sent < 8; sent += 1) client.sendBinary(FLOOD);
    const explanation = await reached(server, 'upstream.open.outbound.throttled');
    expect(explanation.slow).toEqual(['target']);
    expect(explanation.buffers?.target?.bytes).toBeGreaterThan(0);
    expect(fact(explanation, 'connection.open.inbound.reading').words).toContain('The target is slow');
    expect(explanation.summary).toContain('The target reads more slowly than data comes for it.');
    client.destroy();
    await hole.close();
  });

  it('that the application paused says so, and that its life is not judged', async () => {
    const receivers = receiverFactory();
    const { server, open } = await startReceivers({ receiver: receivers.create });
    await open();
    const { connection } = await receivers.nextReceiver();
    connection.pause();
    const explanation = server.explain('conn-1')!;
    const paused = fact(explanation, 'connection.open.inbound.paused');
    expect(paused).toMatchObject({
      words: 'The client is not read: the application paused it.',
      next: 'the application calls resume()',
      deadline: undefined,
    });
    expect(fact(explanation, 'connection.open.liveness.suspended').since).toBe(paused.since);
    connection.resume();
    expect(server.explain('conn-1')!.summary).toBe('It is open, and nothing holds it up.');
  });

  it('that answers no ping is cut at the time that was told, and not before', async () => {
    const { server, open, events } = await startReceivers({ heartbeat: { interval: 300, timeout: 300 } });
    await open();
    const explanation = await reached(server, 'connection.open.liveness.probing');
    const { deadline, words } = fact(explanation, 'connection.open.liveness.probing');
    expect(words).toBe('A ping was sent to the client; nothing came from it since.');
    expect(deadline).toMatchObject({ name: 'probe', option: 'heartbeat.timeout' });
    await events.reports.next();
    expect(Date.now()).toBeGreaterThanOrEqual(deadline!.at - 20);
  });

  it('is known since when, however short its history', async () => {
    const receivers = receiverFactory();
    const { server, open } = await startReceivers({ receiver: receivers.create, inspection: { history: 2 }, admin });
    await open();
    const { connection } = await receivers.nextReceiver();
    const first = server.explain('conn-1')!;
    for (let count = 0; count < 20; count += 1) {
      connection.pause();
      connection.resume();
    }
    const last = server.explain('conn-1')!;
    expect(last.history).toHaveLength(2);
    expect(last.historyDropped).toBe(40);
    expect(last.text).toContain('(40 steps before are not kept: inspection.history)');
    for (const state of ['connection.open', 'connection.open.outbound.flowing']) {
      expect(fact(last, state).since).toBe(fact(first, state).since);
    }
  });

  it('without a history says what is not known, and the deadlines all the same', async () => {
    const { server } = await throttled({ inspection: { history: 0 } });
    const explanation = await reached(server, 'connection.open.outbound.throttled');
    expect(fact(explanation, 'connection.open').since).toBeDefined();
    expect(fact(explanation, 'connection.open.outbound.throttled').since).toBeUndefined();
    expect(fact(explanation, 'connection.open.outbound.throttled').deadline?.name).toBe('writeStall');
    expect(explanation.history).toEqual([]);
    expect(explanation.unknown[0]).toContain('inspection.history is 0');
    expect(explanation.text).toContain('since when is not known');
  });
});

describe('a closing handshake', () => {
  it('says who began, what is missing, and when it is cut', async () => {
    const receivers = receiverFactory();
    const { server, open } = await startReceivers({ receiver: receivers.create, timeouts: { close: '20s' } });
    await open();
    const { connection } = await receivers.nextReceiver();
    connection.close(CloseCode.TryAgainLater, 'later');
    const explanation = server.explain('conn-1')!;
    const { words, next, deadline, since } = fact(explanation, 'connection.closing');
    expect(words).toBe('It is being closed by the application (closed): 1013 "later".');
    expect(next).toBe('the client answers our Close frame');
    expect(deadline).toMatchObject({ option: 'timeouts.close', effect: 'it is cut' });
    expectWithin(deadline!.at, since! + 19_999, explanation.at + 20_000);
  });

  it('that waits for the target says so', async () => {
    const target = await startUpstream();
    const { server, open } = await startProxy({ target: target.url, admin });
    const client = await open();
    client.sendClose(1001, 'away');
    const explanation = await reached(server, 'connection.closing');
    expect(fact(explanation, 'connection.closing')).toMatchObject({
      words: 'It is being closed by the client (closed): 1001 "away".',
      next: 'the target answers the Close frame of the client',
    });
    const closing = await reached(server, 'upstream.closing');
    expect(fact(closing, 'upstream.closing')).toMatchObject({
      words: 'The target was told of the end: 1001 "away".',
      next: 'the target answers, and TCP has ended',
    });
  });
});

describe('what is over', () => {
  it('is explained by its close report and its history, while there is an admin API', async () => {
    const target = await startUpstream();
    const { server, open, events } = await startProxy({ target: target.url, admin });
    const client = await open({ path: '/chat?secret=1' });
    const peer = await target.nextConnection();
    client.sendText('hello');
    await peer.nextFrame();
    client.sendClose(1000, '\x1b]0;owned\x07bye');
    await peer.nextFrame();
    peer.sendClose(1000, 'bye');
    const report = await events.reports.next();
    const explanation = server.explain('conn-1')!;
    expect(explanation.closeReport).toEqual(report);
    expect(explanation.state).toBe('closed');
    expect(explanation.text).toContain('It was closed by the client with 1000 "\\x1b]0;owned\\x07bye".');
    expect(explanation.text).toContain('1 message, 5 bytes came from the client');
    expect(explanation.text).not.toContain('secret');
    expect(explanation.history.map(({ text }) => text)).toContain(
      'the client\'s Close frame arrived: 1000 "\\x1b]0;owned\\x07bye"',
    );
    expect(isPrintable(explanation.text.replaceAll('\n', ''))).toBe(true);
    const answer = await askAdmin(server.adminUrl!, { path: '/api/v1/connections/conn-1/explain' });
    expect(answer).toMatchObject({ status: 200, body: { id: 'conn-1', state: 'closed', closeReport: report } });
  });

  it('is a refused handshake, too, with its refusal', async () => {
    const port = await refusedPort();
    const { server, handshake } = await startProxy({ target: `tcp://127.0.0.1:${port}`, admin });
    expect((await handshake()).status).toBe(502);
    const explanation = server.explain('conn-1')!;
    expect(explanation).toMatchObject({ state: 'rejected', refusal: { status: 502, error: 'UPSTREAM_REFUSED' } });
    expect(explanation.summary).toContain('The handshake was refused with 502 (UPSTREAM_REFUSED): ');
    expect(explanation.history.map(({ text }) => text)).toContain('the target could not be used: UPSTREAM_REFUSED');
  });

  it('is forgotten without an admin API, and beyond inspection.ended', async () => {
    const quiet = await startReceivers();
    (await quiet.open()).sendClose(1000);
    await quiet.events.reports.next();
    expect(quiet.server.explain('conn-1')).toBeUndefined();

    const { server, port, events } = await startReceivers({ admin, inspection: { ended: 2 } });
    for (let count = 0; count < 4; count += 1) {
      (await openClient({ port })).sendClose(1000);
      await events.reports.next();
    }
    const known = [1, 2, 3, 4].map((number) => server.explain(`conn-${number}`) !== undefined);
    expect(known).toEqual([false, false, true, true]);
    const answer = await askAdmin(server.adminUrl!, { path: '/api/v1/connections/conn-1/explain' });
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'UNKNOWN_CONNECTION' } } });
  });
});

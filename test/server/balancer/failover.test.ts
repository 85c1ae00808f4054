/** Owns that a backend that cannot be reached costs the client nothing: another one is tried before it hears of it, within bounds. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LoadBalancerOptions } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { startTcpPeer, startUpstream } from '../../support/for-one-test.js';
import { encodeFrame, Opcode } from '../../support/raw-client.js';
import { connectTcp, refusedPort, TcpPeer } from '../../support/tcp-peer.js';
import { localhostCertificate } from '../../support/tls.js';
import { type RunningBalancer, startBalancer, startEchoBackend } from './balancer-with-backends.js';

const FIRST: LoadBalancerOptions = { policy: 'first', health: { check: 'off', maxFailures: 0 } };

async function hangingUrl(): Promise<string> {
  const peer = await TcpPeer.blackHole();
  onTestFinished(() => peer.close());
  return `ws://127.0.0.1:${peer.port}`;
}

function nothingIsTaken({ balancer }: RunningBalancer): Promise<void> {
  return eventually(
    () => balancer.backends().every(({ load, pairs }) => load === 0 && pairs === 0),
    'no place is taken',
  );
}

function requestOf(port: number): string {
  const fields = [
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  return `GET / HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`;
}

/** Ways in which a backend cannot be reached, with its url. */
const BROKEN: Readonly<Record<string, () => Promise<string>>> = {
  'refuses connections': async () => `ws://127.0.0.1:${await refusedPort()}`,
  'resets connections': async () => {
    const peer = await startTcpPeer({ onConnection: (connection) => connection.reset() });
    return `ws://127.0.0.1:${peer.port}`;
  },
  'hangs up': async () => {
    const peer = await startTcpPeer({ onConnection: (connection) => connection.end() });
    return `ws://127.0.0.1:${peer.port}`;
  },
  'accepts and says nothing': hangingUrl,
  'answers 426, as one that is closing': async () => (await startUpstream({ answer: { status: 426 } })).url,
  'answers 502': async () => (await startUpstream({ answer: { status: 502 } })).url,
  'answers 503': async () => (await startUpstream({ answer: { status: 503 } })).url,
  'answers 504': async () => (await startUpstream({ answer: { status: 504 } })).url,
  'answers what is no handshake': async () => (await startUpstream({ wrongAccept: true })).url,
  'has a certificate that is not trusted': async () => (await startUpstream({ tls: localhostCertificate })).url,
  'has a name that nobody knows': async () => 'ws://nobody.invalid:9000',
};

describe.each(['before-accept', 'after-accept'] as const)('with connectUpstream %s', (connectUpstream) => {
  it.each(Object.keys(BROKEN))('a backend that %s is passed over, and nothing is lost', async (how) => {
    const good = await startEchoBackend();
    const backends = [
      { id: 'broken', url: await BROKEN[how]!() },
      { id: 'good', url: good.url },
    ];
    const stage = await startBalancer({
      ...FIRST,
      backends,
      connectUpstream,
      failover: { attemptTimeout: 200 },
      lookup: () => [],
    });
    const head = encodeFrame({ opcode: Opcode.Text, payload: 'sent with the handshake', masked: true });
    const client = await stage.open({ head });
    expect(await client.nextText()).toBe('sent with the handshake');
    expect(stage.lines.filter((line) => line.startsWith('client.'))).toEqual(['client.paired conn-1 good']);
    expect(stage.backend('broken').load).toBe(0);
    expect(stage.backend('good')).toMatchObject({ load: 1, pairs: 1 });
    client.sendClose(1000);
    await nothingIsTaken(stage);
  });
});

describe('what a backend decided', () => {
  it.each([401, 403, 404, 429, 500])('%i goes to the client as it is, and no other one is asked', async (status) => {
    const refusing = await startUpstream({
      answer: { status, statusText: 'As Said', headers: { 'X-Why': 'because' }, body: 'no' },
    });
    const good = await startEchoBackend();
    const stage = await startBalancer({ ...FIRST, backends: [refusing.url, good.url] });
    const answer = await stage.handshake();
    expect(answer).toMatchObject({ status, statusText: 'As Said', body: 'no' });
    expect(answer.headers['x-why']).toBe('because');
    expect(good.taken()).toBe(0);
    await nothingIsTaken(stage);
  });
});

describe('when none can be reached', () => {
  it('the client gets what the last one that was tried did', async () => {
    const refused = `ws://127.0.0.1:${await refusedPort()}`;
    const busy = await startUpstream({ answer: { status: 503, headers: { 'Retry-After': '7' }, body: 'too busy' } });
    const one = await startBalancer({ ...FIRST, backends: [refused, busy.url] });
    expect(await one.handshake()).toMatchObject({ status: 503, body: 'too busy', headers: { 'retry-after': '7' } });
    const other = await startBalancer({ ...FIRST, backends: [busy.url, refused] });
    expect((await other.handshake()).status).toBe(502);
  });

  it('not more are tried than `failover.attempts`', async () => {
    const busy = await Promise.all([0, 1, 2].map(() => startUpstream({ answer: { status: 503 } })));
    const backends = busy.map(({ url }) => url);
    const stage = await startBalancer({ ...FIRST, backends, failover: { attempts: 2 } });
    expect((await stage.handshake()).status).toBe(503);
    expect(busy.map(({ peers }) => peers.length)).toEqual([1, 1, 0]);
  });

  it('all attempts together have `timeouts.dial`', async () => {
    const backends = [await hangingUrl(), await hangingUrl(), await hangingUrl()];
    const stage = await startBalancer({
      ...FIRST,
      backends,
      timeouts: { dial: 500 },
      failover: { attempts: 3, attemptTimeout: 300 },
    });
    const began = performance.now();
    expect((await stage.handshake()).status).toBe(504);
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(450);
    expect(took).toBeLessThan(850);
    await nothingIsTaken(stage);
  });

  it('a pool without any answers 503 with Retry-After', async () => {
    const stage = await startBalancer({ retryAfter: '7s' });
    expect(await stage.handshake()).toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
  });
});

describe('further attempts', () => {
  it('are limited for all clients together, so that an outage is no storm', async () => {
    const busy = await startUpstream({ answer: { status: 503 } });
    const good = await startEchoBackend();
    const stage = await startBalancer({ ...FIRST, backends: [busy.url, good.url], failover: { budget: 0 } });
    const statuses: number[] = [];
    for (let at = 0; at < 30; at += 1) statuses.push((await stage.handshake()).status);
    // Twenty are saved up, and none is earned.
    expect(statuses).toEqual([...Array(20).fill(101), ...Array(10).fill(503)]);
    expect(busy.peers).toHaveLength(30);
  });

  it('are earned by first attempts', async () => {
    const busy = await startUpstream({ answer: { status: 503 } });
    const good = await startEchoBackend();
    const stage = await startBalancer({ ...FIRST, backends: [busy.url, good.url], failover: { budget: 0.5 } });
    const statuses: number[] = [];
    for (let at = 0; at < 80; at += 1) statuses.push((await stage.handshake()).status);
    expect(statuses.slice(-20).filter((status) => status === 101)).toHaveLength(10);
  });

  it('begin when it is their turn: a queue of dials is no fault of the backend', async () => {
    const slow = await startUpstream({ onUpgrade: (_, peer) => void setTimeout(() => peer.accept(), 150) });
    const stage = await startBalancer({
      backends: [slow.url],
      limits: { maxConcurrentDials: 1 },
      failover: { attemptTimeout: 300, attempts: 1 },
    });
    const answers = await Promise.all([0, 1, 2, 3].map(() => stage.handshake()));
    expect(answers.map(({ status }) => status)).toEqual([101, 101, 101, 101]);
  });
});

describe('a backend that is slow', () => {
  it('is waited for while there is no other one', async () => {
    const refused = `ws://127.0.0.1:${await refusedPort()}`;
    const slow = await startUpstream({ onUpgrade: (_, peer) => void setTimeout(() => peer.accept(), 400) });
    const stage = await startBalancer({ ...FIRST, backends: [refused, slow.url], failover: { attemptTimeout: 100 } });
    expect((await stage.handshake()).status).toBe(101);
    expect(slow.peers).toHaveLength(1);
  });

  it('is left as soon as there is another one', async () => {
    const stage = await startBalancer({
      ...FIRST,
      backends: [await hangingUrl()],
      failover: { attemptTimeout: 100 },
    });
    const opening = stage.open();
    await eventually(() => stage.balancer.backends()[0]?.load === 1, 'it is dialled');
    const began = performance.now();
    await eventually(() => performance.now() - began > 150, 'its time is over');
    const good = await startEchoBackend();
    stage.balancer.addBackend({ id: 'good', url: good.url });
    await opening;
    expect(good.clients.size).toBe(1);
  });
});

describe('a client that leaves while backends are tried', () => {
  it('leaves no place taken and no backend asked for it', async () => {
    const hanging = await TcpPeer.blackHole();
    onTestFinished(() => hanging.close());
    const good = await startEchoBackend();
    const stage = await startBalancer({
      ...FIRST,
      backends: [`ws://127.0.0.1:${hanging.port}`, good.url],
      failover: { attemptTimeout: 0 },
    });
    const leaving = await connectTcp({ port: stage.port });
    leaving.write(requestOf(stage.port));
    await hanging.nextConnection();
    expect(stage.balancer.backends().map(({ load }) => load)).toEqual([1, 0]);
    leaving.reset();
    await nothingIsTaken(stage);
    await stage.told('rejected DOWNSTREAM_GONE');
    expect(good.taken()).toBe(0);
    expect(stage.lines.filter((line) => line.startsWith('client.'))).toEqual([]);
  });
});

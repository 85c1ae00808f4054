/** Owns that backends are found by name, with a real DNS server: which there are, and what becomes of them when their records change. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LoadBalancerOptions } from '../../../src/index.js';
import { TestAuthority } from '../../support/authority.js';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { DnsServer } from '../../support/dns-server.js';
import { eventually } from '../../support/events.js';
import { startUpstream } from '../../support/for-one-test.js';
import type { RawPeer } from '../../support/raw-upstream.js';
import { connectTcp } from '../../support/tcp-peer.js';
import { type RunningBalancer, startBalancer, startEchoBackend } from './balancer-with-backends.js';

const OFTEN = 100;

function balancerOf(dns: DnsServer, name: string, options: LoadBalancerOptions = {}): Promise<RunningBalancer> {
  return startBalancer({ resolver: dns.resolver(), discovery: { names: [name], interval: OFTEN }, ...options });
}

function ids({ balancer }: RunningBalancer): string[] {
  return balancer.backends().map(({ id }) => id);
}

/** Resolves when the name was asked for that many times more. */
async function resolvedAgain(dns: DnsServer, times = 1): Promise<void> {
  const before = dns.asked;
  // A and AAAA each time; the round that is under way is not one that began later.
  await eventually(() => dns.asked >= before + 2 * (times + 1), 'the name is resolved again');
}

describe('a name with addresses', () => {
  it('stands for a backend at each of them', async () => {
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1', '127.0.0.2'], aaaa: ['::1'] } });
    const stage = await balancerOf(dns, 'ws://app.internal:9000/path');
    await eventually(() => ids(stage).length === 3, 'all are there');
    expect(stage.balancer.backends().map(({ id, url, source, weight }) => ({ id, url, source, weight }))).toEqual([
      { id: 'app.internal@127.0.0.1:9000', url: 'ws://127.0.0.1:9000/path', source: 'dns', weight: 1 },
      { id: 'app.internal@127.0.0.2:9000', url: 'ws://127.0.0.2:9000/path', source: 'dns', weight: 1 },
      { id: 'app.internal@::1:9000', url: 'ws://[::1]:9000/path', source: 'dns', weight: 1 },
    ]);
  });

  it('is asked for by its name: the backend sees it in Host', async () => {
    const upstream = await startUpstream();
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, `ws://app.internal:${upstream.port}`, { health: { check: 'websocket' } });
    await eventually(() => ids(stage).length === 1, 'it is there');
    const check = await upstream.nextConnection();
    await stage.open({ path: '/asked' });
    const client = await upstream.nextConnection();
    const plain = await connectTcp({ port: stage.port });
    onTestFinished(() => plain.destroy());
    plain.write('GET /plain HTTP/1.1\r\nHost: any\r\n\r\n');
    const request = await upstream.nextConnection();
    const host = `app.internal:${upstream.port}`;
    expect([check, client, request].map(({ headers }: RawPeer) => headers.host)).toEqual([host, host, host]);
  });

  it('is what TLS verifies', async () => {
    const authority = new TestAuthority();
    const tls = authority.issue({ names: ['app.internal'] });
    const upstream = await startUpstream({ tls, answer: { status: 200 } });
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] }, 'other.internal': { a: ['127.0.0.1'] } });
    const options: LoadBalancerOptions = {
      upstreamTls: { ca: [authority.cert] },
      health: { check: 'http', interval: 100 },
    };
    const right = await balancerOf(dns, `wss://app.internal:${upstream.port}`, options);
    await eventually(() => right.balancer.backends()[0]?.lastCheck?.passed === true, 'it is well');
    expect(right.balancer.backends()[0]?.bindings).toEqual([`wss://app.internal:${upstream.port}`]);
    const wrong = await balancerOf(dns, `wss://other.internal:${upstream.port}`, options);
    await eventually(() => wrong.balancer.backends()[0]?.health === 'unhealthy', 'it is not well');
    expect(wrong.balancer.backends()[0]?.lastCheck?.reason).toContain('other.internal');
  });

  it('is resolved again: what is new comes, what vanished goes, and may come back', async () => {
    const { port, clients } = await startEchoBackend();
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, `ws://app.internal:${port}`, { drain: { whenRemoved: 'keep' } });
    const [first, second] = [`app.internal@127.0.0.1:${port}`, `app.internal@127.0.0.2:${port}`];
    await stage.told(`backend.ready ${first}`);
    const client = await stage.open();
    dns.zone.set('app.internal', { a: ['127.0.0.2'] });
    await stage.told(`backend.ready ${second}`);
    await stage.told(`backend.draining ${first}`);
    expect(stage.backend(first)).toMatchObject({ state: 'draining', draining: 'lost', pairs: 1 });
    expect(clients.size).toBe(1);
    // It is still known for its client's sake; the record comes back, and so does the backend.
    dns.zone.set('app.internal', { a: ['127.0.0.1', '127.0.0.2'] });
    await eventually(() => stage.backend(first).state === 'ready', 'it is back');
    dns.zone.set('app.internal', { a: ['127.0.0.2'] });
    await eventually(() => stage.backend(first).state === 'draining', 'it goes again');
    client.sendClose(1000);
    await stage.told(`backend.gone ${first}`);
    expect(ids(stage)).toEqual([second]);
  });

  it('sends the clients of one that vanished away as `drain.whenRemoved` says', async () => {
    const { port } = await startEchoBackend();
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, `ws://app.internal:${port}`, { drain: { whenRemoved: 'close' } });
    await stage.told(`backend.ready app.internal@127.0.0.1:${port}`);
    const client = await stage.open();
    dns.zone.set('app.internal', { a: ['127.0.0.2'] });
    expect(await client.answerClose()).toMatchObject({ code: 1012 });
    await stage.told(`backend.gone app.internal@127.0.0.1:${port}`);
  });
});

describe('an answer that says nothing', () => {
  it.each(['servfail', 'silent'] as const)('(%s) changes nothing, and is told once', async (mood) => {
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, 'ws://app.internal:9000');
    await stage.told('backend.ready app.internal@127.0.0.1:9000');
    dns.mood = mood;
    await eventually(() => stage.lines.some((line) => line.startsWith('exception')), 'it is told');
    const asked = dns.asked;
    await eventually(() => dns.asked > asked, 'it is tried again');
    expect(stage.lines.filter((line) => line.startsWith('exception'))).toEqual([
      expect.stringMatching(/cannot find the backends of ws:\/\/app\.internal:9000: .*; the 1 that are known stay/),
    ]);
    expect(stage.balancer.backends()).toMatchObject([{ state: 'ready' }]);
    dns.mood = 'answer';
    dns.zone.set('app.internal', { a: ['127.0.0.2'] });
    await stage.told('backend.ready app.internal@127.0.0.2:9000');
  });

  it('that there are none is believed when it is said three times', async () => {
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, 'ws://app.internal:9000');
    await stage.told('backend.ready app.internal@127.0.0.1:9000');
    const asked = dns.asked;
    dns.zone.delete('app.internal');
    await stage.told('backend.gone app.internal@127.0.0.1:9000');
    // Three rounds of A and AAAA, and perhaps half of one that was under way.
    expect(dns.asked - asked).toBeGreaterThanOrEqual(5);
    expect(stage.lines.filter((line) => line.startsWith('exception'))).toHaveLength(1);
    dns.zone.set('app.internal', { aaaa: ['::1'] });
    await stage.told('backend.ready app.internal@::1:9000');
  });

  it('that there are none is forgotten when there are some again', async () => {
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, 'ws://app.internal:9000');
    await stage.told('backend.ready app.internal@127.0.0.1:9000');
    for (let round = 0; round < 3; round += 1) {
      dns.zone.set('app.internal', {});
      await eventually(
        () => stage.lines.filter((line) => line.startsWith('exception')).length === round + 1,
        'it is told that there are none',
      );
      dns.zone.set('app.internal', { a: ['127.0.0.1'] });
      await resolvedAgain(dns);
    }
    expect(stage.lines.filter((line) => line.startsWith('backend.'))).toEqual([
      'backend.ready app.internal@127.0.0.1:9000',
    ]);
  });
});

describe('a name with services', () => {
  const service = '_ws._tcp.app.internal';

  it('stands for a backend at each address of each, with its port and its weight', async () => {
    const dns = await DnsServer.start({
      [service]: {
        srv: [
          { name: 'one.internal', port: 9001, weight: 60 },
          { name: 'two.internal', port: 9002, weight: 0 },
        ],
      },
      'one.internal': { a: ['127.0.0.1'] },
      'two.internal': { a: ['127.0.0.2'], aaaa: ['::1'] },
    });
    const stage = await balancerOf(dns, `srv+ws://${service}/path`);
    await eventually(() => ids(stage).length === 3, 'all are there');
    expect(stage.balancer.backends()).toMatchObject([
      { id: `${service}@127.0.0.1:9001`, url: 'ws://127.0.0.1:9001/path', serverName: 'one.internal', weight: 60 },
      { id: `${service}@127.0.0.2:9002`, url: 'ws://127.0.0.2:9002/path', serverName: 'two.internal', weight: 0.01 },
      { id: `${service}@::1:9002`, url: 'ws://[::1]:9002/path', serverName: 'two.internal', weight: 0.01 },
    ]);
    dns.zone.set(service, { srv: [{ name: 'one.internal', port: 9001, weight: 0 }] });
    await eventually(() => ids(stage).length === 1 && stage.balancer.backends()[0]?.weight === 1, 'its weight is new');
  });

  it('gives those with the best priority, and others only while none of these serves', async () => {
    const [main, spare] = [await startEchoBackend(), await startEchoBackend()];
    const dns = await DnsServer.start({
      [service]: {
        srv: [
          { name: 'spare.internal', port: spare.port, priority: 20 },
          { name: 'main.internal', port: main.port, priority: 10 },
        ],
      },
      'main.internal': { a: ['127.0.0.1'] },
      'spare.internal': { a: ['127.0.0.1'] },
    });
    const stage = await balancerOf(dns, `srv+ws://${service}`, {
      health: { check: 'tcp', interval: 100, fall: 1, rise: 1 },
      drain: { whenRemoved: 'close' },
    });
    const [first, second] = [`${service}@127.0.0.1:${main.port}`, `${service}@127.0.0.1:${spare.port}`];
    await stage.told(`backend.ready ${first}`);
    await resolvedAgain(dns);
    expect(ids(stage)).toEqual([first]);
    await main.close();
    await stage.told(`backend.ready ${second}`);
    const client = await stage.open();
    expect(spare.clients.size).toBe(1);
    await startEchoBackend(main.port);
    expect(await client.answerClose()).toMatchObject({ code: 1012 });
    await stage.told(`backend.gone ${second}`);
    expect(ids(stage)).toEqual([first]);
    // The same when an operator drains it.
    stage.balancer.drainBackend(first);
    await eventually(() => ids(stage).includes(second), 'the other one is there');
  });
});

describe('discovery', () => {
  it('of nobody leaves a balancer that runs, and 503', async () => {
    const dns = await DnsServer.start();
    const stage = await balancerOf(dns, 'ws://app.internal:9000');
    expect((await stage.handshake()).status).toBe(503);
    await stage.told('exception cannot find the backends of ws://app.internal:9000: it has no backends; none is known');
  });

  it('stands beside backends of the configuration, and leaves those alone', async () => {
    const { url } = await startEchoBackend();
    const dns = await DnsServer.start({ 'app.internal': { a: ['127.0.0.1'] } });
    const stage = await balancerOf(dns, 'ws://app.internal:9000', { backends: [{ id: 'own', url }] });
    await eventually(() => ids(stage).length === 2, 'both are there');
    dns.zone.delete('app.internal');
    await eventually(() => ids(stage).length === 1, 'one is gone');
    expect(ids(stage)).toEqual(['own']);
  });

  it('leaves nothing behind when the server stops, also while it waits for an answer', async () => {
    const dns = await DnsServer.start();
    dns.mood = 'silent';
    await dns
      .resolver()
      .resolve4('once.for.the.process')
      .catch(() => {});
    const before = holdings();
    const resolver = dns.resolver();
    const stage = await balancerOf(dns, 'ws://app.internal:9000', { resolver });
    const asked = dns.asked;
    await eventually(() => dns.asked > asked || asked > 1, 'it asks');
    await stage.balancer.stop();
    // A resolver of the application's is its own to cancel.
    resolver.cancel();
    await expectQuiet(before);
  });
});

/** Owns that the metrics of a server say what it does, live, in a page that Prometheus reads, and never more than so much of it. */
import { spawnSync } from 'node:child_process';
import { register } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadBalancer, reject } from '../../../src/index.js';
import { answerPings, everySetup, type Setup, Stage } from '../../promises/setups.js';
import { eventually } from '../../support/events.js';
import { programPath } from '../../support/proxies.js';
import { Opcode } from '../../support/raw-client.js';
import { receiverFactory } from '../../support/recording-receiver.js';
import { startBackends, startBalancer } from '../named-backends.js';
import { handshake, startReceivers, startUpstream } from '../stage.js';
import { scrape, scrapeText } from './scrape.js';

const admin = { listen: '127.0.0.1:0' };

describe.each(everySetup)('on $name', (setup: Setup) => {
  it('messages, bytes and frames are counted each way and on both sides, while the connection lives and when it is over', async () => {
    const stage = await Stage.start(setup, { admin, heartbeat: { interval: 0 } });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendText('one');
    client.sendFrame({ opcode: Opcode.Text, payload: 'tw', fin: false });
    client.sendFrame({ opcode: Opcode.Continuation, payload: 'o', fin: true });
    client.sendFrame({ opcode: Opcode.Ping, payload: '' });
    if (setup.target !== 'none') await target.read(6);
    receiver.connection.send('mine');
    await client.nextText();
    if (setup.target !== 'none') {
      target.send(Buffer.from('theirs'));
      expect((await client.nextMessage()).data.toString()).toBe('theirs');
    }
    const isWs = setup.target === 'ws';
    const theirs = setup.target === 'none' ? 0 : 1;
    const expected = {
      'downstream received messages': 2,
      'downstream received bytes': 6,
      'downstream received frames': 3,
      'downstream received controls': 1,
      'downstream sent messages': 1 + theirs,
      'downstream sent bytes': 4 + 6 * theirs,
      'downstream sent frames': 1 + theirs,
      // Toward a WebSocket target the ping is not ours to answer.
      'downstream sent controls': isWs ? 0 : 1,
      'upstream received messages': isWs ? 1 : 0,
      'upstream received bytes': 6 * theirs,
      'upstream received frames': isWs ? 1 : 0,
      'upstream received controls': 0,
      'upstream sent messages': isWs ? 2 : 0,
      'upstream sent bytes': 6 * theirs,
      // Where messages are assembled, each goes on in one frame.
      'upstream sent frames': isWs ? (setup.path === 'frames' ? 3 : 2) : 0,
      'upstream sent controls': isWs ? 1 : 0,
    };
    const counted = async () => {
      const page = await scrape(stage.server.adminUrl);
      return Object.fromEntries(
        Object.keys(expected).map((key) => {
          const [side = '', direction = '', what = ''] = key.split(' ');
          if (what === 'messages') return [key, page.sum('tidegate_messages_total', { side, direction })];
          if (what === 'bytes') return [key, page.sum('tidegate_payload_bytes_total', { side, direction })];
          const type = what === 'frames' ? 'data' : 'control';
          return [key, page.sum('tidegate_frames_total', { side, direction, type })];
        }),
      );
    };
    expect(await counted()).toEqual(expected);
    client.destroy();
    await stage.nextReport();
    // What else went over the wires is the end of the connection.
    const after = await counted();
    for (const key of Object.keys(expected).filter((name) => !name.endsWith('controls'))) {
      expect([key, after[key]]).toEqual([key, expected[key as keyof typeof expected]]);
    }
  });
});

describe('a proxy', () => {
  const frames = everySetup[0]!;

  it('tells its connections by state, and how they began and ended', async () => {
    const stage = await Stage.start(frames, { admin });
    const url = stage.server.adminUrl;
    const before = await scrape(url);
    expect(before.sum('tidegate_connections', { state: 'open' })).toBe(0);
    expect(before.sum('tidegate_server_ready', { server: 'proxy' })).toBe(1);
    expect(before.sum('tidegate_server_state', { kind: 'proxy', state: 'running' })).toBe(1);
    const { client } = await stage.open();
    const open = await scrape(url);
    expect(open.sum('tidegate_connections', { state: 'open' })).toBe(1);
    expect(open.sum('tidegate_connections')).toBe(1);
    expect(open.sum('tidegate_open_connections', { region: 'outbound', state: 'flowing' })).toBe(1);
    expect(open.sum('tidegate_upstreams', { state: 'open' })).toBe(1);
    expect(open.sum('tidegate_connections_opened_total')).toBe(1);
    expect(open.sum('tidegate_handshake_duration_seconds_count', { outcome: 'accepted' })).toBe(1);
    expect(open.sum('tidegate_dial_duration_seconds_count', { outcome: 'connected' })).toBe(1);
    expect(open.sum('tidegate_connections_closed_total')).toBeUndefined();
    client.destroy();
    await stage.nextReport();
    const over = await scrape(url);
    expect(over.sum('tidegate_connections')).toBe(0);
    expect(over.sum('tidegate_connections_closed_total', { initiator: 'downstream', code: '1006' })).toBe(1);
    expect(over.sum('tidegate_connection_duration_seconds_count')).toBe(1);
  });

  it('goes on counting when it was stopped and started again', async () => {
    const stage = await Stage.start(frames, { admin });
    const { client } = await stage.open();
    client.sendText('before');
    client.destroy();
    await stage.nextReport();
    await stage.server.restart({ drainTimeout: 0 });
    await stage.open();
    const page = await scrape(stage.server.adminUrl);
    expect(page.sum('tidegate_connections_opened_total')).toBe(2);
    expect(page.sum('tidegate_handshake_duration_seconds_count', { outcome: 'accepted' })).toBe(2);
  });

  it('tells refusals by their reason, and dials that failed', async () => {
    const stage = await Stage.start(frames, { admin });
    await stage.upstream!.close();
    expect((await handshake({ port: stage.port })).status).toBe(502);
    const page = await scrape(stage.server.adminUrl);
    expect(page.sum('tidegate_refusals_total', { reason: 'UPSTREAM_REFUSED' })).toBe(1);
    expect(page.sum('tidegate_dial_duration_seconds_count', { outcome: 'failed' })).toBe(1);
    expect(page.sum('tidegate_handshake_duration_seconds_count', { outcome: 'refused' })).toBe(1);
  });

  it('tells round trips of both sides', async () => {
    const stage = await Stage.start(frames, { admin, heartbeat: { interval: 60, timeout: 2000 } });
    const { client, target } = await stage.open();
    answerPings(client, target.ws);
    const count = async (side: string) =>
      (await scrape(stage.server.adminUrl)).sum('tidegate_ping_round_trip_seconds_count', { side }) ?? 0;
    await eventually(async () => (await count('downstream')) > 0 && (await count('upstream')) > 0, 'pongs came');
  });

  it('tells how often and how long clients are throttled, while they are', async () => {
    const stage = await Stage.start(frames, {
      admin,
      limits: { highWaterMark: 4096, lowWaterMark: 1024 },
      timeouts: { pressureDwell: 1 },
    });
    const { client, target, receiver } = await stage.open();
    client.connection.socket.pause();
    const block = Buffer.alloc(64 * 1024);
    const flood = setInterval(() => target.send(block), 1);
    onTestFinished(() => clearInterval(flood));
    await receiver.waitFor('throttled');
    clearInterval(flood);
    const first = await scrape(stage.server.adminUrl);
    expect(first.sum('tidegate_throttles_total', { side: 'downstream' })).toBe(1);
    expect(first.sum('tidegate_open_connections', { state: 'throttled' })).toBe(1);
    expect(first.sum('tidegate_buffered_bytes', { side: 'downstream' })).toBeGreaterThan(0);
    const second = await scrape(stage.server.adminUrl);
    const seconds = [first, second].map((page) => page.sum('tidegate_throttled_seconds_total', { side: 'downstream' }));
    expect(seconds[1]).toBeGreaterThan(seconds[0]!);
    client.destroy();
    await stage.nextReport();
    const over = await scrape(stage.server.adminUrl);
    expect(over.sum('tidegate_open_connections', { state: 'throttled' })).toBe(0);
    expect(over.sum('tidegate_throttles_total', { side: 'downstream' })).toBe(1);
  });

  it('tells of the process, in a registry of its own: that of the application is left alone', async () => {
    const stage = await Stage.start(frames, { admin });
    const page = await scrape(stage.server.adminUrl);
    expect(page.sum('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(page.sum('process_open_fds')).toBeGreaterThan(3);
    expect(page.sum('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    expect(register.getMetricsAsArray()).toEqual([]);
    expect(await (await fetch(`${stage.server.adminUrl}/metrics`, { method: 'HEAD' })).text()).toBe('');
  });

  const promtool = programPath('promtool');
  it.skipIf(promtool === undefined)('has a page that promtool finds nothing wrong with', async () => {
    const { balancer, visit } = await startBalancer(await startBackends('a'), { admin });
    await visit();
    const { status, stdout, stderr } = spawnSync(promtool!, ['check', 'metrics'], {
      input: await scrapeText(balancer.adminUrl),
      encoding: 'utf8',
    });
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  it('asks for its token', async () => {
    const stage = await Stage.start(frames, { admin: { ...admin, token: 'sesame-sesame-sesame' } });
    const { adminUrl } = stage.server;
    await expect(scrape(adminUrl)).rejects.toThrow('the answer is 401');
    expect((await scrape(adminUrl, 'sesame-sesame-sesame')).sum('tidegate_server_ready')).toBe(1);
  });
});

describe('a balancer', () => {
  it('tells of its backends and its pool', async () => {
    const { balancer, visit } = await startBalancer(await startBackends('a', 'b'), { admin });
    await visit();
    const page = await scrape(balancer.adminUrl);
    expect(page.sum('tidegate_backend_load')).toBe(1);
    expect(page.sum('tidegate_backend_available', { backend: 'a' })).toBe(1);
    expect(page.sum('tidegate_backends', { state: 'ready' })).toBe(2);
    expect(page.sum('tidegate_backends_by_health', { health: 'healthy' })).toBe(2);
    expect(page.sum('tidegate_pool_state', { state: 'available' })).toBe(1);
    expect(page.sum('tidegate_pool_state')).toBe(1);
    expect(page.sum('tidegate_registrations_total', { outcome: 'accepted' })).toBe(0);
  });

  it('tells many backends as one: they choose their names', async () => {
    const { url } = await startUpstream();
    const backends = Array.from({ length: 150 }, (_, index) => ({ id: `b${index}`, url }));
    const balancer = new LoadBalancer({ listen: '127.0.0.1:0', backends, health: { check: 'off' }, admin });
    onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
    await balancer.start();
    const page = await scrape(balancer.adminUrl);
    const { samples } = page.families.get('tidegate_backend_available')!;
    expect(samples).toHaveLength(101);
    expect(page.sum('tidegate_backend_available', { backend: 'other' })).toBe(50);
  });
});

describe('whatever clients send', () => {
  it('there are no more series than before, but for the words of our own about their ends', async () => {
    const factory = receiverFactory({ onUpgradeRequest: ({ path }) => (path.startsWith('/no') ? reject(403) : true) });
    const { server, port, open, events } = await startReceivers({ admin, receiver: factory.create });
    const quiet = await scrape(server.adminUrl);
    for (let at = 0; at < 40; at += 1) {
      const hostile = `"}\\n${'x'.repeat(50)}${at}`;
      const headers = { 'User-Agent': hostile, Authorization: `Basic ${btoa(`user${at}:x`)}`, Origin: `http://o${at}` };
      await handshake({ port, path: `/no/${encodeURIComponent(hostile)}`, headers });
      const client = await open({ path: `/yes/${at}?q=${at}`, headers, subprotocols: [`sub${at}`] }).catch(() =>
        open({ path: `/yes/${at}?q=${at}`, headers }),
      );
      client.sendClose(3000 + at * 49, hostile);
      await events.reports.next();
    }
    const page = await scrape(server.adminUrl);
    const added = page.samples.length - quiet.samples.length;
    // Ends with 3xxx and with 4xxx; the reasons of refusals; the garbage collector may have been seen for the first time.
    const own = page.samples.filter(({ name }) => name.startsWith('tidegate_'));
    const ownBefore = quiet.samples.filter(({ name }) => name.startsWith('tidegate_'));
    expect(own.length - ownBefore.length).toBeLessThanOrEqual(4);
    expect(added).toBeLessThan(60);
    expect(page.sum('tidegate_connections_closed_total', { code: '3xxx' })).toBeGreaterThan(0);
    expect(page.sum('tidegate_connections_closed_total', { code: '4xxx' })).toBeGreaterThan(0);
    expect(await scrapeText(server.adminUrl)).not.toContain('xxxxx');
  });
});

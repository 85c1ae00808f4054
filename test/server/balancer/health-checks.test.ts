/** Owns that backends are checked: when, how, and what follows when they are not well. */
import { describe, expect, it } from 'vitest';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { eventually } from '../../support/events.js';
import { startTcpPeer, startUpstream } from '../../support/for-one-test.js';
import { Opcode } from '../../support/frames.js';
import type { RawPeer } from '../../support/raw-upstream.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { localhostCertificate } from '../../support/tls.js';
import { startBalancer, startEchoBackend } from './balancer-with-backends.js';

const OFTEN = { interval: 100, timeout: 1000, rise: 2, fall: 3 } as const;

describe('a backend that nobody listens on', () => {
  it('is unhealthy after its first check, and gets no clients', async () => {
    const port = await refusedPort();
    const good = await startEchoBackend();
    const backends = [
      { id: 'dead', url: `ws://127.0.0.1:${port}` },
      { id: 'good', url: good.url },
    ];
    const { told, open, backend } = await startBalancer({
      backends,
      policy: 'first',
      health: { ...OFTEN, check: 'tcp' },
    });
    await told('backend.health dead unhealthy');
    const { lastCheck, health, available } = backend('dead');
    expect({ health, available }).toEqual({ health: 'unhealthy', available: false });
    expect(lastCheck).toMatchObject({ passed: false, reason: expect.stringContaining('ECONNREFUSED') });
    expect(Date.parse(lastCheck!.at)).toBeLessThanOrEqual(Date.now());
    expect(lastCheck!.latency).toBeGreaterThan(0);
    await open();
    expect(good.clients.size).toBe(1);
    expect(backend('good')).toMatchObject({ health: 'healthy', load: 1, lastCheck: { passed: true } });
  });

  it('is healthy after the first check that passes: nothing was known of it before', async () => {
    const port = await refusedPort();
    const url = `ws://127.0.0.1:${port}`;
    const { told, lines } = await startBalancer({
      backends: [{ id: 'a', url }],
      health: { ...OFTEN, rise: 1000, check: 'tcp' },
    });
    await told('backend.health a unhealthy');
    await startEchoBackend(port);
    await told('backend.health a healthy');
    expect(lines.filter((line) => line.startsWith('backend.health'))).toHaveLength(2);
  });
});

describe('an HTTP check', () => {
  it.each([
    ['200', 'healthy'],
    ['204', 'healthy'],
    ['302', 'healthy'],
    ['404', 'unhealthy'],
    ['500', 'unhealthy'],
  ])('that is answered with %s finds a backend %s', async (status, health) => {
    const upstream = await startUpstream({ answer: { status: Number(status), statusText: 'So' } });
    const url = `${upstream.url}/app`;
    const { backend } = await startBalancer({ backends: [{ id: 'a', url }], health: { ...OFTEN, check: 'http' } });
    await eventually(() => backend('a').lastCheck !== undefined, 'it was checked');
    expect(backend('a')).toMatchObject({ health, lastCheck: { passed: health === 'healthy' } });
    if (health === 'unhealthy') {
      expect(backend('a').lastCheck?.reason).toContain(`GET /app was answered with ${status} So`);
    }
    const asked = upstream.peers[0]!;
    expect(asked.requestLine).toBe('GET /app HTTP/1.1');
    expect(asked.headers).toMatchObject({ host: `127.0.0.1:${upstream.port}`, connection: 'close' });
  });

  it('asks for the path of the option', async () => {
    const upstream = await startUpstream({ answer: { status: 200 } });
    await startBalancer({
      backends: [upstream.url],
      health: { ...OFTEN, check: 'http', path: '/health?deep=1' },
    });
    expect((await upstream.nextConnection()).requestLine).toBe('GET /health?deep=1 HTTP/1.1');
  });

  it('has to fail `fall` times in a row, and to pass `rise` times in a row', async () => {
    // 1 well; 2 and 3 not, 4 well: not enough. 5 to 7 not: unhealthy. 8 well, 9 not, 10 and 11 well: healthy.
    const script = [200, 503, 503, 200, 503, 503, 503, 200, 503, 200, 200];
    const seen: string[] = [];
    const upstream = await startUpstream({
      onUpgrade: (_, peer) => {
        seen.push(stage.lines.filter((line) => line.startsWith('backend.health')).at(-1) ?? 'nothing');
        peer.refuse({ status: script[seen.length - 1] ?? 200 });
      },
    });
    const stage = await startBalancer({
      backends: [{ id: 'a', url: upstream.url }],
      health: { ...OFTEN, interval: 100, check: 'http' },
    });
    await eventually(() => seen.length > script.length, 'every answer was given');
    const down = 'backend.health a unhealthy';
    const nothing = 'nothing';
    expect(seen.slice(0, script.length)).toEqual([...Array(7).fill(nothing), ...Array(4).fill(down)]);
    expect(seen[script.length]).toBe('backend.health a healthy');
  });
});

describe('a WebSocket check', () => {
  it('is a handshake, a ping, its pong, and a Close frame', async () => {
    const upstream = await startUpstream();
    const { backend } = await startBalancer({
      backends: [{ id: 'a', url: `${upstream.url}/ws` }],
      health: { ...OFTEN, interval: '1m', check: 'websocket' },
    });
    const peer = await upstream.nextConnection();
    expect(peer.requestLine).toBe('GET /ws HTTP/1.1');
    peer.sendText('what an application sends of its own accord');
    const ping = await peer.nextFrame();
    expect(ping).toMatchObject({ opcode: Opcode.Ping, masked: true, fin: true });
    peer.sendPong('another one');
    peer.sendPing('are you there?');
    expect((await peer.nextFrame(Opcode.Pong)).payload.toString()).toBe('are you there?');
    peer.sendPong(ping.payload);
    expect(await peer.answerClose()).toMatchObject({ code: 1000 });
    await eventually(() => backend('a').lastCheck?.passed === true, 'it passed');
    await eventually(() => upstream.openConnections === 0, 'nothing is left of it');
  });

  const broken: readonly [string, (peer: RawPeer) => unknown, string][] = [
    ['answers no ping', () => {}, 'no answer within 200 ms'],
    ['hangs up', (peer) => peer.end(), 'hung up before its pong'],
    ['sends a Close frame', (peer) => peer.sendClose(1013), 'Close frame before its pong'],
    ['sends masked frames', (peer) => peer.sendRaw(Buffer.from([0x89, 0x80, 1, 2, 3, 4])), 'no frame'],
  ];
  it.each(broken)('fails for a backend that %s', async (_, misbehave, reason) => {
    const upstream = await startUpstream({
      onUpgrade: (_head, peer) => {
        peer.accept();
        misbehave(peer);
      },
    });
    const { told, backend } = await startBalancer({
      backends: [{ id: 'a', url: upstream.url }],
      health: { ...OFTEN, timeout: 200, check: 'websocket' },
    });
    await told('backend.health a unhealthy');
    expect(backend('a').lastCheck?.reason).toContain(reason);
  });

  it('fails for a backend that refuses the handshake', async () => {
    const upstream = await startUpstream({ answer: { status: 401, statusText: 'Who?' } });
    const { told, backend } = await startBalancer({
      backends: [{ id: 'a', url: upstream.url }],
      health: { ...OFTEN, check: 'websocket' },
    });
    await told('backend.health a unhealthy');
    expect(backend('a').lastCheck?.reason).toContain('its answer was 401 Who?');
  });
});

describe('what a check goes through', () => {
  it('is TLS where the backend speaks TLS: a certificate that is not trusted fails it', async () => {
    const upstream = await startUpstream({ tls: localhostCertificate, answer: { status: 200 } });
    const backends = [{ id: 'a', url: upstream.url }];
    const trusting = await startBalancer({
      backends,
      health: { ...OFTEN, check: 'http' },
      upstreamTls: { ca: [localhostCertificate.cert] },
    });
    await eventually(() => trusting.backend('a').lastCheck?.passed === true, 'it passes');
    const careful = await startBalancer({ backends, health: { ...OFTEN, check: 'tcp' } });
    await careful.told('backend.health a unhealthy');
    expect(careful.backend('a').lastCheck?.reason).toContain('certificate');
  });

  it('is the connect hook, and begins with the PROXY protocol when clients do', async () => {
    const peer = await startTcpPeer();
    const asked: string[] = [];
    await startBalancer({
      backends: [peer.url],
      health: { ...OFTEN, interval: '1m', check: 'tcp' },
      sendProxyProtocol: 'v1',
      connect: (target) => {
        asked.push(target.href);
        return undefined;
      },
    });
    const connection = await peer.nextConnection();
    expect((await connection.readUntil('\r\n')).toString()).toBe('PROXY UNKNOWN\r\n');
    expect(asked).toEqual([peer.url]);
  });
});

describe('checks', () => {
  it('of many backends do not come together', async () => {
    const upstreams = await Promise.all(Array.from({ length: 12 }, () => startUpstream({ answer: { status: 200 } })));
    const seconds: number[] = [];
    const counts = upstreams.map(() => 0);
    const stage = await startBalancer({
      backends: upstreams.map(({ url }) => url),
      health: { ...OFTEN, interval: 400, check: 'http' },
    });
    await eventually(() => {
      for (const [at, { peers }] of upstreams.entries()) {
        if (counts[at]! < 2 && peers.length >= 2) seconds.push(performance.now());
        counts[at] = peers.length;
      }
      return seconds.length === upstreams.length;
    }, 'each was checked twice');
    expect(stage.lines.filter((line) => line.startsWith('backend.health'))).toEqual([]);
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(100);
  });

  it('end while a backend is drained, and begin anew when it is resumed', async () => {
    const upstream = await startUpstream({ answer: { status: 200 } });
    const { balancer, backend } = await startBalancer({
      backends: [{ id: 'a', url: upstream.url }],
      health: { ...OFTEN, interval: 60_000, check: 'http' },
    });
    await eventually(() => backend('a').lastCheck !== undefined, 'it was checked');
    balancer.drainBackend('a');
    expect(upstream.peers).toHaveLength(1);
    balancer.resumeBackend('a');
    // Long before the interval is over.
    await eventually(() => upstream.peers.length === 2, 'it is checked again');
  });

  it('take nobody for dead because this process was busy', async () => {
    const upstream = await startUpstream({ answer: { status: 200 } });
    const { backend, lines } = await startBalancer({
      backends: [{ id: 'a', url: upstream.url }],
      health: { ...OFTEN, timeout: 200, fall: 1, check: 'http' },
    });
    const busyUntil = performance.now() + 500;
    // Its first check is under way: what it waits for comes when nobody looks.
    while (performance.now() < busyUntil);
    await eventually(() => backend('a').lastCheck !== undefined, 'it was checked');
    expect(backend('a')).toMatchObject({ health: 'healthy', lastCheck: { passed: true } });
    expect(lines.filter((line) => line.startsWith('backend.health'))).toEqual([]);
  });

  it('leave nothing behind when the server stops, also those that wait for an answer', async () => {
    const hanging = await startTcpPeer();
    const before = holdings();
    const { balancer } = await startBalancer({
      backends: [{ id: 'a', url: `ws://127.0.0.1:${hanging.port}` }],
      health: { ...OFTEN, timeout: 60_000, check: 'websocket' },
    });
    const connection = await hanging.nextConnection();
    await connection.readUntil('\r\n\r\n');
    await balancer.stop();
    connection.destroy();
    await expectQuiet(before);
  });

  it('that fail send the clients away, with a time after which to come back', async () => {
    let healthy = true;
    const upstream = await startUpstream({
      onUpgrade: (head, peer) => {
        if (head.includes('Upgrade')) peer.accept();
        else peer.refuse({ status: healthy ? 200 : 503 });
      },
    });
    const { open, told, backend } = await startBalancer({
      backends: [{ id: 'a', url: upstream.url }],
      health: { ...OFTEN, check: 'http', path: '/health' },
      drain: { minDelay: 100, maxDelay: 200 },
    });
    const client = await open();
    await eventually(() => backend('a').lastCheck?.passed === true, 'it passed once');
    healthy = false;
    const { code, reason } = await client.expectClose();
    expect(code).toBe(1012);
    const { retryAfterMs } = JSON.parse(reason);
    expect(retryAfterMs).toBeGreaterThanOrEqual(100);
    expect(retryAfterMs).toBeLessThanOrEqual(200);
    await told('backend.health a unhealthy');
  });
});

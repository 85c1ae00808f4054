/** Owns what becomes of plain requests when a backend or a client fails: who is told what, who is asked next, and that nothing stays. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { refusedPort } from '../support/tcp-peer.js';
import { bodyOf, type RunningBalancer, startBackend, startBalancer, startRawBackend } from './http-stage.js';

const dead = async () => ({ url: `ws://127.0.0.1:${await refusedPort()}` });

/** A backend whose connections are cut when a request has come. */
const cutting = (answer = '') =>
  startRawBackend((socket) =>
    socket.once('data', () => {
      if (answer === '') socket.destroy();
      else socket.end(answer, 'latin1');
    }),
  );

/** What its errors are is not asked. */
const closeOf = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

const isQuiet = ({ server }: RunningBalancer) => server.backends().every(({ load }) => load === 0);

describe('a request that no backend answers', () => {
  it('gets 502 when none can be reached', async () => {
    const balancer = await startBalancer([await dead()]);
    const client = await balancer.talk();
    const { status, text, head } = await client.ask('GET /x');
    expect(status).toBe(502);
    expect(text).toMatch(/refused the connection/);
    expect(head.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(await balancer.reports.next()).toMatchObject({ status: 502, error: { code: 'UPSTREAM_REFUSED' } });
    expect(isQuiet(balancer)).toBe(true);
    // The connection of the client is fine.
    expect((await client.ask('HEAD /y')).status).toBe(502);
  });

  it('gets 503 and when to come back when there is none', async () => {
    const { talk, reports } = await startBalancer([], { retryAfter: 7000 });
    const { status, head } = await (await talk()).ask('GET /');
    expect([status, head.headers['retry-after']]).toEqual([503, '7']);
    expect(await reports.next()).toMatchObject({ backend: undefined, error: { code: 'NO_BACKEND' } });
  });

  it('gets 503 when all are full', async () => {
    const backend = await startBackend(() => {});
    const { talk } = await startBalancer([], { backends: [{ url: backend.url, capacity: 1 }] });
    (await talk()).send('GET /1');
    await eventually(() => backend.requests.length === 1, 'the first is being answered');
    expect((await (await talk()).ask('GET /2')).status).toBe(503);
  });

  it.each([
    ['GET', 1],
    ['POST', 1],
  ])('gets 504 when it does not begin its answer in time, and %s is asked for %i time', async (method, times) => {
    const backends = [await startBackend(() => {}), await startBackend(() => {})];
    const balancer = await startBalancer(backends, { http: { timeout: 50 } });
    expect((await (await balancer.talk()).ask(`${method} /`)).status).toBe(504);
    expect(await balancer.reports.next()).toMatchObject({ error: { code: 'UPSTREAM_NO_ANSWER' } });
    expect(backends.flatMap(({ requests }) => requests)).toHaveLength(times);
    expect(isQuiet(balancer)).toBe(true);
  });

  it('gets 504 when there is no connection in time', async () => {
    const connect = () => new Promise<undefined>(() => {});
    const { talk } = await startBalancer([await dead()], { connect, timeouts: { dial: 50 } });
    expect((await (await talk()).ask('GET /')).status).toBe(504);
  });

  it.each([
    ['is no HTTP', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    [
      'has a body in a coding that is not ours to take off',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'ends its body in two places',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['goes on with another protocol', 'HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
    ['has a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['breaks off in its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ])('gets 502 when the answer %s', async (_what, answer) => {
    const balancer = await startBalancer([await cutting(answer)]);
    expect((await (await balancer.talk()).ask('POST /')).status).toBe(502);
    expect(isQuiet(balancer)).toBe(true);
  });
});

describe('another backend is tried', () => {
  it('for any request while none was reached', async () => {
    const good = await startBackend(async (request, response) => response.end(await bodyOf(request)));
    const balancer = await startBalancer([await dead(), await dead(), good], { policy: 'first' });
    const client = await balancer.talk();
    const { status, text } = await client.ask('POST /', ['Content-Length: 4'], 'body');
    expect([status, text]).toEqual([200, 'body']);
    expect(await balancer.reports.next()).toMatchObject({ retries: 2, backend: good.url, error: undefined });
    expect(isQuiet(balancer)).toBe(true);
  });

  it('when a request that may be repeated was read and not answered', async () => {
    const bad = await cutting();
    const good = await startBackend();
    const { talk } = await startBalancer([bad, good], { policy: 'first' });
    const client = await talk();
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
      expect((await client.ask(`${method} /`)).status).toBe(200);
    }
    expect(bad.sockets.length).toBeGreaterThanOrEqual(1);
  });

  it.each(['POST', 'PATCH'])('not when a %s may have been done already', async (method) => {
    const good = await startBackend();
    const { talk } = await startBalancer([await cutting(), good], { policy: 'first' });
    expect((await (await talk()).ask(`${method} /`)).status).toBe(502);
    expect(good.requests).toHaveLength(0);
  });

  it('not when something of its body was sent', async () => {
    const good = await startBackend();
    const { talk } = await startBalancer([await cutting(), good], { policy: 'first' });
    expect((await (await talk()).ask('PUT /', ['Content-Length: 4'], 'body')).status).toBe(502);
    expect(good.requests).toHaveLength(0);
  });

  it('as often as http.retries says', async () => {
    const backends = [await dead(), await dead(), await startBackend()];
    const { talk, reports } = await startBalancer(backends, { policy: 'first', http: { retries: 1 } });
    expect((await (await talk()).ask('GET /')).status).toBe(502);
    expect((await reports.next()).retries).toBe(1);
  });

  it('and the same one again on a new connection, when it closed the one that it had been asked by', async () => {
    const backend = await startRawBackend((socket, connection) => {
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (connection === 1 && requests === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const { talk, reports } = await startBalancer([backend], { http: { retries: 0 }, failover: { budget: 0 } });
    const client = await talk();
    expect((await client.ask('GET /1')).status).toBe(200);
    expect((await client.ask('GET /2')).text).toBe('ok');
    expect(backend.sockets).toHaveLength(2);
    await reports.next();
    expect(await reports.next()).toMatchObject({ retries: 1, error: undefined });
  });
});

describe('an answer that breaks off', () => {
  it.each([
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
    ['of a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf'],
  ])('%s never looks complete', async (_how, answer) => {
    const balancer = await startBalancer([await cutting(answer)]);
    const client = await balancer.talk();
    client.send('GET /');
    const bytes = (await client.connection.readAll().catch(() => Buffer.from('reset'))).toString();
    expect(bytes).not.toMatch(/0\r\n\r\n$/);
    expect(bytes).toMatch(/half(\r\n)?$|reset/);
    expect(await balancer.reports.next()).toMatchObject({ complete: false, error: { code: 'UPSTREAM_LOST' } });
    expect(isQuiet(balancer)).toBe(true);
  });

  it('because the backend says nothing any more is cut', async () => {
    const backend = await startBackend((_request, response) => response.write('half'));
    const { talk, reports } = await startBalancer([backend], { http: { idleTimeout: 50 } });
    const client = await talk();
    client.send('GET /');
    await client.connection.waitForEnd();
    expect(await reports.next()).toMatchObject({ complete: false, bytesSent: 4, error: { code: 'UPSTREAM_LOST' } });
  });

  it('because the client reads nothing is cut', async () => {
    const backend = await startBackend((_request, response) => response.end(Buffer.alloc(64 * 1024 * 1024)));
    const { talk, reports } = await startBalancer([backend], { timeouts: { writeStall: 100 } });
    const client = await talk();
    client.connection.pauseReading();
    client.send('GET /');
    expect(await reports.next()).toMatchObject({ complete: false, error: { code: 'DOWNSTREAM_GONE' } });
  });
});

describe('a client that leaves', () => {
  it.each([
    ['while it waits', () => {}],
    ['in the midst of its answer', (response: { write(text: string): void }) => response.write('half')],
  ])('%s ends what its backend does for it', async (_when, begin) => {
    const backend = await startBackend((request, response) => {
      request.on('error', () => {});
      begin(response);
    });
    const balancer = await startBalancer([backend]);
    const client = await balancer.talk();
    client.send('GET /');
    await eventually(() => backend.requests.length === 1, 'the backend is at work');
    const gone = closeOf(backend.connections[0]!);
    client.connection.destroy();
    await gone;
    expect(await balancer.reports.next()).toMatchObject({ complete: false });
    expect(isQuiet(balancer)).toBe(true);
  });

  it.each([
    ['by length', 'Content-Length: 100'],
    ['in chunks', 'Transfer-Encoding: chunked'],
  ])('in the midst of its own body, sent %s, does not look as if it had sent all of it', async (_how, field) => {
    const backend = await startBackend((request) => request.on('error', () => {}).resume());
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.send('POST /', [field], '4\r\nhalf\r\n');
    await eventually(() => backend.requests.length === 1, 'the backend is at work');
    const gone = closeOf(backend.connections[0]!);
    client.connection.destroy();
    await gone;
    expect(backend.requests[0]!.complete).toBe(false);
  });
});

describe('a body that does not come on', () => {
  it('from the client gets 408', async () => {
    const backend = await startBackend((request) => request.on('error', () => {}).resume());
    const { talk, reports } = await startBalancer([backend], { http: { bodyTimeout: 50 } });
    const client = await talk();
    expect((await client.ask('POST /', ['Content-Length: 100'], 'half')).status).toBe(408);
    expect(await client.connection.waitForEnd()).toBe('fin');
    expect(await reports.next()).toMatchObject({ error: { code: 'REQUEST_TIMEOUT' }, bytesReceived: 4 });
  });

  it('because the backend takes nothing of it gets 504', async () => {
    const backend = await startBackend((request) => request.pause());
    const { talk } = await startBalancer([backend], { http: { bodyTimeout: 300 } });
    const client = await talk();
    client.send('POST /', [`Content-Length: ${64 * 1024 * 1024}`]);
    client.connection.write(Buffer.alloc(64 * 1024 * 1024));
    expect((await client.answer()).status).toBe(504);
  });

  it('any further because the backend has answered already does not keep the answer from the client', async () => {
    const backend = await startBackend((_request, response) => response.writeHead(401).end('who are you?'));
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.send('POST /', ['Content-Length: 100000'], 'half');
    const { status, text } = await client.answer();
    expect([status, text]).toEqual([401, 'who are you?']);
    expect(await client.connection.waitForEnd()).toBe('fin');
  });
});

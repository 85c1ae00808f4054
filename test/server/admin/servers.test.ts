/** Holds what an admin API does to a whole server, and that one of them may be of several servers. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { AdminServer, type AdminServerOptions, ConnectionReceiver, ReceiverServer } from '../../../src/index.js';
import { openClient } from '../../support/for-one-test.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { localhostCertificate } from '../../support/tls.js';
import { type AdminAnswer, askAdmin } from './ask-admin.js';
import { createServer, KINDS, startAdministered } from './stage.js';

const TOKEN = 'a-t0ken-of-sixteen-and-more';

describe.each(KINDS.filter((kind) => kind !== 'balancer'))('a %s', (kind) => {
  it('has nothing to reload, and no log of its own, where an application runs it', async () => {
    const { ask } = await startAdministered(kind);
    expect(await ask('POST', '/api/v1/reload')).toMatchObject({
      status: 409,
      body: { error: { code: 'NOTHING_TO_RELOAD' } },
    });
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { level: 'debug' }],
    ] as const) {
      const answer = await ask(method, '/api/v1/log-level', body);
      expect(answer).toMatchObject({ status: 501, body: { error: { code: 'NO_LOG_LEVEL' } } });
    }
    const wrong = await ask('PUT', '/api/v1/log-level', { level: 'loud' });
    const message = 'level: got "loud"; expected one of trace, debug, info, warn, error, fatal, silent';
    expect(wrong).toMatchObject({ status: 400, body: { error: { message } } });
  });
});

it('a server is drained: the answer comes at once, it is not ready any more, and clients are sent away', async () => {
  const { server, ask, port } = await startAdministered('receiver');
  const client = await openClient({ port });
  const stopped = new Promise<void>((resolve) => server.once('shutdown', () => resolve()));
  const { status, body } = await ask('POST', '/api/v1/drain');
  expect([status, body]).toEqual([202, { state: 'draining' }]);
  expect((await ask('GET', '/readyz')).body).toEqual({ ready: false, detail: 'the server is draining' });
  expect((await ask('GET', '/healthz')).status).toBe(200);
  await expect(openClient({ port })).rejects.toThrow();
  expect(await client.answerClose()).toMatchObject({ code: 1001 });
  await stopped;
  expect([server.state, server.adminUrl]).toEqual(['stopped', undefined]);
});

it('a server sends all of its clients away, or cuts them, and goes on; its numbers say that it was the operator', async () => {
  const { ask, port } = await startAdministered('receiver');
  const first = await openClient({ port });
  const away = await ask('POST', '/api/v1/disconnect-all');
  expect([away.status, away.body]).toEqual([202, { connections: 1 }]);
  expect(await first.answerClose()).toMatchObject({ code: 1001, reason: 'disconnected by the operator' });
  await first.waitForEnd();
  const second = await openClient({ port });
  expect((await ask('POST', '/api/v1/terminate-all')).body).toEqual({ connections: 1 });
  await second.waitForEnd();
  const { body } = await ask('GET', '/api/v1/stats');
  expect(body).toMatchObject({
    state: 'running',
    opened: 2,
    closed: 2,
    closes: expect.arrayContaining([
      { initiator: 'operator', cause: 'disconnected', status: 1001, count: 1 },
      { initiator: 'operator', cause: 'terminated', status: 1006, count: 1 },
    ]),
    process: { pid: process.pid, node: process.version, version: expect.stringMatching(/^\d/) },
  });
});

it('a server with TLS reads its certificates again', async () => {
  const server = new ReceiverServer({
    listen: { host: '127.0.0.1', port: 0, tls: localhostCertificate },
    admin: { listen: '127.0.0.1:0' },
    receiver: () => new ConnectionReceiver(),
  });
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  await server.start();
  const { body } = await askAdmin(server.adminUrl!, { method: 'POST', path: '/api/v1/reload' });
  expect(body).toMatchObject({ certificates: [{ listener: '127.0.0.1:0', result: 'unchanged' }] });
});

describe('an AdminServer', () => {
  async function several() {
    const [web, lb] = [createServer('receiver'), createServer('balancer')];
    const admin = new AdminServer({ listen: '127.0.0.1:0', token: TOKEN, servers: { web, lb } });
    onTestFinished(() => admin.close());
    for (const server of [web, lb]) onTestFinished(() => server.stop({ drainTimeout: 0 }));
    const url = await admin.start();
    const ask = (path: string, method = 'GET'): Promise<AdminAnswer> =>
      askAdmin(url, { path, method, headers: { Authorization: `Bearer ${TOKEN}` } });
    return { web, lb, admin, url, ask };
  }

  it('answers for each of its servers, the first where none is named, whether they run or not', async () => {
    const { web, lb, ask, admin, url } = await several();
    expect(admin.url).toBe(url);
    await expect(admin.start()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    expect((await ask('/readyz')).body).toEqual({ ready: false, detail: 'web: the server is stopped' });
    expect((await ask('/api/v1/connections')).body).toEqual({ connections: [], matched: 0 });
    expect((await ask('/api/v1/drain', 'POST')).body).toMatchObject({ error: { code: 'NOT_RUNNING' } });
    await Promise.all([web.start(), lb.start()]);
    expect((await ask('/readyz')).body).toEqual({ ready: true, detail: '2 servers are ready' });
    const kindOf = async (query: string) => ((await ask(`/api/v1/stats${query}`)).body as { kind: string }).kind;
    expect(await kindOf('')).toBe('receiver');
    expect(await kindOf('?server=')).toBe('receiver');
    expect(await kindOf('?server=lb')).toBe('balancer');
    expect((await ask('/api/v1/stats?server=lb')).body).toMatchObject({ pool: { state: 'available', backends: 1 } });
    expect((await ask('/api/v1/backends')).status).toBe(404);
    expect((await ask('/api/v1/backends?server=lb')).status).toBe(200);
    for (const name of ['LB', '__proto__', 'constructor']) {
      expect(await ask(`/api/v1/stats?server=${name}`)).toMatchObject({
        status: 400,
        body: { error: { message: `server: got "${name}"; expected one of "web", "lb"` } },
      });
    }
  });

  it('drains one of them, and stays there for the others', async () => {
    const { web, lb, ask } = await several();
    await Promise.all([web.start(), lb.start()]);
    const stopped = new Promise<void>((resolve) => lb.once('shutdown', () => resolve()));
    expect((await ask('/api/v1/drain?server=lb', 'POST')).status).toBe(202);
    await stopped;
    expect((await ask('/readyz')).body).toEqual({ ready: false, detail: 'lb: the balancer is stopped' });
    expect(web.state).toBe('running');
  });

  it('can be closed and started again, and rejects when its address is taken', async () => {
    const { admin, url } = await several();
    await admin.close();
    await admin.close();
    expect(admin.url).toBeUndefined();
    await expect(askAdmin(url, { path: '/healthz' })).rejects.toThrow('ECONNREFUSED');
    const again = await admin.start();
    expect((await askAdmin(again, { path: '/healthz' })).status).toBe(200);
    const other = new AdminServer({ listen: again.replace('http://', ''), servers: { web: createServer('receiver') } });
    await expect(other.start()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await admin.close();
    await other.start();
    await other.close();
  });

  const server = createServer('receiver');
  it.each<[string, unknown, string]>([
    ['nothing', undefined, "listen: got nothing; expected a port, 'host:port' or '[v6]:port'; servers: got nothing"],
    [
      'no servers',
      { listen: 1, servers: {} },
      'servers: got {}; expected servers by their names, such as { web: proxy }',
    ],
    [
      'a server in place of servers',
      { listen: 1, servers: server },
      'servers: got a server; expected servers by their',
    ],
    ['a list', { listen: 1, servers: [server] }, 'servers: got '],
    [
      'what is no server',
      { listen: 1, servers: { a: 5 } },
      'servers["a"]: got 5; expected a ProxyServer, a ReceiverServer or',
    ],
    [
      'one of them twice',
      { listen: 1, servers: { a: server, b: server } },
      'servers["b"]: got the server that is called "a" already',
    ],
    ['an empty name', { listen: 1, servers: { '': server } }, 'servers[""]: expected a name that is not empty'],
    [
      'an open address',
      { listen: '0.0.0.0:1', servers: { a: server } },
      'token: got nothing; expected a secret: without one',
    ],
    [
      'a short token',
      { listen: 1, token: 'short', servers: { a: server } },
      'token: got a value of type string; expected a secret of at',
    ],
    ['a wrong address', { listen: 'x', servers: { a: server } }, `listen: got "x"; expected a port`],
    ['an unknown option', { listen: 1, tokn: 'x', servers: { a: server } }, 'unknown option tokn: did you mean token?'],
    ['no function', { listen: 1, servers: { a: server }, exception: 5 }, 'exception: got 5; expected a function'],
  ])('refuses %s', (_, options, message) => {
    const make = () => new AdminServer(options as AdminServerOptions);
    expect(make).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });
});

it('a server whose admin API cannot be had does not start, and nothing of it listens', async () => {
  const { url } = await startAdministered('proxy');
  const port = await refusedPort();
  const listen = url.replace('http://', '');
  const second = new ReceiverServer({
    listen: `127.0.0.1:${port}`,
    admin: { listen },
    receiver: () => new ConnectionReceiver(),
  });
  const message = expect.stringContaining(listen);
  await expect(second.start()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE', message });
  await expect(openClient({ port })).rejects.toThrow('ECONNREFUSED');
});

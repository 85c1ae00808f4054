/** Holds what the admin API of a balancer answers and does. What is true of every server is in the folder `admin`. */
import { describe, expect, it } from 'vitest';
import { openClient } from '../../support/for-one-test.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { type AdminAnswer, askAdmin } from '../admin/ask-admin.js';
import { type NamedBackends, startBackends, startBalancer } from '../named-backends.js';

async function stage(names: string[], more: Parameters<typeof startBalancer>[1] = {}) {
  const backends = await startBackends('a', 'b', 'c');
  const own: NamedBackends = Object.fromEntries(names.map((name) => [name, backends[name]!]));
  const running = await startBalancer(own, { health: { check: 'off' }, admin: { listen: '127.0.0.1:0' }, ...more });
  const url = running.balancer.adminUrl!;
  const ask = (method: string, path: string, body?: unknown): Promise<AdminAnswer> =>
    askAdmin(url, { method, path, body });
  return { ...running, backends, url, ask };
}

describe('backends', () => {
  it('are listed, with the pool in a few numbers', async () => {
    const { ask } = await stage(['a', 'b']);
    const { status, body, headers } = await ask('GET', '/api/v1/backends');
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({
      backends: [{ id: 'a', state: 'ready', health: 'healthy', available: true }, { id: 'b' }],
    });
    expect((await ask('GET', '/api/v1/backends/a')).body).toMatchObject({ id: 'a', source: 'config', load: 0 });
    const pool = { state: 'available', backends: 2, available: 2, draining: 0, unhealthy: 0, load: 0, waiting: 0 };
    expect((await ask('GET', '/api/v1/pool')).body).toEqual(pool);
    expect((await ask('HEAD', '/api/v1/pool')).status).toBe(200);
  });

  it('are added, and get clients at once', async () => {
    const { ask, backends, visit } = await stage([]);
    expect((await ask('GET', '/readyz')).status).toBe(503);
    const { status, body, headers } = await ask('POST', '/api/v1/backends', { url: backends.a!.url, weight: 2 });
    expect(status).toBe(201);
    const { id } = body as { id: string };
    expect(body).toMatchObject({ url: backends.a!.url, source: 'api', weight: 2, capacity: 0 });
    expect(headers.location).toBe(`/api/v1/backends/${encodeURIComponent(id)}`);
    expect((await ask('GET', headers.location!)).body).toMatchObject({ id });
    expect((await visit()).backend).toBe('a');
    expect((await ask('GET', '/readyz')).body).toEqual({ ready: true, detail: '1 of 1 backends are available' });
  });

  it('are there again after a restart when they were added, and those that were removed are not', async () => {
    const { balancer, backends, ask } = await stage(['a']);
    await ask('POST', '/api/v1/backends', { id: 'x', url: backends.b!.url });
    await ask('POST', '/api/v1/backends', { id: 'y', url: backends.c!.url });
    await ask('DELETE', '/api/v1/backends/y');
    await ask('PATCH', '/api/v1/backends/x', { weight: 7 });
    await balancer.restart();
    const { body } = await askAdmin(balancer.adminUrl!, { path: '/api/v1/backends' });
    expect(body).toMatchObject({ backends: [{ id: 'a' }, { id: 'x', weight: 7 }] });
    expect((body as { backends: unknown[] }).backends).toHaveLength(2);
  });

  it('are drained: their clients are sent away, new ones go elsewhere, until they are resumed', async () => {
    const { ask, visit } = await stage(['a', 'b'], { policy: 'first' });
    const { client } = await visit();
    const { status, body } = await ask('POST', '/api/v1/backends/a/drain');
    expect([status, body]).toMatchObject([200, { id: 'a', state: 'draining', draining: 'operator', available: false }]);
    expect((await client.answerClose()).code).toBe(1012);
    expect((await visit()).backend).toBe('b');
    expect((await ask('POST', '/api/v1/backends/a/resume')).body).toMatchObject({
      id: 'a',
      state: 'ready',
      available: true,
    });
    expect((await visit()).backend).toBe('a');
  });

  it('are removed when their clients are gone', async () => {
    const { ask, visit, balancer } = await stage(['a', 'b'], {
      policy: 'first',
      drain: { whenRemoved: 'keep' },
      // The backend does not answer a Close frame.
      timeouts: { close: 100 },
    });
    const { client } = await visit();
    const gone = new Promise((resolve) => balancer.once('backend.gone', resolve));
    const { status, body } = await ask('DELETE', '/api/v1/backends/a');
    expect([status, body]).toMatchObject([202, { id: 'a', state: 'draining', draining: 'removed', load: 1 }]);
    expect((await ask('POST', '/api/v1/backends', { id: 'a', url: 'ws://127.0.0.1:1' })).status).toBe(409);
    client.sendClose(1000);
    await gone;
    expect((await ask('GET', '/api/v1/backends/a')).status).toBe(404);
    expect((await ask('GET', '/api/v1/pool')).body).toMatchObject({ backends: 1 });
  });

  it('that are full let clients wait, who are counted', async () => {
    const { ask, visit, balancer } = await stage(['a'], { queue: { max: 1, timeout: '1m' } });
    await ask('PATCH', '/api/v1/backends/a', { capacity: 1 });
    await visit();
    const second = visit();
    await expect.poll(() => balancer.pool().waiting).toBe(1);
    expect((await ask('GET', '/api/v1/pool')).body).toMatchObject({ state: 'full', waiting: 1, load: 1 });
    await ask('PATCH', '/api/v1/backends/a', { capacity: 2 });
    expect((await second).backend).toBe('a');
  });

  it('change their weight, capacity, tags and addresses while clients are on them', async () => {
    const { ask, visit, port, backends } = await stage(['a']);
    const { client } = await visit();
    const changes = { weight: 3, capacity: 1, tags: ['eu'], bindings: ['wss://a.example.org/'] };
    expect((await ask('PATCH', '/api/v1/backends/a', changes)).body).toMatchObject({
      ...changes,
      load: 1,
      available: false,
    });
    expect((await ask('GET', '/api/v1/pool')).body).toMatchObject({ state: 'full', available: 0 });
    expect((await askAdmin((await stage([])).url, { path: '/readyz' })).status).toBe(503);
    expect((await ask('PATCH', '/api/v1/backends/a', { capacity: 0, url: backends.b!.url })).body).toMatchObject({
      weight: 3,
      available: true,
    });
    const second = await openClient({ port });
    expect(await second.nextText()).toBe('b');
    client.sendText('still');
    expect(await backends.a!.peers[0]!.nextText()).toBe('still');
  });

  it('have ids with anything in them', async () => {
    const { ask, backends } = await stage([]);
    const id = `${backends.a!.url}/`;
    expect((await ask('POST', '/api/v1/backends', { url: id })).status).toBe(201);
    const path = `/api/v1/backends/${encodeURIComponent(id)}`;
    expect((await ask('POST', `${path}/drain`)).body).toMatchObject({ id, state: 'draining' });
    expect((await ask('DELETE', path)).body).toMatchObject({ id, state: 'gone' });
    expect((await ask('DELETE', path)).status).toBe(404);
  });
});

describe('a request that cannot be carried out changes nothing and says why', () => {
  it.each([
    ['GET', '/api/v1/backends/x', undefined, 404, 'UNKNOWN_BACKEND'],
    ['DELETE', '/api/v1/backends/x', undefined, 404, 'UNKNOWN_BACKEND'],
    ['POST', '/api/v1/backends/x/drain', undefined, 404, 'UNKNOWN_BACKEND'],
    ['PATCH', '/api/v1/backends/x', { weight: 2 }, 404, 'UNKNOWN_BACKEND'],
    ['PATCH', '/api/v1/backends/a', { weight: 0 }, 400, 'INVALID_OPTION'],
    ['PATCH', '/api/v1/backends/a', { id: 'b' }, 400, 'INVALID_OPTION'],
    ['PATCH', '/api/v1/backends/a', { url: 'tcp://a:1' }, 400, 'INVALID_OPTION'],
    ['PATCH', '/api/v1/backends/a', undefined, 400, 'ADMIN_BAD_REQUEST'],
    ['POST', '/api/v1/backends', undefined, 400, 'ADMIN_BAD_REQUEST'],
    ['POST', '/api/v1/backends', ['ws://a:1'], 400, 'ADMIN_BAD_REQUEST'],
    ['POST', '/api/v1/backends', {}, 400, 'INVALID_OPTION'],
    ['POST', '/api/v1/backends', { url: 'http://a' }, 400, 'INVALID_OPTION'],
    ['POST', '/api/v1/backends', { url: 'tcp://a:1' }, 400, 'INVALID_OPTION'],
    ['POST', '/api/v1/backends', { url: 'ws://a:1', wieght: 2 }, 400, 'INVALID_OPTION'],
    ['POST', '/api/v1/backends', { url: 'ws://a:1', id: 'a' }, 409, 'BACKEND_EXISTS'],
    ['POST', '/api/v1/backends', { url: 'ws://a:1', id: '../a' }, 400, 'INVALID_OPTION'],
    ['PUT', '/api/v1/backends', {}, 405, 'ADMIN_METHOD'],
    ['OPTIONS', '/api/v1/backends', undefined, 405, 'ADMIN_METHOD'],
    ['POST', '/healthz', undefined, 405, 'ADMIN_METHOD'],
    ['GET', '/api/v1/backends/a/drain', undefined, 405, 'ADMIN_METHOD'],
    ['GET', '/api/v1/backends/', undefined, 404, 'ADMIN_NOT_FOUND'],
    ['GET', '/api/v2/backends', undefined, 404, 'ADMIN_NOT_FOUND'],
    ['GET', '/api/v1/backends/%E0%A4%A', undefined, 400, 'ADMIN_BAD_REQUEST'],
  ])('%s %s %j: %i %s', async (method, path, body, status, code) => {
    const { ask, balancer } = await stage(['a', 'b']);
    const before = balancer.backends();
    const answer = await ask(method, path, body);
    expect(answer.body).toMatchObject({ error: { code } });
    expect(answer.status).toBe(status);
    const { error } = answer.body as { error: { message: string; help: string } };
    expect(error.message).not.toBe('');
    expect(error.help).not.toBe('');
    if (status === 405) expect(answer.headers.allow).toMatch(/^(GET|POST|PATCH|DELETE|HEAD|, )+$/);
    expect(balancer.backends()).toEqual(before);
  });
});

describe('the API comes and goes with its balancer', () => {
  it('says while it drains that it is not ready, and is gone afterwards', async () => {
    const { balancer, visit, url } = await stage(['a'], { timeouts: { close: 100 } });
    const { client } = await visit();
    expect((await askAdmin(url, { path: '/readyz' })).status).toBe(200);
    const stopped = balancer.stop();
    expect((await askAdmin(url, { path: '/readyz' })).body).toMatchObject({
      ready: false,
      detail: 'the balancer is draining',
    });
    expect((await askAdmin(url, { path: '/healthz' })).status).toBe(200);
    await client.answerClose();
    await stopped;
    expect(balancer.adminUrl).toBeUndefined();
    await expect(askAdmin(url, { path: '/healthz' })).rejects.toThrow('ECONNREFUSED');
  });

  it('fails the start when its address is taken, and then nothing listens', async () => {
    const first = await stage(['a']);
    const port = await refusedPort();
    const listen = first.url.replace('http://', '');
    const second = startBalancer(first.backends, { listen: `127.0.0.1:${port}`, admin: { listen } });
    await expect(second).rejects.toMatchObject({ code: 'ADDRESS_IN_USE', message: expect.stringContaining(listen) });
    await expect(openClient({ port })).rejects.toThrow('ECONNREFUSED');
  });
});

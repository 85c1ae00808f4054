/**
 * Holds that nobody but who runs a server gets at its admin API: no page of a browser, nobody without the token, by none of the routes
 * that the server really has.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LoadBalancer } from '../../../src/index.js';
import type { AdminRoute } from '../../../src/server/admin/admin-route.js';
import { type AdminQuestion, askAdmin } from './ask-admin.js';
import { createServer, KINDS, pathOf, routesOf, startAdministered } from './stage.js';

const TOKEN = 'a-t0ken-for-the-admin-api';
const BEARER = { Authorization: `Bearer ${TOKEN}` };

/** What asks for each route of a server, and would be carried out if nothing kept it out. */
function questions(routes: readonly AdminRoute[], headers: AdminQuestion['headers'] = {}): AdminQuestion[] {
  return routes.map((route) => ({ method: route.method, path: pathOf(route), headers }));
}

const FOREIGN: readonly [string, Record<string, string>][] = [
  ['a name that resolves to this machine', { Host: 'evil.example:9090' }],
  ['a name with more', { Host: 'localhost@evil.example' }],
  ['a name of the same end', { Host: 'notlocalhost' }],
  ['a name that begins like an address', { Host: '127.0.0.1.evil.example' }],
  ['a path as a name', { Host: 'localhost/evil.example' }],
  ['another origin', { Origin: 'https://evil.example' }],
  ['no origin in particular', { Origin: 'null' }],
  ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
  ['a fetch from elsewhere without an origin', { 'Sec-Fetch-Site': 'cross-site' }],
  ['a fetch from next door', { 'Sec-Fetch-Site': 'same-site' }],
];

describe.each(KINDS)('every route of a %s', (kind) => {
  it('is refused for a page of a browser from elsewhere, with the token and without', async () => {
    const { server, url, exceptions } = await startAdministered(kind, { token: TOKEN });
    for (const question of questions(routesOf(server))) {
      for (const [what, foreign] of FOREIGN) {
        const answer = await askAdmin(url, { ...question, headers: { ...BEARER, ...foreign } });
        expect(answer, what).toMatchObject({ status: 403, body: { error: { code: 'ADMIN_REFUSED' } } });
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    }
    expect([server.state, exceptions]).toEqual(['running', []]);
  });

  it('is refused without the token, but for the probes and the page of the dashboard', async () => {
    const { server, url } = await startAdministered(kind, { token: TOKEN });
    const routes = routesOf(server);
    const open = routes.filter((route) => route.open === true).map(({ path }) => path);
    expect(open.sort()).toEqual(['/', '/dashboard', '/healthz', '/readyz']);
    for (const question of questions(routes.filter((route) => route.open !== true))) {
      const answer = await askAdmin(url, question);
      expect(answer, question.path).toMatchObject({ status: 401, body: { error: { code: 'ADMIN_UNAUTHORIZED' } } });
    }
    expect(server.state).toBe('running');
  });

  it('that may change something takes what is said to be JSON only, even when there is nothing', async () => {
    const { server, url } = await startAdministered(kind);
    const changing = routesOf(server).filter(({ method }) => method !== 'GET' && method !== 'DELETE');
    expect(changing.length).toBeGreaterThan(8);
    for (const question of questions(changing)) {
      for (const type of [
        'application/x-www-form-urlencoded',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/jsonp',
        '',
      ]) {
        const body = type === '' ? Buffer.alloc(0) : '{"url":"ws://127.0.0.1:1"}';
        const answer = await askAdmin(url, { ...question, body, headers: { 'Content-Type': type } });
        expect(answer, `${question.path} ${type}`).toMatchObject({
          status: 415,
          body: { error: { code: 'ADMIN_BODY_TYPE' } },
        });
      }
    }
    expect(server.state).toBe('running');
  });

  it('answers so that no page can frame it, sniff in it or learn from it where somebody was', async () => {
    const { server, url } = await startAdministered(kind);
    // Streams are answered as long as they are read; those that end the server are left out.
    const reading = routesOf(server).filter(({ method, path }) => method === 'GET' && path !== '/api/v1/inspect');
    for (const question of [...questions(reading), { method: 'POST', path: '/nowhere' }, { path: '/%' }]) {
      const { headers } = await askAdmin(url, question);
      expect(headers, question.path).toMatchObject({
        'cache-control': expect.stringMatching(/^no-(store|cache)/),
        'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('tells by Allow which methods there are, and answers HEAD as GET without a body', async () => {
    const { server, url } = await startAdministered(kind);
    const routes = routesOf(server);
    const methodsOf = (path: string) => routes.filter((route) => route.path === path).map(({ method }) => method);
    for (const path of new Set(routes.map((route) => route.path))) {
      const route = routes.find((one) => one.path === path)!;
      for (const method of ['OPTIONS', 'TRACE', ...(methodsOf(path).includes('DELETE') ? [] : ['DELETE'])]) {
        const answer = await askAdmin(url, { method, path: pathOf(route) });
        const allowed = methodsOf(path).flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one]));
        expect([answer.status, answer.headers.allow], `${method} ${path}`).toEqual([405, allowed.join(', ')]);
      }
      if (!methodsOf(path).includes('GET')) continue;
      const head = await askAdmin(url, { method: 'HEAD', path: pathOf(route) });
      expect([head.text, head.status === 405], path).toEqual(['', false]);
    }
  });
});

describe('a request', () => {
  it('is refused without a Host', async () => {
    const { url } = await startAdministered('proxy');
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write('GET /api/v1/stats HTTP/1.0\r\n\r\n');
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 403 [\s\S]*ADMIN_REFUSED/);
  });

  it.each([
    ['its address', (host: string) => ({ Host: host })],
    ['localhost, by a forwarded port', () => ({ Host: 'localhost:4711' })],
    ['an IPv6 address', () => ({ Host: '[::1]:80' })],
    ['a page of its own', (host: string) => ({ Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' })],
    ['an address that is typed in', () => ({ 'Sec-Fetch-Site': 'none' })],
  ])('is answered for %s', async (_, headers) => {
    const { url } = await startAdministered('proxy');
    const { host } = new URL(url);
    expect((await askAdmin(url, { path: '/api/v1/servers', headers: headers(host) })).status).toBe(200);
  });

  it('is answered by the name that is listened on', async () => {
    const { url } = await startAdministered('receiver', { listen: 'localhost:0' });
    expect((await askAdmin(url, { path: '/healthz', headers: { Host: 'LOCALHOST' } })).status).toBe(200);
  });
});

describe('a token', () => {
  it.each([
    ['none', undefined],
    ['another', 'Bearer another-token-of-the-kind'],
    ['a part of it', `Bearer ${TOKEN.slice(0, -1)}`],
    ['one with more', `Bearer ${TOKEN} x`],
    ['one in another scheme', `Basic ${TOKEN}`],
    ['one that is empty', 'Bearer '],
  ])('is wanted: %s gets 401, and learns nothing', async (_, authorization) => {
    const { url } = await startAdministered('proxy', { token: TOKEN });
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    for (const path of ['/api/v1/stats', '/api/v1/nothing', '/api/v1/stats?server=other']) {
      const answer = await askAdmin(url, { path, headers });
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="tidegate"' } });
      expect(answer.text).not.toContain(TOKEN.slice(0, 8));
    }
    expect((await askAdmin(url, { path: '/healthz', headers })).status).toBe(200);
    expect((await askAdmin(url, { path: '/readyz', headers })).status).toBe(200);
  });

  it('opens it, and also on an address that others reach', async () => {
    const { url } = await startAdministered('receiver', { listen: '0.0.0.0:0', token: TOKEN });
    const headers = { Authorization: `bearer ${TOKEN}` };
    expect((await askAdmin(url, { path: '/api/v1/stats', headers })).status).toBe(200);
  });

  it.each(KINDS)('may not be left out by a %s on an address that others reach', (kind) => {
    for (const listen of ['0.0.0.0:1', '[::]:1', '192.0.2.1:1', 'localhost.example:1', '127.example:1']) {
      const text = 'admin.token: got nothing; expected a secret: without one only';
      expect(() => createServer(kind, { listen })).toThrow(text);
    }
  });

  it.each([[9090], ['9090'], ['127.0.0.1:1'], ['127.1.2.3:1'], ['[::1]:1'], ['localhost:1']])(
    'may be on %s',
    (listen) => {
      expect(() => new LoadBalancer({ backends: ['ws://a:1'], admin: { listen } })).not.toThrow();
    },
  );
});

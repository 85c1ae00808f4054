/** Holds that nobody but who runs a server gets at its admin API: no page of a browser, nobody without the token, no flood of bytes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadBalancer } from '../../../src/index.js';
import { askAdmin } from './ask-admin.js';

const TOKEN = 'a-t0ken-for-the-admin-api';

async function startAdmin(
  admin: { listen?: string; token?: string } = {},
): Promise<{ url: string; balancer: LoadBalancer }> {
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: ['ws://127.0.0.1:9'],
    health: { check: 'off' },
    admin: { listen: '127.0.0.1:0', ...admin },
  });
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  await balancer.start();
  return { url: balancer.adminUrl!, balancer };
}

describe('a page of a browser', () => {
  it.each([
    ['a name that resolves to this machine', { Host: 'evil.example:9090' }],
    ['a name with more', { Host: 'localhost@evil.example' }],
    ['a name of the same end', { Host: 'notlocalhost' }],
    ['another origin', { Origin: 'https://evil.example' }],
    ['no origin in particular', { Origin: 'null' }],
    ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
    ['a fetch from elsewhere without an origin', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a fetch from next door', { 'Sec-Fetch-Site': 'same-site' }],
  ])('is refused for %s, whatever it asks for', async (_, headers) => {
    const { url, balancer } = await startAdmin();
    for (const question of [
      { method: 'GET', path: '/api/v1/backends' },
      { method: 'GET', path: '/healthz' },
      { method: 'POST', path: '/api/v1/backends/ws%3A%2F%2F127.0.0.1%3A9/drain' },
      { method: 'OPTIONS', path: '/api/v1/backends' },
    ]) {
      const answer = await askAdmin(url, { ...question, headers });
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'ADMIN_REFUSED' } } });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect(balancer.backends()).toMatchObject([{ state: 'ready' }]);
  });

  it('is refused without a Host', async () => {
    const { url } = await startAdmin();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write('GET /api/v1/pool HTTP/1.0\r\n\r\n');
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
    const { url } = await startAdmin();
    const host = new URL(url).host;
    expect((await askAdmin(url, { path: '/api/v1/pool', headers: headers(host) })).status).toBe(200);
  });

  it('is answered by the name that is listened on', async () => {
    const { url } = await startAdmin({ listen: 'localhost:0' });
    expect((await askAdmin(url, { path: '/healthz', headers: { Host: 'LOCALHOST' } })).status).toBe(200);
  });

  it('sends no form', async () => {
    const { url } = await startAdmin();
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/jsonp',
    ]) {
      const body = '{"url":"ws://127.0.0.1:1"}';
      const answer = await askAdmin(url, {
        method: 'POST',
        path: '/api/v1/backends',
        body,
        headers: { 'Content-Type': type },
      });
      expect(answer).toMatchObject({ status: 415, body: { error: { code: 'ADMIN_BODY_TYPE' } } });
    }
  });
});

describe('a token', () => {
  it.each([
    ['none', undefined],
    ['another', 'Bearer another-token-of-the-kind'],
    ['a part of it', `Bearer ${TOKEN.slice(0, -1)}`],
    ['one in another scheme', `Basic ${TOKEN}`],
    ['one that is empty', 'Bearer '],
  ])('is wanted: %s gets 401, and learns nothing', async (_, authorization) => {
    const { url } = await startAdmin({ token: TOKEN });
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    for (const path of ['/api/v1/backends', '/api/v1/nothing']) {
      const answer = await askAdmin(url, { path, headers });
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="tidegate"' } });
      expect(answer.text).not.toContain(TOKEN.slice(0, 8));
    }
    expect((await askAdmin(url, { path: '/healthz', headers })).status).toBe(200);
    expect((await askAdmin(url, { path: '/readyz', headers })).status).toBe(200);
  });

  it('opens it, and also on an address that others reach', async () => {
    const { url } = await startAdmin({ listen: '0.0.0.0:0', token: TOKEN });
    const headers = { Authorization: `bearer ${TOKEN}` };
    expect((await askAdmin(url, { path: '/api/v1/pool', headers })).status).toBe(200);
  });

  it.each([['0.0.0.0:1'], ['[::]:1'], ['192.0.2.1:1'], ['localhost.example:1'], ['127.example:1']])(
    'may not be left out on %s',
    (listen) => {
      const options = { backends: ['ws://a:1'], admin: { listen } };
      expect(() => new LoadBalancer(options)).toThrow('admin.token: got nothing; expected a secret: without one only');
    },
  );

  it.each([[9090], ['9090'], ['127.0.0.1:1'], ['127.1.2.3:1'], ['[::1]:1'], ['localhost:1']])(
    'may be on %s',
    (listen) => {
      expect(() => new LoadBalancer({ backends: ['ws://a:1'], admin: { listen } })).not.toThrow();
    },
  );
});

describe('bytes', () => {
  it('beyond the limit are answered 413, and the connection is over', async () => {
    const { url } = await startAdmin();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    const head = 'POST /api/v1/backends HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    socket.write(`${head}Content-Length: 100000000\r\n\r\n${'x'.repeat(70_000)}`);
    await once(socket, 'close');
    const answer = Buffer.concat(chunks).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('ADMIN_BODY_TOO_LARGE');
  });

  it('that are no JSON are answered 400', async () => {
    const { url } = await startAdmin();
    const headers = { 'Content-Type': 'application/json' };
    for (const body of ['{', Buffer.from([0x22, 0xff, 0x22]), 'undefined']) {
      const answer = await askAdmin(url, { method: 'POST', path: '/api/v1/backends', body, headers });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'ADMIN_BAD_REQUEST' } } });
    }
  });

  it('that stop midway hold up neither a stop nor anybody else', async () => {
    const { url, balancer } = await startAdmin();
    const exceptions: unknown[] = [];
    balancer.on('exception', (error) => exceptions.push(error));
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write('POST /api/v1/backends HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{');
    expect((await askAdmin(url, { path: '/api/v1/pool' })).status).toBe(200);
    const closed = once(socket, 'close');
    await balancer.stop();
    await closed;
    expect(exceptions).toEqual([]);
  });
});

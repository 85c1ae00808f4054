/** Holds that nothing that is sent to an admin API does more than it may: wrong bytes, wrong names, floods, and clients that do not read. */
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { settling } from '../../../src/actors/settling.js';
import type { AdminRoute } from '../../../src/server/admin/admin-route.js';
import { sendAnswer } from '../../../src/server/admin/send-answer.js';
import { openClient } from '../../support/for-one-test.js';
import { askAdmin } from './ask-admin.js';
import { KINDS, pathOf, routesOf, startAdministered } from './stage.js';

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '../x',
  '..%2Fx',
  'a\0b',
  '<script>alert(1)</script>',
  '💥'.repeat(50),
];
const JSON_TYPE = { 'Content-Type': 'application/json' };

function connectTo(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function answerTo(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe.each(KINDS)('every route of a %s', (kind) => {
  const changing = ({ method }: AdminRoute) => method !== 'GET' && method !== 'DELETE';

  it('takes any text for an id, and finds nobody', async () => {
    const { server, url, exceptions } = await startAdministered(kind);
    for (const route of routesOf(server).filter(({ path }) => path.includes('{'))) {
      for (const name of NAMES) {
        const { method } = route;
        const answer = await askAdmin(url, {
          method,
          path: pathOf(route, name),
          ...(changing(route) ? { body: {} } : {}),
        });
        // 409: there are no recordings here.
        expect([400, 404, 409], `${method} ${route.path} ${name}: ${answer.status}`).toContain(answer.status);
        expect(answer.headers['content-type']).toMatch(/^application\/json/);
        expect(answer.body).toMatchObject({ error: { help: expect.stringMatching(/./) } });
      }
    }
    expect([server.state, exceptions]).toEqual(['running', []]);
  });

  it('names parameters that it does not have, and those that come twice', async () => {
    const { server, url } = await startAdministered(kind);
    for (const route of routesOf(server).filter(({ path }) => path.startsWith('/api/'))) {
      for (const [query, said] of [
        ['nonsense=1', 'nonsense'],
        ['__proto__=1', '__proto__'],
        ['server=nobody', 'server: got "nobody"; expected one of "'],
        ['server=&server=', 'server: expected once'],
      ]) {
        const { method } = route;
        const answer = await askAdmin(url, { method, path: `${pathOf(route)}?${query}` });
        expect(answer.status, `${method} ${route.path}?${query}`).toBe(400);
        expect(answer.body).toMatchObject({
          error: { code: 'ADMIN_BAD_REQUEST', message: expect.stringContaining(said!) },
        });
      }
    }
    expect(server.state).toBe('running');
  });

  it('that takes a body says what is wrong with it, and does nothing', async () => {
    const { server, url, port, exceptions } = await startAdministered(kind);
    if (kind === 'receiver') await openClient({ port });
    for (const route of routesOf(server).filter(changing)) {
      const { method } = route;
      const path = pathOf(route);
      for (const body of [
        '{',
        Buffer.from([0x22, 0xff, 0x22]),
        'undefined',
        '[]',
        '5',
        'null',
        '{"nonsense":1}',
        '{"__proto__":{"a":1}}',
      ]) {
        const { status, text } = await askAdmin(url, { method, path, body, headers: JSON_TYPE });
        // A backend that there is none of is told first.
        const expected = path.startsWith('/api/v1/backends/') ? [400, 404] : [400];
        expect(expected, `${method} ${path} ${body} ${text}`).toContain(status);
      }
    }
    expect(Object.prototype).not.toHaveProperty('a');
    expect([server.state, exceptions]).toEqual(['running', []]);
  });
});

describe('bytes', () => {
  it('beyond the limit are answered 413, and the connection is over', async () => {
    const { url } = await startAdministered('proxy');
    const socket = connectTo(url);
    const head = 'POST /api/v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    socket.write(`${head}Content-Length: 100000000\r\n\r\n${'x'.repeat(70_000)}`);
    const answer = await answerTo(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('ADMIN_BODY_TOO_LARGE');
  });

  it('that stop midway hold up neither a stop nor anybody else', async () => {
    const { url, server, exceptions } = await startAdministered('balancer');
    const socket = connectTo(url);
    socket.write('POST /api/v1/backends HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{');
    expect((await askAdmin(url, { path: '/api/v1/pool' })).status).toBe(200);
    const closed = once(socket, 'close');
    await server.stop();
    await closed;
    expect(exceptions).toEqual([]);
  });

  it.each([
    ['no HTTP', '\x16\x03\x01hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two hosts',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n',
      /^HTTP\/1\.1 40[03] |^HTTP\/1\.1 200 /,
    ],
    ['a head without end', `GET / HTTP/1.1\r\nHost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'a whole URL',
      'GET http://localhost/api/v1/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 404 /,
    ],
    ['a tunnel', 'CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n', /^$/],
    [
      'a WebSocket',
      'GET /api/v1/inspect HTTP/1.0\r\nHost: evil\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      /^HTTP\/1\.1 403 /,
    ],
  ])('that are %s are told so, and nothing is done', async (_, bytes, expected) => {
    const { url, server, exceptions } = await startAdministered('proxy');
    const socket = connectTo(url);
    socket.end(bytes, 'latin1');
    expect(await answerTo(socket)).toMatch(expected);
    expect([server.state, exceptions]).toEqual(['running', []]);
  });
});

describe('clients', () => {
  it('that are too many are turned away, until some have left', async () => {
    const { url } = await startAdministered('proxy');
    const sockets = Array.from({ length: 100 }, () => connectTo(url));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await expect(askAdmin(url, { path: '/healthz' })).rejects.toThrow();
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(() =>
        askAdmin(url, { path: '/healthz' }).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });

  it('that do not read a stream are waited for, and the stream ends with them', async () => {
    let made = 0;
    const ended = settling();
    async function* endless(): AsyncGenerator<string, void> {
      try {
        for (;;) {
          made += 1;
          yield `data: ${'x'.repeat(65_536)}\n\n`;
          await new Promise(setImmediate);
        }
      } finally {
        ended.resolve();
      }
    }
    const server = createServer((request, response) => {
      void sendAnswer({ status: 200, type: 'text/event-stream', stream: endless() }, request, response);
    });
    onTestFinished(() => void server.closeAllConnections());
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
    request.on('error', () => {});
    const [response] = await once(request, 'response');
    response.pause();
    // What the buffers of the operating system take, and no more: it stands still then.
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = made === before;
          before = made;
          return isStill;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(made * 65_536).toBeLessThan(64 * 1024 * 1024);
    request.destroy();
    await ended.promise;
  });
});

/** Owns what plain requests may not be: two things to two readers, too large, too slow, too many. */
import { describe, expect, it } from 'vitest';
import type { LoadBalancerOptions } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { openClient, startUpstream } from '../support/for-one-test.js';
import { HANDSHAKE, mirror, requestText, startBackend, startBalancer } from './http-stage.js';

const INNER = requestText('GET /inner', []);
const CHUNKED_INNER = `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`;
const HOST = 'Host: app.example';

const post = (fields: readonly string[], rest = INNER): string =>
  `POST /outer HTTP/1.1\r\n${[HOST, ...fields].map((field) => `${field}\r\n`).join('')}\r\n${rest}`;

/** What it is, and the request: no two of its readers may see `/inner` in one of them and not in the other. */
const AMBIGUOUS: ReadonlyArray<readonly [what: string, request: string]> = [
  ['Content-Length and Transfer-Encoding', post(['Content-Length: 4', 'Transfer-Encoding: chunked'], CHUNKED_INNER)],
  ['Transfer-Encoding and Content-Length', post(['Transfer-Encoding: chunked', 'Content-Length: 4'], CHUNKED_INNER)],
  ['two lengths', post([`Content-Length: ${INNER.length}`, 'Content-Length: 0'])],
  ['two lengths in one field', post([`Content-Length: ${INNER.length}, 0`])],
  ['the same length twice', post(['Content-Length: 0', 'Content-Length: 0'])],
  ['a length with a sign', post(['Content-Length: +0'])],
  ['a negative length', post(['Content-Length: -1'])],
  ['a length in hexadecimal', post(['Content-Length: 0x10'])],
  ['a length with a space in it', post(['Content-Length: 1 0'])],
  ['an empty length', post(['Content-Length:'])],
  ['white space before the colon', post([`Content-Length : ${INNER.length}`])],
  ['a coding that is not chunked', post(['Transfer-Encoding: identity'])],
  ['a coding before chunked', post(['Transfer-Encoding: gzip, chunked'], CHUNKED_INNER)],
  ['a coding behind chunked', post(['Transfer-Encoding: chunked, identity'], CHUNKED_INNER)],
  ['chunked twice', post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], CHUNKED_INNER)],
  ['chunked with a vertical tab', post(['Transfer-Encoding: \x0bchunked'], CHUNKED_INNER)],
  ['chunked behind a folded line', post(['Transfer-Encoding:\r\n chunked'], CHUNKED_INNER)],
  ['a folded field', post(['X-Folded: one\r\n two', 'Content-Length: 0'])],
  ['a field without a name', post([': nothing'])],
  ['a bare LF at the end of a field', `POST /outer HTTP/1.1\r\n${HOST}\nContent-Length: 0\r\n\r\n${INNER}`],
  ['a bare LF at the end of the head', `POST /outer HTTP/1.1\r\n${HOST}\r\nContent-Length: 0\r\n\n${INNER}`],
  ['a bare CR in a field', post(['X: a\rContent-Length: 0'])],
  ['a NUL in a field', post(['X: a\0b'])],
  ['no host', `GET /outer HTTP/1.1\r\nX: 1\r\n\r\n${INNER}`],
  ['two hosts', `GET /outer HTTP/1.1\r\n${HOST}\r\nHost: other.example\r\n\r\n${INNER}`],
  ['a host with credentials', `GET /outer HTTP/1.1\r\nHost: user@app.example\r\n\r\n${INNER}`],
  ['a space in the target', `GET /outer /inner HTTP/1.1\r\n${HOST}\r\n\r\n${INNER}`],
  ['a fragment in the target', `GET /outer#x HTTP/1.1\r\n${HOST}\r\n\r\n${INNER}`],
  ['a target of another host', `GET http://other.example/ HTTP/1.1\r\n${HOST}\r\n\r\n${INNER}`],
  [
    'Transfer-Encoding in HTTP/1.0',
    `POST /outer HTTP/1.0\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_INNER}`,
  ],
  ['a tunnel', `CONNECT app.example:80 HTTP/1.1\r\n${HOST}\r\n\r\n${INNER}`],
  ['a trace', `TRACE /outer HTTP/1.1\r\n${HOST}\r\n\r\n${INNER}`],
];

describe('a request that may be two things to two readers', () => {
  it.each(AMBIGUOUS)('%s is refused, and nothing behind it is read', async (_what, request) => {
    const backend = await startBackend(mirror);
    const { talk } = await startBalancer([backend], { admission: { bans: { threshold: 0 } } });
    for (const first of [true, false]) {
      const client = await talk();
      if (!first) expect((await client.ask('GET /before')).status).toBe(200);
      client.connection.write(Buffer.from(request, 'latin1'));
      const { status } = await client.answer();
      expect([400, 405, 501]).toContain(status);
      expect((await client.connection.readAll()).toString()).toBe('');
    }
    expect(backend.requests.map(({ url }) => url)).toEqual(['/before']);
  });

  it.each([
    ['a chunk without a size', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a chunk with a bare LF', '5\nhello\r\n0\r\n\r\n'],
    ['a chunk that is longer than it says', '3\r\nhello\r\n0\r\n\r\n'],
    ['a chunk of more than there can be', 'ffffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
  ])('by %s ends its connection, and is no whole request to the backend', async (_what, body) => {
    const backend = await startBackend((request, response) => {
      request.on('error', () => {});
      request.on('end', () => response.end('all of it'));
      request.resume();
    });
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.send('POST /', ['Transfer-Encoding: chunked'], `${body}${INNER}`);
    await client.connection.waitForEnd();
    expect(backend.requests.every(({ complete }) => !complete)).toBe(true);
    expect(backend.requests.map(({ url }) => url)).not.toContain('/inner');
  });
});

describe('a body that is larger than it may be', () => {
  const options = { http: { maxBodyBytes: 1000 } };

  it('is refused by its length before a backend is asked', async () => {
    const backend = await startBackend(mirror);
    const { talk, reports } = await startBalancer([backend], options);
    const client = await talk();
    const { status } = await client.ask('POST /', ['Content-Length: 1001']);
    expect(status).toBe(413);
    expect(await client.connection.waitForEnd()).toBe('fin');
    expect(backend.requests).toHaveLength(0);
    expect(await reports.next()).toMatchObject({ error: { code: 'BODY_TOO_BIG' } });
    expect((await (await talk()).ask('POST /', ['Content-Length: 1000'], 'x'.repeat(1000))).status).toBe(200);
  });

  it('is refused on its way when it comes in chunks, and the client can read why', async () => {
    const backend = await startBackend((request) => request.on('error', () => {}).resume());
    const { talk, server } = await startBalancer([backend], options);
    const client = await talk();
    client.send('POST /', ['Transfer-Encoding: chunked'], `3e8\r\n${'x'.repeat(1000)}\r\n`);
    await eventually(() => backend.requests.length === 1, 'the backend has its beginning');
    client.connection.write(`1\r\nx\r\n${'1\r\nx\r\n'.repeat(1000)}`);
    expect((await client.answer()).status).toBe(413);
    expect(backend.requests[0]!.complete).toBe(false);
    await eventually(() => server.backends().every(({ load }) => load === 0), 'its place is free');
  });
});

describe('a head that is larger than it may be', () => {
  const limits = { maxHandshakeBytes: 1024, maxHeaderCount: 10 };

  it.each([
    ['has too many bytes', [`X: ${'x'.repeat(1100)}`]],
    ['has too many fields', Array.from({ length: 11 }, (_, at) => `X${at}: 1`)],
  ])('gets 431 when it %s, as the first of its connection and later', async (_what, fields) => {
    const backend = await startBackend();
    const { talk } = await startBalancer([backend], { limits });
    for (const first of [true, false]) {
      const client = await talk();
      if (!first) expect((await client.ask('GET /')).status).toBe(200);
      expect((await client.ask('GET /', fields)).status).toBe(431);
      expect(await client.connection.waitForEnd()).toBe('fin');
    }
  });
});

describe('a connection', () => {
  it('is closed when no further request comes', async () => {
    const { talk } = await startBalancer([await startBackend()], { http: { keepAlive: 50 } });
    const client = await talk();
    expect((await client.ask('GET /')).status).toBe(200);
    expect(await client.connection.waitForEnd()).toBe('fin');
  });

  it('is closed behind its first request when none is to be kept', async () => {
    const { talk } = await startBalancer([await startBackend()], { http: { keepAlive: 0 } });
    const client = await talk();
    expect((await client.ask('GET /')).head.headers.connection).toBe('close');
    expect(await client.connection.waitForEnd()).toBe('fin');
  });

  it('gets 408 when the head of a further request does not end, however busily it comes', async () => {
    const { talk, rejections } = await startBalancer([await startBackend()], { timeouts: { handshake: 200 } });
    const client = await talk();
    expect((await client.ask('GET /')).status).toBe(200);
    client.connection.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => client.connection.write('X: 1\r\n'), 20);
    const { status } = await client.answer();
    clearInterval(drip);
    expect(status).toBe(408);
    expect(await rejections.next()).toMatchObject({ error: 'REQUEST_TIMEOUT' });
  });

  it('counts as one of limits.maxConnections as long as it is there', async () => {
    const backend = await startBackend();
    const { talk, server } = await startBalancer([backend], { limits: { maxConnections: 2 } });
    const clients = [await talk(), await talk()];
    for (const client of clients) expect((await client.ask('GET /')).status).toBe(200);
    const { status, head } = await (await talk()).ask('GET /');
    expect(status).toBe(503);
    expect(head.headers['retry-after']).toBeDefined();
    expect(server.snapshot().refused).toMatchObject({ byError: { CAPACITY_REACHED: 1 } });
    clients[0]!.connection.destroy();
    await eventually(async () => (await (await talk()).ask('GET /')).status === 200, 'there is room again');
  });

  it('leaves the room of a control channel to clients once that channel has taken it', async () => {
    const { talk, server } = await startBalancer([await startBackend()], {
      limits: { maxConnections: 3, reservedConnections: 1 },
      control: { path: '/control', tokens: ['a-secret-of-16-letters'] },
    });
    await openClient({
      port: server.addresses[0]!.port,
      path: '/control',
      subprotocols: ['tidegate.control.v1'],
    });
    for (const client of [await talk(), await talk()]) expect((await client.ask('GET /')).status).toBe(200);
    expect((await (await talk()).ask('GET /')).status).toBe(503);
  });

  it('takes no room twice when it becomes a WebSocket', async () => {
    const upstream = await startUpstream();
    const options: LoadBalancerOptions = {
      limits: { maxConnections: 1 },
      onHttpRequest: (_request, plan) => plan.respond(204),
    };
    const { talk, server } = await startBalancer([upstream], options);
    const client = await talk();
    expect((await client.ask('GET /')).status).toBe(204);
    expect((await client.ask('GET /', HANDSHAKE)).status).toBe(101);
    expect((await (await talk()).ask('GET /')).status).toBe(503);
    expect(server.connections).toHaveLength(1);
  });

  it('to a backend is shared: there are no more of them than http.connections says', async () => {
    const backend = await startBackend((_request, response) => setImmediate(() => response.end('hello')));
    const { talk } = await startBalancer([backend], { http: { connections: 2 } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => talk()));
    const answers = await Promise.all(clients.map((client) => client.ask('GET /')));
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'hello'));
    expect(backend.connections).toHaveLength(2);
  });

  it('counts for its address', async () => {
    const options = { limits: { maxConnectionsPerAddress: 1 }, admission: { exempt: [] } };
    const { talk } = await startBalancer([await startBackend()], options);
    const client = await talk();
    expect((await client.ask('GET /')).status).toBe(200);
    expect((await (await talk()).ask('GET /')).status).toBe(503);
    expect((await client.ask('GET /')).status).toBe(200);
  });
});

it('a plain request is refused where none is forwarded', async () => {
  const backend = await startBackend();
  const off = await startBalancer([backend], { http: { enabled: false } });
  expect((await (await off.talk()).ask('GET /')).status).toBe(426);
  const bytes = await startBalancer([{ url: `tcp://127.0.0.1:${backend.port}` }]);
  expect((await (await bytes.talk()).ask('GET /')).status).toBe(426);
  expect(backend.requests).toHaveLength(0);
});

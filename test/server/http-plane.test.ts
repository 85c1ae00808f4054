/** Owns that plain requests reach a backend as they came, and its answers the client, whatever kind of message they are. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { deferred, eventually } from '../support/events.js';
import { localhostCertificate } from '../support/tls.js';
import { bodyOf, HANDSHAKE, mirror, requestText, startBackend, startBalancer, startRawBackend } from './http-stage.js';

const fieldsOf = (rawHeaders: readonly string[]): string[] =>
  rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a plain request', () => {
  it('reaches a backend with method, target and fields byte for byte, and without those of the hop', async () => {
    const { talk } = await startBalancer([await startBackend(mirror)], { hostHeader: 'client' });
    const client = await talk();
    const target = "/a%2Fb/../c;d=1?x=%20&x=2&&y=[]|'";
    const { status, text } = await client.ask(`PATCH ${target}`, [
      'Host: app.example',
      'X-Case: One',
      'x-case: two',
      'X-Gone: 1',
      'Connection: keep-alive, X-Gone',
      'Keep-Alive: timeout=9',
      'Proxy-Connection: keep-alive',
      'X-Latin: caf\xe9',
    ]);
    expect(status).toBe(200);
    const seen = JSON.parse(text);
    expect(seen).toMatchObject({ method: 'PATCH', url: target, body: '' });
    expect(fieldsOf(seen.rawHeaders)).toEqual([
      'Host: app.example',
      'X-Case: One',
      'x-case: two',
      'X-Latin: caf\xe9',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: app.example',
      expect.stringMatching(/^X-Forwarded-Port: \d+$/),
      'Content-Length: 0',
      'Connection: keep-alive',
    ]);
  });

  it('names the backend in Host unless the client is to be believed', async () => {
    const backend = await startBackend(mirror);
    const { talk } = await startBalancer([backend]);
    const { text } = await (await talk()).ask('GET /', ['Host: app.example', 'X-Forwarded-For: 6.6.6.6']);
    const fields = fieldsOf(JSON.parse(text).rawHeaders);
    expect(fields).toContain(`Host: 127.0.0.1:${backend.port}`);
    expect(fields).toContain('X-Forwarded-Host: app.example');
    expect(fields.filter((field) => field.startsWith('X-Forwarded-For'))).toEqual(['X-Forwarded-For: 127.0.0.1']);
  });

  it('may name the host in its target', async () => {
    const { talk } = await startBalancer([await startBackend(mirror)]);
    const client = await talk();
    expect(JSON.parse((await client.ask('GET http://app.example/x?y')).text).url).toBe('/x?y');
    expect(JSON.parse((await client.ask('OPTIONS *')).text).url).toBe('*');
    expect((await client.ask('GET http://other.example/x')).status).toBe(400);
  });

  it('is ignored in its wish to go on with another protocol than WebSocket', async () => {
    const { talk } = await startBalancer([await startBackend(mirror)]);
    const client = await talk();
    const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    for (let round = 0; round < 3; round += 1) {
      const { status, text } = await client.ask('POST /', [...upgrade, 'Content-Length: 4'], 'body');
      expect(status).toBe(200);
      expect(JSON.parse(text).body).toBe('body');
      expect(JSON.parse(text).rawHeaders.join()).not.toMatch(/upgrade|settings/i);
    }
  });

  it('is told of as an event, without its query', async () => {
    const backend = await startBackend(mirror);
    const { talk, reports } = await startBalancer([backend]);
    const client = await talk();
    const { body } = await client.ask('POST /orders?token=secret', ['Content-Length: 5'], 'hello');
    expect(await reports.next()).toEqual({
      method: 'POST',
      path: '/orders',
      status: 200,
      backend: backend.url,
      remoteAddress: '127.0.0.1',
      bytesReceived: 5,
      bytesSent: body.length,
      duration: expect.any(Number),
      complete: true,
      retries: 0,
      error: undefined,
    });
  });
});

describe('the connection of a client', () => {
  it('serves one request after the other, over one connection to the backend', async () => {
    const backend = await startBackend(mirror);
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    for (const path of ['/1', '/2', '/3']) {
      expect(JSON.parse((await client.ask(`POST ${path}`, ['Content-Length: 2'], 'ab')).text).url).toBe(path);
    }
    expect(backend.connections).toHaveLength(1);
  });

  it('serves requests that were sent ahead in their order, one at a time', async () => {
    let running = 0;
    let most = 0;
    const backend = await startBackend(async (request, response) => {
      running += 1;
      most = Math.max(most, running);
      await bodyOf(request);
      setImmediate(() => {
        running -= 1;
        response.end(request.url);
      });
    });
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    const paths = Array.from({ length: 500 }, (_, at) => `/${at}`);
    client.connection.write(paths.map((path) => requestText(`GET ${path}`, [])).join(''));
    for (const path of paths) expect((await client.answer()).text).toBe(path);
    expect(most).toBe(1);
  });

  it('becomes a WebSocket when a handshake comes behind plain requests', async () => {
    const backend = await startBackend();
    backend.server.on('upgrade', (request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n');
      socket.write(`Sec-WebSocket-Accept: ${acceptOf(request.headers['sec-websocket-key'])}\r\n\r\n`);
      socket.end('\x81\x02hi', 'latin1');
    });
    const { talk, server } = await startBalancer([backend]);
    const client = await talk();
    expect((await client.ask('GET /page')).text).toBe('hello');
    const opened = once(server, 'connection');
    client.send('GET /socket', HANDSHAKE);
    const { status } = await client.answer();
    expect(status).toBe(101);
    expect((await client.connection.read(4)).toString('latin1')).toBe('\x81\x02hi');
    const [connection] = await opened;
    expect(connection.request.url).toBe('/socket');
  });

  it('is closed when it says so, or speaks HTTP/1.0', async () => {
    const { talk } = await startBalancer([await startBackend()]);
    const polite = await talk();
    const { head } = await polite.ask('GET /', ['Connection: close']);
    expect(head.headers.connection).toBe('close');
    expect(await polite.connection.waitForEnd()).toBe('fin');
    const old = await talk();
    old.connection.write('GET / HTTP/1.0\r\n\r\n');
    expect((await old.connection.readAll()).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nhello$/s);
  });
});

describe('a body', () => {
  const megabytes = randomBytes(24 * 1024 * 1024);

  it('of tens of megabytes goes both ways unharmed, by length and in chunks', async () => {
    const { origin } = await startBalancer([await startBackend((request, response) => request.pipe(response))]);
    for (const chunked of [false, true]) {
      const request = http.request(`${origin}/echo`, { method: 'POST' });
      if (!chunked) request.setHeader('content-length', megabytes.length);
      request.end(megabytes);
      const [response] = await once(request, 'response');
      expect(sha(await bodyOf(response))).toBe(sha(megabytes));
    }
  });

  it('of an answer keeps its length', async () => {
    const backend = await startBackend((_request, response) => {
      response.setHeader('content-length', megabytes.length);
      response.end(megabytes);
    });
    const { talk } = await startBalancer([backend]);
    const { head, body } = await (await talk()).ask('GET /');
    expect(head.headers['content-length']).toBe(String(megabytes.length));
    expect(head.headers['transfer-encoding']).toBeUndefined();
    expect(sha(body)).toBe(sha(megabytes));
  });

  it('carries trailers in both directions', async () => {
    const backend = await startBackend(async (request, response) => {
      await bodyOf(request);
      response.writeHead(200, { trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'X-Sum': `${request.trailers['x-sum']}, ${request.trailers.authorization}` });
      response.end();
    });
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    const fields = ['Transfer-Encoding: chunked', 'Trailer: X-Sum', 'TE: trailers', 'Connection: TE'];
    client.send('POST /', fields, '2\r\nok\r\n0\r\nX-Sum: 42\r\nAuthorization: Basic stolen\r\n\r\n');
    const answer = await client.connection.readUntil('0\r\n');
    expect(answer.toString()).toMatch(/^trailer: X-Sum\r$/m);
    expect((await client.connection.readUntil('\r\n\r\n')).toString()).toBe('X-Sum: 42, undefined\r\n\r\n');
  });

  it.each([
    ['HEAD', 200, { 'content-length': '5' }],
    ['GET', 204, {}],
    ['GET', 304, { etag: '"1"' }],
  ])('is not there for %s and %i, and the connection goes on', async (method, status, headers) => {
    const backend = await startBackend((_request, response) => response.writeHead(status, headers).end());
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    for (let round = 0; round < 2; round += 1) {
      const answer = await client.ask(`${method} /`);
      expect(answer.status).toBe(status);
      expect(answer.head.headers).toMatchObject(headers);
    }
  });

  it('of a stream of events comes piece by piece, as it is sent', async () => {
    const streams: ServerResponse[] = [];
    const backend = await startBackend((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      streams.push(response);
    });
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.send('GET /events');
    await client.connection.readUntil('\r\n\r\n');
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      streams[0]!.write(event);
      expect((await client.connection.readUntil('\n\n\r\n')).toString()).toBe(`9\r\n${event}\r\n`);
    }
  });

  it('waits with a client that does not read, and holds its backend back', async () => {
    const total = 64 * 1024 * 1024;
    const written = { bytes: 0, at: 0 };
    const backend = await startBackend((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 1);
      const write = (): void => {
        while (written.bytes < total) {
          written.bytes += chunk.length;
          written.at = performance.now();
          if (!response.write(chunk)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.connection.pauseReading();
    client.send('GET /');
    // What is on its way fits into the buffers between them, and then nothing moves any more.
    await eventually(() => written.at > 0 && performance.now() - written.at > 300, 'the backend is held back');
    expect(written.bytes).toBeLessThan(total / 2);
    client.connection.discard();
    client.connection.resumeReading();
    await eventually(() => client.connection.bytesReceived > total, 'the client has all of it');
  });
});

describe('an expectation to go on', () => {
  it('is passed on, and so is the answer to it', async () => {
    const backend = await startBackend();
    const may = deferred();
    backend.server.on('checkContinue', async (request, response) => {
      await may.promise;
      response.writeContinue();
      response.end(await bodyOf(request));
    });
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.send('POST /', ['Expect: 100-continue', 'Content-Length: 4']);
    may.resolve();
    expect((await client.answer()).status).toBe(100);
    client.connection.write('body');
    const { status, text } = await client.answer();
    expect([status, text]).toEqual([200, 'body']);
  });

  it('may be answered with a refusal, before any of the body was sent', async () => {
    const backend = await startBackend();
    backend.server.on('checkContinue', (_request, response) => response.writeHead(403).end('no'));
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    const { status, text } = await client.ask('PUT /', ['Expect: 100-continue', 'Content-Length: 4']);
    expect([status, text]).toEqual([403, 'no']);
    expect(await client.connection.waitForEnd()).toBe('fin');
  });

  it('is no business of a backend that answers 100 unasked, or hints at what comes', async () => {
    const backend = await startRawBackend((socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      }),
    );
    const { talk } = await startBalancer([backend]);
    const client = await talk();
    client.send('GET /');
    const hint = await client.answer();
    expect([hint.status, hint.head.headers.link]).toEqual([103, '</a.css>; rel=preload']);
    expect((await client.answer()).text).toBe('ok');
  });
});

it('goes over TLS on both sides', async () => {
  const backend = await startBackend(mirror, { secure: true });
  const { key, cert } = localhostCertificate;
  const { talk } = await startBalancer([backend], { tls: { key, cert }, upstreamTls: { ca: cert } });
  const client = await talk({ tls: true });
  for (let round = 0; round < 3; round += 1) {
    const { text } = await client.ask('POST /secure', ['Content-Length: 5'], 'hello');
    expect(JSON.parse(text)).toMatchObject({ url: '/secure', body: 'hello' });
    expect(JSON.parse(text).rawHeaders).toContain('https');
  }
  expect(backend.connections).toHaveLength(1);
});

it('serves many clients at once', async () => {
  const backends = [await startBackend(mirror), await startBackend(mirror)];
  const { origin } = await startBalancer(backends);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
  const bodies = await Promise.all(
    Array.from({ length: 1000 }, async (_, at) => {
      const request = http.request(`${origin}/${at}`, { method: 'POST', agent });
      request.end(`body ${at}`);
      const [response] = await once(request, 'response');
      return JSON.parse((await bodyOf(response)).toString()) as { url: string; body: string };
    }),
  );
  agent.destroy();
  for (const [at, { url, body }] of bodies.entries()) expect([url, body]).toEqual([`/${at}`, `body ${at}`]);
  const [one, two] = backends.map(({ requests }) => requests.length);
  expect(one! + two!).toBe(1000);
  expect(Math.min(one!, two!)).toBeGreaterThan(300);
  expect(backends.every(({ connections }) => connections.length <= 100)).toBe(true);
});

function acceptOf(key = ''): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** Owns what code may do with plain requests and their answers: change them, answer them, send them elsewhere, fail at it. */
import { describe, expect, it, vi } from 'vitest';
import type { HttpHooks, HttpRequest } from '../../src/index.js';
import { deferred, eventually } from '../support/events.js';
import { refusedPort } from '../support/tcp-peer.js';
import { mirror, startBackend, startBalancer } from './http-stage.js';

const dead = async () => ({ url: `ws://127.0.0.1:${await refusedPort()}` });

describe('onHttpRequest', () => {
  it('sees the request as it came, and who sent it', async () => {
    const seen: HttpRequest[] = [];
    const onHttpRequest: HttpHooks['onHttpRequest'] = (request) => void seen.push(request);
    const { talk } = await startBalancer([await startBackend()], { onHttpRequest });
    await (await talk()).ask('DELETE /a?b=1', ['X-One: 1']);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'DELETE', url: '/a?b=1', path: '/a', remoteAddress: '127.0.0.1' });
    expect(seen[0]!.query.get('b')).toBe('1');
    expect(seen[0]!.headers['x-one']).toBe('1');
  });

  it('may change path, query and fields, and takes its time for it', async () => {
    const onHttpRequest: HttpHooks['onHttpRequest'] = async (_request, plan) => {
      await new Promise(setImmediate);
      plan.url = '/other?x=2';
      plan.headers.set('X-Added', 'yes');
      plan.headers.set('Host', 'inner.example');
      plan.headers.delete('x-gone');
      plan.headers.set('Transfer-Encoding', 'gzip');
      plan.headers.set('Content-Length', '99');
    };
    const { talk } = await startBalancer([await startBackend(mirror)], { onHttpRequest });
    const { text } = await (await talk()).ask('POST /', ['X-Gone: 1', 'Content-Length: 2'], 'ok');
    const { url, rawHeaders, body } = JSON.parse(text);
    expect([url, body]).toEqual(['/other?x=2', 'ok']);
    expect(rawHeaders.slice(0, 2)).toEqual(['Host', 'inner.example']);
    expect(rawHeaders).toContain('X-Added');
    // Not in one text: a port may have any digits.
    for (const wrong of ['X-Gone', 'gzip', '99']) expect(rawHeaders).not.toContain(wrong);
  });

  it('may choose the backend', async () => {
    const [one, two] = [await startBackend(), await startBackend()];
    const onHttpRequest: HttpHooks['onHttpRequest'] = (request, plan) => {
      plan.backend = request.path.slice(1);
    };
    const backends = [
      { id: 'one', url: one.url },
      { id: 'two', url: two.url },
    ];
    const { talk } = await startBalancer([], { backends, onHttpRequest });
    const client = await talk();
    for (const path of ['/two', '/two', '/one']) expect((await client.ask(`GET ${path}`)).status).toBe(200);
    expect([one.requests.length, two.requests.length]).toEqual([1, 2]);
    expect((await client.ask('GET /three')).status).toBe(503);
  });

  it('may choose a target that is no backend, where the option targets allows it', async () => {
    const elsewhere = await startBackend(mirror);
    const onHttpRequest: HttpHooks['onHttpRequest'] = (request, plan) => {
      plan.target = request.headers['x-target'];
    };
    const targets = { allow: [`127.0.0.1:${elsewhere.port}`] };
    const { talk, reports } = await startBalancer([await dead()], { onHttpRequest, targets });
    const client = await talk();
    const target = `http://127.0.0.1:${elsewhere.port}`;
    expect(JSON.parse((await client.ask('GET /x', [`X-Target: ${target}`])).text).url).toBe('/x');
    expect(await reports.next()).toMatchObject({ backend: target, status: 200 });
    expect((await client.ask('GET /x', ['X-Target: http://169.254.169.254'])).status).toBe(403);
    expect((await client.ask('GET /x', ['X-Target: http://127.0.0.2:9'])).status).toBe(403);
    expect((await client.ask('GET /x', ['X-Target: tcp://127.0.0.1:9'])).status).toBe(500);
  });

  it('may answer itself, without any backend', async () => {
    const onHttpRequest: HttpHooks['onHttpRequest'] = (_request, plan) =>
      plan.respond(299, { headers: { 'Set-Cookie': ['a=1', 'b=2'], 'Content-Type': 'text/html' }, body: '<p>äöü' });
    const onHttpResponse = vi.fn();
    const { talk } = await startBalancer([], { onHttpRequest, onHttpResponse });
    const client = await talk();
    const { status, head, text } = await client.ask('GET /');
    expect([status, text, head.headers['content-type']]).toEqual([299, '<p>äöü', 'text/html']);
    expect(head.lines.filter((line) => line.startsWith('Set-Cookie'))).toEqual(['Set-Cookie: a=1', 'Set-Cookie: b=2']);
    expect((await client.ask('HEAD /')).status).toBe(299);
    // A body that nobody reads ends the connection.
    expect((await client.ask('POST /', ['Content-Length: 10'])).head.headers.connection).toBe('close');
    expect(onHttpResponse).not.toHaveBeenCalled();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken hook');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken hook'))],
    ['answers with what is no status', (_request, plan) => plan.respond(99)],
    [
      'asks for what is no target',
      (_request, plan) => {
        plan.url = '/a b';
      },
    ],
  ] satisfies ReadonlyArray<[string, HttpHooks['onHttpRequest']]>)(
    'that %s costs its request only',
    async (_what, onHttpRequest) => {
      const backend = await startBackend();
      const { talk, exceptions, server } = await startBalancer([backend], { onHttpRequest });
      const client = await talk();
      for (let round = 0; round < 2; round += 1) {
        expect((await client.ask('GET /')).status).toBe(500);
        expect(await exceptions.next()).toBeInstanceOf(Error);
      }
      expect(backend.requests).toHaveLength(0);
      expect(server.backends()[0]!.load).toBe(0);
    },
  );

  it('is told by a signal when the client has left meanwhile', async () => {
    const asked = deferred<HttpRequest>();
    const backend = await startBackend();
    const onHttpRequest: HttpHooks['onHttpRequest'] = (request) => {
      asked.resolve(request);
      return new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
    };
    const { talk, reports } = await startBalancer([backend], { onHttpRequest });
    const client = await talk();
    client.send('GET /');
    const request = await asked.promise;
    client.connection.destroy();
    await eventually(() => request.signal.aborted, 'the hook knows');
    expect(await reports.next()).toMatchObject({ status: 0, complete: false });
    expect(backend.requests).toHaveLength(0);
  });
});

describe('onHttpResponse', () => {
  it('may change status and fields of an answer', async () => {
    const backend = await startBackend((_request, response) => response.writeHead(200, { 'X-Gone': '1' }).end('body'));
    const onHttpResponse: HttpHooks['onHttpResponse'] = (_request, response, error) => {
      expect(error).toBeUndefined();
      expect(response.backend).toBe(backend.url);
      response.status = 203;
      response.headers.delete('x-gone');
      response.headers.append('Set-Cookie', 'a=1');
    };
    const { talk } = await startBalancer([backend], { onHttpResponse });
    const { status, head, text } = await (await talk()).ask('GET /');
    expect([status, text, head.headers['set-cookie'], head.headers['x-gone']]).toEqual([203, 'body', 'a=1', undefined]);
  });

  it('may put a page in place of an answer, however large that is', async () => {
    const backend = await startBackend((_request, response) => {
      response.writeHead(500, { 'content-encoding': 'gzip', etag: '"1"' });
      response.end(Buffer.alloc(32 * 1024 * 1024));
    });
    const onHttpResponse: HttpHooks['onHttpResponse'] = (_request, response) => {
      if (response.status >= 500) response.replaceBody('sorry');
    };
    const { talk, server } = await startBalancer([backend], { onHttpResponse });
    const client = await talk();
    for (let round = 0; round < 3; round += 1) {
      const { status, text, head } = await client.ask('GET /');
      expect([status, text, head.headers['content-encoding'], head.headers.etag]).toEqual([
        500,
        'sorry',
        undefined,
        undefined,
      ]);
    }
    expect(server.backends()[0]!.load).toBe(0);
  });

  it('is told why there is no answer, and may make a page of it', async () => {
    const onHttpResponse: HttpHooks['onHttpResponse'] = (_request, response, error) => {
      response.headers.set('Content-Type', 'text/html');
      response.replaceBody(`<h1>${response.status} ${error?.code}`);
      response.status = 200;
    };
    const { talk } = await startBalancer([await dead()], { onHttpResponse });
    const { status, text, head } = await (await talk()).ask('GET /');
    expect([status, text, head.headers['content-type']]).toEqual([200, '<h1>502 UPSTREAM_REFUSED', 'text/html']);
  });

  it('that throws costs its request only', async () => {
    const onHttpResponse = () => {
      throw new Error('broken hook');
    };
    const { talk, exceptions, server } = await startBalancer([await startBackend()], { onHttpResponse });
    const client = await talk();
    for (let round = 0; round < 2; round += 1) {
      expect((await client.ask('GET /')).status).toBe(500);
      expect(await exceptions.next()).toEqual(new Error('broken hook'));
    }
    expect(server.backends()[0]!.load).toBe(0);
  });
});

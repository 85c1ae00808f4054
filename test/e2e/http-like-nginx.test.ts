/**
 * Owns that the HTTP plane does to plain requests what nginx does, case by case before the same backends: statuses, bodies, what the
 * backend sees, and whether an answer looks complete. Skipped where nginx is not installed; where the two differ on purpose, it says why.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadBalancer } from '../../src/index.js';
import { FRONT_PROXIES, startFrontProxy } from '../support/front-proxies.js';
import { type Outcome, outcomeOf } from '../support/http-exchange.js';
import { listenOn } from './listen-on.js';

const HOST = 'Host: app.example';
const request = (line: string, fields: readonly string[] = [], rest = ''): string =>
  `${line} HTTP/1.1\r\n${[HOST, ...fields].join('\r\n')}\r\n\r\n${rest}`;

const LARGE = 8 * 1024 * 1024;
const large = randomBytes(LARGE);
const chunkedLarge = Buffer.concat([
  Buffer.from(`${request('POST /sum', ['Transfer-Encoding: chunked'])}${LARGE.toString(16)}\r\n`, 'latin1'),
  large,
  Buffer.from('\r\n0\r\n\r\n'),
]);

/** What a backend saw of its requests. */
interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly complete: boolean;
}

interface Case {
  readonly send: string | Buffer;
  readonly answers?: number;
  readonly isHead?: boolean;
  readonly goOn?: (statuses: number[]) => string | undefined;
  /** Where nginx does something else on purpose: what ours does, and why. */
  readonly ours?: Partial<Outcome> & { readonly why: string };
}

const CASES: Readonly<Record<string, Case>> = {
  'a GET': { send: request('GET /hello?x=%20y') },
  'a HEAD': { send: request('HEAD /hello'), isHead: true },
  'an answer without a body': { send: request('GET /204') },
  'an answer that is not modified': { send: request('GET /304') },
  'an answer in chunks': { send: request('GET /chunks') },
  'a large download': { send: request('GET /large') },
  'a large upload, by length': {
    send: Buffer.concat([Buffer.from(request('POST /sum', [`Content-Length: ${LARGE}`]), 'latin1'), large]),
  },
  'a large upload, in chunks': { send: chunkedLarge },
  'a body that is sent when 100 was answered': {
    send: request('POST /sum', ['Expect: 100-continue', 'Content-Length: 4']),
    goOn: (statuses) => (statuses.join() === '100' ? 'body' : undefined),
  },
  'three requests on one connection, ahead': {
    send: request('GET /a') + request('POST /sum', ['Content-Length: 1'], 'x') + request('GET /b'),
    answers: 3,
  },
  'an error of the backend': { send: request('GET /500') },
  'an answer in chunks that breaks off': { send: request('GET /broken-chunks') },
  'an answer of a known length that breaks off': { send: request('GET /broken-length') },
  'a backend that closes without an answer': { send: request('POST /silent') },
  'a body that is larger than it may be': { send: request('POST /sum', ['Content-Length: 99999999']) },
  'a request without Host': { send: 'GET /hello HTTP/1.1\r\n\r\n' },
  'two Hosts': { send: request('GET /hello', ['Host: other.example']) },
  'Content-Length and Transfer-Encoding': {
    send: request('POST /sum', ['Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  },
  'two lengths': { send: request('POST /sum', ['Content-Length: 4', 'Content-Length: 5'], 'body') },
  'a coding that nobody knows': {
    send: request('POST /sum', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
  },
  'a tunnel': {
    send: 'CONNECT app.example:80 HTTP/1.1\r\nHost: app.example:80\r\n\r\n',
    ours: { statuses: [405], why: 'the method is known, and not served' },
  },
  'a trace': { send: request('TRACE /hello') },
  'a line that is no request': { send: 'HELLO\r\n\r\n' },
};

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  switch (incoming.url?.split('?', 1)[0]) {
    case '/204':
    case '/304':
    case '/500':
      response.writeHead(Number(incoming.url.slice(1))).end();
      return;
    case '/chunks':
      response.write('one,');
      setImmediate(() => response.end('two'));
      return;
    case '/large':
      response.setHeader('content-length', LARGE);
      response.end(large);
      return;
    case '/sum': {
      const sum = createHash('sha256');
      let length = 0;
      incoming.on('error', () => {});
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length;
        sum.update(chunk);
      });
      incoming.on('end', () => response.end(`${length} ${sum.digest('hex')}`));
      return;
    }
    case '/broken-length':
      response.setHeader('content-length', 100);
      response.write('half', () => response.destroy());
      return;
    case '/broken-chunks':
      response.write('half', () => response.destroy());
      return;
    case '/silent':
      response.destroy();
      return;
    default:
      response.setHeader('content-length', 5);
      response.end('hello');
  }
}

/** Streams both ways, as the plane does, with the same limit. */
const PLAIN = `proxy_request_buffering off; proxy_buffering off; client_max_body_size 16m;`;

describe.runIf(FRONT_PROXIES.nginx.isInstalled)('what the HTTP plane does, and nginx', () => {
  /** Asks one of the two before a backend of its own. */
  async function ask(front: (backend: number) => Promise<number>, { send, ...how }: Case): Promise<[Outcome, Seen[]]> {
    const requests: IncomingMessage[] = [];
    const backend: Server = createServer((incoming, response) => {
      requests.push(incoming);
      answer(incoming, response);
    });
    const port = await listenOn(backend);
    onTestFinished(() => {
      backend.closeAllConnections();
      backend.close();
    });
    const outcome = await outcomeOf(await front(port), send, how);
    return [outcome, requests.map(({ method, url, complete }) => ({ method, url, complete }))];
  }

  const nginx = async (backend: number): Promise<number> => {
    const front = await startFrontProxy('nginx', backend, PLAIN);
    onTestFinished(() => front.stop());
    return front.port;
  };

  const tidegate = async (backend: number): Promise<number> => {
    const balancer = new LoadBalancer({
      listen: '127.0.0.1:0',
      backends: [`ws://127.0.0.1:${backend}`],
      http: { maxBodyBytes: '16MiB' },
    });
    onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
    const [address] = await balancer.start();
    return address!.port;
  };

  it.each(Object.entries(CASES))('are the same for %s', async (_what, one) => {
    const [[theirs, seenByTheirs], [ours, seenByOurs]] = [await ask(nginx, one), await ask(tidegate, one)];
    const { why: _why, ...different } = one.ours ?? { why: '' };
    // The pages about what went wrong are each one's own.
    const isPage = ours.statuses.some((status) => status >= 400 && status !== 500);
    const expected = { ...theirs, ...different };
    expect(isPage ? { ...ours, body: '' } : ours).toEqual(isPage ? { ...expected, body: '' } : expected);
    expect(seenByOurs).toEqual(seenByTheirs);
  });
});

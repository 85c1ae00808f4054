/**
 * Owns Node's own HTTP as the oracle of what a head says, without a socket: bytes go into a stream in memory. Refuses to
 * be lenient: the parser is the strict one.
 */
import http from 'node:http';
import { Duplex } from 'node:stream';

/** The larger of the two sides must be the oracle: a bound of ours is not a fault. */
const MOST_HEAD_BYTES = 64 * 1024;

/** What Node read first. */
export type OracleRequest =
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'upgrade' | 'request';
      readonly method: string;
      readonly url: string;
      readonly httpVersion: string;
      readonly rawHeaders: readonly string[];
      /** What came behind the head. */
      readonly head: Buffer;
    };

/** Reads bytes as a server. */
export function readAsServer(bytes: Buffer): Promise<OracleRequest> {
  return new Promise((resolve) => {
    const server = http.createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: MOST_HEAD_BYTES,
      connectionsCheckingInterval: 0x7fffffff,
    });
    server.maxHeadersCount = 0;
    const stream = streamOf(bytes);
    const settle = (result: OracleRequest): void => {
      resolve(result);
      stream.destroy();
      server.close();
    };
    const told = (kind: 'upgrade' | 'request', req: http.IncomingMessage, head: Buffer): void => {
      const { method = '', url = '', httpVersion, rawHeaders } = req;
      settle({ kind, method, url, httpVersion, rawHeaders, head });
    };
    server.on('upgrade', (req, _socket, head) => told('upgrade', req, head));
    for (const event of ['request', 'connect', 'checkExpectation', 'checkContinue'] as const) {
      server.on(event, (req: http.IncomingMessage) => told('request', req, Buffer.alloc(0)));
    }
    server.on('clientError', (error: NodeJS.ErrnoException) =>
      settle({ kind: 'refused', code: error.code ?? error.message }),
    );
    stream.once('close', () => settle({ kind: 'nothing' }));
    server.emit('connection', stream);
    stream.push(bytes);
    stream.push(null);
  });
}

/** What Node read of an answer first. */
export type OracleAnswer =
  | { readonly kind: 'refused'; readonly code: string }
  | {
      readonly kind: 'upgrade' | 'answer';
      readonly status: number;
      readonly rawHeaders: readonly string[];
      readonly head: Buffer;
    };

/** Reads bytes as a client that asked for an upgrade. */
export function readAsClient(bytes: Buffer): Promise<OracleAnswer> {
  return new Promise((resolve) => {
    const stream = streamOf(bytes);
    const request = http.request({
      createConnection: () => stream,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
      insecureHTTPParser: false,
      maxHeaderSize: MOST_HEAD_BYTES,
    });
    request.maxHeadersCount = 0;
    const settle = (result: OracleAnswer): void => {
      resolve(result);
      stream.destroy();
    };
    const told = (kind: 'upgrade' | 'answer', response: http.IncomingMessage, head: Buffer): void => {
      const { statusCode = 0, rawHeaders } = response;
      settle({ kind, status: statusCode, rawHeaders, head });
    };
    request.on('upgrade', (response, _socket, head) => told('upgrade', response, head));
    request.on('response', (response) => {
      response.on('error', () => {});
      told('answer', response, Buffer.alloc(0));
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      settle({ kind: 'refused', code: error.code ?? error.message }),
    );
    request.end();
    stream.push(bytes);
    stream.push(null);
  });
}

function streamOf(_bytes: Buffer): Duplex {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  stream.on('error', () => {});
  return stream;
}

/**
 * Owns what tests of plain requests set up: HTTP backends that keep what they were asked, a balancer before them, and a client that
 * writes its requests by hand. Everything is closed when the test that asked for it has finished. Refuses to assert anything.
 */
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type HttpReport, LoadBalancer, type LoadBalancerOptions, type RejectedUpgrade } from '../../src/index.js';
import { openTcp } from '../support/for-one-test.js';
import { type HttpHead, readBody, readHead } from '../support/http-head.js';
import type { DialOptions, TcpConnection } from '../support/tcp-connection.js';
import { localhostCertificate } from '../support/tls.js';
import { Given } from './stage.js';

/** An HTTP backend. */
export interface HttpBackend {
  readonly port: number;
  /** As a backend of a balancer. */
  readonly url: string;
  readonly server: http.Server;
  /** Every request that came. */
  readonly requests: IncomingMessage[];
  /** Connections that came, ever. */
  readonly connections: Socket[];
}

/** Starts an HTTP backend. */
export async function startBackend(
  listener: RequestListener = (_request, response) => response.end('hello'),
  { secure = false }: { secure?: boolean } = {},
): Promise<HttpBackend> {
  const requests: IncomingMessage[] = [];
  const connections: Socket[] = [];
  const listen: RequestListener = (request, response) => {
    requests.push(request);
    listener(request, response);
  };
  const server = secure
    ? https.createServer({ key: localhostCertificate.key, cert: localhostCertificate.cert }, listen)
    : http.createServer(listen);
  server.on('connection', (socket: Socket) => {
    connections.push(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: secure ? `wss://localhost:${port}` : `ws://127.0.0.1:${port}`, server, requests, connections };
}

/** Starts a backend that speaks to its sockets by hand. */
export async function startRawBackend(
  converse: (socket: Socket, connection: number) => void,
): Promise<{ readonly port: number; readonly url: string; readonly sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    converse(socket, sockets.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `ws://127.0.0.1:${port}`, sockets };
}

/** A balancer that runs. */
export interface RunningBalancer {
  readonly server: LoadBalancer;
  readonly port: number;
  readonly origin: string;
  readonly reports: Given<HttpReport>;
  readonly rejections: Given<RejectedUpgrade>;
  readonly exceptions: Given<unknown>;
  /** Opens a connection for requests that are written by hand. */
  talk(options?: Partial<DialOptions>): Promise<HttpTalk>;
}

/** Starts a balancer before backends on a free port of 127.0.0.1. It learns how they are from nothing but requests. */
export async function startBalancer(
  backends: ReadonlyArray<{ readonly url: string }>,
  options: LoadBalancerOptions = {},
): Promise<RunningBalancer> {
  const server = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: backends.map(({ url }) => url),
    health: { check: 'off' },
    ...options,
  });
  const reports = new Given<HttpReport>();
  const rejections = new Given<RejectedUpgrade>();
  const exceptions = new Given<unknown>();
  server.on('http.request', (report) => reports.add(report));
  server.on('rejected', (rejected) => rejections.add(rejected));
  server.on('exception', (error) => exceptions.add(error));
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const [address] = await server.start();
  const { port } = address!;
  return {
    server,
    port,
    origin: `http://127.0.0.1:${port}`,
    reports,
    rejections,
    exceptions,
    talk: async (more) => new HttpTalk(await openTcp({ port, ...more })),
  };
}

/** An answer, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly head: HttpHead;
  readonly body: Buffer;
  readonly text: string;
}

/** A client that writes requests as they are. */
export class HttpTalk {
  readonly connection: TcpConnection;

  constructor(connection: TcpConnection) {
    this.connection = connection;
  }

  /** Writes a head of a line and fields, with what follows it. */
  send(line: string, fields: readonly string[] = [], rest = ''): void {
    this.connection.write(Buffer.from(requestText(line, fields, rest), 'latin1'));
  }

  /** Reads one answer, interim ones too. */
  async answer(method = 'GET'): Promise<HttpAnswer> {
    const head = await readHead(this.connection);
    const status = Number(head.firstLine.split(' ')[1]);
    const body = method === 'HEAD' ? Buffer.alloc(0) : await readBody(this.connection, status, head);
    return { status, head, body, text: body.toString() };
  }

  /** Sends a request and reads its answer. */
  ask(line: string, fields: readonly string[] = [], rest = ''): Promise<HttpAnswer> {
    this.send(line, fields, rest);
    return this.answer(line.split(' ', 1)[0]);
  }
}

/** A request with a Host, unless its fields have one. */
export function requestText(line: string, fields: readonly string[], rest = ''): string {
  const hasHost = fields.some((field) => /^host\s*:/i.test(field));
  const all = hasHost ? fields : ['Host: app.example', ...fields];
  return `${line} HTTP/1.1\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n${rest}`;
}

/** The fields of a WebSocket handshake. */
export const HANDSHAKE: readonly string[] = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** The whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A backend that answers with what it was asked, as JSON. */
export const mirror: RequestListener = async (request: IncomingMessage, response: ServerResponse) => {
  const body = await bodyOf(request);
  const { method, url, rawHeaders, rawTrailers } = request;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body: body.toString('latin1') }));
};

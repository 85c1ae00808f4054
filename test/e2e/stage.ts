/**
 * Owns what the end-to-end tests set up: a proxy on a free port, and both ends of a conversation held by `ws`. Everything
 * is closed when the test that asked for it has finished. Refuses to assert anything.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type ClientOptions, type RawData, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { type CloseReport, type Connection, ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { WaitingLine, waitForEvent } from '../support/events.js';

/** A proxy that runs, and what became of its connections. */
export interface RunningProxy {
  readonly server: ProxyServer;
  /** Such as `ws://127.0.0.1:4711`. */
  readonly url: string;
  /** Resolves with the next connection that opened. */
  nextConnection(): Promise<Connection>;
  /** Resolves with the report about the next connection that ended. */
  nextReport(): Promise<CloseReport>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(options: ProxyServerOptions): Promise<RunningProxy> {
  const server = new ProxyServer({ listen: '127.0.0.1:0', ...options });
  const connections = new Queue<Connection>();
  const reports = new Queue<CloseReport>();
  server.on('connection', (connection) => connections.add(connection));
  server.on('disconnected', (_connection, report) => reports.add(report));
  const [address] = await server.start();
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  return { server, url: address!.url, nextConnection: () => connections.next(), nextReport: () => reports.next() };
}

/** Values in the order they came, each given once. */
export class Queue<T> {
  readonly #values: T[] = [];
  readonly #line = new WaitingLine();
  #failure: Error | undefined;

  add(value: T): void {
    this.#values.push(value);
    this.#line.notify();
  }

  /** Nothing can come any more. */
  end(failure: Error): void {
    this.#failure = failure;
    this.#line.notify();
  }

  get size(): number {
    return this.#values.length;
  }

  async next(): Promise<T> {
    const box = await this.#line.until(
      () => (this.#values.length === 0 ? undefined : { value: this.#values.shift() as T }),
      () => this.#failure,
    );
    return box.value;
  }
}

/** Resolves with the arguments of the next event, for emitters that are not quite those of Node.js. */
export function happened<Args extends unknown[]>(
  emitter: { once(name: string, listener: (...args: Args) => void): unknown },
  name: string,
): Promise<Args> {
  return new Promise((resolve) => {
    emitter.once(name, (...args) => resolve(args));
  });
}

/** How a WebSocket ended, as one of its ends saw it. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** One end of a WebSocket. Messages are kept until they are asked for. */
export class Talker {
  readonly socket: WebSocket;
  /** The handshake, on the server's side. */
  readonly request: IncomingMessage | undefined;
  readonly closed: Promise<Ended>;
  readonly #messages = new Queue<string | Buffer>();
  readonly #pings = new Queue<string>();
  readonly #pongs = new Queue<string>();

  constructor(socket: WebSocket, request?: IncomingMessage) {
    this.socket = socket;
    this.request = request;
    socket.on('message', (data, isBinary) => this.#messages.add(isBinary ? bufferOf(data) : bufferOf(data).toString()));
    socket.on('ping', (data) => this.#pings.add(data.toString()));
    socket.on('pong', (data) => this.#pongs.add(data.toString()));
    // An error is followed by `close`, and the code that tells of it.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        const ended = { code, reason: reason.toString() };
        for (const queue of [this.#messages, this.#pings, this.#pongs]) {
          queue.end(new Error(`the connection ended with ${code} ${ended.reason}`));
        }
        resolve(ended);
      });
    });
  }

  /** The next message: a string for text, bytes for binary. */
  message(): Promise<string | Buffer> {
    return this.#messages.next();
  }

  /** The payload of the next ping that came. */
  ping(): Promise<string> {
    return this.#pings.next();
  }

  /** The payload of the next pong that came. */
  pong(): Promise<string> {
    return this.#pongs.next();
  }
}

/** Opens a WebSocket with `ws`; rejects when it is refused. */
export async function openClient(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<Talker> {
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
  const talker = new Talker(socket);
  onTestFinished(async () => {
    socket.terminate();
    if (socket.readyState !== WebSocket.CLOSED) await talker.closed;
  });
  await waitForEvent(socket, 'open');
  return talker;
}

/** A WebSocket server of `ws`. */
export interface WsTarget {
  readonly url: string;
  readonly port: number;
  /** Resolves with the next connection. */
  nextTalker(): Promise<Talker>;
}

/** Starts a WebSocket server of `ws` on a free port. It reads, and says nothing by itself but pongs. */
export async function startWsTarget(options: ServerOptions = {}): Promise<WsTarget> {
  const talkers = new Queue<Talker>();
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('connection', (socket, request) => talkers.add(new Talker(socket, request)));
  await waitForEvent(server, 'listening');
  onTestFinished(async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, port, nextTalker: () => talkers.next() };
}

function bufferOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

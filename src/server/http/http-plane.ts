/**
 * Owns the plain requests of a balancer: connections whose requests are read by the parser of Node.js, one exchange after the other on
 * each, until there are no more or a WebSocket handshake comes. Refuses to listen, and to know what becomes of a request.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { TimerWheel, wheelTick } from '../../actors/timer-wheel.js';
import { headerTokens } from '../../protocol/header-fields.js';
import { parseRequestHead, type RequestHead } from '../../protocol/http-head.js';
import { ERRORS, type ErrorCode, httpStatusOf } from '../../receivers/index.js';
import type { BalancerConfig } from '../config/balancer/options.js';
import { writeRefusal } from '../handshake/answer.js';
import type { ExtensionBase, PlainRequest } from '../server-extension.js';
import type { Wire } from '../wires/wire.js';
import { BackendAgents } from './backend-agents.js';
import { DownstreamStream } from './downstream-stream.js';
import { Exchange, type ExchangeServices } from './exchange.js';
import type { HttpHooks, HttpReport } from './http-hooks.js';
import { Places, type PlacesOptions } from './places.js';
import { RequestGate } from './request-gate.js';

/** What a plane is made of. */
export interface HttpPlaneOptions extends Pick<PlacesOptions, 'pool' | 'affinity' | 'budget'> {
  readonly config: BalancerConfig;
  readonly hooks: HttpHooks;
  done(report: HttpReport): void;
  exception(error: unknown): void;
}

/** Forwards plain requests. */
export class HttpPlane {
  readonly #options: HttpPlaneOptions;
  readonly #base: ExtensionBase;
  readonly #server: http.Server;
  readonly #streams = new Set<DownstreamStream>();
  readonly #wheel: TimerWheel;
  readonly #agents: BackendAgents;
  readonly #targets: BackendAgents;
  readonly #services: ExchangeServices;
  #draining = false;
  #emptied: (() => void) | undefined;

  constructor(options: HttpPlaneOptions, base: ExtensionBase) {
    this.#options = options;
    this.#base = base;
    const { config, hooks, pool, affinity, budget, done, exception } = options;
    const { dialer, authentication, entry } = base;
    const { timeouts, limits } = config;
    const { timeout, bodyTimeout, idleTimeout, keepAlive, connections, retries, authenticate } = config.http;
    this.#wheel = new TimerWheel(
      wheelTick(timeouts.handshake, timeouts.dial, timeouts.writeStall, timeout, bodyTimeout, idleTimeout, keepAlive),
    );
    const limit = { connections, dialTimeout: timeouts.dial };
    this.#agents = new BackendAgents({ ...limit, dial: (target, signal) => dialer.dial(target, { signal }) });
    this.#targets = new BackendAgents({
      ...limit,
      dial: (target, signal) => dialer.dial(target, { signal, guard: dialer.guardFor(target) }),
    });
    const check: PlacesOptions['check'] = (target) => dialer.guardFor(target)?.checkTarget(target);
    this.#services = {
      config,
      hooks,
      gate: new RequestGate({ authentication, entry, maxHeaderCount: limits.maxHeaderCount, asksWho: authenticate }),
      places: new Places({ pool, affinity, budget, retries, agents: this.#agents, targets: this.#targets, check }),
      wheel: this.#wheel,
      done,
      exception,
    };
    this.#server = this.#createServer();
  }

  /** Connections whose requests are read here. */
  get size(): number {
    return this.#streams.size;
  }

  /** Takes a request and the connection it came by. */
  take({ head, wire }: PlainRequest): void {
    const { timeouts, http: options } = this.#options.config;
    const stream = new DownstreamStream(
      wire,
      Buffer.from(withoutUpgrade(head), 'latin1'),
      this.#wheel,
      { head: timeouts.handshake, keepAlive: options.keepAlive, writeStall: timeouts.writeStall },
      (slow) => this.#refuse(slow, 'REQUEST_TIMEOUT', `the request head did not end within ${timeouts.handshake} ms`),
    );
    this.#streams.add(stream);
    stream.on('error', ignore);
    stream.once('close', () => this.#gone(stream));
    this.#server.emit('connection', stream);
  }

  /** A backend is none any more. */
  forget(id: string): void {
    this.#agents.forget(id);
  }

  /** No request is awaited any more; those that came are answered, and are the last ones of their connections. */
  stopAhead(): void {
    this.#draining = true;
    for (const stream of this.#streams) stream.closeSoon();
  }

  /** Resolves when every request is answered, or so many milliseconds are over: then they are cut. */
  async drain(milliseconds: number): Promise<void> {
    if (this.#streams.size > 0 && milliseconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#emptied = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const stream of this.#streams) stream.destroy();
  }

  /** Lets go of everything. */
  release(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#agents.close();
    this.#targets.close();
    this.#wheel.stop();
  }

  #gone(stream: DownstreamStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#emptied?.();
  }

  #createServer(): http.Server {
    const { limits, http: options } = this.#options.config;
    const server = http.createServer({
      insecureHTTPParser: false,
      // What is wrong with Host is ours to say, for all requests in the same way.
      requireHostHeader: false,
      maxHeaderSize: limits.maxHandshakeBytes,
      // Said to clients; who keeps it is the stream.
      keepAliveTimeout: options.keepAlive,
      ...ONLY_WEBSOCKET,
    });
    // What is counted out silently would be seen by one reader and not by the other: they are counted when they are there.
    server.maxHeadersCount = 0;
    server.on('request', (request, response) => this.#arrived(request, response));
    server.on('checkContinue', (request, response) => this.#arrived(request, response));
    server.on('upgrade', (request, stream, rest) => this.#handOver(request, streamOf(stream), rest));
    server.on('connect', (_request, stream) => {
      this.#refuse(streamOf(stream), 'BAD_REQUEST', 'CONNECT is not served here', 405);
    });
    server.on('clientError', (error: Error & { code?: string }, stream) => this.#broken(error, streamOf(stream)));
    return server;
  }

  #arrived(request: IncomingMessage, response: ServerResponse): void {
    const stream = streamOf(request.socket);
    const { isNew } = stream;
    if (!isNew) {
      const head = headOf(request);
      if (head !== undefined && this.#base.entry.serves(head, stream.accepted)) {
        this.#handOver(request, stream, Buffer.alloc(0));
        return;
      }
    }
    if (this.#draining) stream.closeSoon();
    stream.enqueue(() => new Exchange(this.#services, stream, request, response, isNew).run());
  }

  /** Somebody else goes on with the connection, from this request on: it may be a handshake. */
  #handOver(request: IncomingMessage, stream: DownstreamStream, rest: Buffer): void {
    const { entry } = this.#base;
    const head = headOf(request);
    stream.enqueue(async () => {
      const { accepted } = stream;
      if (stream.destroyed || stream.releaseWire(rest) === undefined) return;
      // Now, and not when it is told: the connection takes the same room again.
      this.#gone(stream);
      if (head === undefined) {
        refuseBadRequest(accepted);
        return;
      }
      const denial = entry.denialOfNext(head, accepted);
      if (denial === undefined) entry.take(head, accepted);
      else writeRefusal(accepted, { status: httpStatusOf(denial.error), body: `${denial.message}\n` });
    });
  }

  /** What came is no HTTP, or too much of it. */
  #broken(error: Error & { code?: string }, stream: DownstreamStream): void {
    const { code = '' } = error;
    // A connection that broke has nobody to be answered.
    if (!code.startsWith('HPE_')) stream.destroy();
    // Its head came as a request already, which is refused for the same reason.
    else if (code === 'HPE_INVALID_TRANSFER_ENCODING' && stream.busy) stream.closeSoon();
    else if (code === 'HPE_HEADER_OVERFLOW') this.#refuse(stream, 'HANDSHAKE_TOO_BIG', 'the request head is too large');
    else this.#refuse(stream, 'BAD_REQUEST', `the request is not HTTP: ${code}`);
  }

  /** Refuses what came behind the last request, unless an answer is on its way that this would be taken for a part of. */
  #refuse(stream: DownstreamStream, error: ErrorCode, message: string, status = httpStatusOf(error)): void {
    const { remoteAddress } = stream.accepted.pass?.peer ?? stream.accepted.addresses;
    this.#base.entry.rejected({ error, status, message, remoteAddress, path: undefined });
    if (stream.busy || stream.destroyed || stream.releaseWire(Buffer.alloc(0)) === undefined) stream.destroy();
    else writeRefusal(stream.accepted, { status, body: `${ERRORS[error].help}\n` });
  }
}

function streamOf(stream: Duplex): DownstreamStream {
  return stream as DownstreamStream;
}

function refuseBadRequest(wire: Wire): void {
  writeRefusal(wire, { status: 400, body: `${ERRORS.BAD_REQUEST.help}\n` });
}

/** The head as our own reader reads it, which is stricter; undefined when it does not. */
function headOf({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): RequestHead | undefined {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  const head = parseRequestHead(`${text}\r\n`);
  return 'fault' in head ? undefined : head;
}

/** For newer Node.js: a request that wishes for another protocol goes on as one that does not. Older ones know no such option. */
const ONLY_WEBSOCKET = {
  shouldUpgradeCallback: ({ rawHeaders }: IncomingMessage): boolean =>
    headerTokens(rawHeaders, 'upgrade').includes('websocket'),
};

/** An upgrade to something else than WebSocket may be ignored (RFC 9110 section 7.8), and is: the parser must not stop for it. */
function withoutUpgrade({ method, url, httpVersion, rawHeaders, text }: RequestHead): string {
  if (headerTokens(rawHeaders, 'upgrade').length === 0) return text;
  let left = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== 'upgrade') left += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  }
  return `${left}\r\n`;
}

function ignore(): void {}

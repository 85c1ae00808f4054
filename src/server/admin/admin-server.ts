/**
 * Owns the HTTP server of the admin API: where it listens, and how much of it one may take up. Refuses to know who may ask, and what
 * can be asked for.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { TidegateError } from '../../receivers/index.js';
import { parseListenText } from '../config/listen.js';
import { listenError } from '../listener/listen-address.js';
import { AdminDesk } from './admin-desk.js';
import { AdminGuard } from './admin-guard.js';
import { type AdminServerConfig, type AdminServerOptions, resolveAdminOptions } from './admin-options.js';
import type { AdminAnswer } from './admin-route.js';
import { sendAnswer } from './send-answer.js';
import { serverRoutes } from './server-routes.js';
import { siteRoutes } from './site-routes.js';

/** Nobody needs more at a time to look after a server. */
const MAX_CONNECTIONS = 100;

/** Of those, so that streams which nobody closes never keep others out. */
const MAX_STREAMS = 50;

/** Milliseconds. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 };

/** Serves the admin API of one server or several, between a start and a close. It neither starts nor stops them. */
export class AdminServer {
  readonly #config: AdminServerConfig;
  readonly #desk: AdminDesk;
  readonly #server: Server;
  #streams = 0;
  #url: string | undefined;

  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: AdminServerOptions) {
    this.#config = resolveAdminOptions(options);
    const { listen, token, servers, exception } = this.#config;
    const { host = '127.0.0.1' } = parseListenText(listen) ?? {};
    const site = siteRoutes(servers);
    this.#desk = new AdminDesk({
      guard: new AdminGuard({ host, token }),
      routes: new Map([...servers].map(([name, server]) => [name, [...site, ...serverRoutes(server)]])),
      exception,
    });
    this.#server = createServer({ ...TIMEOUTS, connectionsCheckingInterval: 1000 }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Such as `http://127.0.0.1:9090`; undefined unless it is bound. */
  get url(): string | undefined {
    return this.#url;
  }

  /**
   * Binds its address, and resolves with where it is, such as `http://127.0.0.1:9090`.
   *
   * @throws TidegateError `ALREADY_STARTED`, `ADDRESS_IN_USE` or `LISTEN_FAILED`.
   */
  async start(): Promise<string> {
    const { listen, exception } = this.#config;
    const { host, port = 0 } = parseListenText(listen) ?? {};
    if (this.#server.listening) throw new TidegateError('ALREADY_STARTED', 'the admin API is started already');
    this.#server.removeAllListeners('error');
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    }).catch((error: unknown) => {
      throw listenError(error, host, port);
    });
    this.#server.on('error', exception);
    const bound = this.#server.address() as AddressInfo;
    const name = bound.address === '::' || bound.address === '0.0.0.0' ? 'localhost' : bound.address;
    this.#url = `http://${isIPv6(name) ? `[${name}]` : name}:${bound.port}`;
    return this.#url;
  }

  /** Cuts what is there. Resolves when no socket is left. May be called at any time. */
  async close(): Promise<void> {
    this.#url = undefined;
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that leaves midway is nobody's mistake.
    response.on('error', () => {});
    const answer = this.#admitted(await this.#desk.answer(request));
    const isStream = 'stream' in answer;
    if (isStream) this.#streams += 1;
    try {
      await sendAnswer(answer, request, response);
    } catch (error) {
      // Of a stream, whose head is out: there is nothing to say any more.
      this.#config.exception(error);
      response.destroy();
    } finally {
      if (isStream) this.#streams -= 1;
    }
  }

  #admitted(answer: AdminAnswer): AdminAnswer {
    if (!('stream' in answer) || this.#streams < MAX_STREAMS) return answer;
    void answer.stream[Symbol.asyncIterator]().return?.();
    const message = `${MAX_STREAMS} streams are open, which is as many as there may be`;
    return this.#desk.failure(new TidegateError('ADMIN_TOO_MANY_STREAMS', message));
  }
}

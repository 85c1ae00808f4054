/**
 * Owns the HTTP server of the admin API: where it listens, what is true for every request, and that every answer is JSON. Refuses to know
 * what can be asked for: that are its routes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { describeError, httpStatusOf, TidegateError } from '../../receivers/index.js';
import { parseListenText } from '../config/listen.js';
import { listenError } from '../listener/listen-address.js';
import { readJson } from './admin-body.js';
import { AdminGuard } from './admin-guard.js';
import { type AdminAnswer, type AdminRoute, findRoute } from './admin-route.js';

/** What an admin API is made of. */
export interface AdminServerOptions {
  /** `host:port` or `[v6]:port`. */
  readonly listen: string;
  readonly token: string | undefined;
  readonly routes: readonly AdminRoute[];
  /** A route threw what it may not, or the listener failed. Must not throw. */
  exception(error: unknown): void;
}

/** Nobody needs more at a time to look after a server. */
const MAX_CONNECTIONS = 100;

/** Milliseconds. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 };

/** Serves the admin API between a start and a close. */
export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #guard: AdminGuard;
  readonly #server: Server;
  #url: string | undefined;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    const { host = '127.0.0.1' } = parseListenText(options.listen) ?? {};
    this.#guard = new AdminGuard({ host, token: options.token });
    this.#server = createServer({ ...TIMEOUTS, connectionsCheckingInterval: 1000 }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Such as `http://127.0.0.1:9090`; undefined unless it is bound. */
  get url(): string | undefined {
    return this.#url;
  }

  /** @throws TidegateError `ADDRESS_IN_USE` or `LISTEN_FAILED`. */
  async start(): Promise<void> {
    const { listen, exception } = this.#options;
    const { host, port = 0 } = parseListenText(listen) ?? {};
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
    let answer: AdminAnswer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      answer = this.#failure(error);
    }
    // What is left of a body that nobody reads would be taken for the next request.
    const headers = request.complete ? answer.headers : { ...answer.headers, Connection: 'close' };
    const body = `${JSON.stringify(answer.body, null, 2)}\n`;
    response.writeHead(answer.status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    });
    response.end(body);
  }

  async #answer(request: IncomingMessage): Promise<AdminAnswer> {
    const { method = '', url = '', headers } = request;
    this.#guard.checkPlace(headers);
    const found = findRoute(this.#options.routes, method, segmentsOf(url));
    if (found !== undefined && 'route' in found && found.route.open === true) {
      return found.route.answer({ params: found.params, body: undefined });
    }
    this.#guard.checkToken(headers);
    if (found === undefined) {
      throw new TidegateError('ADMIN_NOT_FOUND', `there is no ${JSON.stringify(url.split('?', 1)[0])}`);
    }
    if ('methods' in found) {
      const allowed = found.methods.join(', ');
      const error = new TidegateError('ADMIN_METHOD', `got ${method}; expected ${allowed}`);
      return { ...this.#failure(error), headers: { Allow: allowed } };
    }
    const isRead = method === 'GET' || method === 'HEAD';
    return found.route.answer({ params: found.params, body: isRead ? undefined : await readJson(request) });
  }

  #failure(error: unknown): AdminAnswer {
    const known = error instanceof TidegateError ? error : undefined;
    if (known === undefined) this.#options.exception(error);
    const code = known?.code ?? 'ADMIN_FAILED';
    // Outside of this API a wrong option is no answer to a request.
    const status = code === 'INVALID_OPTION' ? 400 : httpStatusOf(code);
    const { message, help } = known ?? new TidegateError(code, describeError(error));
    const headers = code === 'ADMIN_UNAUTHORIZED' ? { 'WWW-Authenticate': 'Bearer realm="tidegate"' } : undefined;
    return { status, body: { error: { code, message, help } }, headers };
  }
}

/**
 * The decoded segments of a path. An id that is a URL stands as one segment, with `%2F` for its slashes, so nothing is resolved before.
 *
 * @throws TidegateError `ADMIN_BAD_REQUEST` for what cannot be decoded.
 */
function segmentsOf(url: string): string[] {
  const [path = ''] = url.split('?', 1);
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw new TidegateError(
      'ADMIN_BAD_REQUEST',
      `the path ${JSON.stringify(path)} is not percent-encoded as it should be`,
    );
  }
}

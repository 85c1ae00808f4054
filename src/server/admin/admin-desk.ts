/**
 * Owns which answer a request to the admin API gets: who may ask, for which server, and by which route. Refuses to know sockets, and
 * what the routes answer.
 */
import type { IncomingMessage } from 'node:http';
import { describeError, type ErrorCode, httpStatusOf, TidegateError } from '../../receivers/index.js';
import { readJson } from './admin-body.js';
import type { AdminGuard } from './admin-guard.js';
import { refuseTwice, refuseUnknown } from './admin-input.js';
import { type AdminAnswer, type AdminRoute, findRoute } from './admin-route.js';

/** What a desk is made of. */
export interface AdminDeskOptions {
  readonly guard: AdminGuard;
  /** By the name of the server they are of; those of the first one are meant where none is named. */
  readonly routes: ReadonlyMap<string, readonly AdminRoute[]>;
  /** A route threw what it may not. Must not throw. */
  exception(error: unknown): void;
}

interface Place {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Answers requests. */
export class AdminDesk {
  readonly #options: AdminDeskOptions;

  constructor(options: AdminDeskOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async answer(request: IncomingMessage): Promise<AdminAnswer> {
    try {
      return await this.#answer(request);
    } catch (error) {
      return this.failure(error);
    }
  }

  /** What is answered when something was thrown. */
  failure(error: unknown): AdminAnswer {
    const known = error instanceof TidegateError ? error : undefined;
    if (known === undefined) this.#options.exception(error);
    const code = known?.code ?? 'ADMIN_FAILED';
    const { message, help } = known ?? new TidegateError(code, describeError(error));
    const headers = code === 'ADMIN_UNAUTHORIZED' ? { 'WWW-Authenticate': 'Bearer realm="tidegate"' } : undefined;
    return { status: statusOf(code), body: { error: { code, message, help } }, headers };
  }

  async #answer(request: IncomingMessage): Promise<AdminAnswer> {
    const { method = '', url = '', headers } = request;
    const { guard } = this.#options;
    guard.checkPlace(headers);
    const { segments, query } = placeOf(url);
    const routes = this.#routesOf(query);
    const found = findRoute(routes ?? [], method, segments);
    const route = found !== undefined && 'route' in found ? found.route : undefined;
    if (route?.open !== true) guard.checkToken(headers);
    if (routes === undefined) throw this.#unknownServer(query);
    if (found === undefined) {
      throw new TidegateError('ADMIN_NOT_FOUND', `there is no ${JSON.stringify(url.split('?', 1)[0])}`);
    }
    if (!('route' in found)) return this.#otherMethods(method, found.methods);
    refuseTwice(query);
    query.delete('server');
    if (found.route.query !== undefined) refuseUnknown(query, found.route.query);
    const isRead = method === 'GET' || method === 'HEAD';
    return found.route.answer({ params: found.params, query, body: isRead ? undefined : await readJson(request) });
  }

  /** What can be asked of the server that is meant; undefined for one that there is none of. */
  #routesOf(query: URLSearchParams): readonly AdminRoute[] | undefined {
    const { routes } = this.#options;
    return routes.get(query.get('server') || (routes.keys().next().value ?? ''));
  }

  #unknownServer(query: URLSearchParams): TidegateError {
    const known = [...this.#options.routes.keys()].map((name) => JSON.stringify(name)).join(', ');
    const message = `server: got ${JSON.stringify(query.get('server'))}; expected one of ${known}`;
    return new TidegateError('ADMIN_BAD_REQUEST', message);
  }

  #otherMethods(method: string, methods: readonly string[]): AdminAnswer {
    const allowed = methods.join(', ');
    const error = new TidegateError('ADMIN_METHOD', `got ${method}; expected ${allowed}`);
    return { ...this.failure(error), headers: { Allow: allowed } };
  }
}

// Outside of this API a wrong option, or a wrong file, is no answer to a request.
function statusOf(code: ErrorCode): number {
  if (code === 'INVALID_OPTION') return 400;
  return code === 'INVALID_CONFIG' ? 409 : httpStatusOf(code);
}

/**
 * The decoded segments of a path, and its query. An id that is a URL stands as one segment, with `%2F` for its slashes, so nothing is
 * resolved before.
 *
 * @throws TidegateError `ADMIN_BAD_REQUEST` for what cannot be decoded.
 */
function placeOf(url: string): Place {
  const [path = ''] = url.split('?', 1);
  const query = new URLSearchParams(url.slice(path.length));
  try {
    return { segments: path.split('/').slice(1).map(decodeURIComponent), query };
  } catch {
    throw new TidegateError(
      'ADMIN_BAD_REQUEST',
      `the path ${JSON.stringify(path)} is not percent-encoded as it should be`,
    );
  }
}

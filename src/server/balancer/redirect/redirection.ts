/**
 * Owns telling clients where to go, in every way there is: over HTTP as JSON, on a WebSocket in one message, and as a redirect. Refuses
 * to pick a backend.
 */
import type { PoolActor } from '../../../actors/pool-actor.js';
import type { RequestHead } from '../../../protocol/http-head.js';
import {
  ERRORS,
  httpStatusOf,
  type LifecycleReceiver,
  TidegateError,
  type UpgradeRequest,
} from '../../../receivers/index.js';
import type { BalancerConfig } from '../../config/balancer/options.js';
import type { Routes } from '../../connections/route.js';
import type { PlainAnswer } from '../../server-extension.js';
import type { Affinity } from '../affinity/affinity.js';
import { BindingReceiver } from './binding-receiver.js';
import { BoundedWaits } from './bounded-waits.js';
import { directionAnswer } from './directions.js';
import { type BindingHook, type Direction, Directory, type NoDirection } from './directory.js';
import { createRedirectRoutes } from './redirect-route.js';

/** What a {@link Redirection} is made of. */
export interface RedirectionOptions {
  readonly config: Pick<BalancerConfig, 'mode' | 'redirect' | 'retryAfter' | 'timeouts'>;
  readonly pool: PoolActor;
  readonly affinity: Affinity;
  readonly hook: BindingHook | undefined;
  exception(error: unknown): void;
}

/** Where clients ask. Made for each start. */
export class Redirection {
  /** For clients that ask for a WebSocket, in the mode `redirect`. */
  readonly routes: Routes;
  readonly #options: RedirectionOptions;
  readonly #directory: Directory;
  readonly #waits = new BoundedWaits();

  constructor(options: RedirectionOptions) {
    this.#options = options;
    const { pool, affinity, config, hook, exception } = options;
    const { retryAfter } = config;
    this.#directory = new Directory({ pool, affinity, retryAfter, hook });
    this.routes = createRedirectRoutes(this.#directory, exception);
  }

  /** The receiver of a client that wants to be told on its WebSocket; undefined for all others. */
  receiverFor(request: UpgradeRequest, application: () => LifecycleReceiver): LifecycleReceiver | undefined {
    const { mode, redirect } = this.#options.config;
    if (mode !== 'redirect' || !request.subprotocols.includes(redirect.subprotocol)) return undefined;
    return new BindingReceiver(application(), this.#directory, redirect.subprotocol);
  }

  /** Whether a plain request asks where to go. */
  serves({ url }: RequestHead): boolean {
    const { mode, redirect } = this.#options.config;
    return redirect.path === undefined ? mode === 'redirect' : url.split('?', 1)[0] === redirect.path;
  }

  /** Answers a plain request. Never rejects. */
  async answer(request: UpgradeRequest): Promise<PlainAnswer> {
    const { method, url } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      return { status: 405, headers: { Allow: 'GET, HEAD, OPTIONS' }, body: 'Ask with GET.\n' };
    }
    try {
      // The path that was asked for names the question, when there is one path for it.
      const asked = this.#options.config.redirect.path === undefined ? url : `/${queryOf(url)}`;
      return directionAnswer(await this.#find(request, asked));
    } catch (error) {
      const code = error instanceof TidegateError ? error.code : 'HOOK_FAILED';
      if (code !== 'SHUTTING_DOWN') this.#options.exception(error);
      return { status: httpStatusOf(code), body: `${ERRORS[code].help}\n` };
    }
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#waits.close();
  }

  /** A handshake has a deadline of its own; a plain request has none. */
  #find(request: UpgradeRequest, asked: string): Promise<Direction | NoDirection> {
    const found = this.#directory.find(request, asked, request.method === 'GET');
    const { handshake } = this.#options.config.timeouts;
    const late = () => new TidegateError('DECISION_TIMEOUT', `onBeforeBinding did not answer within ${handshake} ms`);
    return this.#options.hook === undefined ? found : this.#waits.wait(found, handshake, late);
  }
}

function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark);
}

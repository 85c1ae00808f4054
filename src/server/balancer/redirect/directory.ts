/** Owns the answer to the question of a client where to go: a backend, its address, and what the application says to that. Refuses to tell the client. */
import type { BackendInfo } from '../../../actors/backend.js';
import type { Pairing } from '../../../actors/pairing.js';
import type { PoolActor } from '../../../actors/pool-actor.js';
import {
  describeError,
  type ErrorCode,
  type HeaderFields,
  TidegateError,
  type UpgradeRequest,
} from '../../../receivers/index.js';
import { type Affinity, cameByTls } from '../affinity/affinity.js';
import { pickError } from '../backend-route.js';
import { addressFor, assertBinding, chooseBinding } from './binding.js';

/** Changes the address that a client is told; see `BalancerHooks.onBeforeBinding`. */
export type BindingHook = (
  request: UpgradeRequest,
  binding: string,
  backend: BackendInfo,
) => string | URL | undefined | Promise<string | URL | undefined>;

/** Where to go. */
export interface Direction {
  readonly url: string;
  /** So that the client is known again. */
  readonly headers: HeaderFields | undefined;
}

/** There is nowhere to go now. */
export interface NoDirection {
  readonly error: ErrorCode;
  readonly message: string;
  /** Milliseconds. Another time for each client, so that not all come at once. */
  readonly retryAfterMs: number;
}

/** What a {@link Directory} needs. */
export interface DirectoryOptions {
  readonly pool: Pick<PoolActor, 'pick'>;
  readonly affinity: Affinity;
  /** Milliseconds. */
  readonly retryAfter: number;
  readonly hook: BindingHook | undefined;
}

/** Knows where clients are to go. */
export class Directory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /**
   * Finds a backend for a client, which counts there until the backend reports it, or for a while.
   *
   * @param asked path and query that are added to the address.
   * @param goes whether the client will go there, or only wants to know.
   * @throws TidegateError `HOOK_FAILED`.
   */
  async find(client: UpgradeRequest, asked: string, goes = true): Promise<Direction | NoDirection> {
    const picked = this.#pick(client);
    if ('error' in picked) return picked;
    const { pairing, binding } = picked;
    const { backend } = pairing;
    // Before the hook is asked, which may never answer.
    pairing.release(goes ? 'redirected' : 'unused');
    const url = await this.#rewritten(client, addressFor(binding, asked), backend.info());
    return { url, headers: this.#options.affinity.headersFor(client, backend.id) };
  }

  #pick(client: UpgradeRequest): { pairing: Pairing; binding: string } | NoDirection {
    const { pool, affinity } = this.#options;
    const hints = affinity.hintsOf(client);
    const avoid: string[] = [];
    for (;;) {
      const pairing = pool.pick({ ...hints, avoid });
      if (typeof pairing === 'string') {
        const { code, message } = pickError(pairing, hints.onlyPreferred);
        const nowhere =
          avoid.length === 0 ? message : `no backend that is available has an address for WebSocket clients`;
        return { error: code, message: nowhere, retryAfterMs: this.#retryAfter() };
      }
      const binding = chooseBinding(pairing.backend.spec, cameByTls(client));
      if (binding !== undefined) return { pairing, binding };
      pairing.release('unused');
      avoid.push(pairing.backend.id);
    }
  }

  async #rewritten(client: UpgradeRequest, url: string, backend: BackendInfo): Promise<string> {
    const { hook } = this.#options;
    if (hook === undefined) return url;
    try {
      const given = await hook(client, url, backend);
      return given === undefined ? url : assertBinding(given);
    } catch (cause) {
      if (cause instanceof TidegateError && cause.code === 'HOOK_FAILED') throw cause;
      throw new TidegateError('HOOK_FAILED', `onBeforeBinding failed: ${describeError(cause)}`, { cause });
    }
  }

  #retryAfter(): number {
    return Math.floor(this.#options.retryAfter * (1 + Math.random() / 2));
  }
}

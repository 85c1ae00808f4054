/**
 * Owns the ways in which a client is known again, by the options: not at all, by a cookie of ours, or by what it brings itself. Refuses
 * to pick a backend.
 */
import { performance } from 'node:perf_hooks';
import { cookieValues, withoutCookie } from '../../../protocol/cookies.js';
import type { HeaderFields } from '../../../receivers/index.js';
import type { BalancerConfig } from '../../config/balancer/options.js';
import { type Affinity, type ClientFacts, cameByTls, noAffinity, type PickHints } from './affinity.js';
import { AffinityTable } from './affinity-table.js';
import { CookieSeal, type OpenedCookie } from './cookie-seal.js';
import { type KeyReader, keyReader } from './key-reader.js';

/** What an affinity is made of. */
export interface AffinityOptions {
  readonly config: Pick<BalancerConfig, 'hashBy' | 'affinity'>;
  /** The ids of all backends there are, whether they may be picked or not. */
  backendIds(): Iterable<string>;
}

/** Makes what the options ask for. */
export function createAffinity({ config, backendIds }: AffinityOptions): Affinity {
  const { by, cookieName, secret, maxAge, whenGone } = config.affinity;
  const hashed = keyReader(config.hashBy);
  const onlyPreferred = whenGone === 'refuse';
  if (by === 'none') return { ...noAffinity, hintsOf: (client) => hintsFor(hashed(client), undefined, false) };
  if (by === 'cookie') {
    const seal = new CookieSeal({ name: cookieName, secret, maxAge, backendIds, now: Date.now });
    return new CookieAffinity({ name: cookieName, maxAge, hashed, onlyPreferred, seal });
  }
  const table = new AffinityTable({ maxAge, now: () => performance.now() });
  return new RememberedAffinity(keyReader(by), table, hashed, onlyPreferred);
}

function hintsFor(key: string | undefined, prefer: string | undefined, onlyPreferred: boolean): PickHints {
  return { key, prefer, onlyPreferred: onlyPreferred && prefer !== undefined };
}

/** As many cookies of our name are looked at: whoever sends more does so on purpose. */
const MAX_COOKIES = 4;

/** By a cookie that we set. It needs no memory here, and any balancer with the same secret understands it. */
class CookieAffinity implements Affinity {
  readonly #name: string;
  readonly #maxAge: number;
  readonly #hashed: KeyReader;
  readonly #onlyPreferred: boolean;
  readonly #seal: CookieSeal;

  constructor(parts: { name: string; maxAge: number; hashed: KeyReader; onlyPreferred: boolean; seal: CookieSeal }) {
    this.#name = parts.name;
    this.#maxAge = parts.maxAge;
    this.#hashed = parts.hashed;
    this.#onlyPreferred = parts.onlyPreferred;
    this.#seal = parts.seal;
  }

  hintsOf(client: ClientFacts): PickHints {
    return hintsFor(this.#hashed(client), this.#opened(client)?.backendId, this.#onlyPreferred);
  }

  headersFor(client: ClientFacts, backendId: string): HeaderFields | undefined {
    const opened = this.#opened(client);
    if (opened?.backendId === backendId && !opened.isAging) return undefined;
    const age = this.#maxAge === 0 ? '' : `; Max-Age=${Math.ceil(this.#maxAge / 1000)}`;
    const secure = cameByTls(client) ? '; Secure' : '';
    const cookie = `${this.#name}=${this.#seal.seal(backendId)}; Path=/${age}; HttpOnly; SameSite=Lax${secure}`;
    return { 'Set-Cookie': cookie };
  }

  /** The cookie is between the client and us: a backend that logged it or set one of that name could only do harm. */
  forwardedHeaders(rawHeaders: readonly string[]): readonly string[] {
    return withoutCookie(rawHeaders, this.#name);
  }

  /** The first one that is genuine: what is forged, foreign or expired is as if it were not there. */
  #opened({ headers }: ClientFacts): OpenedCookie | undefined {
    for (const value of cookieValues(headers.cookie, this.#name).slice(0, MAX_COOKIES)) {
      const opened = this.#seal.open(value);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }
}

/**
 * By what the client brings itself, and a table of who had which backend. A hash would need no table, but moves clients whenever a
 * backend comes; whoever wants that has the policy `hash`. With both, balancers beside each other agree on new clients.
 */
class RememberedAffinity implements Affinity {
  readonly #key: KeyReader;
  readonly #table: AffinityTable;
  readonly #hashed: KeyReader;
  readonly #onlyPreferred: boolean;

  constructor(key: KeyReader, table: AffinityTable, hashed: KeyReader, onlyPreferred: boolean) {
    this.#key = key;
    this.#table = table;
    this.#hashed = hashed;
    this.#onlyPreferred = onlyPreferred;
  }

  hintsOf(client: ClientFacts): PickHints {
    const key = this.#key(client);
    const prefer = key === undefined ? undefined : this.#table.backendOf(key);
    return hintsFor(this.#hashed(client), prefer, this.#onlyPreferred);
  }

  headersFor(client: ClientFacts, backendId: string): undefined {
    const key = this.#key(client);
    if (key !== undefined) this.#table.remember(key, backendId);
  }

  forwardedHeaders(rawHeaders: readonly string[]): readonly string[] {
    return rawHeaders;
  }
}

/**
 * Owns the tokens that this server handed out: random, bounded in number and time, and kept as digests only. Refuses to know
 * how one is asked for or shown.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Principal } from '../../receivers/index.js';
import type { SessionsConfig } from '../config/authentication-tokens.js';

/** Tells our tokens from those of others. */
const PREFIX = 'tgs_';

/** A token that was handed out. */
export interface IssuedSession {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface Session {
  readonly principal: Principal;
  readonly expiresAt: number;
}

/** The tokens of one server. */
export class Sessions {
  readonly #options: SessionsConfig;
  /** By the digest of the token, so that looking one up tells nothing about others; the oldest, which end first, come first. */
  readonly #sessions = new Map<string, Session>();

  constructor(options: SessionsConfig) {
    this.#options = options;
  }

  /** How many tokens are out. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether a token may be one of ours. */
  isOurs(token: string): boolean {
    return token.startsWith(PREFIX);
  }

  /** Hands out a token; undefined when as many are out as may be. */
  issue(principal: Principal): IssuedSession | undefined {
    this.#sweep();
    const { max, lifetime, singleUse } = this.#options;
    if (this.#sessions.size >= max) return undefined;
    const token = `${PREFIX}${randomBytes(32).toString('base64url')}`;
    const expiresAt = Math.min(Date.now() + lifetime, principal.expiresAt ?? Number.POSITIVE_INFINITY);
    // A ticket that is used up is not what keeps a connection open.
    const ends = singleUse ? principal.expiresAt : expiresAt;
    this.#sessions.set(digest(token), { principal: { ...principal, scheme: 'session', expiresAt: ends }, expiresAt });
    return { token, expiresAt };
  }

  /** Takes a token. One for a single connection is of no use afterwards. */
  redeem(token: string): Principal | 'unknown' | 'expired' {
    const key = digest(token);
    const session = this.#sessions.get(key);
    if (session === undefined) return 'unknown';
    const expired = session.expiresAt <= Date.now();
    if (expired || this.#options.singleUse) this.#sessions.delete(key);
    return expired ? 'expired' : session.principal;
  }

  /** Forgets every token. */
  clear(): void {
    this.#sessions.clear();
  }

  #sweep(): void {
    const now = Date.now();
    for (const [key, { expiresAt }] of this.#sessions) {
      if (expiresAt > now) break;
      this.#sessions.delete(key);
    }
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

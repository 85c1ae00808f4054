/**
 * Owns checking passwords against the users of the options, in constant time, with the same work for a user that does not
 * exist. Refuses to keep a password longer than that takes.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import PQueue from 'p-queue';
import type { AuthenticationConfig } from '../config/authentication.js';
import { hashOfNobody, looksHashed, matchesHash, type PasswordHash, parseHash } from './password-hash.js';

/** A hash of a password takes a thread of the pool that name lookups use too: few at a time, and not many that wait. */
const AT_A_TIME = 2;
const MAX_WAITING = 32;

interface User {
  readonly name: string;
  readonly tags: readonly string[] | undefined;
  readonly hash: PasswordHash | undefined;
  /** A keyed digest of the password: given, or seen to be right. */
  digest: Buffer | undefined;
}

/** What a check came to; `busy` when too many wait for one. */
export type PasswordCheck = { readonly name: string; readonly tags: readonly string[] | undefined } | 'wrong' | 'busy';

/** The users of one server. */
export class Users {
  readonly #users: ReadonlyMap<string, User>;
  /** For this process only: a digest says nothing to whoever reads it. */
  readonly #key = randomBytes(32);
  readonly #nobody: User;
  readonly #queue = new PQueue({ concurrency: AT_A_TIME });

  constructor(users: NonNullable<AuthenticationConfig['users']>) {
    const entries = Object.entries(users).map(([name, user]) => {
      const { password, tags } = typeof user === 'string' ? { password: user, tags: undefined } : user;
      const hash = looksHashed(password) ? parseHash(password) : undefined;
      return { name, tags, hash, digest: hash === undefined ? this.#digest(password) : undefined };
    });
    this.#users = new Map(entries.map((user) => [user.name, user]));
    const costliest = entries.map(({ hash }) => hash).reduce((a, b) => (cost(a) >= cost(b) ? a : b), undefined);
    this.#nobody = {
      name: '',
      tags: undefined,
      hash: costliest === undefined ? undefined : hashOfNobody(costliest),
      digest: randomBytes(32),
    };
  }

  get size(): number {
    return this.#users.size;
  }

  /** Checks a password. */
  async check(name: string, password: string): Promise<PasswordCheck> {
    const user = this.#users.get(name);
    const shown = this.#digest(password);
    // Always compared with something, so that nothing is learnt from how long it takes.
    const known = user?.digest ?? this.#nobody.digest!;
    const isKnown = timingSafeEqual(shown, known) && user?.digest !== undefined;
    if (isKnown) return user;
    // One whose password is plain takes as long to refuse as one whose password is hashed, or who does not exist.
    const hash = user?.hash ?? this.#nobody.hash;
    if (hash === undefined) return 'wrong';
    if (this.#queue.size >= MAX_WAITING) return 'busy';
    const matches = await this.#queue.add(() => matchesHash(password, hash));
    if (!matches || user === undefined || user.hash === undefined) return 'wrong';
    user.digest = shown;
    return user;
  }

  #digest(password: string): Buffer {
    return createHmac('sha256', this.#key).update(password.normalize('NFC')).digest();
  }
}

function cost(hash: PasswordHash | undefined): number {
  return hash === undefined ? 0 : 2 ** hash.ln * hash.r * hash.p;
}

/**
 * Owns the text of the affinity cookie: which backend it names, until when, and the signature over both. Refuses to know requests, and
 * to say which backends may be picked.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The options of a {@link CookieSeal}. */
export interface CookieSealOptions {
  /** The name of the cookie: a value signed for another one is no good. */
  readonly name: string;
  /** Undefined: a random one. */
  readonly secret: string | undefined;
  /** Milliseconds that a value is good for; 0 for as long as the client keeps it. */
  readonly maxAge: number;
  /** The ids of all backends there are, whether they may be picked or not. */
  backendIds(): Iterable<string>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What a genuine cookie says. */
export interface OpenedCookie {
  /** Empty when no backend there is has that tag. */
  readonly backendId: string;
  /** Whether it would be better to send a new one: half of its time is over, or it was made under other options. */
  readonly isAging: boolean;
}

/** Version, tag of the backend, seconds since the epoch in base 36 (0: never expires), signature. */
const FORM = /^1\.([\w-]{22})\.([0-9a-z]{1,9})\.([\w-]{22})$/;
/** Half of SHA-256, as RFC 2104 section 5 allows. */
const BYTES = 16;
/** Ids of backends that were there once are forgotten with all others when there are more than this. */
const MAX_TAGS = 4096;

/**
 * Signs and reads cookies with HMAC-SHA-256. A backend is named by a tag: its id under a key of its own. Nobody without the secret can
 * make a tag or learn an id by one; that two clients are on the same backend is all that they can see. The same secret, name and ids
 * give the same tags everywhere, so that balancers beside each other send the same cookie to the same backend.
 */
export class CookieSeal {
  readonly #options: CookieSealOptions;
  readonly #signingKey: Buffer;
  readonly #tagKey: Buffer;
  readonly #tags = new Map<string, string>();
  readonly #ids = new Map<string, string>();

  constructor(options: CookieSealOptions) {
    this.#options = options;
    const secret = options.secret ?? randomBytes(32);
    this.#signingKey = createHmac('sha256', secret).update(`tidegate affinity signature 1 ${options.name}`).digest();
    this.#tagKey = createHmac('sha256', secret).update(`tidegate affinity backend 1 ${options.name}`).digest();
  }

  /** Makes a value that names this backend. */
  seal(backendId: string): string {
    const { maxAge, now } = this.#options;
    const expires = maxAge === 0 ? 0 : Math.ceil((now() + maxAge) / 1000);
    const said = `1.${this.#tagOf(backendId)}.${expires.toString(36)}`;
    return `${said}.${this.#signatureOf(said).toString('base64url')}`;
  }

  /** Reads a value; undefined when it is not one of ours, was changed, or has expired. */
  open(value: string): OpenedCookie | undefined {
    const [, tag, until, signature] = FORM.exec(value) ?? [];
    if (tag === undefined || until === undefined || signature === undefined) return undefined;
    const signed = this.#signatureOf(`1.${tag}.${until}`);
    if (!timingSafeEqual(Buffer.from(signature, 'base64url'), signed)) return undefined;
    // The last digit has bits to spare: one signature, one text.
    if (signature !== signed.toString('base64url')) return undefined;
    const { maxAge, now } = this.#options;
    const expires = Number.parseInt(until, 36) * 1000;
    const left = expires - now();
    if (expires !== 0 && left <= 0) return undefined;
    const isAging = maxAge === 0 ? expires !== 0 : expires === 0 || left < maxAge / 2;
    return { backendId: this.#idOf(tag), isAging };
  }

  #signatureOf(said: string): Buffer {
    return createHmac('sha256', this.#signingKey).update(said).digest().subarray(0, BYTES);
  }

  #tagOf(id: string): string {
    const known = this.#tags.get(id);
    if (known !== undefined) return known;
    const tag = createHmac('sha256', this.#tagKey).update(id).digest().subarray(0, BYTES).toString('base64url');
    if (this.#tags.size >= MAX_TAGS) {
      this.#tags.clear();
      this.#ids.clear();
    }
    this.#tags.set(id, tag);
    this.#ids.set(tag, id);
    return tag;
  }

  /** An id that is remembered may be of a backend that is gone: then it cannot be picked, which comes to the same. */
  #idOf(tag: string): string {
    const known = this.#ids.get(tag);
    if (known !== undefined) return known;
    for (const id of this.#options.backendIds()) if (this.#tagOf(id) === tag) return id;
    return '';
  }
}

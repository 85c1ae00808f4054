/** Owns the shape of who a client is, and what makes it valid. Refuses to find out. */
import { TidegateError } from './errors.js';

/** Who a client has shown to be. Holds no secret: it appears in snapshots and logs. */
export interface Principal {
  /** The user, the subject of a token, or the common name of a certificate. */
  readonly name: string;
  /** How it was shown, such as `basic`, `bearer`, `session` or `certificate`. */
  readonly scheme: string;
  /** What a token claims, or an application adds. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Groups of connections that can be ended together, with `disconnect({ tag })`. */
  readonly tags?: readonly string[] | undefined;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}

/**
 * Throws `INVALID_DECISION` unless it is a principal: an end that is no number would be no end.
 *
 * @param from who gave it, for the message, which shows nothing of it.
 */
export function assertPrincipal(value: unknown, from: string): asserts value is Principal {
  const { name, tags, expiresAt } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Principal>;
  const isNamed = typeof name === 'string' && name !== '';
  const isTagged = tags === undefined || (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string'));
  const ends = expiresAt === undefined || Number.isFinite(expiresAt);
  if (isNamed && isTagged && ends) return;
  const expected =
    'a principal has a `name`, and may have `tags`, a list of texts, and `expiresAt`, milliseconds since the epoch';
  throw new TidegateError('INVALID_DECISION', `${from} gave no principal: ${expected}`);
}

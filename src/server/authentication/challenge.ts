/** Owns how a client that was not let in is answered: status, body, and the ways it may say who it is. Refuses to decide it. */
import type { Refusal } from '../../actors/connection.effects.js';
import { ERRORS, httpStatusOf } from '../../receivers/index.js';
import type { Failure } from './credentials.js';
import type { Sources } from './presented.js';

/**
 * Makes the refusal of a failure. A 401 names every way there is (RFC 9110 section 11.6.1). The client learns what kind of failure it
 * was, and not which part of its credentials was right.
 */
export function refusalOf({ error, message }: Failure, realm: string, sources: Sources): Refusal {
  const status = httpStatusOf(error);
  const body = `${ERRORS[error].help}\n`;
  if (status !== 401) return { status, error, message, body };
  return { status, error, message, body, headers: { 'WWW-Authenticate': challenges(error, realm, sources) } };
}

function challenges(error: Failure['error'], realm: string, sources: Sources): string[] {
  const quoted = `realm="${realm.replace(/["\\]/g, '\\$&')}"`;
  const ways: string[] = [];
  // RFC 6750 section 3.1: no error code for a request without any token.
  const why = error === 'UNAUTHENTICATED' ? '' : ', error="invalid_token"';
  if (sources.tokens) ways.push(`Bearer ${quoted}${why}`);
  if (sources.passwords) ways.push(`Basic ${quoted}, charset="UTF-8"`);
  // A 401 has to name one; credentials of another kind have no scheme of their own.
  return ways.length === 0 ? [`Tidegate ${quoted}`] : ways;
}

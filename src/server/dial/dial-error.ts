/** Owns the translation of what Node says about a failed dial into our codes. Refuses to dial. */

import { type ErrorCode, TidegateError } from '../../receivers/errors.js';
import type { DialSignal } from './dial-signal.js';
import type { Target } from './target.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'UPSTREAM_REFUSED',
  ECONNRESET: 'UPSTREAM_REFUSED',
  ECONNABORTED: 'UPSTREAM_REFUSED',
  EPIPE: 'UPSTREAM_REFUSED',
  EHOSTUNREACH: 'UPSTREAM_REFUSED',
  EHOSTDOWN: 'UPSTREAM_REFUSED',
  ENETUNREACH: 'UPSTREAM_REFUSED',
  ENETDOWN: 'UPSTREAM_REFUSED',
  EADDRNOTAVAIL: 'UPSTREAM_REFUSED',
  EACCES: 'UPSTREAM_REFUSED',
  EPERM: 'UPSTREAM_REFUSED',
  EMFILE: 'UPSTREAM_REFUSED',
  ENFILE: 'UPSTREAM_REFUSED',
  ENOTFOUND: 'UPSTREAM_NOT_FOUND',
  EAI_AGAIN: 'UPSTREAM_NOT_FOUND',
  EAI_FAIL: 'UPSTREAM_NOT_FOUND',
  EAI_NODATA: 'UPSTREAM_NOT_FOUND',
  EAI_NONAME: 'UPSTREAM_NOT_FOUND',
  ENOENT: 'UPSTREAM_NOT_FOUND',
  ENOTDIR: 'UPSTREAM_NOT_FOUND',
  ETIMEDOUT: 'UPSTREAM_TIMEOUT',
};

/** Makes one of our errors of what a socket on its way to a target failed with, one attempt or several. The cause is kept. */
export function dialError(target: Target, error: unknown): TidegateError {
  if (error instanceof TidegateError) return error;
  const cause = mostTelling(error);
  const all = attemptsOf(error).map(textOf);
  if (cause instanceof TidegateError) return new TidegateError(cause.code, all.join('; '), { cause: error });
  const ours = CODES[codeOf(cause)] ?? (isSecure(target) ? 'UPSTREAM_TLS_FAILED' : 'UPSTREAM_REFUSED');
  return new TidegateError(ours, `cannot reach ${target.href}: ${all.join('; ')}`, { cause: error });
}

function attemptsOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
}

function textOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : codeOf(error);
}

/**
 * Makes one of our errors of an aborted dial. A TidegateError given as the reason stays what it is, so that "the client
 * left" and "the deadline passed" remain two things; any other reason counts as the deadline.
 */
export function abortError(target: Target, signal: DialSignal): TidegateError {
  const reason: unknown = signal.reason;
  if (reason instanceof TidegateError) return reason;
  return new TidegateError('UPSTREAM_TIMEOUT', `gave up on ${target.href} before it answered`, { cause: reason });
}

/** The target was reached, and what it answered is no answer to the request. */
export function badAnswer(target: Target, what: string): TidegateError {
  return new TidegateError('UPSTREAM_BAD_HANDSHAKE', `cannot open ${target.href}: ${what}`);
}

/** Picks the one error to judge by: of several addresses, one that answered says more than one that did not. */
function mostTelling(error: unknown): unknown {
  const errors = attemptsOf(error);
  return errors.find((one) => codeOf(one) !== 'ETIMEDOUT') ?? errors[0];
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function isSecure(target: Target): boolean {
  return target.kind !== 'unix' && target.secure;
}

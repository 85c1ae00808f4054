/** Owns what a health check is, and which kinds there are. Refuses to say when one is due and what its outcome means. */
import { TidegateError } from '../../../receivers/errors.js';
import type { DialOptions } from '../../dial/dial-target.js';
import type { Target } from '../../dial/target.js';
import { checkByHttp } from './http-check.js';
import { checkByTcp } from './tcp-check.js';
import { checkByWebSocket } from './websocket-check.js';

/** How a backend is asked whether it is well. */
export type CheckKind = 'tcp' | 'http' | 'websocket';

/** Asks one backend. */
export interface CheckOrder {
  readonly kind: CheckKind;
  readonly target: Target;
  readonly dial: DialOptions;
  /** What is asked for; undefined for the path of the backend. */
  readonly path: string | undefined;
  /** The largest head of an answer. */
  readonly maxHeaderBytes: number;
}

/**
 * Resolves when the backend is well, with no socket left open.
 *
 * @throws TidegateError that says what is wrong with it, or the reason of the signal.
 */
export async function check({ kind, target, dial, path, maxHeaderBytes }: CheckOrder): Promise<void> {
  if (kind === 'tcp') return checkByTcp(target, dial);
  if (target.kind !== 'websocket') {
    throw new TidegateError('INVALID_OPTION', `health.check: got "${kind}"; ${target.href} can be checked by tcp only`);
  }
  const asked = { path: path ?? (target.path === '' ? '/' : target.path), maxHeaderBytes };
  return kind === 'http' ? checkByHttp(target, dial, asked) : checkByWebSocket(target, dial, asked);
}

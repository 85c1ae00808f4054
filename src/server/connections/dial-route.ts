/**
 * Owns reaching one of several targets: the one that a route chose, and another one when it cannot be reached. Refuses to choose, and
 * to know how one is dialled.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import { describeError, httpStatusOf, TidegateError } from '../../receivers/index.js';
import type { DialQueue } from '../dial/dial-queue.js';
import { DialAbort } from '../dial/dial-signal.js';
import type { Target } from '../dial/target.js';
import type { Route } from './route.js';

/** Tries to reach a target. Answers with nothing when it is connected, else with why not; never rejects. */
export type DialAttempt = (target: Target, signal: DialAbort) => Promise<Refusal | undefined>;

/**
 * Dials what a route chooses until one is connected or no other is to be tried. Answers with nothing then, or with the refusal of the
 * last one that was tried; never rejects. What an attempt waits for its turn is not of its time: that is no fault of the target.
 *
 * @param abort gives everything up.
 */
export async function dialRoute(
  route: Route,
  attempt: DialAttempt,
  dials: DialQueue,
  abort: DialAbort,
): Promise<Refusal | undefined> {
  let last: Refusal | undefined;
  for (;;) {
    let target: Target | Refusal;
    try {
      target = await route.next(abort);
    } catch (error) {
      // Nobody is left to be tried: what the last one did says more.
      return last ?? refusalOf(error, route);
    }
    if (abort.aborted) return refusalOf(abort.reason, route);
    if ('status' in target) return target;
    const chosen = target;
    const refusal = await queued(dials, () => limited(route, abort, (signal) => attempt(chosen, signal)));
    if (refusal === undefined || abort.aborted || !route.failed(refusal)) return refusal;
    if (refusal.error !== 'NO_BACKEND') last = refusal;
  }
}

/** Makes a refusal of what a dial failed with. */
export function refusalOf(error: unknown, route?: Route): Refusal {
  const code = error instanceof TidegateError ? error.code : 'UPSTREAM_REFUSED';
  const status = httpStatusOf(code);
  const headers = status === 503 && route !== undefined ? { 'Retry-After': String(route.retryAfter) } : undefined;
  return { status, error: code, message: describeError(error), headers };
}

/** A target that is slow is left for another one, and waited for while there is none. */
async function limited<Result>(
  route: Pick<Route, 'attemptTimeout' | 'hasAnother'>,
  outer: DialAbort,
  run: (signal: DialAbort) => Promise<Result>,
): Promise<Result> {
  const signal = new DialAbort();
  if (outer.aborted) signal.abort(outer.reason);
  const giveUp = () => signal.abort(outer.reason);
  outer.addEventListener('abort', giveUp);
  const { attemptTimeout } = route;
  const began = performance.now();
  const leave = (): void => {
    if (!route.hasAnother) return;
    const waited = Math.round(performance.now() - began);
    signal.abort(new TidegateError('UPSTREAM_TIMEOUT', `no answer within ${waited} ms`));
  };
  const timer = attemptTimeout > 0 ? setInterval(leave, attemptTimeout) : undefined;
  try {
    return await run(signal);
  } finally {
    clearInterval(timer);
    outer.removeEventListener('abort', giveUp);
  }
}

function queued<Result>(dials: DialQueue, dial: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve) => dials.add(() => dial().then(resolve)));
}

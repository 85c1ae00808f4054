/**
 * Owns turning the name of a target into the addresses that may be connected to. What is connected to afterwards is what was
 * judged here: no name is resolved twice. Refuses to connect.
 */
import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { describeError, TidegateError } from '../../receivers/errors.js';
import { interleaved } from './address-race.js';
import type { LookupHook } from './dial-hooks.js';
import type { DialSignal } from './dial-signal.js';
import type { Target, UnixTarget } from './target.js';
import type { TargetGuard } from './target-guard.js';

/** Who resolves, and who judges. */
export interface Resolving {
  readonly signal: DialSignal;
  /** Undefined: the operating system resolves. */
  readonly lookup?: LookupHook | undefined;
  /** Undefined: any address may be connected to. */
  readonly guard?: TargetGuard | undefined;
}

/**
 * The addresses of a target in the order in which they are to be tried.
 *
 * @throws TidegateError `TARGET_DENIED` when the guard lets none pass, `UPSTREAM_NOT_FOUND` when there is none; the reason of the signal.
 */
export async function addressesOf(
  target: Exclude<Target, UnixTarget>,
  resolving: Resolving,
): Promise<readonly string[]> {
  const { guard, signal } = resolving;
  if (target.family !== 0) return [target.host];
  const answer = await unlessAborted(signal, lookUp(target, resolving));
  if (!Array.isArray(answer)) throw notFound(`the lookup of ${target.host} answered with no list`);
  const addresses: string[] = [...new Set(answer.map(String))];
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined)
    throw notFound(`the lookup of ${target.host} answered ${JSON.stringify(wrong)}, which is no IP address`);
  if (addresses.length === 0) throw notFound(`${target.host} has no address`);
  if (guard === undefined) return interleaved(addresses);
  const faults = addresses.map((address) => guard.faultOf(target, address));
  const allowed = addresses.filter((_, at) => faults[at] === undefined);
  if (allowed.length > 0) return interleaved(allowed);
  const why = addresses.map((address, at) => `${address}: ${faults[at]}`).join('; ');
  throw new TidegateError('TARGET_DENIED', `${target.href} may not be dialled: ${why}`);
}

async function lookUp(target: Exclude<Target, UnixTarget>, { lookup = systemLookup }: Resolving): Promise<unknown> {
  try {
    return await lookup(target.host);
  } catch (error) {
    if (error instanceof TidegateError) throw error;
    throw new TidegateError('UPSTREAM_NOT_FOUND', `cannot reach ${target.href}: ${describeError(error)}`, {
      cause: error,
    });
  }
}

async function systemLookup(hostname: string): Promise<string[]> {
  const answer = await dns.lookup(hostname, { all: true, verbatim: true });
  return answer.map(({ address }) => address);
}

function notFound(message: string): Error {
  return Object.assign(new Error(message), { code: 'ENOTFOUND' });
}

/** A lookup cannot be given up; nobody waits for it any more then. */
async function unlessAborted<Result>(signal: DialSignal, promise: Promise<Result>): Promise<Result> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    stop = () => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}

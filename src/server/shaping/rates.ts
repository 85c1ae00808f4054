/** Owns what the rates of a connection are, as they are written by people. Refuses to keep to them. */
import { type RateLimits, TidegateError } from '../../receivers/index.js';
import { RATES } from '../config/fields.js';
import { parseBitRate } from '../config/units.js';
import type { Rates } from './paced-wire.js';

/**
 * Reads rates that an application gave.
 *
 * @throws TidegateError `INVALID_OPTION` that names the value.
 */
export function ratesOf({ read, write }: RateLimits): Rates {
  return { read: rateOf('read', read), write: rateOf('write', write) };
}

/** The rates of one connection; undefined when it has none. @param asked what its acceptance says. */
export function ratesFor(
  configured: { read: number; write: number },
  asked: RateLimits | undefined,
): Rates | undefined {
  const own = asked === undefined ? {} : ratesOf(asked);
  const rates = { read: own.read ?? configured.read, write: own.write ?? configured.write };
  return rates.read === 0 && rates.write === 0 ? undefined : rates;
}

function rateOf(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const rate = parseBitRate(value);
  if (rate !== undefined) return rate;
  throw new TidegateError('INVALID_OPTION', `throttle.${name}: got ${JSON.stringify(value)}; expected ${RATES}`);
}

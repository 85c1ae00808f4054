/**
 * Owns whether an address that a backend tells of itself can be one where others reach it. Refuses to resolve names, and to try it.
 */
import { isIP } from 'node:net';
import { AddressSet, LOOPBACK } from '../../protocol/address-set.js';
import { describeError } from '../../receivers/errors.js';
import { isForbidden } from './address-range.js';
import { parseTarget } from './target.js';

/** What a balancer sends to backends: all of them speak the same. */
export type Speech = 'websocket' | 'bytes';

const loopback = new AddressSet(LOOPBACK);
const SCHEMES: Readonly<Record<Speech, string>> = { websocket: 'ws: or wss:', bytes: 'tcp: or tls:' };

/** Whether an address means the machine itself. */
export function isLoopback(host: string): boolean {
  return isIP(host) === 0 ? /^(?:.+\.)?localhost\.?$/i.test(host) : loopback.has(host);
}

/**
 * What is wrong with an address, for whoever wrote it; undefined for nothing.
 *
 * @param speech what it has to speak; undefined for anything.
 */
export function problemOfAdvertised(url: string, speech?: Speech): string | undefined {
  let target: ReturnType<typeof parseTarget>;
  try {
    target = parseTarget(url);
  } catch (error) {
    return describeError(error);
  }
  if (target.kind === 'unix') return `${url} is a file of one machine; expected an address that others reach`;
  const spoken: Speech = target.kind === 'websocket' ? 'websocket' : 'bytes';
  if (speech !== undefined && spoken !== speech) {
    return `${url} has another scheme than the backends of this balancer; expected ${SCHEMES[speech]}`;
  }
  if (isIP(target.host) > 0 && isForbidden(target.host)) {
    return `${url} leads nowhere from another machine; expected the address by which the balancer reaches the backend, such as ws://10.0.0.7:9000`;
  }
  return undefined;
}

/** What is wrong with an address that somebody at `from` tells of itself: `localhost` is another machine there than here. */
export function problemOfAdvertisedFrom(url: string, from: string, speech: Speech): string | undefined {
  const problem = problemOfAdvertised(url, speech);
  if (problem !== undefined) return problem;
  const target = parseTarget(url);
  if (target.kind === 'unix' || !isLoopback(target.host) || isLoopback(from)) return undefined;
  return `${url} is the balancer itself for the balancer, and the backend is at ${from}; expected the address by which the balancer reaches it`;
}

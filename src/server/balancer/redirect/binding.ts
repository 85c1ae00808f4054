/** Owns which address of a backend a client is told, and what of its request goes with that. Refuses to pick a backend. */
import type { BackendSpec } from '../../../actors/backend.js';
import { TidegateError } from '../../../receivers/index.js';
import { upstreamPath } from '../../dial/dial-websocket.js';
import { parseTarget } from '../../dial/target.js';

/**
 * Chooses the address at which a client is to reach a backend: the first of its bindings, or its `url` when it has none, whose scheme
 * is that by which the client came, since a page that came by TLS may open `wss:` only; else the first that speaks WebSocket. Undefined
 * when none does.
 *
 * @param byTls whether the client came by TLS.
 */
export function chooseBinding({ bindings, url }: BackendSpec, byTls: boolean): string | undefined {
  const all = (bindings.length === 0 ? [url] : bindings).filter((binding) => /^wss?:/i.test(binding));
  const wanted = byTls ? /^wss:/i : /^ws:/i;
  return all.find((binding) => wanted.test(binding)) ?? all[0];
}

/**
 * Adds path and query of a client's request to a binding, as for a target: a binding with a path of its own keeps that, and gets the
 * query.
 *
 * @param binding begins with `ws:` or `wss:`.
 * @param asked the request target of the client.
 */
export function addressFor(binding: string, asked: string): string {
  const target = parseTarget(binding);
  if (target.kind !== 'websocket') throw notABinding(binding);
  const [path = '/'] = upstreamPath(target, asked).split('#', 1);
  const host = target.family === 6 ? `[${target.host}]` : target.host;
  // The parser escapes what a stranger wrote, so that it can stand in a header field.
  return new URL(`${target.secure ? 'wss' : 'ws'}://${host}:${target.port}${path}`).href;
}

/**
 * Checks the address that an application gave in place of another.
 *
 * @throws TidegateError `HOOK_FAILED`.
 */
export function assertBinding(given: unknown): string {
  const text = given instanceof URL ? given.href : given;
  if (typeof text !== 'string' || !URL.canParse(text)) throw notABinding(given);
  const url = new URL(text);
  if (!/^wss?:$/.test(url.protocol) || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw notABinding(given);
  }
  return url.href;
}

/** What stands before the host and behind the path is not for a log. */
function notABinding(given: unknown): TidegateError {
  const text = given instanceof URL ? given.href : given;
  const shown =
    typeof text === 'string' ? JSON.stringify(text.replace(/[?#].*/s, '').replace(/[^/]*@/, '')) : typeof given;
  return new TidegateError(
    'HOOK_FAILED',
    `onBeforeBinding gave ${shown}; expected ws://… or wss://… without credentials or a fragment, or undefined`,
  );
}

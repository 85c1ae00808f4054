/** Owns asking an application for a connection, and what becomes of its answer. Refuses to dial. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { describeError, TidegateError } from '../../receivers/errors.js';
import { ready } from './connect-socket.js';
import type { ConnectHook } from './dial-hooks.js';
import type { DialSignal } from './dial-signal.js';
import type { Target } from './target.js';

/**
 * Resolves with a stream that is connected and paused, or with undefined when the target is to be dialled as usual.
 *
 * @throws TidegateError `UPSTREAM_REFUSED`, or what the hook threw if it is one; the reason of the signal.
 */
export async function connectByHook(
  hook: ConnectHook,
  target: Target,
  signal: DialSignal,
): Promise<Duplex | undefined> {
  const controller = new AbortController();
  let answered: Duplex | undefined;
  const onAbort = (): void => {
    controller.abort(signal.reason);
    // It was there, and is still connecting.
    answered?.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const asked = ask(hook, target, controller.signal).then((stream) => {
    if (signal.aborted) stream?.destroy();
    answered = stream;
    return stream;
  });
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    const stream = await Promise.race([asked, aborted]);
    if (stream === undefined) return undefined;
    if (stream instanceof Socket && stream.connecting) return await Promise.race([connected(stream, target), aborted]);
    if (stream.destroyed)
      throw new TidegateError(
        'UPSTREAM_REFUSED',
        `cannot reach ${target.href}: connect answered a stream that is destroyed`,
      );
    stream.on('error', () => {});
    stream.pause();
    return stream;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Nobody waits for it any more.
    aborted.catch(() => {});
    asked.catch(() => {});
  }
}

async function ask(hook: ConnectHook, target: Target, signal: AbortSignal): Promise<Duplex | undefined> {
  let stream: unknown;
  try {
    stream = await hook(target, { signal });
  } catch (error) {
    throw error instanceof TidegateError ? error : failed(target, error);
  }
  if (stream === undefined) return undefined;
  if (!isDuplex(stream)) throw failed(target, new Error(`connect answered ${typeof stream}, which is no Duplex`));
  return stream;
}

async function connected(socket: Socket, target: Target): Promise<Socket> {
  const event = socket instanceof TLSSocket ? 'secureConnect' : 'connect';
  try {
    return await ready(socket, event, new AbortController().signal);
  } catch (error) {
    throw failed(target, error);
  }
}

function failed(target: Target, error: unknown): TidegateError {
  return new TidegateError('UPSTREAM_REFUSED', `cannot reach ${target.href}: ${describeError(error)}`, {
    cause: error,
  });
}

/** By what it can do: a stream may come from another copy of `node:stream`. */
function isDuplex(value: unknown): value is Duplex {
  if (typeof value !== 'object' || value === null) return false;
  const { write, pause, destroy, on } = value as Record<string, unknown>;
  return [write, pause, destroy, on].every((method) => typeof method === 'function');
}

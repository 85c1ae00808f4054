/**
 * Owns the opening handshake with a WebSocket target, as its client: request, answer, and the socket after the 101.
 * Refuses to read frames, and to decide which of the client's headers go on.
 */
import http from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { endToEndHeaders } from '../../protocol/forward-headers.js';
import { checkUpgradeResponse, newKey } from '../../protocol/handshake.js';
import { describeError, TidegateError } from '../../receivers/errors.js';
import { abortError, dialError } from './dial-error.js';
import { type DialOptions, dialSocket } from './dial-socket.js';
import { readRefusal, type UpstreamRefusal } from './read-refusal.js';
import type { WebSocketTarget } from './target.js';

/** What to ask a WebSocket target for. */
export interface UpstreamRequest {
  /** Path and query; see {@link upstreamPath}. */
  readonly path: string;
  /** Names and values in turn. Fields of the handshake itself, such as `Host`, are left out. */
  readonly rawHeaders: readonly string[];
  readonly subprotocols: readonly string[];
  /** The value of `Sec-WebSocket-Extensions`, as it goes out. */
  readonly extensions: string | undefined;
  /** The largest head of an answer. */
  readonly maxHeaderBytes: number;
  /** How much of the body of a refusal is kept. */
  readonly maxRefusalBytes: number;
}

/** A target that answered 101. The socket is paused and nobody else's; `head` is what came with the 101. */
export interface UpstreamOpen {
  readonly kind: 'open';
  readonly socket: Socket;
  readonly head: Buffer;
  /** Empty for none. */
  readonly subprotocol: string;
  /** Empty for none. */
  readonly extensions: string;
  /** The headers of the 101: names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** How a WebSocket target answered. */
export type UpstreamHandshake = UpstreamOpen | UpstreamRefusal;

/**
 * Says what to ask a target for. A target without a path (or with `/` alone) gets the client's path and query. A target
 * with a path or query of its own is asked for that, whatever path the client came by; the client's query is added when
 * the target has none, because that is where browsers put tokens.
 */
export function upstreamPath(target: WebSocketTarget, clientUrl: string): string {
  // A request target may be a whole URL (RFC 9112 section 3.2.2); its host is not ours to follow.
  const asked = clientUrl.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
  if (target.path === '' || target.path === '/') {
    if (asked.startsWith('/')) return asked;
    return asked.startsWith('?') ? `/${asked}` : '/';
  }
  const mark = asked.indexOf('?');
  return target.path.includes('?') || mark === -1 ? target.path : `${target.path}${asked.slice(mark)}`;
}

/**
 * Dials a WebSocket target and asks it to upgrade. An answer other than 101 is a result, not an error. When the signal
 * aborts while the body of such an answer is read, the part that came is the result.
 *
 * @throws TidegateError `UPSTREAM_*`, or the reason of the signal. No socket is left open then.
 */
export async function dialWebSocket(
  target: WebSocketTarget,
  options: DialOptions,
  request: UpstreamRequest,
): Promise<UpstreamHandshake> {
  const socket = await dialSocket(target, options);
  try {
    const answer = await handshake(target, socket, options.signal, request);
    if (answer.kind === 'refused') socket.destroy();
    return answer;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function handshake(
  target: WebSocketTarget,
  socket: Socket,
  signal: AbortSignal,
  request: UpstreamRequest,
): Promise<UpstreamHandshake> {
  return new Promise((resolve, reject) => {
    // The deadline may have passed between the connect and this turn.
    if (signal.aborted) {
      reject(abortError(target, signal));
      return;
    }
    const key = newKey();
    const outgoing = createRequest(target, socket, request, key);
    // Node drops fields beyond the 2000th without a word; their bytes are bounded already.
    outgoing.maxHeadersCount = 0;

    const onAbort = (): void => {
      reject(abortError(target, signal));
      outgoing.destroy();
    };
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });

    // http reads by a `data` listener, which does not wake a socket that was paused on purpose.
    outgoing.once('socket', (assigned) => assigned.resume());
    outgoing.on('error', (error) => {
      settled();
      reject(answerError(target, error));
    });
    outgoing.once('upgrade', (response, upgraded, head) => {
      settled();
      upgraded.pause();
      const { rawHeaders, statusCode = 0 } = response;
      const agreed = checkUpgradeResponse(
        { statusCode, rawHeaders },
        { key, subprotocols: request.subprotocols, extensionsOffered: request.extensions !== undefined },
      );
      if ('message' in agreed) reject(badHandshake(target, agreed.message));
      else resolve({ kind: 'open', socket: upgraded, head, ...agreed, rawHeaders });
    });
    outgoing.once('response', (response) => {
      settled();
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode <= 599) {
        readRefusal(response, request.maxRefusalBytes, signal).then(resolve, reject);
        return;
      }
      // For Node a 101 that lacks Upgrade or Connection is an answer like any other, whose end may never come.
      const what = statusCode === 101 ? 'its 101 does not say Connection: Upgrade and Upgrade: websocket' : '';
      reject(badHandshake(target, what || `its answer has the status ${statusCode}`));
      outgoing.destroy();
    });
    outgoing.end();
  });
}

function createRequest(
  target: WebSocketTarget,
  socket: Socket,
  request: UpstreamRequest,
  key: string,
): http.ClientRequest {
  try {
    return http.request({
      createConnection: () => socket,
      setHost: false,
      method: 'GET',
      path: request.path,
      headers: requestHeaders(target, request, key),
      maxHeaderSize: request.maxHeaderBytes,
    });
  } catch (cause) {
    // What the client sent was HTTP for the listener and is none for Node's own writer, such as a path with a space.
    const message = `the request cannot be sent on to ${target.href}: ${describeError(cause)}`;
    throw new TidegateError('BAD_HANDSHAKE', message, { cause });
  }
}

function requestHeaders(target: WebSocketTarget, request: UpstreamRequest, key: string): string[] {
  const host = isIPv6(target.host) ? `[${target.host}]` : target.host;
  const isDefaultPort = target.port === (target.secure ? 443 : 80);
  const headers = [
    'Host',
    isDefaultPort ? host : `${host}:${target.port}`,
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
    'Sec-WebSocket-Version',
    '13',
    'Sec-WebSocket-Key',
    key,
  ];
  if (request.subprotocols.length > 0) headers.push('Sec-WebSocket-Protocol', request.subprotocols.join(', '));
  if (request.extensions !== undefined) headers.push('Sec-WebSocket-Extensions', request.extensions);
  headers.push(...endToEndHeaders(request.rawHeaders));
  return headers;
}

function answerError(target: WebSocketTarget, error: Error): TidegateError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!code.startsWith('HPE_')) return dialError(target, error);
  const what =
    code === 'HPE_HEADER_OVERFLOW' ? 'its answer has too large headers' : `its answer is not HTTP: ${error.message}`;
  return badHandshake(target, what, error);
}

function badHandshake(target: WebSocketTarget, what: string, cause?: unknown): TidegateError {
  return new TidegateError('UPSTREAM_BAD_HANDSHAKE', `cannot open ${target.href}: ${what}`, { cause });
}

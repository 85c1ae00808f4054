/**
 * Owns the opening handshake with a WebSocket target, as its client: request, answer, and the wire after the 101.
 * Refuses to read frames, and to decide which of the client's headers go on.
 */

import { endToEndHeaders } from '../../protocol/forward-headers.js';
import { type Forwarding, withForwardedFields } from '../../protocol/forwarded-fields.js';
import { checkUpgradeResponse, newKey } from '../../protocol/handshake.js';
import type { Wire } from '../wires/wire.js';
import { abortError, badAnswer } from './dial-error.js';
import { type DialOptions, dialTarget } from './dial-target.js';
import { readAnswer } from './read-answer.js';
import { readRefusal, type UpstreamRefusal } from './read-refusal.js';
import { authorityOf, type WebSocketTarget } from './target.js';

/** What to ask a WebSocket target for. */
export interface UpstreamRequest {
  /** Path and query; see {@link upstreamPath}. */
  readonly path: string;
  /** Names and values in turn, asked for when the request is written. Fields of the handshake itself, such as `Host`, are left out. */
  headers(): readonly string[];
  /** The `Host` to ask for; undefined or empty: that of the target. */
  readonly host?: string | undefined;
  /** On whose behalf; undefined: nothing is said about it. */
  readonly forwarding?: Forwarding | undefined;
  readonly subprotocols: readonly string[];
  /** The value of `Sec-WebSocket-Extensions`, as it goes out. */
  readonly extensions: string | undefined;
  /** The largest head of an answer. */
  readonly maxHeaderBytes: number;
  /** How much of the body of a refusal is kept. */
  readonly maxRefusalBytes: number;
}

/** A target that answered 101. The wire is not read, and nobody else's; it holds what came behind the 101. */
export interface UpstreamOpen {
  readonly kind: 'open';
  readonly wire: Wire;
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
  const asked = clientUrl.startsWith('/') ? clientUrl : clientUrl.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
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
 * @throws TidegateError `UPSTREAM_*`, or the reason of the signal. No wire is left open then.
 */
export async function dialWebSocket(
  target: WebSocketTarget,
  options: DialOptions,
  request: UpstreamRequest,
): Promise<UpstreamHandshake> {
  const { signal } = options;
  const wire = await dialTarget(target, options);
  try {
    // The deadline may have passed between the connect and this turn.
    if (signal.aborted) throw abortError(target, signal);
    const key = newKey();
    wire.write(requestBytes(target, request, key));
    const head = await readAnswer(target, wire, signal, request.maxHeaderBytes);
    if (head.statusCode > 599) throw badAnswer(target, `its answer has the status ${head.statusCode}`);
    if (head.statusCode >= 200) {
      const refusal = await readRefusal(wire, head, request.maxRefusalBytes, signal);
      wire.terminate();
      return refusal;
    }
    const agreed = checkUpgradeResponse(head, {
      key,
      subprotocols: request.subprotocols,
      extensionsOffered: request.extensions !== undefined,
    });
    if ('message' in agreed) throw badAnswer(target, agreed.message);
    const { subprotocol, extensions } = agreed;
    return { kind: 'open', wire, subprotocol, extensions, rawHeaders: head.rawHeaders };
  } catch (error) {
    wire.terminate();
    throw error;
  }
}

/** The head of our request. The client's fields in it were read from a head, so that they can stand in one. */
function requestBytes(target: WebSocketTarget, request: UpstreamRequest, key: string): Buffer {
  const headers = requestHeaders(target, request, key);
  let text = `GET ${request.path} HTTP/1.1\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

function requestHeaders(target: WebSocketTarget, request: UpstreamRequest, key: string): string[] {
  const headers = [
    'Host',
    request.host === undefined || request.host === '' ? authorityOf(target) : request.host,
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
  const passed = endToEndHeaders(request.headers());
  // Behind the choice of what crosses: a client could name the fields that tell of it in its Connection.
  headers.push(...(request.forwarding === undefined ? passed : withForwardedFields(passed, request.forwarding)));
  return headers;
}

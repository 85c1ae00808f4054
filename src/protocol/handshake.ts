/**
 * Owns what makes a request a valid opening handshake of a client (RFC 6455 section 4.2.1), and what to answer when it
 * is not. Refuses to write answers, and to judge origin, path or subprotocol: admission and the receiver do.
 */
import { type ErrorCode, httpStatusOf } from '../receivers/errors.js';
import { isKey } from './handshake-key.js';
import { headerTokens, headerValues, shownValues } from './header-fields.js';

export { acceptKey, newKey } from './handshake-key.js';
export { headerTokens } from './header-fields.js';
export {
  type AgreedUpgrade,
  checkUpgradeResponse,
  type SentHandshake,
  type UpgradeResponseHead,
} from './upgrade-response.js';

/** The request line and the header fields of a request. */
export interface UpgradeHead {
  readonly method: string;
  /** The request target as it was sent. */
  readonly url: string;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
}

/** Tells why a request is not a valid handshake, and what to answer. */
export interface HandshakeFault {
  readonly error: ErrorCode;
  /** The HTTP status of the answer. */
  readonly status: number;
  /** Names the rule and the offending value. */
  readonly message: string;
  /** Header fields the answer has to carry. */
  readonly headers: Record<string, string>;
}

/**
 * Of these there is one each (RFC 6455 section 11.3, RFC 6454 section 7.3, RFC 9110 section 11.6.2); with two, we and a server
 * behind us could each believe another one.
 */
const SINGLE_FIELDS = ['Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Origin', 'Authorization'];

/** Fields of drafts before RFC 6455, whose handshake continues in the body. */
const OBSOLETE_FIELDS = ['Sec-WebSocket-Key1', 'Sec-WebSocket-Key2'];

/** What a client needs to know to come again rightly (RFC 6455 section 4.4, RFC 9110 section 15.5.22). */
const COME_AGAIN = { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };

/** Checks a request against RFC 6455 section 4.2.1 and returns its key, or why it is refused. */
export function checkUpgrade(head: UpgradeHead): { key: string } | HandshakeFault {
  const { rawHeaders } = head;
  if (!headerTokens(rawHeaders, 'upgrade').includes('websocket')) {
    const got = shownValues(headerValues(rawHeaders, 'upgrade'));
    return fault('NOT_AN_UPGRADE', `Upgrade must name websocket, got ${got}.`, COME_AGAIN);
  }
  const connection = connectionProblem(rawHeaders);
  if (connection !== null) return fault('NOT_AN_UPGRADE', connection, COME_AGAIN);
  const problem = requestProblem(head) ?? repeatedField(rawHeaders);
  if (problem !== null) return fault('BAD_HANDSHAKE', problem);

  const version = headerValues(rawHeaders, 'sec-websocket-version');
  if (version[0] !== '13') {
    return fault('WRONG_VERSION', `Sec-WebSocket-Version must be 13, got ${shownValues(version)}.`, COME_AGAIN);
  }
  const key = headerValues(rawHeaders, 'sec-websocket-key');
  if (key.length === 0 || !isKey(key[0]!)) {
    return fault('BAD_HANDSHAKE', `Sec-WebSocket-Key must be the base64 of 16 bytes, got ${shownValues(key)}.`);
  }
  const body = bodyProblem(rawHeaders);
  if (body !== null) return fault('BAD_HANDSHAKE', body);
  return { key: key[0]! };
}

/** RFC 9110 section 7.2: one host, and perhaps a port. Neither a list of them nor credentials. */
export const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+;=%-]+)(?::\d*)?$/i;

function requestProblem({ method, url, httpVersion, rawHeaders }: UpgradeHead): string | null {
  if (method !== 'GET') return `The method must be GET, got ${method}.`;
  if (httpVersion !== '1.1') return `The HTTP version must be 1.1, got ${httpVersion}.`;
  const host = headerValues(rawHeaders, 'host');
  if (host.length !== 1 || !HOST.test(host[0]!)) return `Host must come once and say which, got ${shownValues(host)}.`;
  return url.startsWith('/') ? null : wholeUrlProblem(url, host[0]!);
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: ':80', ws: ':80', https: ':443', wss: ':443' };

/** In a whole URL the host comes twice (RFC 9112 section 3.2.2); readers that believe one or the other must see the same. */
export function wholeUrlProblem(url: string, host: string): string | null {
  const [, scheme = '', authority = ''] = /^([a-z]+):\/\/([^/?]*)/i.exec(url) ?? [];
  const port = DEFAULT_PORTS[scheme.toLowerCase()];
  if (port === undefined)
    return `The request target must be a path, or a URL of http or ws, got ${shownValues([url])}.`;
  const bare = (name: string): string => {
    const lower = name.toLowerCase();
    return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
  };
  if (bare(authority) === bare(host)) return null;
  return `The request target names ${shownValues([authority])}, and Host ${shownValues([host])}.`;
}

function connectionProblem(rawHeaders: readonly string[]): string | null {
  if (headerTokens(rawHeaders, 'connection').includes('upgrade')) return null;
  return `Connection must name upgrade, got ${shownValues(headerValues(rawHeaders, 'connection'))}.`;
}

function repeatedField(rawHeaders: readonly string[]): string | null {
  for (const name of OBSOLETE_FIELDS) {
    if (headerValues(rawHeaders, name).length > 0) return `${name} belongs to a draft older than RFC 6455.`;
  }
  for (const name of SINGLE_FIELDS) {
    const values = headerValues(rawHeaders, name);
    if (values.length > 1) return `${name} must come once, got ${shownValues(values)}.`;
  }
  return null;
}

/** A body before the 101 would be read as frames by us and as a body by someone else: request smuggling. */
function bodyProblem(rawHeaders: readonly string[]): string | null {
  const encoding = headerValues(rawHeaders, 'transfer-encoding');
  if (encoding.length > 0) return `A handshake has no body, got Transfer-Encoding ${shownValues(encoding)}.`;
  const length = headerValues(rawHeaders, 'content-length');
  if (length.length > 1 || length.some((value) => !/^0+$/.test(value)))
    return `A handshake has no body, got Content-Length ${shownValues(length)}.`;
  return null;
}

function fault(error: ErrorCode, message: string, headers: Record<string, string> = {}): HandshakeFault {
  return { error, status: httpStatusOf(error), message, headers: { ...headers } };
}

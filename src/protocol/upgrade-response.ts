/**
 * Owns what makes the 101 of an upstream a valid answer to our handshake (RFC 6455 section 4.1). Refuses to read other
 * statuses: an upstream's refusal is passed on as it is.
 */
import { acceptKey } from './handshake-key.js';
import { headerTokens, headerValues, shownValues } from './header-fields.js';

/** The status and the header fields of an upstream's answer. */
export interface UpgradeResponseHead {
  readonly statusCode: number;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
}

/** What we asked the upstream for. */
export interface SentHandshake {
  readonly key: string;
  readonly subprotocols: readonly string[];
  readonly extensionsOffered: boolean;
}

/** What was agreed on with an upstream; empty strings where nothing was. */
export interface AgreedUpgrade {
  readonly subprotocol: string;
  /** The value of Sec-WebSocket-Extensions as it was sent. */
  readonly extensions: string;
}

/** Checks an upstream's 101 against what was sent (RFC 6455 section 4.1); the message says which value was wrong. */
export function checkUpgradeResponse(
  response: UpgradeResponseHead,
  sent: SentHandshake,
): AgreedUpgrade | { readonly message: string } {
  const { statusCode, rawHeaders } = response;
  if (statusCode !== 101) return { message: `The status is ${statusCode}, not 101.` };

  const upgrade = headerValues(rawHeaders, 'upgrade');
  if (upgrade.length !== 1 || upgrade[0]!.toLowerCase() !== 'websocket') {
    return { message: `Upgrade must be websocket, got ${shownValues(upgrade)}.` };
  }
  if (!headerTokens(rawHeaders, 'connection').includes('upgrade')) {
    return { message: `Connection must name upgrade, got ${shownValues(headerValues(rawHeaders, 'connection'))}.` };
  }
  const accept = headerValues(rawHeaders, 'sec-websocket-accept');
  const expected = acceptKey(sent.key);
  if (accept.length !== 1 || accept[0] !== expected) {
    return { message: `Sec-WebSocket-Accept must be ${expected}, got ${shownValues(accept)}.` };
  }
  const subprotocols = headerValues(rawHeaders, 'sec-websocket-protocol');
  if (subprotocols.length > 1) {
    return { message: `Sec-WebSocket-Protocol must come once, got ${shownValues(subprotocols)}.` };
  }
  const subprotocol = subprotocols[0] ?? '';
  if (subprotocols.length === 1 && !sent.subprotocols.includes(subprotocol)) {
    const offered = sent.subprotocols.length === 0 ? 'none' : sent.subprotocols.join(', ');
    return {
      message: `Sec-WebSocket-Protocol must be one of those offered (${offered}), got ${shownValues(subprotocols)}.`,
    };
  }
  const framing = framingProblem(rawHeaders);
  if (framing !== undefined) return { message: framing };
  const extensions = headerValues(rawHeaders, 'sec-websocket-extensions').join(', ');
  if (extensions !== '' && !sent.extensionsOffered) {
    return { message: `Sec-WebSocket-Extensions must be absent as none was offered, got "${extensions}".` };
  }
  return { subprotocol, extensions };
}

/**
 * A 101 has no body (RFC 9110 section 8.6, RFC 9112 section 6.1), and whoever stands between and reads one there takes the first
 * frames for it. A length of 0 is the same message to every reader, and old servers send it.
 */
function framingProblem(rawHeaders: readonly string[]): string | undefined {
  const encoding = headerValues(rawHeaders, 'transfer-encoding');
  if (encoding.length > 0) return `A 101 has no body, got Transfer-Encoding ${shownValues(encoding)}.`;
  const length = headerValues(rawHeaders, 'content-length');
  if (length.length === 0 || (length.length === 1 && length[0] === '0')) return undefined;
  return `A 101 has no body, got Content-Length ${shownValues(length)}.`;
}

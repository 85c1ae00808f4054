/**
 * Owns which header fields cross a proxy, in each direction (RFC 9110 section 7.6.1). Refuses to add any: who forwards
 * for whom is for the dialler to say.
 */
import { eachField, headerTokens } from './header-fields.js';

/** Fields about one hop only: RFC 9110 section 7.6.1, and those that older agents send without naming them in Connection. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** Host names the next hop, and a handshake has no body to describe or to wait for. */
const NOT_FROM_A_REQUEST = new Set([...HOP_BY_HOP, 'host', 'content-length', 'expect']);

/** The body of a refusal is framed anew. */
const NOT_FROM_A_RESPONSE = new Set([...HOP_BY_HOP, 'content-length']);

const OF_THE_HANDSHAKE = 'sec-websocket-';

/** Tells a refused client which versions it may try (RFC 6455 section 4.4), so it concerns the client and not the hop. */
const VERSION = 'sec-websocket-version';

/**
 * Picks the fields of a handshake request to send on, names and values in turn, with case and order kept. Sec-WebSocket-*
 * is left out, as each hop has a handshake of its own.
 */
export function endToEndHeaders(rawHeaders: readonly string[]): string[] {
  return pick(rawHeaders, (name) => !NOT_FROM_A_REQUEST.has(name) && !name.startsWith(OF_THE_HANDSHAKE));
}

/** Picks the fields of an upstream's refusal to pass on to the client, names and values in turn, with case and order kept. */
export function endToEndResponseHeaders(rawHeaders: readonly string[]): string[] {
  return pick(
    rawHeaders,
    (name) => name === VERSION || !(NOT_FROM_A_RESPONSE.has(name) || name.startsWith(OF_THE_HANDSHAKE)),
  );
}

function pick(rawHeaders: readonly string[], crosses: (lowerName: string) => boolean): string[] {
  const named = new Set(headerTokens(rawHeaders, 'connection'));
  const picked: string[] = [];
  eachField(rawHeaders, (lowerName, value, position) => {
    if (crosses(lowerName) && !named.has(lowerName)) picked.push(rawHeaders[position]!, value);
  });
  return picked;
}

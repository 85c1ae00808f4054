/**
 * Owns which header fields cross a proxy, in each direction (RFC 9110 section 7.6.1). Refuses to add any: who forwards
 * for whom is for the dialler to say.
 */
import { isForwardedField } from './forwarded-fields.js';
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

/** Framed and addressed anew on each hop; `Expect` is about the body, and whoever frames that says it again. */
const OF_THIS_HOP = new Set([...HOP_BY_HOP.filter((name) => name !== 'trailer'), 'host', 'content-length', 'expect']);
const NOT_FROM_AN_ANSWER = new Set(HOP_BY_HOP.filter((name) => name !== 'trailer'));

/** Picks the fields of a plain request to send on, names and values in turn, with case and order kept. */
export function plainRequestHeaders(rawHeaders: readonly string[]): string[] {
  return pick(rawHeaders, (name) => !OF_THIS_HOP.has(name));
}

/** Picks the fields of an answer to a plain request to send on, names and values in turn, with case and order kept. */
export function plainResponseHeaders(rawHeaders: readonly string[]): string[] {
  return pick(rawHeaders, (name) => !NOT_FROM_AN_ANSWER.has(name));
}

/** What would mean something else, or to somebody else, if it were taken for a header field (RFC 9110 section 6.5.1). */
const NOT_FROM_TRAILERS = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'set-cookie',
]);

/** Picks the fields of a trailer section to send on, as pairs. */
export function endToEndTrailers(rawTrailers: readonly string[]): Array<[name: string, value: string]> {
  const picked: Array<[string, string]> = [];
  eachField(rawTrailers, (lowerName, value, position) => {
    if (!NOT_FROM_TRAILERS.has(lowerName) && !isForwardedField(lowerName)) picked.push([rawTrailers[position]!, value]);
  });
  return picked;
}

function pick(rawHeaders: readonly string[], crosses: (lowerName: string) => boolean): string[] {
  const named = new Set(headerTokens(rawHeaders, 'connection'));
  const picked: string[] = [];
  eachField(rawHeaders, (lowerName, value, position) => {
    if (crosses(lowerName) && !named.has(lowerName)) picked.push(rawHeaders[position]!, value);
  });
  return picked;
}

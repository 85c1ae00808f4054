/**
 * Owns telling protocols apart by the first bytes a client sends: as early as they can be told, and no earlier. Refuses to parse any
 * of them, and to wait.
 */
import { beginsWithProxyHeader } from './read-proxy-header.js';

/**
 * What a connection begins with. `http2` is the preface of a client that speaks HTTP/2 without asking first; `proxy` is a PROXY
 * protocol header; `unknown` is everything else.
 */
export type FirstBytes = 'http' | 'http2' | 'tls' | 'proxy' | 'unknown';

/** A TLS record with a handshake in it (RFC 8446 section 5.1), of which every version has the major number 3. */
const TLS_HANDSHAKE = 22;
const TLS_MAJOR = 3;

/** RFC 9113 section 3.4, as far as HTTP/1.1 could not begin so. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n';

/** The methods of RFC 9110 section 9.3 and RFC 5789: with one of these it is HTTP, however wrong the rest of the line is. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
]);

/** Longer methods than any that is registered are not waited for. */
const MAX_METHOD = 32;

const CR = 13;
const LF = 10;
const SPACE = 32;

/**
 * Tells which protocol bytes belong to, or undefined while they are too few. Call it with all that came so far. An answer does not
 * change with what comes later.
 */
export function classifyFirstBytes(bytes: Uint8Array): FirstBytes | undefined {
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first === TLS_HANDSHAKE) {
    if (bytes.length === 1) return undefined;
    return bytes[1] === TLS_MAJOR ? 'tls' : 'unknown';
  }
  const proxy = beginsWithProxyHeader(bytes);
  if (proxy === true) return 'proxy';
  const other = classifyRequest(bytes);
  // As long as it may be either, nothing is said: behind CR and LF an HTTP request may follow too.
  return proxy === undefined && other === 'unknown' ? undefined : other;
}

/** Tells whether bytes can be those of a TLS client, as far as they are there. One byte is enough to say no. */
export function mayBeTls(bytes: Uint8Array): boolean {
  return bytes[0] === TLS_HANDSHAKE && (bytes.length === 1 || bytes[1] === TLS_MAJOR);
}

function classifyRequest(bytes: Uint8Array): 'http' | 'http2' | 'unknown' | undefined {
  const start = skipEmptyLines(bytes);
  if (start === -1) return 'unknown';
  let end = start;
  while (end < bytes.length && isTokenByte(bytes[end]!)) end += 1;
  if (end - start > MAX_METHOD) return 'unknown';
  if (end === bytes.length) return undefined;
  if (end === start || bytes[end] !== SPACE) return 'unknown';
  const method = textOf(bytes, start, end);
  if (METHODS.has(method)) return 'http';
  if (method === 'PRI' && start === 0) return classifyPreface(bytes);
  return classifyTarget(bytes, end + 1);
}

/** Clients leave an empty line before a request now and then (RFC 9112 section 2.2). Answers -1 for a CR or LF alone. */
function skipEmptyLines(bytes: Uint8Array): number {
  let at = 0;
  while (bytes[at] === CR) {
    if (at + 1 < bytes.length && bytes[at + 1] !== LF) return -1;
    at = Math.min(at + 2, bytes.length);
  }
  return bytes[at] === LF ? -1 : at;
}

function classifyPreface(bytes: Uint8Array): 'http2' | 'unknown' | undefined {
  const length = Math.min(bytes.length, HTTP2_PREFACE.length);
  if (textOf(bytes, 0, length) !== HTTP2_PREFACE.slice(0, length)) return 'unknown';
  return length === HTTP2_PREFACE.length ? 'http2' : undefined;
}

/** Behind a method that is not known: a path, an asterisk alone, or a URL (RFC 9112 section 3.2). */
function classifyTarget(bytes: Uint8Array, start: number): 'http' | 'unknown' | undefined {
  if (start === bytes.length) return undefined;
  if (bytes[start] === 0x2f) return 'http';
  if (bytes[start] === 0x2a) {
    if (start + 1 === bytes.length) return undefined;
    return bytes[start + 1] === SPACE ? 'http' : 'unknown';
  }
  const text = textOf(bytes, start, Math.min(bytes.length, start + 8)).toLowerCase();
  if (SCHEMES.some((scheme) => text.startsWith(scheme))) return 'http';
  return SCHEMES.some((scheme) => scheme.startsWith(text)) ? undefined : 'unknown';
}

const SCHEMES = ['http://', 'https://', 'ws://', 'wss://'];

/** RFC 9110 section 5.6.2. */
function isTokenByte(byte: number): boolean {
  if (byte >= 0x30 && byte <= 0x39) return true;
  if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) return true;
  return "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte));
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/**
 * Owns the view of an opening handshake that receivers get: headers, path, offers and addresses.
 * Refuses to judge whether the handshake is valid, but for the two headers it has to parse.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { OfferedExtension, TlsFacts, UpgradeRequest } from '../../receivers/upgrade-request.js';
import { plainAddress } from './plain-address.js';
import { extension, subprotocol } from './ws-exports.js';

/**
 * Makes an {@link UpgradeRequest} of what Node parsed.
 *
 * @throws TidegateError `BAD_HANDSHAKE` (400) when `Sec-WebSocket-Protocol` or `Sec-WebSocket-Extensions` is malformed.
 */
export function createUpgradeRequest(req: IncomingMessage, socket: Socket, signal: AbortSignal): UpgradeRequest {
  return new ParsedUpgradeRequest(req, socket, signal);
}

class ParsedUpgradeRequest implements UpgradeRequest {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly host: string;
  readonly origin: string | undefined;
  readonly subprotocols: readonly string[];
  readonly extensions: readonly OfferedExtension[];
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: TlsFacts | undefined;
  readonly signal: AbortSignal;
  readonly #search: string;
  #query: URLSearchParams | undefined;

  constructor(req: IncomingMessage, socket: Socket, signal: AbortSignal) {
    this.method = req.method ?? '';
    this.url = req.url ?? '';
    const { path, search } = splitTarget(this.url);
    this.path = path;
    this.#search = search;
    this.rawHeaders = req.rawHeaders;
    this.headers = joinHeaders(req.rawHeaders);
    this.host = this.headers.host ?? '';
    this.origin = this.headers.origin;
    this.subprotocols = parseSubprotocols(this.headers['sec-websocket-protocol']);
    this.extensions = parseExtensions(this.headers['sec-websocket-extensions']);
    // Taken now: Node forgets the addresses of a socket when it closes, and receivers ask for them in onClosed.
    this.remoteAddress = plainAddress(socket.remoteAddress) ?? '';
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress) ?? '';
    this.localPort = socket.localPort ?? 0;
    this.tls = socket instanceof TLSSocket ? tlsFacts(socket) : undefined;
    this.signal = signal;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }
}

/** Splits a request target at the query. A proxy-style target, `http://host/path`, counts by its path. */
function splitTarget(url: string): { path: string; search: string } {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i.exec(url);
  const rest = origin === null ? url : url.slice(origin[0].length);
  const mark = rest.indexOf('?');
  const path = mark === -1 ? rest : rest.slice(0, mark);
  return { path: path === '' ? '/' : path, search: mark === -1 ? '' : rest.slice(mark + 1) };
}

function joinHeaders(raw: readonly string[]): Record<string, string> {
  // No prototype: `__proto__` and `constructor` are header names like any other.
  const headers: Record<string, string> = Object.create(null);
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    const value = raw[index + 1]!;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}

function parseSubprotocols(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  try {
    return [...subprotocol.parse(header)];
  } catch (error) {
    throw malformed('Sec-WebSocket-Protocol', error);
  }
}

function parseExtensions(header: string | undefined): readonly OfferedExtension[] {
  if (header === undefined) return [];
  try {
    return Object.entries(extension.parse(header)).flatMap(([name, offers]) =>
      offers.map((parameters) => ({ name, parameters })),
    );
  } catch (error) {
    throw malformed('Sec-WebSocket-Extensions', error);
  }
}

function malformed(name: string, cause: unknown): TidegateError {
  return new TidegateError('BAD_HANDSHAKE', `the header ${name} is malformed: ${describeError(cause)}`, { cause });
}

function tlsFacts(socket: TLSSocket): TlsFacts {
  // The types say that a peer always has a certificate; without one Node answers an empty object, or null once closed.
  const certificate: { subject?: { CN?: string | string[] } } | null = socket.getPeerCertificate();
  const name = certificate?.subject?.CN;
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher()?.name ?? '',
    servername: namedBy(socket),
    alpnProtocol: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    authorized: socket.authorized,
    peerName: Array.isArray(name) ? name[0] : name,
  };
}

/** The types leave it out: on the server's side it is the name the client asked for, or false. */
function namedBy(socket: TLSSocket): string | undefined {
  if (!('servername' in socket)) return undefined;
  return typeof socket.servername === 'string' && socket.servername !== '' ? socket.servername : undefined;
}

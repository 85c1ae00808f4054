/**
 * Owns what a target text means: its kind, address and path, and what is wrong with one that cannot be dialled.
 * Refuses to resolve names or to decide who may go where.
 */
import { isIP, isIPv6 } from 'node:net';
import { TidegateError } from '../../receivers/errors.js';

/** A WebSocket server: `ws://host[:port][/path]` or `wss://…`. */
export interface WebSocketTarget {
  readonly kind: 'websocket';
  readonly secure: boolean;
  /** Whether the host is an address, and which: 4, 6, or 0 for a name. */
  readonly family: number;
  /** A name or an address; an IPv6 address stands without brackets. */
  readonly host: string;
  /** The name that `host` is an address of, for TLS and for `Host`; undefined when that is all that is known of it. */
  readonly serverName?: string | undefined;
  readonly port: number;
  /** `''`, or path and query as they stand in the text, such as `/x?y`. */
  readonly path: string;
  readonly href: string;
}

/** A byte stream over TCP: `tcp://host:port`, or `tls://host:port` with TLS. */
export interface TcpTarget {
  readonly kind: 'tcp';
  readonly secure: boolean;
  /** Whether the host is an address, and which: 4, 6, or 0 for a name. */
  readonly family: number;
  readonly host: string;
  /** The name that `host` is an address of, for TLS and for `Host`; undefined when that is all that is known of it. */
  readonly serverName?: string | undefined;
  readonly port: number;
  readonly href: string;
}

/** A byte stream over a Unix domain socket: `unix:/path`. */
export interface UnixTarget {
  readonly kind: 'unix';
  readonly path: string;
  readonly href: string;
}

/** Where connections are forwarded to. `href` is the normal form of its text, for people to read. */
export type Target = WebSocketTarget | TcpTarget | UnixTarget;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { ws: 80, wss: 443 };
const FORMS = 'ws://host[:port][/path], wss://…, tcp://host:port, tls://host:port or unix:/path';

/** Targets that were read lately, by their texts: nearly every connection goes to one of a few. */
const known = new Map<string, Target>();
const MAX_KNOWN = 256;

/**
 * Reads the text of a target.
 *
 * @throws TidegateError `INVALID_TARGET`, with the text and what would be right.
 */
export function parseTarget(text: string): Target {
  let target = known.get(text);
  if (target === undefined) {
    target = readTarget(text);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, target);
  }
  return target;
}

/** What the field `Host` says of a target: its host, and its port unless that goes without saying. */
export function authorityOf({ host, serverName, family, port, secure }: WebSocketTarget): string {
  const name = serverName ?? (family === 6 ? `[${host}]` : host);
  return port === (secure ? DEFAULT_PORTS.wss : DEFAULT_PORTS.ws) ? name : `${name}:${port}`;
}

function readTarget(text: string): Target {
  const [, rawScheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text) ?? [];
  if (rawScheme === undefined || rest === undefined) throw invalid(text, `write ${FORMS}`);
  const scheme = rawScheme.toLowerCase();
  switch (scheme) {
    case 'unix':
      return parseUnix(text, rest);
    case 'ws':
    case 'wss':
    case 'tcp':
    case 'tls':
      return parseNetwork(text, scheme, rest);
    case 'http':
    case 'https':
      throw invalid(text, `use ${scheme === 'http' ? 'ws' : 'wss'}: instead of ${scheme}: for a WebSocket server`);
    default:
      throw invalid(text, `the scheme ${JSON.stringify(`${scheme}:`)} is not known; write ${FORMS}`);
  }
}

function parseUnix(text: string, rest: string): UnixTarget {
  // unix:///run/x.sock is the same file as unix:/run/x.sock: the host between the slashes is empty.
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  if (!path.startsWith('/') || path.startsWith('//') || path.includes('\0') || path === '/') {
    throw invalid(text, 'give the absolute path of the socket file, such as unix:/run/app.sock');
  }
  return { kind: 'unix', path, href: `unix:${path}` };
}

function parseNetwork(text: string, scheme: 'ws' | 'wss' | 'tcp' | 'tls', rest: string): WebSocketTarget | TcpTarget {
  const [, authority, tail] = /^\/\/([^/?#\\]*)([^\\]*)$/s.exec(rest) ?? [];
  if (authority === undefined || tail === undefined) throw invalid(text, `write ${FORMS}`);
  if (authority.includes('@')) {
    throw invalid(withoutCredentials(text), 'credentials do not belong into a target; remove what stands before the @');
  }
  if (tail.includes('#')) throw invalid(text, 'a fragment (#) is never sent; remove it');

  const { host, port: portText } = splitAuthority(text, authority);
  const port = portText === undefined ? DEFAULT_PORTS[scheme] : Number(portText);
  if (port === undefined) throw invalid(text, `the port is missing; write ${scheme}://${authority}:PORT`);
  if (!/^\d*$/.test(portText ?? '') || port < 1 || port > 65_535) {
    throw invalid(text, `the port ${JSON.stringify(portText)} is not a number from 1 to 65535`);
  }

  const family = isIP(host);
  const address = `${family === 6 ? `[${host}]` : host}${port === DEFAULT_PORTS[scheme] ? '' : `:${port}`}`;
  if (scheme === 'tcp' || scheme === 'tls') {
    if (tail !== '' && tail !== '/') throw invalid(text, `a byte stream has no path; write ${scheme}://${address}`);
    return { kind: 'tcp', secure: scheme === 'tls', family, host, port, href: `${scheme}://${address}` };
  }
  const path = tail === '' ? '' : pathOf(text, tail);
  return {
    kind: 'websocket',
    secure: scheme === 'wss',
    family,
    host,
    port,
    path,
    href: `${scheme}://${address}${path}`,
  };
}

function splitAuthority(text: string, authority: string): { host: string; port: string | undefined } {
  const [, bracketed, name, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(authority) ?? [];
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) throw invalid(text, `${JSON.stringify(bracketed)} is not an IPv6 address`);
    return { host: bracketed, port };
  }
  if (name === undefined || isIPv6(authority) || (port?.includes(':') ?? false)) {
    throw invalid(text, 'an IPv6 address stands in brackets, such as tcp://[::1]:5900');
  }
  if (name === '') throw invalid(text, `the host is missing; write ${FORMS}`);
  // The URL parser knows what a host is: it folds case, encodes international names, and turns 0x7f.1 into 127.0.0.1,
  // so that an allow-list sees the address that is dialled.
  const url = URL.canParse(`ws://${name}`) ? new URL(`ws://${name}`) : undefined;
  if (url === undefined || url.hostname === '' || /[%\s]/.test(name)) {
    throw invalid(text, `${JSON.stringify(name)} is not a host name`);
  }
  return { host: url.hostname, port };
}

function pathOf(text: string, tail: string): string {
  if (!URL.canParse(`ws://host${tail}`)) throw invalid(text, `${JSON.stringify(tail)} is not a path`);
  const url = new URL(`ws://host${tail}`);
  return `${url.pathname}${url.search}`;
}

/** A password must not reach a log by way of an error message. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/?#]*@/s, '//…@');
}

function invalid(text: string, advice: string): TidegateError {
  return new TidegateError('INVALID_TARGET', `the target ${JSON.stringify(text)} cannot be used: ${advice}`);
}

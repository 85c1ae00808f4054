/**
 * Owns finding the credentials in a request and taking them out of it: what goes on to receivers, targets, events and logs
 * is the request without them. Refuses to check them.
 */
import { isUtf8 } from 'node:buffer';
import { headerValues } from '../../protocol/header-fields.js';
import type { RequestHead } from '../../protocol/http-head.js';
import type { Credentials } from './credentials.js';
import { takeFromPath, takeFromQuery } from './from-url.js';

/** Where credentials are looked for. */
export interface Sources {
  /** Whether Basic and credentials in the URL are for us. */
  readonly passwords: boolean;
  /** Whether Bearer tokens are for us. */
  readonly tokens: boolean;
  /** Whether every other scheme of `Authorization` is for us. */
  readonly unknown: boolean;
  readonly keepAuthorization: boolean;
  readonly url: 'off' | 'query' | 'path';
  readonly userParameter: string;
  readonly passwordParameter: string;
  readonly tokenParameters: readonly string[];
  readonly subprotocol: string | undefined;
  readonly cookie: string | undefined;
}

/** What was found in a request, and what is left of it. */
export interface Presented {
  /** The first ones in the order header, subprotocol, query, path, cookie. */
  readonly credentials: Credentials | undefined;
  /** The request without them. */
  readonly head: RequestHead;
  /** What the 101 names when it names no other subprotocol; empty when the client did not offer it. */
  readonly marker: string;
}

interface Search {
  readonly found: Credentials[];
  url: string;
  rawHeaders: readonly string[];
  marker: string;
}

/** Looks for credentials. Never throws: what is malformed is a kind of its own. */
export function present(head: RequestHead, sources: Sources): Presented {
  const search: Search = { found: [], url: head.url, rawHeaders: head.rawHeaders, marker: '' };
  takeAuthorization(search, sources);
  if (sources.subprotocol !== undefined) takeSubprotocol(search, sources.subprotocol);
  takeUrl(search, sources);
  if (sources.cookie !== undefined) takeCookie(search, sources.cookie);
  const { url, rawHeaders, marker, found } = search;
  const untouched = url === head.url && rawHeaders === head.rawHeaders;
  return { credentials: found[0], head: untouched ? head : rebuilt(head, url, rawHeaders), marker };
}

/** Reads what stands in `Authorization`, or what a first message says in its place: a scheme and its data, or a token. */
export function readAuthorization(value: string, sources: Sources): Credentials | undefined {
  const [, scheme = '', data = ''] = /^([!#$%&'*+\-.^_`|~\w]+)(?: +(.*))?$/.exec(value.trim()) ?? [];
  const name = scheme.toLowerCase();
  if (name === 'basic' && sources.passwords) return readBasic(data.trim());
  if (name === 'bearer' && sources.tokens) {
    return data === '' ? malformed('the Bearer credentials are empty') : { kind: 'token', token: data.trim() };
  }
  if (scheme === '') return malformed('the Authorization has no scheme');
  return sources.unknown ? { kind: 'unknown', scheme, data } : undefined;
}

function takeAuthorization(search: Search, sources: Sources): void {
  const values = headerValues(search.rawHeaders, 'authorization');
  if (values.length === 0) return;
  const credentials =
    values.length > 1 ? malformed('there is more than one Authorization') : readAuthorization(values[0]!, sources);
  if (credentials === undefined) return;
  search.found.push(credentials);
  if (!sources.keepAuthorization) search.rawHeaders = without(search.rawHeaders, 'authorization', undefined);
}

function readBasic(data: string): Credentials {
  const bytes = Buffer.from(data, 'base64');
  // RFC 7617 section 2: base64 of name, colon, password.
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(data);
  if (!isBase64 || !isUtf8(bytes)) return malformed('the Basic credentials are not the base64 of UTF-8 text');
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return malformed('the Basic credentials have no colon');
  return { kind: 'password', scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `bearer, <token>, chat` or `bearer.<token>, chat`: a browser can send nothing else with a handshake. */
function takeSubprotocol(search: Search, marker: string): void {
  const offered = headerValues(search.rawHeaders, 'sec-websocket-protocol')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim());
  const at = offered.indexOf(marker);
  const prefix = `${marker}.`;
  const joined = offered.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  if (at === -1 && joined.length === 0) return;
  const tokens = new Set(at === -1 ? joined : [...joined, offered[at + 1] ?? '']);
  const [token = ''] = tokens;
  search.found.push(
    tokens.size === 1 && token !== ''
      ? { kind: 'token', token }
      : malformed(`the subprotocol ${marker} does not come with one token`),
  );
  search.marker = at === -1 ? '' : marker;
  const left = offered.filter((name) => name !== marker && !tokens.has(name) && !name.startsWith(prefix));
  search.rawHeaders = without(search.rawHeaders, 'sec-websocket-protocol', left.join(', '));
}

function takeUrl(search: Search, sources: Sources): void {
  const { tokenParameters, url, userParameter, passwordParameter } = sources;
  const byPassword = url === 'query' && sources.passwords;
  const names = byPassword ? [...tokenParameters, userParameter, passwordParameter] : tokenParameters;
  if (names.length > 0) {
    const { url: left, values } = takeFromQuery(search.url, names);
    search.url = left;
    for (const name of tokenParameters) {
      const token = values.get(name);
      if (token !== undefined)
        search.found.push(token === '' ? malformed('the token is empty') : { kind: 'token', token });
    }
    const [user, password] = [values.get(userParameter), values.get(passwordParameter)];
    if (byPassword && (user !== undefined || password !== undefined)) {
      search.found.push(
        user === undefined || password === undefined
          ? malformed('the URL has a user without a password, or a password without a user')
          : { kind: 'password', scheme: 'url', user, password },
      );
    }
  }
  if (url !== 'path' || !sources.passwords) return;
  const taken = takeFromPath(search.url);
  if (taken === undefined) return;
  search.url = taken.url;
  search.found.push({ kind: 'password', scheme: 'url', user: taken.user, password: taken.password });
}

function takeCookie(search: Search, name: string): void {
  const pairs = headerValues(search.rawHeaders, 'cookie')
    .flatMap((value) => value.split(';'))
    .map((pair) => pair.trim());
  const ours = pairs.filter((pair) => pair.startsWith(`${name}=`));
  if (ours.length === 0) return;
  const values = new Set(ours.map((pair) => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1')));
  const [token = ''] = values;
  // Two that differ: a page of a neighbouring host may have planted one (RFC 6265 section 8.6).
  search.found.push(
    values.size === 1 && token !== ''
      ? { kind: 'token', token }
      : malformed(`the cookie ${name} does not hold one token`),
  );
  search.rawHeaders = without(search.rawHeaders, 'cookie', pairs.filter((pair) => !ours.includes(pair)).join('; '));
}

/** Leaves out every field of that name; what is left of them, if anything, stands where the first one stood. */
function without(rawHeaders: readonly string[], lowerName: string, rest: string | undefined): string[] {
  const left: string[] = [];
  let kept = rest === undefined || rest === '';
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const isIt = rawHeaders[at]!.toLowerCase() === lowerName;
    if (!isIt) left.push(rawHeaders[at]!, rawHeaders[at + 1]!);
    else if (!kept) left.push(rawHeaders[at]!, rest!);
    kept ||= isIt;
  }
  return left;
}

function rebuilt(head: RequestHead, url: string, rawHeaders: readonly string[]): RequestHead {
  const { method, httpVersion } = head;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  return { method, url, httpVersion, rawHeaders, text: `${text}\r\n` };
}

function malformed(message: string): Credentials {
  return { kind: 'malformed', message };
}

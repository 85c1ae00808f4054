/**
 * Owns the view of an opening handshake that receivers get: headers, path, offers and addresses.
 * Refuses to judge whether the handshake is valid, but for the two headers it has to parse.
 */
import { headerValues } from '../../protocol/header-fields.js';
import { parseRequestHead, type RequestHead } from '../../protocol/http-head.js';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { ForwardedFacts, OfferedExtension, UpgradeRequest } from '../../receivers/upgrade-request.js';
import type { AcceptedWire } from '../wires/wire.js';
import type { DecisionSignal } from './decision-signal.js';
import { WireRequest } from './wire-request.js';
import { extension, subprotocol } from './ws-exports.js';

/**
 * Makes an {@link UpgradeRequest} of a request head.
 *
 * @throws TidegateError `BAD_HANDSHAKE` (400) when `Sec-WebSocket-Protocol` or `Sec-WebSocket-Extensions` is malformed.
 */
export function createUpgradeRequest(
  head: RequestHead,
  wire: AcceptedWire,
  decision: DecisionSignal,
): ParsedUpgradeRequest {
  return new ParsedUpgradeRequest(head, wire, decision);
}

/** A request whose head can be read again: an open connection keeps its text, and not a string for each field. */
export class ParsedUpgradeRequest extends WireRequest implements UpgradeRequest {
  readonly transport = 'websocket';
  readonly method: string;
  readonly url: string;
  readonly subprotocols: readonly string[];
  readonly extensions: readonly OfferedExtension[];
  readonly forwarded: ForwardedFacts | undefined;
  readonly #text: string;
  #rawHeaders: readonly string[] | undefined;
  #headers: Readonly<Record<string, string>> | undefined;
  #query: URLSearchParams | undefined;

  constructor(head: RequestHead, wire: AcceptedWire, decision: DecisionSignal) {
    super(wire, decision);
    this.method = head.method;
    this.url = head.url;
    this.#text = head.text;
    this.#rawHeaders = head.rawHeaders;
    this.subprotocols = parseSubprotocols(head.rawHeaders);
    this.extensions = parseExtensions(head.rawHeaders);
    this.forwarded = wire.pass?.forwarded;
  }

  /** The handshake is answered: what can be had again is let go of. */
  override settle(): void {
    this.#rawHeaders = undefined;
    this.#headers = undefined;
    super.settle();
  }

  get rawHeaders(): readonly string[] {
    if (this.#rawHeaders !== undefined) return this.#rawHeaders;
    const head = parseRequestHead(this.#text);
    return 'fault' in head ? NONE : head.rawHeaders;
  }

  get path(): string {
    return splitTarget(this.url).path;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(splitTarget(this.url).search);
    return this.#query;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= joinHeaders(this.rawHeaders);
    return this.#headers;
  }

  get host(): string {
    return headerValues(this.rawHeaders, 'host')[0] ?? '';
  }

  get origin(): string | undefined {
    return headerValues(this.rawHeaders, 'origin')[0];
  }
}

/** Splits a request target at the query. A proxy-style target, `http://host/path`, counts by its path. */
function splitTarget(url: string): { path: string; search: string } {
  if (url.startsWith('/')) return splitAtQuery(url);
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i.exec(url);
  return splitAtQuery(origin === null ? url : url.slice(origin[0].length));
}

function splitAtQuery(rest: string): { path: string; search: string } {
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

const NONE: readonly never[] = [];

function parseSubprotocols(rawHeaders: readonly string[]): readonly string[] {
  const header = joined(rawHeaders, 'sec-websocket-protocol');
  if (header === undefined) return NONE;
  try {
    return [...subprotocol.parse(header)];
  } catch (error) {
    throw malformed('Sec-WebSocket-Protocol', error);
  }
}

function parseExtensions(rawHeaders: readonly string[]): readonly OfferedExtension[] {
  const header = joined(rawHeaders, 'sec-websocket-extensions');
  if (header === undefined) return NONE;
  try {
    return Object.entries(extension.parse(header)).flatMap(([name, offers]) =>
      offers.map((parameters) => ({ name, parameters })),
    );
  } catch (error) {
    throw malformed('Sec-WebSocket-Extensions', error);
  }
}

function joined(rawHeaders: readonly string[], name: string): string | undefined {
  const values = headerValues(rawHeaders, name);
  return values.length === 0 ? undefined : values.join(', ');
}

function malformed(name: string, cause: unknown): TidegateError {
  return new TidegateError('BAD_HANDSHAKE', `the header ${name} is malformed: ${describeError(cause)}`, { cause });
}

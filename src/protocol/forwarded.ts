/**
 * Owns reading which way a request came, as proxies write it: `Forwarded` (RFC 7239) and `X-Forwarded-For`. Refuses to believe it:
 * anyone can send these fields.
 */
import { parseIpAddress, plainIpAddress } from './ip-address.js';

/** One end of a hop. */
export interface ForwardedNode {
  /** An IP address; undefined for `unknown`, for an obfuscated name such as `_hidden`, and for what is no node at all. */
  readonly address: string | undefined;
  /** 0 when it was not told. */
  readonly port: number;
}

/** What one proxy told about the hop before it; the proxy nearest to us comes last. */
export interface ForwardedElement {
  /** Who called the proxy. */
  readonly for: ForwardedNode | undefined;
  /** The `Host` that the proxy was asked for. */
  readonly host: string | undefined;
  /** The scheme by which the proxy was called, in lower case, such as `https`. */
  readonly proto: string | undefined;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y;
const BLANKS = /[\t ]*/y;

/** Reads a `Forwarded` field (several joined with commas). Answers undefined when it does not follow the grammar. */
export function parseForwarded(text: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match ?? undefined;
  };
  let pairs = new Map<string, string>();
  for (;;) {
    take(BLANKS);
    const name = take(TOKEN)?.[0].toLowerCase();
    if (name !== undefined) {
      if (text[at] !== '=' || pairs.has(name)) return undefined;
      at += 1;
      const quoted = take(QUOTED);
      const value = quoted === undefined ? take(TOKEN)?.[0] : quoted[1]!.replaceAll(/\\(.)/gs, '$1');
      if (value === undefined) return undefined;
      pairs.set(name, value);
      take(BLANKS);
    }
    const separator = text[at];
    if (separator !== undefined && separator !== ';' && separator !== ',') return undefined;
    at += 1;
    if (separator === ';') continue;
    // A list may have empty members (RFC 9110 section 5.6.1.2).
    if (pairs.size > 0) elements.push(elementOf(pairs));
    if (separator === undefined) return elements;
    pairs = new Map();
  }
}

function elementOf(pairs: ReadonlyMap<string, string>): ForwardedElement {
  const node = pairs.get('for');
  return {
    for: node === undefined ? undefined : parseNode(node),
    host: pairs.get('host'),
    proto: pairs.get('proto')?.toLowerCase(),
  };
}

/** Reads an `X-Forwarded-For` field: nodes between commas, the one nearest to us last. */
export function parseForwardedFor(text: string): ForwardedNode[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseNode);
}

const UNKNOWN: ForwardedNode = { address: undefined, port: 0 };

/**
 * Reads a node: `192.0.2.1`, `192.0.2.1:4711`, `[2001:db8::1]:4711`, and as some proxies write it, `2001:db8::1`. A port that is
 * obfuscated (`_a1`) is unknown.
 */
export function parseNode(text: string): ForwardedNode {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^[\]:]*))(?::([^:]*))?$/.exec(text) ?? [];
  // Without brackets more than one colon is an IPv6 address as a whole.
  const host = bracketed ?? plain ?? text;
  if (bracketed !== undefined && !bracketed.includes(':')) return UNKNOWN;
  if (parseIpAddress(host) === undefined) return UNKNOWN;
  if (port !== undefined && !/^(?:\d{1,5}|_[\w.-]+)$/.test(port)) return UNKNOWN;
  const number = port === undefined || port.startsWith('_') ? 0 : Number(port);
  if (number > 65535) return UNKNOWN;
  return { address: plainIpAddress(host), port: number };
}

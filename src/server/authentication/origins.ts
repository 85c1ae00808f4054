/**
 * Owns whose pages may connect: the patterns of origins, and the judgement of one (RFC 6454, RFC 6455 section 10.2). Refuses to
 * believe that an Origin says anything about a client that is no browser.
 */
import { headerValues } from '../../protocol/header-fields.js';

type Matcher = (origin: string, host: string) => boolean;

/** Which requests pass. */
export interface OriginRules {
  /** Left out: any origin. */
  readonly allowed: readonly string[] | undefined;
  /** Whether a request without Origin is refused. */
  readonly required: boolean;
}

/** Longer than any origin of a browser; regular expressions are kept from longer ones. */
const MAX_ORIGIN_LENGTH = 512;

/**
 * Reads one pattern.
 *
 * @throws Error for one that could never match, or more than was meant.
 */
export function parseOriginPattern(pattern: string): Matcher {
  if (pattern === '*') return () => true;
  if (pattern === 'null') return (origin) => origin === 'null';
  if (pattern === 'same-origin') return isSameOrigin;
  const expression = /^\/(.+)\/([dgimsuvy]*)$/s.exec(pattern);
  if (expression !== null) return whole(expression[1]!, expression[2]!);
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^\s/?#@*:]+|\[[0-9a-f:.]+\])(?::(\d{1,5}|\*))?$/i.exec(pattern);
  if (parts === null) throw new Error('write scheme://host, without a path');
  const [, scheme = '', wild, host = '', port] = parts;
  const suffix = escaped(host.toLowerCase());
  const name = wild === undefined ? suffix : `(?:[a-z0-9_-]+\\.)+${suffix}`;
  // A browser leaves the default port of a scheme out.
  const isDefault = port === undefined || port === DEFAULT_PORTS[scheme.toLowerCase()];
  const end = port === '*' ? '(?::\\d{1,5})?' : isDefault ? '' : `:${port}`;
  return whole(`${escaped(scheme.toLowerCase())}://${name}${end}`, '');
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' };

/** The judgement over origins of one server. */
export class OriginPolicy {
  readonly #matchers: readonly Matcher[] | undefined;
  readonly #required: boolean;
  /** Whether a page of any origin may connect. */
  readonly letsAnyIn: boolean;
  /** Whether this origin was named, and not just let in because every one is. */
  readonly #named: readonly Matcher[];

  constructor({ allowed, required }: OriginRules) {
    this.#matchers = allowed?.map(parseOriginPattern);
    this.#required = required;
    this.letsAnyIn = allowed?.includes('*') ?? true;
    this.#named = allowed?.filter((pattern) => pattern !== '*').map(parseOriginPattern) ?? [];
  }

  /** Says what is wrong with the origin of a request, or nothing. */
  problemOf(rawHeaders: readonly string[]): string | undefined {
    if (this.#matchers === undefined && !this.#required) return undefined;
    const origins = headerValues(rawHeaders, 'origin');
    if (origins.length > 1) return 'there is more than one Origin';
    const [origin] = origins;
    if (origin === undefined) return this.#required ? 'there is no Origin' : undefined;
    if (this.#matchers === undefined || this.#matches(this.#matchers, origin, rawHeaders)) return undefined;
    return `the origin ${JSON.stringify(origin.slice(0, 100))} is not one of those allowed`;
  }

  /** Whether a page of this request's origin may read an answer with credentials. */
  names(rawHeaders: readonly string[]): boolean {
    const [origin, second] = headerValues(rawHeaders, 'origin');
    // Every sandboxed frame of anyone is `null`.
    if (origin === undefined || origin === 'null' || second !== undefined) return false;
    return this.#matches(this.#named, origin, rawHeaders);
  }

  #matches(matchers: readonly Matcher[], origin: string, rawHeaders: readonly string[]): boolean {
    if (origin.length > MAX_ORIGIN_LENGTH) return false;
    const host = headerValues(rawHeaders, 'host')[0] ?? '';
    return matchers.some((matches) => matches(origin, host));
  }
}

/** The page comes from the host and port that the request names. TLS may end before us, so that the scheme is not compared. */
function isSameOrigin(origin: string, host: string): boolean {
  const scheme = /^(https?):\/\/[^/?#@]+$/i.exec(origin)?.[1];
  if (scheme === undefined || !URL.canParse(origin) || !URL.canParse(`${scheme}://${host}`)) return false;
  const page = new URL(origin);
  const asked = new URL(`${scheme}://${host}`);
  return page.host !== '' && page.host === asked.host && asked.pathname === '/' && asked.username === '';
}

/** An expression has to match all of an origin: what stands behind it may be another's domain. */
function whole(source: string, flags: string): Matcher {
  const expression = new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, ''));
  return (origin) => expression.test(origin);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&');
}

/**
 * Owns the header fields that tell a target on whose behalf it is asked: `X-Forwarded-*` and `Forwarded` (RFC 7239). Refuses to
 * decide whose word is taken for it.
 */
import { eachField, headerValues } from './header-fields.js';

/** Which of the two ways to write it. */
export type ForwardedStyle = 'x-forwarded' | 'forwarded' | 'both' | 'off';

/** On whose behalf a target is asked. */
export interface Forwarding {
  readonly style: ForwardedStyle;
  /** The client, as it is believed to be; empty when it has no address. */
  readonly address: string;
  /** Whoever sent us the request: the client, or the last proxy before us. */
  readonly peer: string;
  /** Whether that one is a proxy whose word is taken: then what it sent is added to, and overwritten otherwise. */
  readonly trusted: boolean;
  readonly secure: boolean;
  /** The `Host` that was asked for. */
  readonly host: string;
  /** The port that was asked. */
  readonly port: number;
}

const FOR = 'X-Forwarded-For';

/**
 * Rewrites the fields of a request, names and values in turn. From a sender who is not trusted every field of this kind is left
 * out, also those that only resemble one: some servers read `X_Forwarded_For` as `X-Forwarded-For`.
 */
export function withForwardedFields(rawHeaders: readonly string[], forwarding: Forwarding): string[] {
  const { style, trusted } = forwarding;
  if (style === 'off') return [...rawHeaders];
  const fields: string[] = [];
  const writesX = style !== 'forwarded';
  const writesStandard = style !== 'x-forwarded';
  eachField(rawHeaders, (lowerName, value, position) => {
    const isRewritten = (writesX && lowerName === 'x-forwarded-for') || (writesStandard && lowerName === 'forwarded');
    if (trusted ? isRewritten : isForwardedField(lowerName)) return;
    fields.push(rawHeaders[position]!, value);
  });
  const before = (name: string): readonly string[] => (trusted ? headerValues(rawHeaders, name) : []);
  if (writesX) {
    const next = nextHop(forwarding, before(FOR));
    const chain = next === '' ? before(FOR) : [...before(FOR), next];
    if (chain.length > 0) fields.push(FOR, chain.join(', '));
    for (const [name, value] of described(forwarding)) {
      if (before(name).length === 0 && value !== '') fields.push(name, value);
    }
  }
  if (writesStandard) {
    const chain = before('forwarded');
    fields.push('Forwarded', [...chain, element(forwarding, nextHop(forwarding, chain))].join(', '));
  }
  return fields;
}

/** A proxy that told of a client is the next in the chain behind it; one that told nothing brings the client that is believed. */
function nextHop({ address, peer }: Forwarding, chain: readonly string[]): string {
  return chain.length > 0 ? peer : address;
}

/** Whether a field tells on whose behalf somebody asks, or some servers read it so. */
export function isForwardedField(lowerName: string): boolean {
  if (!lowerName.startsWith('x') && !lowerName.startsWith('f')) return false;
  const name = lowerName.replaceAll('_', '-');
  return name === 'forwarded' || name === 'x-real-ip' || name.startsWith('x-forwarded-');
}

function described({ secure, host, port }: Forwarding): Array<[name: string, value: string]> {
  return [
    ['X-Forwarded-Proto', schemeOf(secure)],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Port', port === 0 ? '' : String(port)],
  ];
}

/** RFC 7239 section 4. */
function element({ secure, host }: Forwarding, address: string): string {
  const parts = [`for=${nodeOf(address)}`];
  if (host !== '') parts.push(`host=${quoted(host)}`);
  parts.push(`proto=${schemeOf(secure)}`);
  return parts.join(';');
}

/** RFC 7239 section 6: an IPv6 address stands in brackets, and because of them in quotes. */
function nodeOf(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function quoted(value: string): string {
  return TOKEN.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** As a target's own framework would say it: most know `http` and `https` only. */
function schemeOf(secure: boolean): string {
  return secure ? 'https' : 'http';
}

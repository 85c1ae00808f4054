/** Owns how a set of targets is written in one line, and which targets are in it. Refuses to decide what being in it means. */
import { posix } from 'node:path';
import { type AddressRange, parseAddressRange } from './address-range.js';
import type { Target } from './target.js';

/** One line of a list of targets. */
export interface TargetRule {
  readonly text: string;
  /** The addresses it is about; undefined for a rule about names or socket files. */
  readonly range: AddressRange | undefined;
  /** Whether the name of the target is the one it names, or one of many that a `*` stands for; undefined for neither. */
  names(target: Target): 'exactly' | 'by wildcard' | undefined;
  /** Whether it is about this kind of target and this port at all, wherever that leads. */
  concerns(target: Target): boolean;
}

/** What a rule may be, for messages. */
export const TARGET_RULE_FORMS =
  "a host such as 'example.org', '*.example.org' or '*', an address or a range such as '10.0.0.0/8', '[fd00::]' or '@private', each perhaps with a scheme before and ports behind ('tcp://10.0.0.0/8:5900-5999'), or 'unix:/run/app.sock', or 'unix:/run/apps/' for all in a folder";

/** Reads a rule; undefined when it is none. */
export function parseTargetRule(text: string): TargetRule | undefined {
  if (/^unix:/i.test(text)) return unixRule(text);
  const [, scheme, rest = ''] = /^(?:(ws|wss|tcp|tls):\/\/)?(.*)$/is.exec(text) ?? [];
  const split = splitPorts(rest);
  const ports = split === undefined ? undefined : parsePorts(split.ports);
  if (split === undefined || ports === undefined) return undefined;
  const concerns = (target: Target): boolean =>
    target.kind !== 'unix' &&
    (scheme === undefined || schemeOf(target) === scheme.toLowerCase()) &&
    target.port >= ports.from &&
    target.port <= ports.to;
  const range = parseAddressRange(split.host);
  if (range !== undefined) return { text, range, concerns, names: () => undefined };
  return nameRule(text, split.host, concerns);
}

/** The name of a target as rules compare it: a dot at its end changes nothing about where it leads. */
function plainName(host: string): string {
  return host.replace(/\.$/, '');
}

function nameRule(text: string, host: string, concerns: TargetRule['concerns']): TargetRule | undefined {
  const range = undefined;
  if (host === '*') return { text, range, concerns, names: () => 'by wildcard' };
  const [, wildcard, rest = ''] = /^(\*\.)?(.*)$/s.exec(host) ?? [];
  if (rest === '' || /[*\s%@/?#\\:]/.test(rest) || !URL.canParse(`ws://${rest}`)) return undefined;
  const name = plainName(new URL(`ws://${rest}`).hostname);
  // Other ways to write an address, such as 0x7f.1.
  const address = parseAddressRange(name);
  if (address !== undefined)
    return wildcard === undefined ? { text, range: address, concerns, names: () => undefined } : undefined;
  const names = ({ kind, ...target }: Target): ReturnType<TargetRule['names']> => {
    if (kind === 'unix' || !('host' in target)) return undefined;
    const asked = plainName(target.host);
    if (wildcard !== undefined) return asked.endsWith(`.${name}`) ? 'by wildcard' : undefined;
    return asked === name ? 'exactly' : undefined;
  };
  return { text, range, concerns, names };
}

function unixRule(text: string): TargetRule | undefined {
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  if (!path.startsWith('/') || path.startsWith('//') || posix.normalize(path) !== path) return undefined;
  const names = (target: Target): ReturnType<TargetRule['names']> => {
    if (target.kind !== 'unix') return undefined;
    if (path.endsWith('/')) return target.path.startsWith(path) ? 'by wildcard' : undefined;
    return target.path === path ? 'exactly' : undefined;
  };
  return { text, range: undefined, concerns: ({ kind }) => kind === 'unix', names };
}

/** An IPv6 address with ports stands in brackets; without, it may stand as it is. */
function splitPorts(text: string): { host: string; ports: string | undefined } | undefined {
  const [, bracketed, behind] = /^\[([^\]]*)\](.*)$/s.exec(text) ?? [];
  if (bracketed !== undefined && behind !== undefined) {
    const [, inside, ports] = /^(\/\d{1,3})?(?::(.*))?$/s.exec(behind) ?? [];
    if (behind !== '' && inside === undefined && ports === undefined) return undefined;
    return { host: `${bracketed}${inside ?? ''}`, ports };
  }
  if (text.split(':').length > 2) return { host: text, ports: undefined };
  const [host = '', ports] = text.split(':');
  return { host, ports };
}

function parsePorts(text: string | undefined): { from: number; to: number } | undefined {
  if (text === undefined) return { from: 1, to: 65_535 };
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const from = Number(first);
  const to = Number(last);
  return from >= 1 && to >= from && to <= 65_535 ? { from, to } : undefined;
}

function schemeOf(target: Exclude<Target, { kind: 'unix' }>): string {
  if (target.kind === 'tcp') return target.secure ? 'tls' : 'tcp';
  return target.secure ? 'wss' : 'ws';
}

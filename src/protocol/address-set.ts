/**
 * Owns sets of IP addresses and ranges (CIDR, RFC 4632 and RFC 4291), and how one is written. Refuses to resolve names. `BlockList`
 * of Node.js is not used: its `::/0` also holds every IPv4 address.
 */
import { type IpAddress, parseIpAddress } from './ip-address.js';

/** Addresses from one to another, both included. */
interface AddressRange {
  readonly version: 4 | 6;
  readonly first: string;
  readonly last: string;
}

/** RFC 1918, RFC 4193, and what came before that (RFC 3879). */
export const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'];
/** What the customers of a provider have in common (RFC 6598): not of the Internet, and not of one's own either. */
export const SHARED = ['100.64.0.0/10'];
export const LOOPBACK = ['127.0.0.0/8', '::1'];
export const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'];

/** Words that stand for ranges. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  all: ['0.0.0.0/0', '::/0'],
  loopback: LOOPBACK,
  private: PRIVATE,
  shared: SHARED,
  'link-local': LINK_LOCAL,
};

/** What is told to someone who wrote something else. */
export const ADDRESS_EXPECTED = `expected an IP address, a range such as '192.0.2.0/24' or '2001:db8::/32', or one of ${Object.keys(
  WORDS,
)
  .map((word) => `'${word}'`)
  .join(', ')}`;

/** Reads an address, a range or a word; answers with what is wrong with it as `fault`. */
export function parseAddressRanges(text: string): readonly AddressRange[] | { readonly fault: string } {
  const word = Object.hasOwn(WORDS, text) ? WORDS[text] : undefined;
  if (word !== undefined) return word.flatMap((one) => rangesOrThrow(one));
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  if (address.includes('%')) return { fault: 'expected an address without a zone: lists hold for all interfaces' };
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return { fault: ADDRESS_EXPECTED };
  if (slash === -1) return [{ version: parsed.version, first: parsed.digits, last: parsed.digits }];
  return cidr(text, address, parsed, text.slice(slash + 1));
}

function cidr(
  text: string,
  address: string,
  parsed: IpAddress,
  prefixText: string,
): readonly AddressRange[] | { readonly fault: string } {
  const written = address.includes(':') ? 128 : 32;
  const bits = parsed.version === 4 ? 32 : 128;
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
  const least = written - bits;
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) - least : Number.NaN;
  if (!(prefix >= 0 && prefix <= bits)) {
    return { fault: `expected a prefix from ${least} to ${written} behind the slash` };
  }
  const first = filled(parsed.digits, prefix, '0');
  if (first !== parsed.digits) {
    return { fault: `expected no bits behind the prefix: ${text} begins before ${address}, or is meant to be shorter` };
  }
  return [{ version: parsed.version, first, last: filled(parsed.digits, prefix, 'f') }];
}

/** Keeps the first bits, and makes all others 0 or 1. */
function filled(digits: string, prefix: number, digit: '0' | 'f'): string {
  const whole = Math.floor(prefix / 4);
  if (whole === digits.length) return digits;
  const mask = 0xf >> (prefix % 4);
  const split = Number.parseInt(digits[whole]!, 16);
  const mixed = digit === '0' ? split & ~mask & 0xf : split | mask;
  return digits.slice(0, whole) + mixed.toString(16) + digit.repeat(digits.length - whole - 1);
}

function rangesOrThrow(text: string): readonly AddressRange[] {
  const ranges = parseAddressRanges(text);
  if ('fault' in ranges) throw new RangeError(`${text}: ${ranges.fault}`);
  return ranges;
}

/** Addresses and ranges, looked up in logarithmic time, so that a list may have a hundred thousand entries. */
export class AddressSet {
  readonly isEmpty: boolean;
  readonly #four: readonly AddressRange[];
  readonly #six: readonly AddressRange[];

  /** @throws RangeError for text that {@link parseAddressRanges} does not understand. */
  constructor(texts: readonly string[]) {
    const ranges = texts.flatMap((text) => rangesOrThrow(text));
    this.isEmpty = ranges.length === 0;
    this.#four = merged(ranges.filter(({ version }) => version === 4));
    this.#six = merged(ranges.filter(({ version }) => version === 6));
  }

  /** Whether an address is in it. What is no address never is. */
  has(address: string): boolean {
    if (this.isEmpty) return false;
    const parsed = parseIpAddress(address);
    if (parsed === undefined) return false;
    const ranges = parsed.version === 4 ? this.#four : this.#six;
    const { digits } = parsed;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.last < digits) low = middle + 1;
      else high = middle;
    }
    return low < ranges.length && ranges[low]!.first <= digits;
  }
}

/** In order, and none within or over another. */
function merged(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const result: AddressRange[] = [];
  for (const range of sorted) {
    const before = result.at(-1);
    if (before === undefined || before.last < range.first) result.push(range);
    else if (before.last < range.last) result[result.length - 1] = { ...before, last: range.last };
  }
  return result;
}

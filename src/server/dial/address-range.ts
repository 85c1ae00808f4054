/** Owns which addresses a rule about targets means, and which ones nobody is sent to unasked. Refuses names, and to say who may go where. */
import { AddressSet, LINK_LOCAL, LOOPBACK, PRIVATE, parseAddressRanges, SHARED } from '../../protocol/address-set.js';
import { carriedIPv4 } from '../../protocol/ip-address.js';

/** Addresses that a rule is about. */
export interface AddressRange {
  /** Whether an address is in it, or the IPv4 address that it carries (`::ffff:127.0.0.1`, NAT64, 6to4). */
  has(address: string): boolean;
}

/**
 * Reads an address, a range (`10.0.0.0/8`, `fd00::/8`) or one of the words `@public`, `@private`, `@shared`, `@loopback` and `@link-local`: the
 * words of {@link AddressSet} with an `@` before them, since a host may have such a name. Answers undefined for anything else.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  if (text === '@public') return { has: isPublic };
  if (/^@(?:private|shared|loopback|link-local)$/.test(text)) return rangeOf([text.slice(1)]);
  // Without a dot or a colon it is a name, of a host or of nothing.
  return !/[.:]/.test(text) || 'fault' in parseAddressRanges(text) ? undefined : rangeOf([text]);
}

/** Whether the address is one of the Internet's at large: not private, not this machine, not of one link, not set aside. */
export function isPublic(address: string): boolean {
  return !RESERVED.has(address);
}

/** Whether nobody is meant to be reached there by way of a proxy unless somebody says so; see `docs/guide/proxying.md`. */
export function isForbidden(address: string): boolean {
  return FORBIDDEN.has(address);
}

function rangeOf(texts: readonly string[]): AddressRange {
  const set = new AddressSet(texts);
  return {
    has(address) {
      if (set.has(address)) return true;
      const carried = carriedIPv4(address);
      return carried !== undefined && set.has(carried);
    },
  };
}

/** This machine by other names, and everybody at once. */
const NOBODY = ['0.0.0.0/8', '::', '224.0.0.0/4', '255.255.255.255', 'ff00::/8'];
/** Where clouds tell a machine its secrets, outside of the link-local ranges: AWS, Google, Alibaba and Oracle. */
const METADATA = ['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192'];
/** The rest of IANA's special-purpose registries (RFC 6890) that leads nowhere in the Internet. */
const SET_ASIDE = [
  '192.0.0.0/24',
  '192.0.2.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '5f00::/16',
];

const FORBIDDEN = rangeOf([...LINK_LOCAL, ...NOBODY, ...METADATA]);
const RESERVED = rangeOf([...PRIVATE, ...SHARED, ...LOOPBACK, ...LINK_LOCAL, ...NOBODY, ...METADATA, ...SET_ASIDE]);

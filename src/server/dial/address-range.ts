/** Owns ranges of IP addresses: how they are written, and what is in them. Refuses names, and to say who may go where. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { carriedIPv4, ipAddressBytes } from '../../protocol/ip-address.js';

/** A set of addresses that somebody wrote down. */
export interface AddressRange {
  /** Whether an address is in it, or the IPv4 address that it carries (`::ffff:127.0.0.1`, NAT64, 6to4). */
  has(address: string): boolean;
}

/**
 * Reads an address, a range (`10.0.0.0/8`, `fd00::/8`) or one of the words `@public`, `@private`, `@loopback` and `@link-local`.
 * Answers undefined for anything else.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  if (text.startsWith('@')) return NAMED[text];
  const [, address = text, length] = /^(.*)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return undefined;
  if (length !== undefined && Number(length) > (family === 4 ? 32 : 128)) return undefined;
  return rangeOf([text]);
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
  // One list for each family: an IPv6 range such as `::/0` would hold every IPv4 address too.
  const four = new BlockList();
  const six = new BlockList();
  for (const text of texts) {
    const [address = '', length] = text.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    // `::ffff:10.0.0.0/104` means 10.0.0.0/8.
    const carried = carriedIPv4(address);
    if (carried !== undefined && ipAddressBytes(address)?.readUInt16BE(10) === 0xffff && Number(length ?? 128) >= 96) {
      four.addSubnet(carried, Number(length ?? 128) - 96, 'ipv4');
    } else if (length !== undefined) (family === 'ipv4' ? four : six).addSubnet(address, Number(length), family);
    else (family === 'ipv4' ? four : six).addAddress(address, family);
  }
  return {
    has(address) {
      // A zone names an interface of this machine, and no other address.
      const plain = address.split('%', 1)[0]!;
      const carried = carriedIPv4(plain);
      if (carried !== undefined && four.check(carried, 'ipv4')) return true;
      return isIPv4(plain) ? four.check(plain, 'ipv4') : six.check(plain, 'ipv6');
    },
  };
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'];
const LOOPBACK = ['127.0.0.0/8', '::1'];
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'];
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
const RESERVED = rangeOf([...PRIVATE, ...LOOPBACK, ...LINK_LOCAL, ...NOBODY, ...METADATA, ...SET_ASIDE]);

const NAMED: Readonly<Record<string, AddressRange>> = {
  '@public': { has: isPublic },
  '@private': rangeOf(PRIVATE),
  '@loopback': rangeOf(LOOPBACK),
  '@link-local': rangeOf(LINK_LOCAL),
};

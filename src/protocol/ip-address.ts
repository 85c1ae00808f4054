/**
 * Owns IP addresses, whatever way they are written (RFC 4291 section 2.2): as bytes, as values that can be compared, and as text
 * (RFC 5952). Refuses host names and ranges, and to say what an address is for.
 */
import { Buffer } from 'node:buffer';

/** An address that was understood. */
export interface IpAddress {
  /** An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is IPv4. */
  readonly version: 4 | 6;
  /** All bits as hexadecimal digits, 8 or 32 of them: of one version, their order as text is their order as numbers. */
  readonly digits: string;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
/** A zone that is empty is no zone. */
const ZONE = /%[^%\s/]+$/;
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/**
 * The 4 or 16 bytes of an address as it is written; undefined for anything else, a number with a leading zero among it, which some
 * read as octal. A zone (`fe80::1%eth0`) is left out: it names an interface of one machine, and is no part of the address.
 */
export function ipAddressBytes(text: string): Buffer | undefined {
  const bytes = text.includes(':') ? bytesOf6(text.replace(ZONE, '')) : bytesOf4(text);
  return bytes === undefined ? undefined : Buffer.from(bytes);
}

/** Reads an address as {@link ipAddressBytes} does; an IPv4 one is the same within IPv6 and without. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = ipAddressBytes(text);
  if (bytes === undefined) return undefined;
  const digits = bytes.toString('hex');
  if (isMapped(bytes)) return { version: 4, digits: digits.slice(2 * MAPPED.length) };
  return { version: bytes.length === 4 ? 4 : 6, digits };
}

/** Writes 4 or 16 bytes as text in the canonical form; IPv4 never as IPv6. */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMapped(bytes)) return bytes.subarray(MAPPED.length).join('.');
  const groups = groupsOf(bytes);
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The 16 bytes that stand for an address among IPv6 ones. */
export function asIpv6Bytes(bytes: Buffer): Buffer {
  return bytes.length === 16 ? bytes : Buffer.concat([MAPPED, bytes]);
}

/** Writes 16 bytes with all their groups: some readers take no shorter form. */
export function formatAllGroups(bytes: Uint8Array): string {
  return groupsOf(bytes)
    .map((group) => group.toString(16))
    .join(':');
}

/**
 * An address as it is shown: an IPv4 one never as IPv6, as a listener for both versions tells it. Text that is no address stays as it
 * is; empty for none.
 */
export function plainIpAddress(address: string | undefined): string {
  if (address?.includes(':') !== true) return address ?? '';
  const bytes = ipAddressBytes(address);
  return bytes !== undefined && isMapped(bytes) ? formatIpAddress(bytes) : address;
}

/**
 * What connections of one client are counted under: an IPv4 address, or the /64 network of an IPv6 address, of which one
 * subscriber has all 2^64. Anything that is no address counts under its own text.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const bytes = ipAddressBytes(address);
  if (bytes === undefined) return address;
  return isMapped(bytes) ? formatIpAddress(bytes) : `${formatAllGroups(bytes.subarray(0, 8))}::/64`;
}

/** IPv4-mapped, IPv4-compatible, IPv4-translated, NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056). */
const COMPATIBLE = Buffer.alloc(12);
const CARRIERS = [
  { prefix: MAPPED, at: 12 },
  { prefix: COMPATIBLE, at: 12 },
  { prefix: Buffer.from('0000000000000000ffff0000', 'hex'), at: 12 },
  { prefix: Buffer.from('0064ff9b0000000000000000', 'hex'), at: 12 },
  { prefix: Buffer.from('0064ff9b0001000000000000', 'hex'), at: 12 },
  { prefix: Buffer.from('2002', 'hex'), at: 2 },
];

/** The IPv4 address that an IPv6 address stands for, or is carried to by a translator; undefined for any other. */
export function carriedIPv4(address: string): string | undefined {
  const bytes = ipAddressBytes(address);
  if (bytes?.length !== 16) return undefined;
  const carrier = CARRIERS.find(({ prefix }) => bytes.subarray(0, prefix.length).equals(prefix));
  // `::` and `::1` carry nothing.
  if (carrier === undefined || (carrier.prefix === COMPATIBLE && bytes.readUInt32BE(12) <= 1)) return undefined;
  return formatIpAddress(bytes.subarray(carrier.at, carrier.at + 4));
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && MAPPED.every((byte, at) => bytes[at] === byte);
}

function groupsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, at) => bytes[2 * at]! * 256 + bytes[2 * at + 1]!);
}

function bytesOf4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => OCTET.test(part) && Number(part) < 256)) return undefined;
  return parts.map(Number);
}

function bytesOf6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [front, back] = halves;
  const before = bytesOfGroups(front!, back === undefined);
  const after = back === undefined ? [] : bytesOfGroups(back, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 16 - before.length - after.length;
  // `::` stands for at least one group.
  if (back === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

/** The bytes of groups between colons. @param atEnd whether the address ends here, where the last two groups may be written as IPv4. */
function bytesOfGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    const value = GROUP.test(group) ? Number.parseInt(group, 16) : undefined;
    const ipv4 = value === undefined && atEnd && at === groups.length - 1 ? bytesOf4(group) : undefined;
    if (value !== undefined) bytes.push(value >> 8, value & 0xff);
    else if (ipv4 !== undefined) bytes.push(...ipv4);
    else return undefined;
  }
  return bytes;
}

/** Where the first of the longest runs of zeros begins, and how long it is. */
function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}

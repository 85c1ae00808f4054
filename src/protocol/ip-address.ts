/**
 * Owns IP addresses as values that can be compared, whatever way they are written: IPv4, IPv6, IPv4 inside of IPv6, with a
 * zone. Refuses host names, and ranges.
 */

/** An address that was understood. */
export interface IpAddress {
  /** An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is IPv4. */
  readonly version: 4 | 6;
  /** All bits as hexadecimal digits, 8 or 32 of them: of one version, their order as text is their order as numbers. */
  readonly digits: string;
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const MAPPED = '00000000000000000000ffff';

/**
 * Reads an address. A zone (`fe80::1%eth0`) is left out: it names an interface of one machine, and is no part of the address.
 * Answers undefined for anything else, a number with a leading zero among it, which some read as octal.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const digits = ipv4Digits(text);
    return digits === undefined ? undefined : { version: 4, digits };
  }
  const zone = text.indexOf('%');
  // A zone that is empty is no zone.
  if (zone !== -1 && zone === text.length - 1) return undefined;
  const digits = ipv6Digits(zone === -1 ? text : text.slice(0, zone));
  if (digits === undefined) return undefined;
  if (digits.startsWith(MAPPED)) return { version: 4, digits: digits.slice(MAPPED.length) };
  return { version: 6, digits };
}

/**
 * What connections of one client are counted under: an IPv4 address, or the /64 network of an IPv6 address, of which one
 * subscriber has all 2^64. Anything that is no address counts under its own text.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return address;
  if (parsed.version === 4) return dotted(parsed.digits);
  const groups = [0, 4, 8, 12].map((at) => Number.parseInt(parsed.digits.slice(at, at + 4), 16).toString(16));
  return `${groups.join(':')}::/64`;
}

/** An address as it is shown: an IPv4 one never as IPv6. Text that is no address stays as it is. */
export function plainIpAddress(address: string): string {
  if (!address.includes(':')) return address;
  const parsed = parseIpAddress(address);
  return parsed?.version === 4 ? dotted(parsed.digits) : address;
}

function dotted(digits: string): string {
  return [0, 2, 4, 6].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)).join('.');
}

function ipv4Digits(text: string): string | undefined {
  const parts = IPV4.exec(text);
  if (parts === null) return undefined;
  let value = 0;
  for (let index = 1; index <= 4; index += 1) {
    const part = parts[index]!;
    const number = Number(part);
    if (number > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + number;
  }
  return value.toString(16).padStart(8, '0');
}

function ipv6Digits(text: string): string | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const front = groupsOf(halves[0]!, halves.length === 1);
  const back = halves.length === 1 ? '' : groupsOf(halves[1]!, true);
  if (front === undefined || back === undefined) return undefined;
  const missing = 32 - front.length - back.length;
  // `::` stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 4) return undefined;
  return front + '0'.repeat(missing) + back;
}

/** The digits of groups between colons, the last of which may be written as IPv4. */
function groupsOf(text: string, mayEndInIpv4: boolean): string | undefined {
  if (text === '') return '';
  let digits = '';
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (GROUP.test(group)) digits += group.toLowerCase().padStart(4, '0');
    else {
      const ipv4 = mayEndInIpv4 && index === groups.length - 1 ? ipv4Digits(group) : undefined;
      if (ipv4 === undefined) return undefined;
      digits += ipv4;
    }
  }
  return digits;
}

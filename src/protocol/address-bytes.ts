/** Owns IP addresses as bytes: reading their texts (RFC 4291 section 2.2). Refuses names, and to say what an address is for. */
import { Buffer } from 'node:buffer';

/** The 4 or 16 bytes of an address; undefined for anything else. A zone (`fe80::1%eth0`) is left out: it means nothing elsewhere. */
export function addressBytes(text: string): Buffer | undefined {
  return text.includes(':') ? bytesOf6(text.split('%', 1)[0]!) : bytesOf4(text);
}

/** The 16 bytes that stand for an address among IPv6 ones; an IPv4 address is mapped (`::ffff:a.b.c.d`). */
export function mapped(bytes: Buffer): Buffer {
  if (bytes.length === 16) return bytes;
  const whole = Buffer.alloc(16);
  whole.fill(0xff, 10, 12);
  bytes.copy(whole, 12);
  return whole;
}

function bytesOf4(text: string): Buffer | undefined {
  const parts = text.split('.');
  // No leading zeros: others read them as octal.
  if (parts.length !== 4 || parts.some((part) => !/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    return undefined;
  return Buffer.from(parts.map(Number));
}

function bytesOf6(text: string): Buffer | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const count = head.length + (tail?.length ?? 0);
  if (tail === undefined ? count !== 8 : count > 7) return undefined;
  const groups = tail === undefined ? head : [...head, ...new Array<number>(8 - count).fill(0), ...tail];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The groups of one side of `::`; an IPv4 address may stand for the last two. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 && part.includes('.') ? bytesOf4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4.readUInt16BE(0), ipv4.readUInt16BE(2));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

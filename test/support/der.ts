/** Owns writing the little of ASN.1 in DER that a certificate needs. Refuses to read any. */

function encode(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => encode(0x30, ...parts);
export const set = (...parts: Uint8Array[]): Buffer => encode(0x31, ...parts);
export const octets = (bytes: Uint8Array): Buffer => encode(0x04, bytes);
export const utf8 = (text: string): Buffer => encode(0x0c, Buffer.from(text));
export const bits = (bytes: Uint8Array): Buffer => encode(0x03, Buffer.from([0]), bytes);
export const yes: Buffer = encode(0x01, Buffer.from([0xff]));

/** A whole number that is not negative. */
export const integer = (bytes: Uint8Array): Buffer =>
  encode(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);

/** `[number]` around whole elements. */
export const tagged = (number: number, ...parts: Uint8Array[]): Buffer => encode(0xa0 | number, ...parts);
/** `[number]` in place of the tag of a simple element. */
export const named = (number: number, bytes: Uint8Array): Buffer => encode(0x80 | number, bytes);

export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return encode(0x06, Buffer.from(bytes));
}

/** RFC 5280 section 4.1.2.5: two digits for the year until 2049. */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  const isShort = date.getUTCFullYear() < 2050;
  return encode(isShort ? 0x17 : 0x18, Buffer.from(isShort ? text.slice(2) : text));
}

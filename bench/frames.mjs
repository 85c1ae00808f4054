/** Owns the bytes that the load consists of, built once, and counting what comes back. Refuses to know sockets. */

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/**
 * Builds one whole frame. A masked one has a key of its own, so that a proxy cannot get away with not unmasking.
 *
 * @param {number} opcode
 * @param {Buffer} payload
 * @param {boolean} masked
 */
export function frame(opcode, payload, masked) {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes + (masked ? 4 : 0));
  header[0] = 0x80 | opcode;
  header[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([header, payload]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  key.copy(header, header.length - 4);
  return Buffer.concat([header, payload.map((byte, index) => byte ^ key[index & 3])]);
}

/** The payload of every message: bytes that count up, so that a shifted or swapped one shows. */
export function payloadOf(length) {
  return Buffer.alloc(length).map((_, index) => index * 7);
}

/**
 * A message many times over, so that any number of them is one slice and one write.
 *
 * @param {Buffer} message
 * @param {number} count
 */
export function repeated(message, count) {
  const all = Buffer.alloc(message.length * count);
  for (let at = 0; at < all.length; at += message.length) message.copy(all, at);
  return all;
}

/** Scans a stream of frames for as much as a count needs: payload bytes of data frames, and control frames whole. */
export class Counter {
  /** Payload bytes of data frames so far. */
  bytes = 0;
  /** When set, payloads are unmasked and compared with it, one message behind the other. */
  expected = null;
  mismatches = 0;
  #held = Buffer.alloc(0);
  /** Of the payload of the current frame: what is still to come, what was taken, and its mask key. */
  #left = 0;
  #offset = 0;
  #key = 0;

  /** @param {(opcode: number, payload: Buffer) => void} onControl */
  constructor(onControl) {
    this.onControl = onControl;
  }

  /** @param {Buffer} chunk */
  take(chunk) {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, bytes.length - at);
        if (this.expected !== null) this.#check(bytes, at, part);
        this.#left -= part;
        this.#offset += part;
        this.bytes += part;
        at += part;
        continue;
      }
      const next = this.#header(bytes, at);
      if (next < 0) break;
      at = next;
    }
    // A copy: the chunk may be a buffer that is read into again.
    this.#held = at < bytes.length ? Buffer.from(bytes.subarray(at)) : NOTHING;
  }

  /** Answers where scanning goes on (behind the header, or behind a whole control frame), or -1 for an incomplete one. */
  #header(bytes, start) {
    const available = bytes.length - start;
    if (available < 2) return -1;
    const opcode = bytes[start] & 0x0f;
    const masked = bytes[start + 1] >= 0x80;
    let length = bytes[start + 1] & 0x7f;
    const at = start + 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (masked ? 4 : 0);
    if (at > bytes.length) return -1;
    if (length === 126) length = bytes.readUInt16BE(start + 2);
    else if (length === 127) length = Number(bytes.readBigUInt64BE(start + 2));
    this.#key = masked ? bytes.readUInt32BE(at - 4) : 0;
    this.#offset = 0;
    if (opcode < 8) {
      this.#left = length;
      return at;
    }
    if (at + length > bytes.length) return -1;
    const payload = Buffer.from(bytes.subarray(at, at + length));
    for (let index = 0; index < length; index += 1) payload[index] ^= this.#keyByte(index);
    this.onControl(opcode, payload);
    return at + length;
  }

  #check(bytes, start, count) {
    const { expected } = this;
    for (let index = 0; index < count; index += 1) {
      const byte = (bytes[start + index] ^ this.#keyByte(this.#offset + index)) & 0xff;
      if (byte !== expected[(this.bytes + index) % expected.length]) this.mismatches += 1;
    }
  }

  #keyByte(offset) {
    return this.#key >>> (24 - 8 * (offset & 3));
  }
}

const NOTHING = Buffer.alloc(0);

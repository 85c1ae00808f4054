/** Owns the key of a handshake and the answer to it (RFC 6455 sections 4.1 and 4.2.2). Refuses to know header fields. */
import { hash, randomFillSync } from 'node:crypto';

/** Appended to every key before hashing (RFC 6455 section 1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** 16 bytes in base64 with the four unused bits 0: the one way an encoder writes them. */
const CANONICAL_KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Computes the Sec-WebSocket-Accept that answers a key (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  // SHA-1 is prescribed; it proves that the other side speaks WebSocket and protects no secret.
  return hash('sha1', key + GUID, 'base64');
}

const KEY_BYTES = 16;

/** Asking the system for 256 keys costs little more than asking for one. */
const keys = Buffer.allocUnsafeSlow(256 * KEY_BYTES);
let used = keys.length;

/** Makes a random Sec-WebSocket-Key (RFC 6455 section 4.1). */
export function newKey(): string {
  if (used === keys.length) {
    randomFillSync(keys);
    used = 0;
  }
  used += KEY_BYTES;
  return keys.toString('base64', used - KEY_BYTES, used);
}

/** Tells whether a Sec-WebSocket-Key is the base64 of 16 bytes (RFC 6455 section 4.2.1). */
export function isKey(value: string): boolean {
  return CANONICAL_KEY.test(value);
}

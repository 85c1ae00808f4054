/**
 * Owns the masking of payload bytes (RFC 6455 section 5.3), in place. Refuses to choose keys and to know frames.
 */

/** Below this many bytes a view over the words costs more than it saves. */
const WORDS_FROM_BYTES = 72;

/** A typed array reads words in the order of the machine, a mask key is in network order. */
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * Masks or unmasks `bytes[start, end)` in place: XOR is its own inverse (RFC 6455 section 5.3). `maskKey` is the four
 * bytes of the key as a big-endian number, `payloadOffset` is the position of `bytes[start]` in the payload of its frame,
 * so that a payload can be masked part by part.
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, maskKey: number, payloadOffset: number): void {
  // An offset may be above 2^31, where bit operators go wrong, but only its lowest two bits matter, and those are right.
  const phase = payloadOffset & 3;
  if (end - start < WORDS_FROM_BYTES) {
    applyByBytes(bytes, start, end, rotate(maskKey, phase));
    return;
  }
  const head = (4 - ((bytes.byteOffset + start) & 3)) & 3;
  const wordsStart = start + head;
  const wordCount = (end - wordsStart) >>> 2;
  const wordsEnd = wordsStart + wordCount * 4;
  const key = rotate(maskKey, (phase + head) & 3);
  applyByBytes(bytes, start, wordsStart, rotate(maskKey, phase));
  applyByWords(new Int32Array(bytes.buffer, bytes.byteOffset + wordsStart, wordCount), LITTLE_ENDIAN ? swap(key) : key);
  applyByBytes(bytes, wordsEnd, end, key);
}

/** The key as seen from a position `bytes` further on. */
function rotate(key: number, bytes: number): number {
  // By 0 bytes this is key | key, as shifts count modulo 32.
  return (key << (bytes * 8)) | (key >>> (32 - bytes * 8));
}

function swap(key: number): number {
  return ((key & 0xff) << 24) | ((key & 0xff00) << 8) | ((key >>> 8) & 0xff00) | (key >>> 24);
}

function applyByBytes(bytes: Uint8Array, start: number, end: number, key: number): void {
  for (let at = start, shift = 24; at < end; at += 1, shift = (shift - 8) & 31) {
    bytes[at]! ^= key >>> shift;
  }
}

function applyByWords(words: Int32Array, key: number): void {
  const count = words.length;
  const unrolled = count - (count & 3);
  let at = 0;
  // Four words a turn: one bounds check and one branch less for each of three words.
  for (; at < unrolled; at += 4) {
    words[at]! ^= key;
    words[at + 1]! ^= key;
    words[at + 2]! ^= key;
    words[at + 3]! ^= key;
  }
  for (; at < count; at += 1) words[at]! ^= key;
}

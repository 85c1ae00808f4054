/**
 * Owns the cutting of a byte stream into pieces that are each whole UTF-8, as text frames need them. Refuses to decode:
 * bytes come in and bytes go out.
 */
import { isUtf8 } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

/**
 * Turns chunks that may be cut anywhere into chunks that end with a complete code point (RFC 3629), and finds a byte that
 * cannot be UTF-8 in the very chunk that has it. Holds at most three bytes.
 */
export class Utf8Stream {
  #carry: Buffer = NOTHING;
  #failed = false;

  /** How many bytes of an incomplete code point are held, 0 to 3. */
  get heldBytes(): number {
    return this.#carry.length;
  }

  /**
   * Returns the held bytes and those of `chunk` up to its last complete code point; empty when there is none. Null when
   * the bytes are not UTF-8, and from then on. The result may share memory with `chunk`; held bytes do not.
   */
  push(chunk: Buffer): Buffer | null {
    if (this.#failed) return null;
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const complete = bytes.length - incompleteLength(bytes);
    const whole = bytes.subarray(0, complete);
    if (!isUtf8(whole) || !canBeCompleted(bytes, complete)) {
      this.#failed = true;
      this.#carry = NOTHING;
      return null;
    }
    this.#carry = complete === bytes.length ? NOTHING : Buffer.from(bytes.subarray(complete));
    return whole;
  }

  /** Tells whether the stream may end here: false inside a code point, or after bytes that were not UTF-8. */
  end(): boolean {
    return !this.#failed && this.#carry.length === 0;
  }
}

/** Counts the bytes at the end that begin a code point longer than what is there. */
function incompleteLength(bytes: Buffer): number {
  const most = Math.min(3, bytes.length);
  for (let count = 1; count <= most; count += 1) {
    const byte = bytes[bytes.length - count]!;
    if ((byte & 0xc0) === 0x80) continue;
    return sequenceLength(byte) > count ? count : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/**
 * Tells whether the incomplete code point at `start` can still become a valid one. Some leads never can, and some allow
 * only a part of the continuation bytes next: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629 section 4).
 */
function canBeCompleted(bytes: Buffer, start: number): boolean {
  if (start === bytes.length) return true;
  const lead = bytes[start]!;
  if (lead < 0xc2 || lead > 0xf4) return false;
  if (start + 1 === bytes.length) return true;
  const second = bytes[start + 1]!;
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second < 0xa0;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second < 0x90;
  return true;
}

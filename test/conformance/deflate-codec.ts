/**
 * Owns the test's own permessage-deflate: one message in or out at a time, with or without context takeover (RFC 7692
 * section 7.2). Refuses to negotiate, and to share a line with the implementation under test.
 */
import { deflateRawSync, inflateRawSync, constants as zlib } from 'node:zlib';

const TAIL = Buffer.of(0, 0, 0xff, 0xff);

/** Compresses one message on its own (RFC 7692 section 7.2.1). */
export function deflated(data: string | Uint8Array): Buffer {
  return new Deflation(false).compress(Buffer.from(data as string));
}

/** One sender. */
export class Deflation {
  readonly #takeover: boolean;
  readonly #windowBits: number;
  #history = Buffer.alloc(0);

  /** @param windowBits 8 to 15; told 9, zlib never refers further back than 8 allows. */
  constructor(takeover: boolean, windowBits = 15) {
    this.#takeover = takeover;
    this.#windowBits = Math.max(9, windowBits);
  }

  compress(data: Buffer): Buffer {
    const bytes = deflateRawSync(data, {
      finishFlush: zlib.Z_SYNC_FLUSH,
      windowBits: this.#windowBits,
      ...(this.#history.length === 0 ? {} : { dictionary: this.#history }),
    });
    if (this.#takeover) this.#history = lastOf(this.#history, data, this.#windowBits);
    return bytes.subarray(0, bytes.length - TAIL.length);
  }
}

/** One receiver, which holds the sender to the window that was agreed on. */
export class Inflation {
  readonly #takeover: boolean;
  readonly #windowBits: number;
  #history = Buffer.alloc(0);

  constructor(takeover: boolean, windowBits = 15) {
    this.#takeover = takeover;
    this.#windowBits = windowBits;
  }

  /** @throws Error when the bytes do not inflate, or refer to what is outside of the window. */
  inflate(data: Uint8Array): Buffer {
    const inflated = inflateRawSync(Buffer.concat([data, TAIL]), {
      finishFlush: zlib.Z_SYNC_FLUSH,
      windowBits: this.#windowBits,
      ...(this.#history.length === 0 ? {} : { dictionary: this.#history }),
    });
    if (this.#takeover) this.#history = lastOf(this.#history, inflated, this.#windowBits);
    return inflated;
  }
}

function lastOf(history: Buffer, data: Buffer, windowBits: number): Buffer<ArrayBuffer> {
  return Buffer.concat([history, data]).subarray(-(2 ** windowBits));
}

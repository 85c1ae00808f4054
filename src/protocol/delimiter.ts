/**
 * Owns cutting a byte stream into messages at a delimiter (sgc: AddTCPEndOfFrame, TCPEndOfFrameScanBuffer), however it comes in pieces.
 * Refuses to keep more than one message.
 */
import { Buffer } from 'node:buffer';

/**
 * Where the end of a message is looked for. `none`: every piece that comes is a message. `tail`: a message ends where a piece ends with
 * the delimiter; inside of it the delimiter is data. `all`: every delimiter ends a message.
 */
export type DelimiterScan = 'none' | 'tail' | 'all';

/** How a byte stream is cut. */
export interface Framing {
  /** What ends a message; no part of it. */
  readonly delimiter: string;
  readonly scan: DelimiterScan;
}

/** Cuts one direction of one connection. */
export class MessageSplitter {
  readonly #delimiter: Buffer;
  readonly #scan: DelimiterScan;
  readonly #maxBytes: number;
  /** `[0, length)` of a buffer that may be larger: a message whose end did not come yet. */
  #held: Buffer = Buffer.alloc(0);
  #length = 0;

  /** @param maxBytes the largest message without its delimiter; 0 for no bound. */
  constructor(framing: Framing | undefined, maxBytes: number) {
    this.#delimiter = Buffer.from(framing?.delimiter ?? '');
    this.#scan = framing === undefined || this.#delimiter.length === 0 ? 'none' : framing.scan;
    this.#maxBytes = maxBytes > 0 ? maxBytes : Number.POSITIVE_INFINITY;
  }

  /** Bytes of a message whose end did not come yet. */
  get held(): number {
    return this.#length;
  }

  /**
   * Takes the next bytes and gives each message that is complete now, without its delimiter, as a buffer of its own. Answers false when
   * a message is larger than allowed; nothing is to be pushed any more then.
   */
  push(chunk: Buffer, give: (message: Buffer) => void): boolean {
    if (this.#scan === 'none') return this.#giveAsItComes(chunk, give);
    const searched = Math.max(0, this.#length - this.#delimiter.length + 1);
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    const kept = this.#scan === 'tail' ? this.#giveWhole(bytes, give) : this.#giveEach(bytes, searched, give);
    if (kept === undefined) return false;
    this.#keep(bytes, kept);
    // A part of the delimiter may stand at the end already.
    return this.#length - (this.#delimiter.length - 1) <= this.#maxBytes;
  }

  #giveAsItComes(chunk: Buffer, give: (message: Buffer) => void): boolean {
    for (let at = 0; at < chunk.length; at += this.#maxBytes) {
      give(Buffer.from(chunk.subarray(at, Math.min(chunk.length, at + this.#maxBytes))));
    }
    return true;
  }

  /** Answers where what is kept begins, or undefined for a message that is too large. */
  #giveWhole(bytes: Buffer, give: (message: Buffer) => void): number | undefined {
    const end = bytes.length - this.#delimiter.length;
    if (end < 0 || !bytes.subarray(end).equals(this.#delimiter)) return 0;
    if (end > this.#maxBytes) return undefined;
    give(Buffer.from(bytes.subarray(0, end)));
    return bytes.length;
  }

  #giveEach(bytes: Buffer, searched: number, give: (message: Buffer) => void): number | undefined {
    let start = 0;
    for (let from = searched; ; from = start) {
      const end = bytes.indexOf(this.#delimiter, from);
      if (end === -1) return start;
      if (end - start > this.#maxBytes) return undefined;
      give(Buffer.from(bytes.subarray(start, end)));
      start = end + this.#delimiter.length;
    }
  }

  #keep(bytes: Buffer, start: number): void {
    const length = bytes.length - start;
    if (this.#length > 0) {
      if (start > 0) this.#held.copyWithin(0, start, bytes.length);
      this.#length = length;
      // What is there mostly ends with a whole message.
      if (length === 0) this.#held = Buffer.alloc(0);
    } else if (length > 0) {
      this.#append(bytes.subarray(start));
    }
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(256, 2 * length));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#length);
    this.#length = length;
    return this.#held.subarray(0, length);
  }
}

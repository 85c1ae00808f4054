/**
 * Owns inflating the messages of one direction one after the other, as permessage-deflate says (RFC 7692 section 7.2.2), in one go each.
 * Refuses to know what was negotiated: whoever forgets the context between two messages refers to none of it.
 */
import { Buffer } from 'node:buffer';
import { constants, inflateRawSync } from 'node:zlib';

/** What the end of a message leaves out. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** The largest window there is. */
const WINDOW = 32 * 1024;

/** Inflates messages in order. */
export class Inflater {
  readonly #limit: number;
  #window: Buffer | undefined = Buffer.alloc(0);

  /** @param limit the largest message, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The message; undefined when it cannot be had, and then none of those after it. */
  inflate(compressed: Buffer): Buffer | undefined {
    const window = this.#window;
    if (window === undefined) return undefined;
    try {
      const message = inflateRawSync(Buffer.concat([compressed, TAIL]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.#limit,
        ...(window.length > 0 ? { dictionary: window } : {}),
      });
      this.#window = Buffer.from(Buffer.concat([window, message]).subarray(-WINDOW));
      return message;
    } catch {
      this.miss();
      return undefined;
    }
  }

  /** A message was not seen: what refers to it cannot be inflated. */
  miss(): void {
    this.#window = undefined;
  }
}

/**
 * Owns where the body of an HTTP/1.1 answer ends (RFC 9112 sections 6 and 7), chunk by chunk. Refuses trailers, which nobody
 * here has a use for, and to know what the body is.
 */
import { headerTokens, headerValues } from './header-fields.js';
import type { ResponseHead } from './http-head.js';

const MAX_LINE_BYTES = 1024;

/** The payload of one body, as it comes. */
export class BodyReader {
  /** The body is complete, or cannot be read any further. */
  done = false;
  readonly #chunked: boolean;
  /** Bytes of the body or of the current chunk that are still to come; infinite for a body that the end of TCP ends. */
  #left: number;
  /** The current line between two chunks, as far as it came. */
  #line = '';
  #inChunk = false;

  constructor({ statusCode, rawHeaders }: ResponseHead) {
    this.#chunked = headerTokens(rawHeaders, 'transfer-encoding').at(-1) === 'chunked';
    this.#left = this.#chunked ? 0 : announcedLength(rawHeaders);
    const never = statusCode === 204 || statusCode === 304;
    this.done = never || (!this.#chunked && this.#left === 0);
  }

  /** Takes the next bytes, and calls with each part of the body in them; the parts are views. */
  push(bytes: Buffer, onPart: (part: Buffer) => void): void {
    let at = 0;
    while (at < bytes.length && !this.done) {
      if (this.#chunked && !this.#inChunk) {
        this.#takeOfLine(bytes[at]!);
        at += 1;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      if (end > at) onPart(bytes.subarray(at, end));
      this.#left -= end - at;
      at = end;
      if (this.#left > 0) continue;
      if (this.#chunked) this.#inChunk = false;
      else this.done = true;
    }
  }

  /** Between two chunks: the end of the last one is an empty line, and the next begins with its length in hexadecimal. */
  #takeOfLine(byte: number): void {
    if (byte !== 10) {
      this.#line += String.fromCharCode(byte);
      this.done = this.#line.length > MAX_LINE_BYTES;
      return;
    }
    const line = this.#line.trim();
    this.#line = '';
    if (line === '') return;
    const [, digits] = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line) ?? [];
    this.#left = digits === undefined ? 0 : Number.parseInt(digits, 16);
    this.done = this.#left === 0;
    this.#inChunk = !this.done;
  }
}

function announcedLength(rawHeaders: readonly string[]): number {
  const [length] = headerValues(rawHeaders, 'content-length');
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
}

/**
 * Owns cutting a stream of bytes into frames for a recording: whatever they are, also those that break a rule. Refuses to judge them;
 * the scanner of the data path does.
 */
import { Buffer } from 'node:buffer';
import { MAX_FRAME_HEADER_BYTES } from '../../protocol/frame.js';
import type { StreamPlace } from '../../protocol/frame-scanner.js';
import { applyMask } from '../../protocol/mask.js';

/** A frame, as it passed. */
export interface SplitFrame {
  readonly opcode: number;
  readonly fin: boolean;
  /** The reserved bits, as a number from 0 to 7. */
  readonly rsv: number;
  readonly masked: boolean;
  /** Of the payload, as announced. */
  readonly bytes: number;
  /** Its payload in the clear; only the beginning of one that is larger than the limit. The receiver may keep it. */
  readonly payload: Buffer;
  /** The stream ended inside of it. */
  readonly cut: boolean;
}

const NOTHING = Buffer.alloc(0);

/** The beginning of a stream. */
export const AT_START: StreamPlace = { skip: 0, held: NOTHING };

/** Cuts one direction into frames. */
export class FrameSplitter {
  readonly #limit: () => number;
  readonly #tell: (frame: SplitFrame) => void;
  #skip: number;
  readonly #header = Buffer.allocUnsafeSlow(MAX_FRAME_HEADER_BYTES);
  #headerLength = 0;
  #payload = NOTHING;
  /** Bytes of the payload that were taken; -1 between two frames. */
  #taken = -1;
  #length = 0;
  #kept = 0;

  /** @param limit how much of the payload of the next frame is kept. */
  constructor(place: StreamPlace, limit: () => number, tell: (frame: SplitFrame) => void) {
    this.#skip = place.skip;
    this.#limit = limit;
    this.#tell = tell;
    this.push(place.held, 0, place.held.length);
  }

  /** Takes the next bytes, and keeps none of them but by a copy. */
  push(bytes: Buffer, start: number, end: number): void {
    let at = start + Math.min(this.#skip, end - start);
    this.#skip -= at - start;
    while (at < end) at = this.#taken === -1 ? this.#takeHeader(bytes, at, end) : this.#takePayload(bytes, at, end);
  }

  /** The stream is over: what is not complete is told as it is. */
  finish(): void {
    if (this.#taken !== -1) this.#end(true);
  }

  #takeHeader(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#headerLength < this.#needed) {
      this.#header[this.#headerLength] = bytes[at]!;
      this.#headerLength += 1;
      at += 1;
    }
    if (this.#headerLength < this.#needed) return at;
    this.#length = this.#announced;
    this.#kept = Math.min(this.#length, this.#limit());
    this.#taken = 0;
    this.#payload = NOTHING;
    if (this.#length === 0) this.#end(false);
    return at;
  }

  /** How long the header is, as far as its first two bytes say. */
  get #needed(): number {
    if (this.#headerLength < 2) return 2;
    const second = this.#header[1]!;
    const size = second & 0x7f;
    return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + (second >= 0x80 ? 4 : 0);
  }

  get #announced(): number {
    const size = this.#header[1]! & 0x7f;
    if (size === 126) return this.#header.readUInt16BE(2);
    return size === 127 ? this.#header.readUInt32BE(2) * 0x1_0000_0000 + this.#header.readUInt32BE(6) : size;
  }

  #takePayload(bytes: Buffer, start: number, end: number): number {
    const taken = Math.min(end - start, this.#length - this.#taken);
    const wanted = Math.min(taken, this.#kept - this.#taken);
    if (wanted > 0) {
      this.#makeRoom(this.#taken + wanted);
      bytes.copy(this.#payload, this.#taken, start, start + wanted);
    }
    this.#taken += taken;
    if (this.#taken === this.#length) this.#end(false);
    return start + taken;
  }

  /** As much as came, and as much again: what is announced alone is not believed. */
  #makeRoom(needed: number): void {
    if (needed <= this.#payload.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#kept, Math.max(needed, 2 * this.#payload.length)));
    this.#payload.copy(larger);
    this.#payload = larger;
  }

  #end(cut: boolean): void {
    const first = this.#header[0]!;
    const masked = this.#header[1]! >= 0x80;
    const payload = this.#payload.subarray(0, Math.min(this.#taken, this.#kept));
    if (masked) applyMask(payload, 0, payload.length, this.#header.readUInt32BE(this.#headerLength - 4), 0);
    const frame = { opcode: first & 0x0f, fin: first >= 0x80, rsv: (first >> 4) & 7, masked, bytes: this.#length };
    this.#taken = -1;
    this.#headerLength = 0;
    this.#payload = NOTHING;
    this.#tell({ ...frame, payload, cut });
  }
}

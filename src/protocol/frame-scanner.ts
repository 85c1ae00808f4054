/**
 * Owns where frames begin and end in a stream of bytes, and which rules their headers break (RFC 6455 section 5). Refuses
 * to touch payloads: it neither unmasks, inflates nor assembles them, and it does not look into Close frames.
 */
import { Buffer } from 'node:buffer';
import { MAX_CONTROL_PAYLOAD_BYTES, Opcode } from './frame.js';
import {
  checkFirstByte,
  checkLongLength,
  checkSecondByte,
  frameTooBig,
  isControl,
  messageTooBig,
  tooManyFragments,
} from './frame-rules.js';
import type { Violation } from './violation.js';

/**
 * What a {@link FrameScanner} tells of, in the order of the stream, during `scan()`. Data frames are told as a start, any
 * number of parts and an end, control frames as one. Positions refer to `scanner.bytes`. A callback may call
 * `scanner.stop()`, and must not call `scan()`. What it throws comes out of `scan()`, and the scanner is of no use after.
 */
export interface FrameHandler {
  /** The header of a data frame is complete: its facts are on the scanner until the next frame. */
  onFrameStart(): void;
  /**
   * `chunk[start, end)` is the next part of the payload of this data frame, still masked; `scanner.payloadOffset` is the
   * position of `chunk[start]` in it. Not called for an empty payload.
   */
  onPayload(chunk: Buffer, start: number, end: number): void;
  /** The data frame is complete. */
  onFrameEnd(): void;
  /** A whole control frame is `chunk[frameStart, end)`; its payload from `payloadStart` on is masked with `scanner.maskKey`. */
  onControl(opcode: number, chunk: Buffer, frameStart: number, payloadStart: number, end: number): void;
}

/** What a {@link FrameScanner} has to hold a peer to. For every limit 0 means that there is none. */
export interface FrameScannerOptions {
  /** Whether every frame must be masked, as a client's are (RFC 6455 section 5.1), or none may be. */
  readonly masked: boolean;
  /** Whether RSV1 is allowed on the first frame of a message (RFC 7692 section 6). */
  readonly compression: boolean;
  /** The largest payload of one data frame, as announced, in bytes. */
  readonly maxFrameBytes: number;
  /** The largest sum of the payloads of one message, as announced, in bytes. */
  readonly maxMessageBytes: number;
  /** The most data frames of one message, empty ones included. */
  readonly maxFragments: number;
  readonly handler: FrameHandler;
}

/** Where a stream of frames is between two chunks. */
export interface StreamPlace {
  /** Bytes that are still to come of a frame whose beginning was told. */
  readonly skip: number;
  /** Bytes that came of a frame that was not told yet. */
  readonly held: Buffer;
}

/** A masked control frame of 125 bytes, which is also more than any header. */
const MAX_HELD_BYTES = 2 + 4 + MAX_CONTROL_PAYLOAD_BYTES;

const NOTHING = Buffer.alloc(0);

/**
 * Scans a stream for frames, chunk by chunk, and allocates nothing per frame. An incomplete header or control frame at the
 * end of a chunk is held back (copied, so the caller may reuse its chunk) and put before the next chunk: whoever forwards
 * `bytes[0, consumed)` never forwards a part of a frame that turns out to be invalid or is to be absorbed.
 */
export class FrameScanner {
  /** The buffer that the last `scan()` looked at: its chunk, or the held bytes and its chunk. Set before any callback. */
  bytes: Buffer = NOTHING;
  /**
   * `bytes[0, consumed)` is done with, the rest is held. After `stop()` it is the end of what the callback was told of,
   * after a violation the start of the offending frame; what follows is ignored then. Inside a callback, it is the end of
   * what that callback is told of.
   */
  consumed = 0;
  /** The rule that was broken; no frame is scanned after it. */
  violation: Violation | null = null;

  /** Where the current frame began in `bytes`; valid in `onFrameStart` and `onControl`. */
  frameStart = 0;
  /** Of the current frame, as are the next four. */
  opcode = 0;
  final = false;
  /** RSV1 of this frame; a continuation frame of a compressed message has none, see `messageCompressed`. */
  compressed = false;
  length = 0;
  /** Four bytes as an unsigned big-endian number; 0 when frames are not masked. */
  maskKey = 0;
  /** The position in its payload of the part that `onPayload` is called with. */
  payloadOffset = 0;
  /** Text or Binary: the opcode of the first frame of the current message. */
  messageOpcode = 0;
  messageCompressed = false;
  /** 0 for the first frame of a message. */
  fragmentIndex = 0;

  readonly #handler: FrameHandler;
  /** Whether every frame is masked. */
  readonly masked: boolean;
  readonly #compression: boolean;
  #maxFrameBytes: number;
  #maxMessageBytes: number;
  readonly #maxFragments: number;
  #held = NOTHING;
  #heldLength = 0;
  #inFrame = false;
  /** Payload bytes of the current data frame that are still to come. */
  #remaining = 0;
  /** The last data frame was not final. */
  #messageOpen = false;
  #messageBytes = 0;
  #stopped = false;

  constructor(options: FrameScannerOptions) {
    this.#handler = options.handler;
    this.masked = options.masked;
    this.#compression = options.compression;
    this.#maxFrameBytes = options.maxFrameBytes || Number.POSITIVE_INFINITY;
    this.#maxMessageBytes = options.maxMessageBytes || Number.POSITIVE_INFINITY;
    this.#maxFragments = options.maxFragments || Number.POSITIVE_INFINITY;
  }

  /** Changes how large frames and messages may be, from the next frame on. 0 = any size. */
  limitMessages(bytes: number): void {
    this.#maxFrameBytes = bytes || Number.POSITIVE_INFINITY;
    this.#maxMessageBytes = this.#maxFrameBytes;
  }

  /** How many bytes are held back, at most 130; they are not part of `bytes[0, consumed)`. */
  get heldBytes(): number {
    return this.#heldLength;
  }

  /** Where the stream is, for someone else to go on from. */
  get place(): StreamPlace {
    return { skip: this.#inFrame ? this.#remaining : 0, held: Buffer.from(this.#held.subarray(0, this.#heldLength)) };
  }

  /** Whether no data frame is half way: a frame of our own may be put in after `bytes[0, consumed)` (RFC 6455 section 5.4). */
  get atBoundary(): boolean {
    return !this.#inFrame;
  }

  /** Whether a message is half way, so that only control frames of our own may be put in (RFC 6455 section 5.4). */
  get inMessage(): boolean {
    return this.#inFrame || this.#messageOpen;
  }

  /** Whether scanning is over, by `stop()` or a violation. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Ends scanning, from inside a callback right after it. Later chunks are ignored: `consumed` is 0 for them. */
  stop(): void {
    this.#stopped = true;
    this.#heldLength = 0;
  }

  /** The payload bytes of the current message that were announced, those of the current frame with them. */
  get messageBytes(): number {
    return this.#messageBytes;
  }

  /** Ends scanning for a rule that is none of the protocol, from inside `onFrameStart`: as if the header had broken it. */
  refuse(violation: Violation): void {
    this.#inFrame = false;
    this.#messageOpen = this.fragmentIndex > 0;
    this.consumed = this.frameStart;
    this.#fail(violation);
  }

  /** Scans the next chunk of the stream and calls the handler for what is in it. */
  scan(chunk: Buffer): void {
    this.bytes = this.#heldLength === 0 ? chunk : this.#joinHeld(chunk);
    this.consumed = 0;
    this.#heldLength = 0;
    while (!this.#stopped && (this.#inFrame ? this.#takePayload() : this.#takeFrame()));
    if (!this.#stopped && this.consumed < this.bytes.length) this.#hold();
  }

  #joinHeld(chunk: Buffer): Buffer {
    const joined = Buffer.allocUnsafe(this.#heldLength + chunk.length);
    this.#held.copy(joined, 0, 0, this.#heldLength);
    joined.set(chunk, this.#heldLength);
    return joined;
  }

  #hold(): void {
    if (this.#held === NOTHING) this.#held = Buffer.allocUnsafeSlow(MAX_HELD_BYTES);
    this.#heldLength = this.bytes.copy(this.#held, 0, this.consumed);
  }

  /** Takes what is there of a payload; false when that is nothing. */
  #takePayload(): boolean {
    const start = this.consumed;
    const end = Math.min(this.bytes.length, start + this.#remaining);
    if (start === end) return false;
    this.payloadOffset = this.length - this.#remaining;
    this.#remaining -= end - start;
    this.consumed = end;
    this.#handler.onPayload(this.bytes, start, end);
    if (this.#remaining === 0 && !this.#stopped) this.#endFrame();
    return true;
  }

  #endFrame(): void {
    this.#inFrame = false;
    this.#handler.onFrameEnd();
  }

  /**
   * Takes the header of a data frame or a whole control frame; false when it is incomplete or wrong. Each rule is checked as soon as
   * its byte is there, in the order of the bytes, so that the outcome does not depend on how the stream was cut.
   */
  #takeFrame(): boolean {
    const { bytes } = this;
    const start = this.consumed;
    const available = bytes.length - start;
    if (available === 0) return false;

    const first = bytes[start]!;
    const opcode = first & 0x0f;
    const wrong = checkFirstByte(first, this.#messageOpen, this.#compression);
    if (wrong !== null) return this.#fail(wrong);
    if (opcode === Opcode.Continuation && this.fragmentIndex + 2 > this.#maxFragments) {
      return this.#fail(tooManyFragments(this.#maxFragments));
    }
    if (available < 2) return false;

    const second = bytes[start + 1]!;
    const wrongToo = checkSecondByte(second, opcode, this.masked);
    if (wrongToo !== null) return this.#fail(wrongToo);

    // A length in more bytes than it needs is accepted, against section 5.2: peers send such frames, and no rule depends on it.
    let length = second & 0x7f;
    let headerLength = 2;
    if (length === 126) {
      headerLength = 4;
      if (available < headerLength) return false;
      length = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    } else if (length === 127) {
      headerLength = 10;
      if (available < headerLength) return false;
      const upper = bytes.readUInt32BE(start + 2);
      const tooLong = checkLongLength(upper);
      if (tooLong !== null) return this.#fail(tooLong);
      length = upper * 0x1_0000_0000 + bytes.readUInt32BE(start + 6);
    }
    if (!isControl(opcode)) {
      if (length > this.#maxFrameBytes) return this.#fail(frameTooBig(length, this.#maxFrameBytes));
      const before = opcode === Opcode.Continuation ? this.#messageBytes : 0;
      if (length > this.#maxMessageBytes - before) {
        return this.#fail(messageTooBig(before, length, this.#maxMessageBytes));
      }
    }

    const keyAt = start + headerLength;
    if (this.masked) headerLength += 4;
    if (available < headerLength) return false;
    const control = isControl(opcode);
    if (control && available < headerLength + length) return false;

    this.frameStart = start;
    this.opcode = opcode;
    this.final = first >= 0x80;
    this.compressed = (first & 0x40) !== 0;
    this.length = length;
    if (this.masked) this.maskKey = maskKeyAt(bytes, keyAt);
    const payloadStart = start + headerLength;
    if (control) {
      this.consumed = payloadStart + length;
      this.#handler.onControl(opcode, bytes, start, payloadStart, this.consumed);
    } else {
      this.consumed = payloadStart;
      this.#startFrame();
    }
    return true;
  }

  #startFrame(): void {
    if (this.opcode === Opcode.Continuation) {
      this.fragmentIndex += 1;
      this.#messageBytes += this.length;
    } else {
      this.fragmentIndex = 0;
      this.#messageBytes = this.length;
      this.messageOpcode = this.opcode;
      this.messageCompressed = this.compressed;
    }
    this.#messageOpen = !this.final;
    this.#inFrame = true;
    this.#remaining = this.length;
    this.payloadOffset = 0;
    this.#handler.onFrameStart();
    if (this.length === 0 && !this.#stopped) this.#endFrame();
  }

  #fail(violation: Violation): false {
    this.violation = violation;
    this.stop();
    return false;
  }
}

/** The same as `readUInt32BE`, whose checks of its arguments cost more than all else that is done for a small frame. */
function maskKeyAt(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/**
 * Owns how a frame is written (RFC 6455 section 5.2): its header, its mask key, and a whole small frame in one buffer.
 * Refuses to read frames, and to decide which frame may follow which: the scanner and the data paths do.
 */
import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { applyMask } from './mask.js';

/** The opcodes that RFC 6455 section 5.2 defines; the others are reserved. */
export const Opcode = {
  Continuation: 0,
  Text: 1,
  Binary: 2,
  Close: 8,
  Ping: 9,
  Pong: 10,
} as const;

/** One of the opcodes that RFC 6455 section 5.2 defines. */
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** The largest payload of a control frame (RFC 6455 section 5.5). */
export const MAX_CONTROL_PAYLOAD_BYTES = 125;

/** The largest frame header: two bytes, eight of length, four of mask key. */
export const MAX_FRAME_HEADER_BYTES = 14;

/** What a frame header says. */
export interface FrameHeader {
  readonly opcode: number;
  readonly final: boolean;
  /** RSV1: on the first frame of a message, that the message is compressed (RFC 7692 section 6). */
  readonly compressed: boolean;
  /** Of the payload, in bytes; at most 2^53 - 1. */
  readonly length: number;
  /** Four bytes as a big-endian number. Left out: the frame is not masked. */
  readonly maskKey?: number;
}

/** What may differ from a final, uncompressed, unmasked frame. */
export interface FrameOptions {
  /** Default true. */
  readonly final?: boolean;
  /** RSV1. Default false. */
  readonly compressed?: boolean;
  /** Four bytes as a big-endian number. Left out: the frame is not masked, as a server's must not be. */
  readonly maskKey?: number;
}

const POOL_BYTES = 8192;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let poolAt = POOL_BYTES;

/** Counts the bytes that the shortest header for such a payload takes (RFC 6455 section 5.2). */
export function frameHeaderLength(payloadLength: number, masked: boolean): number {
  const length = payloadLength < 126 ? 2 : payloadLength < 0x10000 ? 4 : 10;
  return masked ? length + 4 : length;
}

/** Writes a header at `offset`, with the shortest length encoding, and returns how many bytes it took (RFC 6455 section 5.2). */
export function writeFrameHeader(target: Buffer, offset: number, header: FrameHeader): number {
  const { opcode, length, maskKey } = header;
  const maskBit = maskKey === undefined ? 0 : 0x80;
  target[offset] = (header.final ? 0x80 : 0) | (header.compressed ? 0x40 : 0) | opcode;
  let at = offset + 2;
  if (length < 126) {
    target[offset + 1] = maskBit | length;
  } else if (length < 0x10000) {
    target[offset + 1] = maskBit | 126;
    at = target.writeUInt16BE(length, at);
  } else {
    target[offset + 1] = maskBit | 127;
    at = target.writeUInt32BE(Math.floor(length / 0x1_0000_0000), at);
    at = target.writeUInt32BE(length >>> 0, at);
  }
  // A key may come in as a signed number, as bit operators make them.
  if (maskKey !== undefined) at = target.writeInt32BE(maskKey | 0, at);
  return at - offset;
}

/** Makes a whole frame in one new buffer; the payload is copied and never changed (RFC 6455 section 5.2). */
export function encodeFrame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { final = true, compressed = false, maskKey } = options;
  const { length } = payload;
  const frame = Buffer.allocUnsafe(frameHeaderLength(length, maskKey !== undefined) + length);
  const payloadStart = writeFrameHeader(frame, 0, { opcode, final, compressed, length, maskKey });
  frame.set(payload, payloadStart);
  if (maskKey !== undefined) applyMask(frame, payloadStart, frame.length, maskKey, 0);
  return frame;
}

/**
 * Draws an unpredictable mask key (RFC 6455 section 5.3). Random bytes come from the system in pools, since one call for
 * four bytes costs about as much as one for thousands.
 */
export function randomMaskKey(): number {
  if (poolAt === POOL_BYTES) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const key = pool.readUInt32BE(poolAt);
  poolAt += 4;
  return key;
}

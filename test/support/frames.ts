/**
 * Owns the test's own reading and writing of WebSocket frames (RFC 6455 section 5), right ones and wrong ones. Refuses to
 * judge what it reads, and to share a line with the implementation under test.
 */
import { randomBytes } from 'node:crypto';

/** The opcodes of RFC 6455 section 5.2. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** What a frame to be sent is made of. Everything may be wrong on purpose. */
export interface FrameSpec {
  /** 0 to 15. */
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Default true. */
  readonly fin?: boolean;
  readonly rsv1?: boolean;
  readonly rsv2?: boolean;
  readonly rsv3?: boolean;
  /** Whether the payload is masked. Default: true for a client, false for an upstream. */
  readonly masked?: boolean;
  /** Four bytes. Default random. */
  readonly maskKey?: Uint8Array;
  /** The length that the header announces, whatever the payload has. */
  readonly lengthOverride?: number | bigint;
  /** How the length is written, so that one longer than necessary can be sent. Default: as short as possible. */
  readonly lengthEncoding?: 7 | 16 | 64;
}

/** A frame that was received, with its payload unmasked. */
export interface ReceivedFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly rsv2: boolean;
  readonly rsv3: boolean;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** What a Close frame says. */
export interface ReceivedClose {
  /** 1005 when the frame carried no code. */
  readonly code: number;
  readonly reason: string;
}

/** Writes one frame; unmasked unless told otherwise. */
export function encodeFrame(spec: FrameSpec): Buffer {
  const payload = Buffer.from(spec.payload ?? '');
  const announced = BigInt(spec.lengthOverride ?? payload.length);
  const encoding = spec.lengthEncoding ?? (announced < 126n ? 7 : announced < 65_536n ? 16 : 64);
  const head = Buffer.alloc(encoding === 7 ? 2 : encoding === 16 ? 4 : 10);
  head[0] =
    (spec.fin === false ? 0 : 0x80) |
    (spec.rsv1 ? 0x40 : 0) |
    (spec.rsv2 ? 0x20 : 0) |
    (spec.rsv3 ? 0x10 : 0) |
    (spec.opcode & 0x0f);
  if (encoding === 7) head[1] = Number(announced);
  else if (encoding === 16) {
    head[1] = 126;
    head.writeUInt16BE(Number(announced), 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(announced, 2);
  }
  if (spec.masked !== true) return Buffer.concat([head, payload]);
  head[1]! |= 0x80;
  const key = Buffer.from(spec.maskKey ?? randomBytes(4));
  return Buffer.concat([head, key, masked(payload, key)]);
}

/** Writes the payload of a Close frame; empty without a code. */
export function closePayload(code?: number, reason = ''): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}

/** Reads the payload of a Close frame. @throws Error when it has one byte, or a reason that is not UTF-8. */
export function parseClose(payload: Buffer): ReceivedClose {
  if (payload.length === 0) return { code: 1005, reason: '' };
  if (payload.length === 1) throw new Error('a Close frame had a payload of one byte');
  return { code: payload.readUInt16BE(0), reason: decodeText(payload.subarray(2)) };
}

/** Decodes UTF-8. @throws TypeError for bytes that are none. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Says in a few words what a frame is, for error messages. */
export function describeFrame(frame: ReceivedFrame): string {
  const name = Object.entries(Opcode).find(([, opcode]) => opcode === frame.opcode)?.[0] ?? `opcode ${frame.opcode}`;
  if (frame.opcode === Opcode.Close && frame.payload.length >= 2) {
    return `Close ${frame.payload.readUInt16BE(0)} ${JSON.stringify(frame.payload.toString('utf8', 2))}`;
  }
  const shown = frame.payload.length <= 40 ? ` ${JSON.stringify(frame.payload.toString('latin1'))}` : '';
  return `${name}${frame.fin ? '' : ' (not final)'} of ${frame.payload.length} bytes${shown}`;
}

/** Turns received bytes into frames, however they were cut. */
export class FrameParser {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = 2;

  /** Bytes of a frame that is not complete yet. */
  get incompleteBytes(): number {
    return this.#bytes;
  }

  /** Takes the next bytes and gives every frame that they complete. */
  push(chunk: Buffer): ReceivedFrame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: ReceivedFrame[] = [];
    // Chunks are joined only when a whole header or frame is there: a large frame would cost quadratic time otherwise.
    while (this.#bytes >= this.#needed) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      const size = frameSize(bytes);
      this.#chunks = [bytes];
      this.#needed = size.needed;
      if (bytes.length < size.needed) break;
      frames.push(cutFrame(bytes, size.headBytes));
      this.#chunks = [bytes.subarray(size.needed)];
      this.#bytes -= size.needed;
      this.#needed = 2;
    }
    return frames;
  }
}

/** How many bytes the first frame needs, as far as its header tells already. */
function frameSize(bytes: Buffer): { headBytes: number; needed: number } {
  const short = bytes[1]! & 0x7f;
  const headBytes = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((bytes[1]! & 0x80) === 0 ? 0 : 4);
  if (bytes.length < headBytes) return { headBytes, needed: headBytes };
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  return { headBytes, needed: headBytes + length };
}

function cutFrame(bytes: Buffer, headBytes: number): ReceivedFrame {
  const first = bytes[0]!;
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const payload = bytes.subarray(headBytes, frameSize(bytes).needed);
  return {
    opcode: first & 0x0f,
    fin: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    masked: isMasked,
    payload: isMasked ? masked(payload, bytes.subarray(headBytes - 4, headBytes)) : Buffer.from(payload),
  };
}

function masked(payload: Buffer, key: Buffer): Buffer {
  const result = Buffer.allocUnsafe(payload.length);
  for (let index = 0; index < payload.length; index += 1) result[index] = payload[index]! ^ key[index & 3]!;
  return result;
}

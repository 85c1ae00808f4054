/**
 * Owns turning the bytes of a plain target into frames for the client: binary as they come, or text cut at code points
 * only. Refuses to guess: bytes that are no text are a fault of the target, never replaced in silence.
 */
import { Buffer } from 'node:buffer';
import { MAX_FRAME_HEADER_BYTES, Opcode } from '../../protocol/frame.js';
import { Utf8Stream } from '../../protocol/utf8-stream.js';
import { type Violation, violationOf } from '../../protocol/violation.js';
import type { WebSocketLink } from './links.js';

/** The kind of frame that carries a target's bytes. */
export type FrameType = 'binary' | 'text';

/**
 * Up to this size a frame is copied behind its header, so that both leave with one write. Larger buffers do not come from
 * the pool of Node.js, and their allocation costs more than a write of two.
 */
const COPY_BYTES = Buffer.poolSize / 2 - MAX_FRAME_HEADER_BYTES;

/** Frames the bytes of one target. */
export class ByteFramer {
  readonly violation: Violation = violationOf(
    'INVALID_UTF8',
    'the target sent bytes that are not UTF-8, and frameType is text',
  );
  readonly #link: WebSocketLink;
  readonly #text: Utf8Stream | undefined;
  readonly #opcode: number;

  constructor(link: WebSocketLink, type: FrameType) {
    this.#link = link;
    this.#text = type === 'text' ? new Utf8Stream() : undefined;
    this.#opcode = type === 'text' ? Opcode.Text : Opcode.Binary;
  }

  /** Sends a chunk as one frame. Answers `full` when the target has to wait, `invalid` when the bytes are no text. */
  frame(chunk: Buffer): 'more' | 'full' | 'invalid' {
    const payload = this.#text === undefined ? chunk : this.#text.push(chunk);
    if (payload === null) return 'invalid';
    if (payload.length === 0) return 'more';
    const { outlet, sent } = this.#link;
    if (outlet.closing) return 'more';
    sent.messages += 1;
    sent.bytes += payload.length;
    if (outlet.frameInPlace(this.#opcode, payload)) return outlet.blocked ? 'full' : 'more';
    if (payload.length <= COPY_BYTES) outlet.message(outlet.encode(this.#opcode, payload));
    else outlet.largeMessage(this.#opcode, payload);
    return outlet.blocked ? 'full' : 'more';
  }
}

/**
 * Owns reading the frames that a server wrote (RFC 6455 section 5), for the other end of a wire in memory. Shares no line with what the
 * server reads by. Refuses to judge them.
 */

/** A frame, with its payload unmasked. */
export interface ReadFrame {
  readonly opcode: number;
  readonly final: boolean;
  /** RSV1: that the message is compressed. */
  readonly compressed: boolean;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** Cuts bytes into frames. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** Takes the next bytes; answers every frame that is complete with them. */
  push(bytes: Buffer): ReadFrame[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const frames: ReadFrame[] = [];
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take(): ReadFrame | undefined {
    const held = this.#held;
    if (held.length < 2) return undefined;
    const first = held[0]!;
    const second = held[1]!;
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = (second & 0x80) !== 0;
    const start = 2 + extended + (masked ? 4 : 0);
    if (held.length < start) return undefined;
    const length = extended === 0 ? short : extended === 2 ? held.readUInt16BE(2) : Number(held.readBigUInt64BE(2));
    if (held.length < start + length) return undefined;
    const payload = Buffer.from(held.subarray(start, start + length));
    if (masked) {
      const key = held.subarray(start - 4, start);
      for (let at = 0; at < length; at += 1) payload[at]! ^= key[at % 4]!;
    }
    this.#held = held.subarray(start + length);
    return { opcode: first & 0x0f, final: (first & 0x80) !== 0, compressed: (first & 0x40) !== 0, masked, payload };
  }
}

/**
 * Owns random streams of frames, with what a scanner should tell of each. Refuses to scan them.
 */
import fc from 'fast-check';
import { encodeFrame, Opcode } from '../../../src/protocol/frame.js';

/** A frame to send, and whether it is the first of a message. */
export interface FramePlan {
  readonly opcode: number;
  readonly final: boolean;
  readonly compressed: boolean;
  readonly payload: Uint8Array;
  readonly maskKey: number;
}

const key = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0xffffffff, 0x80000000));

/** Mostly short, with some around the sizes where a header grows and where masking goes by words. */
const payload = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 66, maxLength: 140, size: 'max' }) },
);

const control = fc.record({
  opcode: fc.constantFrom(Opcode.Close, Opcode.Ping, Opcode.Pong),
  final: fc.constant(true),
  compressed: fc.constant(false),
  payload: fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ minLength: 124, maxLength: 125, size: 'max' })),
  maskKey: key,
});

const part = fc.record({ payload, maskKey: key, before: fc.array(control, { maxLength: 1 }) });

/** One message in one or more frames, with control frames between them. */
const message = fc
  .record({
    opcode: fc.constantFrom(Opcode.Text, Opcode.Binary),
    compressed: fc.boolean(),
    parts: fc.array(part, { minLength: 1, maxLength: 4 }),
  })
  .map(({ opcode, compressed, parts }): FramePlan[] =>
    parts.flatMap((it, index) => [
      ...it.before,
      {
        opcode: index === 0 ? opcode : Opcode.Continuation,
        final: index === parts.length - 1,
        compressed: compressed && index === 0,
        payload: it.payload,
        maskKey: it.maskKey,
      },
    ]),
  );

/** A valid conversation of one side. */
export const validFrames = fc.array(message, { maxLength: 5 }).map((messages) => messages.flat());

/** Writes a plan down, masked or not. */
export function written(plans: readonly FramePlan[], masked: boolean): Buffer {
  return Buffer.concat(
    plans.map(({ opcode, payload: bytes, final, compressed, maskKey }) =>
      encodeFrame(opcode, bytes, { final, compressed, maskKey: masked ? maskKey : undefined }),
    ),
  );
}

/** Two bytes and more of anything: often a wrong header, sometimes the right beginning of a large frame. */
export const anyHeader = fc
  .tuple(
    fc.nat(255),
    fc.oneof(fc.nat(255), fc.constantFrom(126, 127, 254, 255)),
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.constant(new Uint8Array(8)),
      fc.constant(new Uint8Array(12).fill(255)),
    ),
  )
  .map(([first, second, rest]) => Buffer.concat([Buffer.from([first, second]), rest]));

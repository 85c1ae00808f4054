import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, frameHeaderLength } from '../../../src/protocol/frame.js';
import { applyMask } from '../../../src/protocol/mask.js';

/** RFC 6455 section 5.3 word for word. */
function naively(bytes: Uint8Array, start: number, end: number, maskKey: number, payloadOffset: number): void {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(maskKey >>> 0);
  for (let at = start; at < end; at += 1) bytes[at]! ^= key[(payloadOffset + at - start) % 4]!;
}

const anyKey = fc.nat(0xffffffff);

describe('applyMask', () => {
  it('does what the naive loop does, for every alignment, phase and length around the step to words', () => {
    const noise = Uint8Array.from({ length: 140 }, (_, at) => (at * 37 + 11) & 0xff);
    for (let base = 0; base < 4; base += 1) {
      for (let start = 0; start < 4; start += 1) {
        for (let phase = 0; phase < 4; phase += 1) {
          for (let length = 0; length <= 130; length += 1) {
            const [ours, theirs] = [0, 1].map(() => new Uint8Array(new ArrayBuffer(150), base, 140));
            ours!.set(noise);
            theirs!.set(noise);
            applyMask(ours!, start, start + length, 0x81c2e4f7, phase);
            naively(theirs!, start, start + length, 0x81c2e4f7, phase);
            if (Buffer.compare(ours!, theirs!) !== 0) expect.fail(`${JSON.stringify({ base, start, phase, length })}`);
          }
        }
      }
    }
  });

  it('does what the naive loop does on random bytes, ranges, keys and offsets', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2000, size: 'max' }),
        fc.nat(),
        fc.nat(),
        anyKey,
        fc.oneof(fc.nat(64), fc.maxSafeNat()),
        (bytes, one, other, key, offset) => {
          const [start, end] = [one % (bytes.length + 1), other % (bytes.length + 1)].sort((a, b) => a - b);
          fc.pre(offset + bytes.length <= Number.MAX_SAFE_INTEGER);
          const [ours, theirs] = [Buffer.from(bytes), Buffer.from(bytes)];
          applyMask(ours, start!, end!, key, offset);
          naively(theirs, start!, end!, key, offset);
          expect(ours.equals(theirs)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same in parts as in one, and the old bytes again when applied twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), anyKey, fc.array(fc.nat()), (bytes, key, cuts) => {
        const parts = Buffer.from(bytes);
        const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        for (let at = 1; at < edges.length; at += 1) applyMask(parts, edges[at - 1]!, edges[at]!, key, edges[at - 1]!);
        const whole = Buffer.from(bytes);
        applyMask(whole, 0, whole.length, key, 0);
        expect(parts.equals(whole)).toBe(true);
        applyMask(whole, 0, whole.length, key, 0);
        expect(whole.equals(bytes)).toBe(true);
      }),
    );
  });

  it('takes a key as a signed number too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), anyKey, fc.nat(3), (bytes, key, offset) => {
        const [unsigned, signed] = [Buffer.from(bytes), Buffer.from(bytes)];
        applyMask(unsigned, 0, bytes.length, key, offset);
        applyMask(signed, 0, bytes.length, key | 0, offset);
        expect(signed.equals(unsigned)).toBe(true);
      }),
    );
  });

  it('is what encodeFrame applies to its copy of a payload', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500, size: 'max' }), anyKey, (payload, maskKey) => {
        const before = Buffer.from(payload);
        const frame = encodeFrame(2, payload, { maskKey });
        expect(before.equals(payload)).toBe(true);
        const masked = frame.subarray(frameHeaderLength(payload.length, true));
        naively(masked, 0, masked.length, maskKey, 0);
        expect(masked.equals(before)).toBe(true);
      }),
    );
  });
});

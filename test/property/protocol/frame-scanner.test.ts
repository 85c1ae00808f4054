import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt, cutToBytes, type Limits, scanAll } from '../../unit/protocol/scan-record.js';
import { anyHeader, validFrames, written } from './arbitrary-frames.js';

/** A stream that begins well, may break a rule, and may be cut off; under limits it may run into. */
const anyStream = fc
  .record({
    frames: validFrames,
    masked: fc.boolean(),
    compression: fc.boolean(),
    tail: fc.oneof(fc.constant(Buffer.alloc(0)), anyHeader),
    maxFrameBytes: fc.constantFrom(0, 0, 10, 125),
    maxMessageBytes: fc.constantFrom(0, 0, 20, 200),
    maxFragments: fc.constantFrom(0, 0, 1, 2),
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ frames, tail, keep, ...limits }) => {
    const bytes = Buffer.concat([written(frames, limits.masked), tail]);
    return { bytes: bytes.subarray(0, Math.round(bytes.length * keep)), limits: limits as Limits };
  });

describe('a scanner, however its input is cut', () => {
  it('tells of the frames that were written, whole', () => {
    fc.assert(
      fc.property(validFrames, fc.boolean(), (plans, masked) => {
        const bytes = written(plans, masked);
        const record = scanAll([bytes], { masked, compression: true });
        expect(record).toMatchObject({ violation: null, held: 0, atBoundary: true, inMessage: false });
        expect(record.consumed.equals(bytes)).toBe(true);
        const told = record.frames.map((frame) => ({ opcode: frame.opcode, payload: frame.payload }));
        expect(told).toEqual(
          plans.map(({ opcode, payload }) => ({ opcode, payload: Buffer.from(payload).toString('hex') })),
        );
        const data = record.frames.filter((frame) => frame.kind === 'data');
        const dataPlans = plans.filter((plan) => plan.opcode < 8);
        expect(data).toMatchObject(
          dataPlans.map(({ final, compressed, payload, maskKey }) => ({
            final,
            compressed,
            length: payload.length,
            maskKey: masked ? maskKey : 0,
            ended: true,
          })),
        );
        let index = -1;
        for (const frame of data) {
          index = frame.opcode === 0 ? index + 1 : 0;
          expect(frame.fragmentIndex).toBe(index);
        }
      }),
    );
  });

  it('tells the same of two pieces, at every cut, as of the whole', () => {
    fc.assert(
      fc.property(anyStream, ({ bytes, limits }) => {
        const whole = scanAll([bytes], limits);
        for (let at = 0; at <= bytes.length; at += 1) {
          const cut = scanAll(cutAt(bytes, [at]), limits);
          if (!isDeepStrictEqual(cut, whole)) expect(cut, `cut at ${at}`).toEqual(whole);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tells the same of single bytes as of the whole', () => {
    fc.assert(
      fc.property(anyStream, ({ bytes, limits }) => {
        expect(scanAll(cutToBytes(bytes), limits)).toEqual(scanAll([bytes], limits));
      }),
      { numRuns: 300 },
    );
  });

  it('tells the same of many pieces, empty ones among them, as of the whole', () => {
    fc.assert(
      fc.property(anyStream, fc.array(fc.nat()), ({ bytes, limits }, cuts) => {
        const positions = cuts.map((cut) => cut % (bytes.length + 1));
        expect(scanAll(cutAt(bytes, positions), limits)).toEqual(scanAll([bytes], limits));
      }),
      { numRuns: 300 },
    );
  });

  it('stops before the frame that breaks a rule, and what it let through is valid on its own', () => {
    fc.assert(
      fc.property(anyStream, ({ bytes, limits }) => {
        const record = scanAll([bytes], limits);
        fc.pre(record.violation !== null);
        const again = scanAll([record.consumed], limits);
        expect(again).toMatchObject({ violation: null, held: 0, atBoundary: true });
        expect(again.frames).toEqual(record.frames);
      }),
    );
  });

  it('survives any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.boolean(), (bytes, masked, compression) => {
        const limits = { masked, compression };
        const whole = scanAll([Buffer.from(bytes)], limits);
        expect(scanAll(cutToBytes(Buffer.from(bytes)), limits)).toEqual(whole);
      }),
    );
  });
});

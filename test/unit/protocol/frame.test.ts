import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  frameHeaderLength,
  Opcode,
  randomMaskKey,
  writeFrameHeader,
} from '../../../src/protocol/frame.js';

describe('encodeFrame', () => {
  it('writes the examples of RFC 6455 section 5.7', () => {
    const hello = Buffer.from('Hello');
    expect(encodeFrame(Opcode.Text, hello).toString('hex')).toBe('810548656c6c6f');
    expect(encodeFrame(Opcode.Text, hello, { maskKey: 0x37fa213d }).toString('hex')).toBe('818537fa213d7f9f4d5158');
    expect(encodeFrame(Opcode.Text, Buffer.from('Hel'), { final: false }).toString('hex')).toBe('010348656c');
    expect(encodeFrame(Opcode.Continuation, Buffer.from('lo')).toString('hex')).toBe('80026c6f');
    expect(encodeFrame(Opcode.Ping, hello).toString('hex')).toBe('890548656c6c6f');
    expect(encodeFrame(Opcode.Binary, Buffer.alloc(256)).subarray(0, 4).toString('hex')).toBe('827e0100');
    expect(encodeFrame(Opcode.Binary, Buffer.alloc(65536)).subarray(0, 10).toString('hex')).toBe(
      '827f0000000000010000',
    );
  });

  it('writes the compressed example of RFC 7692 section 7.2.3.1', () => {
    const deflated = Buffer.from('f248cdc9c90700', 'hex');
    expect(encodeFrame(Opcode.Text, deflated, { compressed: true }).toString('hex')).toBe('c107f248cdc9c90700');
  });

  it('leaves the payload it was given as it was', () => {
    const payload = Buffer.from('a'.repeat(500));
    const frame = encodeFrame(Opcode.Binary, payload, { maskKey: 0xffffffff });
    expect(payload.toString()).toBe('a'.repeat(500));
    expect(frame.subarray(8).every((byte) => byte === (0x61 ^ 0xff))).toBe(true);
  });

  it('masks with a key of 0 too, since the mask bit is what counts', () => {
    expect(encodeFrame(Opcode.Text, Buffer.from('a'), { maskKey: 0 }).toString('hex')).toBe('81810000000061');
  });

  it('takes any Uint8Array, not only a Buffer', () => {
    expect(encodeFrame(Opcode.Binary, new Uint8Array([1, 2])).toString('hex')).toBe('82020102');
  });
});

describe('writeFrameHeader', () => {
  const header = { opcode: Opcode.Binary, final: true, compressed: false };

  it.each([
    [0, '8200'],
    [125, '827d'],
    [126, '827e007e'],
    [65535, '827effff'],
    [65536, '827f0000000000010000'],
    [2 ** 32 - 1, '827f00000000ffffffff'],
    [2 ** 32, '827f0000000100000000'],
    [2 ** 53 - 1, '827f001fffffffffffff'],
  ])('announces %d bytes as short as it can', (length, expected) => {
    const target = Buffer.alloc(20, 0xee);
    const written = writeFrameHeader(target, 3, { ...header, length });
    expect(target.toString('hex', 3, 3 + written)).toBe(expected);
    expect(written).toBe(frameHeaderLength(length, false));
    expect(target.toString('hex', 0, 3) + target.toString('hex', 3 + written)).toBe('ee'.repeat(20 - written));
  });

  it.each([0, 126, 65536])('puts the mask key behind the length field for %d bytes', (length) => {
    const target = Buffer.alloc(14);
    const written = writeFrameHeader(target, 0, { ...header, length, maskKey: 0xdeadbeef });
    expect(written).toBe(frameHeaderLength(length, true));
    expect(target[1]! & 0x80).toBe(0x80);
    expect(target.toString('hex', written - 4, written)).toBe('deadbeef');
  });

  it('writes a signed key as the same four bytes', () => {
    const target = Buffer.alloc(6);
    writeFrameHeader(target, 0, { ...header, length: 0, maskKey: 0xdeadbeef | 0 });
    expect(target.toString('hex', 2)).toBe('deadbeef');
  });
});

describe('randomMaskKey', () => {
  it('draws 32-bit keys that use every bit and do not repeat when the pool is filled again', () => {
    const keys = Array.from({ length: 5000 }, randomMaskKey);
    expect(keys.every((key) => Number.isInteger(key) && key >= 0 && key <= 0xffffffff)).toBe(true);
    expect(keys.reduce((seen, key) => (seen | key) >>> 0, 0)).toBe(0xffffffff);
    // By the birthday bound three or more repeats among 5000 honest keys happen in less than one of 10^8 runs.
    expect(new Set(keys).size).toBeGreaterThan(4997);
  });
});

import { describe, expect, it } from 'vitest';
import { applyMask } from '../../../src/protocol/mask.js';

describe('applyMask', () => {
  it('masks the example of RFC 6455 section 5.7', () => {
    const bytes = Buffer.from('Hello');
    applyMask(bytes, 0, 5, 0x37fa213d, 0);
    expect(bytes.toString('hex')).toBe('7f9f4d5158');
  });

  it('touches nothing outside its range, short or long', () => {
    for (const length of [3, 400]) {
      const bytes = Buffer.alloc(length + 20);
      applyMask(bytes, 9, 9 + length, 0x01020304, 0);
      expect(bytes.subarray(0, 9).every((byte) => byte === 0)).toBe(true);
      expect(bytes.subarray(9, 9 + length).every((byte) => byte !== 0)).toBe(true);
      expect(bytes.subarray(9 + length).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('does nothing for an empty range', () => {
    const bytes = Buffer.from('abc');
    applyMask(bytes, 3, 3, 0xffffffff, 7);
    expect(bytes.toString()).toBe('abc');
  });

  it('goes on at the right byte of the key beyond 4 GiB of payload', () => {
    const bytes = Buffer.alloc(200);
    applyMask(bytes, 0, 200, 0x01020304, 2 ** 32 + 3);
    expect(bytes.toString('hex', 0, 5)).toBe('0401020304');
    const short = Buffer.alloc(5);
    applyMask(short, 0, 5, 0x01020304, 2 ** 40 + 2);
    expect(short.toString('hex')).toBe('0304010203');
  });
});

/** Owns that unmasking gives the same wherever the bytes lie, and which bytes are taken for those of the last read. */
import { describe, expect, it } from 'vitest';
import { applyMask } from '../../../src/protocol/mask.js';
import { copyUnmasked, unmaskTo } from '../../../src/server/paths/unmask.js';
import { placeOf, READ_BUFFER, SHARED_MEMORY, viewOf } from '../../../src/server/wires/read-buffer.js';

const LENGTH = 700;
const plain = Buffer.from(Array.from({ length: LENGTH }, (_, at) => (at * 13 + 5) & 0xff));
const KEY = 0xa1b2c3d4;

/** The same bytes as the last read of a fast wire, and as anything else. */
function places(): Buffer[] {
  plain.copy(READ_BUFFER);
  return [viewOf(LENGTH), Buffer.from(plain)];
}

describe('unmaskTo', () => {
  it.each([
    [0, 0, 700, 0],
    [6, 6, 131, 0],
    [0, 6, 131, 0],
    [125, 137, 700, 3],
    [125, 137, 141, 2 ** 40 + 1],
    [8, 20, 20, 1],
  ])(
    'moves to %i what is in [%i, %i), at %i of its payload, in shared and in other memory',
    (to, start, end, offset) => {
      const wanted = Buffer.from(plain);
      wanted.copyWithin(to, start, end);
      applyMask(wanted, to, to + end - start, KEY, offset);
      for (const bytes of places()) {
        unmaskTo(bytes, to, start, end, KEY, offset);
        expect(bytes.equals(wanted)).toBe(true);
      }
    },
  );
});

describe('copyUnmasked', () => {
  it.each([
    [0, 700, KEY, 0],
    [6, 131, KEY, 3],
    [6, 131, 0, 0],
    [9, 9, KEY, 1],
  ])('copies [%i, %i) with key %i, at %i of its payload, and leaves it as it was', (start, end, key, offset) => {
    const wanted = Buffer.from(plain.subarray(start, end));
    applyMask(wanted, 0, wanted.length, key, offset);
    for (const bytes of places()) {
      const target = Buffer.alloc(800, '.');
      copyUnmasked(bytes, start, end, target, 50, key, offset);
      expect(target.subarray(50, 50 + end - start).equals(wanted)).toBe(true);
      expect(target.toString('latin1', 0, 50) + target.toString('latin1', 50 + end - start)).toMatch(/^\.+$/);
      expect(bytes.equals(plain)).toBe(true);
    }
  });

  it('copies all that one read can take', () => {
    for (let at = 0; at < READ_BUFFER.length; at += 1) READ_BUFFER[at] = (at * 13 + (at >> 8)) & 0xff;
    const bytes = viewOf(READ_BUFFER.length - 3);
    const wanted = Buffer.from(bytes.subarray(5));
    applyMask(wanted, 0, wanted.length, KEY, 7);
    const target = Buffer.alloc(wanted.length);
    copyUnmasked(bytes, 5, bytes.length, target, 0, KEY, 7);
    expect(target.equals(wanted)).toBe(true);
  });
});

describe('placeOf', () => {
  it('is where the last read lies, with room for a header in front of it', () => {
    for (const length of [1, 4095, 4096, READ_BUFFER.length]) {
      const place = placeOf(viewOf(length));
      expect(place).toBeGreaterThanOrEqual(14);
      SHARED_MEMORY[place] = length & 0xff;
      expect(READ_BUFFER[0]).toBe(length & 0xff);
    }
  });

  it('is nowhere for everything else, an older read included', () => {
    const [older, last] = [viewOf(10), viewOf(11)];
    expect(placeOf(last)).toBeGreaterThan(0);
    expect([older, Buffer.from(last), last.subarray(1), READ_BUFFER].map(placeOf)).toEqual([-1, -1, -1, -1]);
  });
});

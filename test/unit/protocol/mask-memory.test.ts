/** Owns that the WebAssembly module does what the plain implementation does, and that there may be none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMask } from '../../../src/protocol/mask.js';
import { createMaskMemory, MASK_MEMORY_BYTES, type WebAssemblyLike } from '../../../src/protocol/mask-memory.js';

const engine = (globalThis as unknown as { WebAssembly: WebAssemblyLike }).WebAssembly;
const { bytes, move } = createMaskMemory(engine)!;

/** What the memory holds from `to - 8` to `end + 8` after a move, and what it should hold. */
function moved(to: number, from: number, length: number, key: number, offset: number): [Buffer, Buffer] {
  const [start, end] = [to - 8, from + length + 8];
  for (let at = start; at < end; at += 1) bytes[at] = (at * 31 + 7) & 0xff;
  const wanted = Buffer.from(bytes.subarray(start, end));
  wanted.copyWithin(8, 8 + from - to, 8 + from - to + length);
  applyMask(wanted, 8, 8 + length, key, offset);
  move(to, from, from + length, key, offset);
  return [Buffer.from(bytes.subarray(start, end)), wanted];
}

describe('memory for masking', () => {
  it('masks as the plain implementation does, in place and moved, for every length, alignment and phase', () => {
    for (let length = 0; length <= 200; length += 1) {
      for (const distance of [0, 1, 4, 6, 8, 14, 16, 70]) {
        for (let phase = 0; phase < 4; phase += 1) {
          const to = 100 + (length % 5);
          const [ours, theirs] = moved(to, to + distance, length, 0x81c2e4f7, phase);
          if (!ours.equals(theirs)) expect.fail(JSON.stringify({ length, distance, phase }));
        }
      }
    }
  });

  it('masks as the plain implementation does with any key, offset and length', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.oneof(fc.nat(64), fc.maxSafeNat()),
        fc.nat(20_000),
        fc.nat(20_000),
        (key, offset, length, distance) => {
          const [ours, theirs] = moved(50, 50 + distance, length, key, offset);
          expect(ours.equals(theirs)).toBe(true);
        },
      ),
    );
  });

  it('only moves with a key of 0', () => {
    bytes.write('a message', 40);
    move(33, 40, 49, 0, 3);
    expect(bytes.toString('latin1', 33, 42)).toBe('a message');
  });

  it('reaches its last byte and no further', () => {
    const end = MASK_MEMORY_BYTES;
    expect(bytes.length).toBe(end);
    bytes.fill(0, end - 100);
    move(end - 100, end - 100, end, 0xffffffff, 0);
    expect(bytes.subarray(end - 100).every((byte) => byte === 0xff)).toBe(true);
    expect(() => move(end - 100, end - 100, end + 1, 0xffffffff, 0)).toThrow('out of bounds');
  });

  it.each<[string, WebAssemblyLike | undefined]>([
    ['without WebAssembly', undefined],
    [
      'with a WebAssembly that does not know the instructions',
      {
        ...engine,
        Module: class {
          constructor() {
            throw new Error('invalid SIMD opcode');
          }
        },
      },
    ],
    [
      'where the memory is refused',
      {
        Module: engine.Module,
        Instance: class {
          get exports(): unknown {
            throw new RangeError('could not allocate memory');
          }
        },
      },
    ],
  ])('is not there %s', (_, instead) => {
    expect(createMaskMemory(instead)).toBe(undefined);
  });
});

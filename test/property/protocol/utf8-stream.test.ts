import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Stream } from '../../../src/protocol/utf8-stream.js';
import { cutAt } from '../../unit/protocol/scan-record.js';

const unicode = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString()),
  fc.array(fc.constantFrom('a', 'é', '€', '😀', '\ud7ff', '\ue000', '\u{10ffff}', '\ufeff')).map((all) => all.join('')),
);

function cuts(bytes: Buffer, positions: readonly number[]): Buffer[] {
  return cutAt(
    bytes,
    positions.map((position) => position % (bytes.length + 1)),
  );
}

/** The whole decoder of the platform, fed a beginning, knows whether more bytes could still make it valid. */
function canGoOn(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

describe('Utf8Stream', () => {
  it('returns all the bytes of any text, each piece whole, however it is cut', () => {
    fc.assert(
      fc.property(unicode, fc.array(fc.nat()), (text, positions) => {
        const bytes = Buffer.from(text);
        const stream = new Utf8Stream();
        const pieces: Buffer[] = [];
        for (const chunk of cuts(bytes, positions)) {
          const piece = stream.push(Buffer.from(chunk));
          expect(piece).not.toBeNull();
          expect(isUtf8(piece!)).toBe(true);
          expect(stream.heldBytes).toBeLessThanOrEqual(3);
          pieces.push(piece!);
        }
        expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
        expect(stream.end()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a text with changed bytes in the piece where it stops being UTF-8', () => {
    fc.assert(
      fc.property(
        unicode,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat()),
        (text, changes, positions) => {
          const bytes = Buffer.from(`a${text}`);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const stream = new Utf8Stream();
          let seen = 0;
          for (const chunk of cuts(bytes, positions)) {
            seen += chunk.length;
            const accepted = stream.push(chunk) !== null;
            expect(accepted).toBe(canGoOn(bytes.subarray(0, seen)));
          }
          expect(stream.end()).toBe(isUtf8(bytes));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('agrees with the platform on every pair of bytes, at the second byte and no later', () => {
    for (let first = 0; first < 256; first += 1) {
      for (let second = 0; second < 256; second += 1) {
        const bytes = Buffer.from([first, second]);
        const stream = new Utf8Stream();
        const accepted = stream.push(bytes.subarray(0, 1)) !== null && stream.push(bytes.subarray(1)) !== null;
        if (accepted !== canGoOn(bytes)) expect.fail(bytes.toString('hex'));
        if (stream.end() !== isUtf8(bytes)) expect.fail(bytes.toString('hex'));
      }
    }
  });
});

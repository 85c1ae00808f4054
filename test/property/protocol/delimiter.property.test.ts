/** Owns what holds for cutting bytes into messages at a delimiter, however the bytes come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DelimiterScan, MessageSplitter } from '../../../src/protocol/delimiter.js';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', 'é'), maxLength: 40 });
const delimiter = fc.constantFrom('\n', '\r\n', '\r\n\r\n', 'ab');

function split(pieces: readonly Buffer[], scan: DelimiterScan, mark: string, maxBytes = 0) {
  const splitter = new MessageSplitter({ delimiter: mark, scan }, maxBytes);
  const messages: string[] = [];
  for (const piece of pieces) {
    if (!splitter.push(piece, (message) => messages.push(message.toString()))) return { messages, tooBig: true };
  }
  return { messages, tooBig: false, held: splitter.held };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : sorted[index - 1], end));
}

describe('scanning for every delimiter', () => {
  it('gives what stands between them, however the bytes come', () => {
    fc.assert(
      fc.property(text, delimiter, fc.array(fc.nat()), (all, mark, places) => {
        const expected = all.split(mark);
        const rest = expected.pop() ?? '';
        const { messages, held } = split(cut(Buffer.from(all), places), 'all', mark);
        expect(messages).toEqual(expected);
        expect(held).toBe(Buffer.byteLength(rest));
      }),
    );
  });

  it('gives a message of just the allowed size and none that is larger, however the bytes come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), delimiter, fc.array(fc.nat()), (size, mark, places) => {
        const fits = cut(Buffer.from(`${'x'.repeat(size)}${mark}`), places);
        expect(split(fits, 'all', mark, size)).toMatchObject({ messages: ['x'.repeat(size)], tooBig: false });
        const larger = cut(Buffer.from(`${'x'.repeat(size + 1)}${mark}`), places);
        expect(split(larger, 'all', mark, size)).toEqual({ messages: [], tooBig: true });
      }),
    );
  });

  it('keeps no more than one message and a delimiter', () => {
    const splitter = new MessageSplitter({ delimiter: '\r\n', scan: 'all' }, 10);
    const pushed = Array.from({ length: 20 }, () => splitter.push(Buffer.from('x'), () => {}));
    expect(pushed.indexOf(false)).toBe(11);
  });
});

describe('scanning the end of what comes', () => {
  it('gives everything up to a piece that ends with the delimiter, which may stand inside too', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), delimiter, (texts, mark) => {
        const pieces = texts.map((one) => Buffer.from(one));
        let held = '';
        const expected: string[] = [];
        for (const one of texts) {
          held += one;
          if (!held.endsWith(mark)) continue;
          expected.push(held.slice(0, -mark.length));
          held = '';
        }
        expect(split(pieces, 'tail', mark).messages).toEqual(expected);
      }),
    );
  });

  it('bounds what waits for its end', () => {
    expect(split([Buffer.from('12345'), Buffer.from('6\n')], 'tail', '\n', 5)).toMatchObject({ tooBig: true });
    expect(split([Buffer.from('12345'), Buffer.from('\n')], 'tail', '\n', 5)).toMatchObject({ messages: ['12345'] });
  });
});

describe('scanning nothing', () => {
  it('gives each piece as it comes, as a copy, and in parts when it is larger than a message may be', () => {
    const piece = Buffer.from('abc\ndef');
    const splitter = new MessageSplitter({ delimiter: '\n', scan: 'none' }, 4);
    const messages: Buffer[] = [];
    splitter.push(piece, (message) => messages.push(message));
    piece.fill(0);
    expect(messages.map(String)).toEqual(['abc\n', 'def']);
  });
});

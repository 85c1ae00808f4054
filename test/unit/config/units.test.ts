/** Owns how durations and sizes are read and written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatSize,
  MAX_DURATION_MS,
  parseDuration,
  parseSize,
} from '../../../src/server/config/units.js';

describe('durations', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1.5s', 1500],
    ['1.1s', 1100],
    [' 10 S ', 10_000],
    ['250', 250],
  ])('reads %j as %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', 's', '-1s', '1w', '1.5ms', '25d', '1e3', -1, 1.5, Number.NaN, Infinity, null, undefined, true, 5n])(
    'refuses %s',
    (value) => expect(parseDuration(value)).toBeUndefined(),
  );

  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('sizes', () => {
  it.each([
    [0, 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['64kib', 65_536],
    ['1MiB', 1_048_576],
    ['16MB', 16_000_000],
    ['1.5KiB', 1536],
    ['2GiB', 2_147_483_648],
    ['4096', 4096],
  ])('reads %j as %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', 'KiB', '-1KiB', '1XB', '0.3B', '1K', '99999999999GiB', -1, 0.5, Number.NaN, null, undefined, false])(
    'refuses %s',
    (value) => expect(parseSize(value)).toBeUndefined(),
  );

  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
  });
});

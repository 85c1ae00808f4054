/** Owns how durations and sizes are read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DURATION_MS, parseBitRate, parseDuration, parseSize } from '../../../src/server/config/units.js';

const DURATIONS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1000, MB: 1e6, GB: 1e9 };

/** Any whole number of any unit, up to a bound, as text and as a number. */
function amounts(units: Record<string, number>, max: number) {
  return fc
    .constantFrom(...Object.entries(units))
    .chain(([unit, factor]) =>
      fc.integer({ min: 0, max: Math.floor(max / factor) }).map((n) => ({ text: `${n}${unit}`, value: n * factor })),
    );
}

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

  it('are read in every unit', () => {
    fc.assert(
      fc.property(amounts(DURATIONS, MAX_DURATION_MS), ({ text, value }) => {
        expect(parseDuration(text)).toBe(value);
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

  it('are read in every unit', () => {
    fc.assert(
      fc.property(amounts(SIZES, Number.MAX_SAFE_INTEGER), ({ text, value }) => {
        expect(parseSize(text)).toBe(value);
      }),
    );
  });
});

describe('bit rates', () => {
  it.each([
    [0, 0],
    [9600, 9600],
    ['9600', 9600],
    ['500kbit', 500_000],
    ['10Mbit', 10_000_000],
    ['1.5 Mbit/s', 1_500_000],
    ['1 gbps', 1_000_000_000],
    ['8bit', 8],
  ])('reads %j as %d bits a second', (text, bits) => expect(parseBitRate(text)).toBe(bits));

  it.each(['', 'Mbit', '-1Mbit', '10MB', '10Mibit', '1.5bit', '10 Mbit/min', -1, 1.5, Number.NaN, null, undefined])(
    'refuses %s',
    (value) => expect(parseBitRate(value)).toBeUndefined(),
  );
});

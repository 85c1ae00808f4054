/** Owns the two thresholds of a buffer: where the edges are, and that they never flap. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watermark } from '../../../src/actors/watermark.js';

describe('watermark', () => {
  it('tells the high edge when the high mark is reached, and not again above it', () => {
    const mark = new Watermark(100, 20);
    expect(mark.update(99)).toBeUndefined();
    expect(mark.update(100)).toBe('high');
    expect(mark.above).toBe(true);
    expect(mark.update(5000)).toBeUndefined();
  });

  it('stays above until the level is down at the low mark', () => {
    const mark = new Watermark(100, 20);
    mark.update(100);
    expect(mark.update(99)).toBeUndefined();
    expect(mark.update(21)).toBeUndefined();
    expect(mark.above).toBe(true);
    expect(mark.update(20)).toBe('low');
    expect(mark.above).toBe(false);
    expect(mark.update(0)).toBeUndefined();
  });

  it('takes equal marks, and a low mark of 0', () => {
    const equal = new Watermark(10, 10);
    expect([10, 11, 10, 9, 10].map((level) => equal.update(level))).toEqual([
      'high',
      undefined,
      'low',
      undefined,
      'high',
    ]);
    const empty = new Watermark(10, 0);
    expect([10, 1, 0].map((level) => empty.update(level))).toEqual(['high', undefined, 'low']);
  });

  it.each([
    [10, 11],
    [10, -1],
    [10, Number.NaN],
  ])('refuses a high mark of %d with a low one of %d', (high, low) => {
    expect(() => new Watermark(high, low)).toThrow(RangeError);
  });

  it('alternates its edges, beginning with high, whatever the levels are, and each at its mark', () => {
    const marks = fc.tuple(fc.nat(50), fc.nat(50)).map(([a, b]) => [Math.max(a, b), Math.min(a, b)] as const);
    fc.assert(
      fc.property(marks, fc.array(fc.nat(120)), ([high, low], levels) => {
        const mark = new Watermark(high, low);
        let above = false;
        for (const level of levels) {
          const edge = mark.update(level);
          if (edge === 'high') expect(above === false && level >= high).toBe(true);
          else if (edge === 'low') expect(above === true && level <= low).toBe(true);
          // Nothing is told between the marks, and nothing is missed beyond them.
          else if (above) expect(level).toBeGreaterThan(low);
          else expect(level).toBeLessThan(high);
          if (edge !== undefined) above = edge === 'high';
          expect(mark.above).toBe(above);
        }
      }),
    );
  });
});

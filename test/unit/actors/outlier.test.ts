/** Owns when a backend has failed too often, and how long its ejections are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outlier } from '../../../src/actors/outlier.js';

const options = { maxFailures: 3, ejection: 10, maxEjection: 60 };

describe('an outlier', () => {
  it('is one that failed so often in a row, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), (fails) => {
        const outlier = new Outlier(options);
        let row = 0;
        for (const failed of fails) {
          row = failed ? row + 1 : 0;
          if (failed) expect(outlier.failed()).toBe(row >= 3);
          else outlier.succeeded();
          expect(outlier.failures).toBe(row);
        }
      }),
    );
  });

  it('is none without a limit', () => {
    const outlier = new Outlier({ ...options, maxFailures: 0 });
    expect(Array.from({ length: 100 }, () => outlier.failed())).not.toContain(true);
  });

  it('is ejected for twice as long each time, up to the longest', () => {
    const outlier = new Outlier(options);
    let now = 0;
    const durations = Array.from({ length: 6 }, () => {
      outlier.eject(now);
      now = outlier.until;
      return outlier.duration;
    });
    expect(durations).toEqual([10, 20, 40, 60, 60, 60]);
  });

  it('is forgiven an ejection for each time that it was well for as long', () => {
    const outlier = new Outlier(options);
    outlier.eject(0);
    outlier.eject(10);
    outlier.eject(30);
    expect(outlier.duration).toBe(40);
    outlier.recovered(100);
    // 40 ms for the third, 20 ms for the second, and not yet 10 ms for the first.
    outlier.eject(100 + 40 + 20 + 9);
    expect(outlier.duration).toBe(20);
    expect(outlier.ejections).toBe(2);
  });

  it('never has an ejection that is shorter than the first or longer than the longest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), (pauses) => {
        const outlier = new Outlier(options);
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          outlier.recovered(now);
          now += pause;
          outlier.eject(now);
          expect(outlier.until - now).toBe(outlier.duration);
          expect(outlier.duration).toBeGreaterThanOrEqual(10);
          expect(outlier.duration).toBeLessThanOrEqual(60);
        }
      }),
    );
  });
});

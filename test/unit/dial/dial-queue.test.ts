/** Owns that no more dials are under way than allowed, in the order in which they were asked for, and that none is left behind. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DialQueue } from '../../../src/server/dial/dial-queue.js';

/** Dials that wait for the test, in the order in which they began. */
function started(queue: DialQueue): { begun: number[]; dial(name: number): void; end(): void } {
  const begun: number[] = [];
  const open: Array<() => void> = [];
  return {
    begun,
    dial: (name) =>
      queue.add(() => {
        begun.push(name);
        return new Promise((resolve) => open.push(resolve));
      }),
    end: () => open.shift()?.(),
  };
}

describe('DialQueue', () => {
  it('begins at once what need not wait', () => {
    const dials = started(new DialQueue(2));
    dials.dial(1);
    dials.dial(2);
    dials.dial(3);
    expect(dials.begun).toEqual([1, 2]);
  });

  it('keeps the bound and the order, and leaves none behind, whatever ends when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom('dial' as const, 'end' as const, 'turn' as const), { maxLength: 30 }),
        async (most, steps) => {
          const dials = started(new DialQueue(most));
          let [asked, ended] = [0, 0];
          for (const step of steps) {
            if (step === 'dial') dials.dial(asked++);
            else if (step === 'turn') await nextTurn();
            else if (ended < dials.begun.length) {
              ended += 1;
              dials.end();
            }
            expect(dials.begun.length - ended).toBeLessThanOrEqual(most);
          }
          while (ended < asked) {
            await nextTurn();
            expect(dials.begun.length).toBeGreaterThan(ended);
            expect(dials.begun.length - ended).toBeLessThanOrEqual(most);
            ended += 1;
            dials.end();
          }
          expect(dials.begun).toEqual(Array.from({ length: asked }, (_, name) => name));
        },
      ),
      { numRuns: 100 },
    );
  });
});

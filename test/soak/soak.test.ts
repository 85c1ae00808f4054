/** Owns the short run of the soak as a test. */
import { expect, it } from 'vitest';
import { soak } from './soak.js';

it('a soak of fifteen seconds on every data path, with floods, stalls, resets, restarts and dying targets: every byte arrives and nothing is left', async () => {
  const lines: string[] = [];
  // A busy machine takes longer for it.
  const least = { lives: 200, disturbances: 1 };
  const report = await soak({ seed: 1, time: 12_000, least, round: 1500, say: (line) => lines.push(line) });
  expect(report.faults, `seed ${report.seed}; ${lines.join('; ')}`).toEqual([]);
  expect(report.rounds).toBeGreaterThan(2);
  expect(report.opened).toBe(report.ended);
}, 120_000);

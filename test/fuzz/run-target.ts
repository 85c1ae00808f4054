/** Owns the short run of a fuzz target as a test: the corpus is replayed, then changed for some seconds from a fixed seed. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { Corpus } from './corpus.js';
import { type FuzzTarget, fuzz } from './fuzz.js';

/** The same inputs in each run; `TIDEGATE_FUZZ_SEED` makes it others. */
const SEED = Number(process.env.TIDEGATE_FUZZ_SEED ?? 20_260_101);

/** Fuzzes a target, and fails with the file and the message of each finding. */
export async function expectNoFinding(target: FuzzTarget, seconds: number): Promise<void> {
  const corpus = new Corpus(join(import.meta.dirname, 'corpus'), target.name);
  const files = corpus.read().length;
  const report = await fuzz(target, { seed: SEED, time: seconds * 1000, corpus });
  await target.close?.();
  expect(report.found, `seed ${SEED}; the inputs are saved in ${corpus.folder}`).toEqual([]);
  expect(files).toBeGreaterThan(0);
  expect(report.runs).toBeGreaterThan(files);
}

/**
 * Owns that the cases can fail: every small change to the modules that read frames is noticed by the case table or the
 * probes beside it, or is listed as one that changes nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ModuleSet, MUTATED, type ProtocolModules, sourceOf } from './modules.js';
import { mutantsOf } from './mutants.js';
import { PROBES } from './probes.js';

/** Mutants that behave as the original does, each with the reason. */
const EQUIVALENT = new Map(
  readFileSync(join(import.meta.dirname, 'equivalent-mutants.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t') as [id: string, reason: string]),
);

let set: ModuleSet;
/** A few hundred mutants on a busy machine. */
const TIMEOUT_MS = 120_000;
/** How many turns of its loops the original takes in each probe. */
const turns = new Map<string, number>();
/** The cheap ones first: most mutants fall by one of them. */
let probes: readonly (typeof PROBES)[number][] = [];

beforeAll(async () => {
  set = await ModuleSet.compile();
  const modules = await set.load();
  for (const { name, run } of PROBES) {
    const before = set.turnsLeft;
    run(modules);
    turns.set(name, before - set.turnsLeft);
  }
  probes = PROBES.toSorted((one, other) => turns.get(one.name)! - turns.get(other.name)!);
});

/** The name of the first probe that fails, or undefined. A mutant that never ends runs out of turns. */
function caughtBy(modules: ProtocolModules): string | undefined {
  for (const { name, run } of probes) {
    try {
      set.turnsLeft = 2 * (turns.get(name) ?? 0) + 1000;
      run(modules);
    } catch {
      return name;
    }
  }
  return undefined;
}

describe.each(MUTATED)('%s', (path) => {
  it(
    'no mutant survives but those that are listed as equivalent',
    async () => {
      const mutants = mutantsOf(path, sourceOf(path));
      expect(mutants.length).toBeGreaterThan(40);
      const survivors: string[] = [];
      for (const { id, source } of mutants) {
        if (caughtBy(await set.load(path, source)) === undefined) survivors.push(id);
      }
      expect(survivors.filter((id) => !EQUIVALENT.has(id))).toEqual([]);
      const listed = [...EQUIVALENT.keys()].filter((id) => path.endsWith(`/${id.split(' ')[0]}`));
      expect(listed.filter((id) => !survivors.includes(id))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe('the list of equivalent mutants', () => {
  it('gives a reason for each', () => {
    expect([...EQUIVALENT].filter(([, reason]) => !reason)).toEqual([]);
  });
});

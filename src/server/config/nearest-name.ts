/** Owns guessing which option was meant by a name that does not exist. */
import type { z } from 'zod';
import { walkOptions } from './walk.js';

/** By schema: a schema is walked once, however much is wrong with however many configurations. */
const names = new WeakMap<z.ZodType, string[][]>();

/** Every option path a schema knows, as steps; positions in lists are left out. */
export function knownNames(schema: z.ZodType): readonly string[][] {
  let known = names.get(schema);
  if (known === undefined) {
    known = walkOptions(schema).map(({ steps }) => steps);
    names.set(schema, known);
  }
  return known;
}

/**
 * Finds the known option that a wrong name most likely means: a sibling that is spelled nearly so, otherwise the same
 * name in another group. Answers with the path to write, in steps.
 */
export function nearestName(
  name: string,
  parent: readonly PropertyKey[],
  known: readonly string[][],
): PropertyKey[] | undefined {
  const group = parent.filter((step): step is string => typeof step === 'string').join('.');
  const wanted = plain(name);
  let best: { steps: readonly string[]; cost: number } | undefined;
  for (const steps of known) {
    const own = steps.at(-1) ?? '';
    const isSibling = steps.slice(0, -1).join('.') === group;
    const distance = Math.min(editDistance(wanted, plain(own)), editDistance(wanted, plain(steps.join(''))));
    if (distance > Math.max(1, Math.floor(wanted.length / 3))) continue;
    const cost = distance * 2 + (isSibling ? 0 : 1);
    if (best === undefined || cost < best.cost) best = { steps, cost };
  }
  return best === undefined ? undefined : withPositions(best.steps, parent);
}

// Known paths have no positions in lists; those of the wrong name are put back.
function withPositions(steps: readonly string[], parent: readonly PropertyKey[]): PropertyKey[] {
  const rest = [...steps];
  const result: PropertyKey[] = [];
  for (const step of parent) {
    if (typeof step === 'number') result.push(step);
    else if (rest[0] === step) result.push(...rest.splice(0, 1));
    else break;
  }
  return [...result, ...rest];
}

// Case, dashes and underscores are the commonest slips: max_connections, MaxConnections.
function plain(name: string): string {
  return name
    .replaceAll(/[-_\s]/g, '')
    .toLowerCase()
    .slice(0, 64);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution));
    }
    row = next;
  }
  return row[b.length]!;
}

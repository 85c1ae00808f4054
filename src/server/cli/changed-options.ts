/** Owns naming the options in which two configurations differ. */
import { isDeepStrictEqual } from 'node:util';
import { formatPath } from '../config/problems.js';

/** Lists the paths of the innermost options that differ, such as `proxies[0].limits.maxConnections`. */
export function changedOptions(before: unknown, after: unknown, steps: readonly PropertyKey[] = []): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
    return [formatPath(steps)];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const step = Array.isArray(before) ? Number(name) : name;
    return changedOptions(before[name], after[name], [...steps, step]);
  });
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Owns judging what flags and environment variables say, and telling what is wrong with it. */
import type { z } from 'zod';
import { findProblems } from '../config/problems.js';
import { formatFlagProblem, readFlags } from './flags.js';
import type { CliIo } from './io.js';

/**
 * Validates flags and environment; writes every problem and answers undefined when there is one.
 *
 * @param before what holds where neither says anything; a group of it is kept but for what they say.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  values: Readonly<Record<string, unknown>>,
  io: CliIo,
  before: Readonly<Record<string, object>> = {},
): z.output<Schema> | undefined {
  const given = readFlags(schema, values, io.env);
  const { value, problems } = findProblems(schema, over(before, given.input));
  for (const problem of problems) io.stderr.write(`tidegate: ${formatFlagProblem(problem, given, schema)}\n`);
  return value;
}

function over(before: Readonly<Record<string, object>>, given: Readonly<Record<string, unknown>>): object {
  const groups = Object.entries(before).map(([name, group]) => [name, { ...group, ...(given[name] as object) }]);
  return { ...given, ...Object.fromEntries(groups) };
}

/** Owns judging what flags and environment variables say, and telling what is wrong with it. */
import type { z } from 'zod';
import { findProblems } from '../config/problems.js';
import { formatFlagProblem, readFlags } from './flags.js';
import type { CliIo } from './io.js';

/** Validates flags and environment; writes every problem and answers undefined when there is one. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  values: Readonly<Record<string, unknown>>,
  io: CliIo,
): z.output<Schema> | undefined {
  const given = readFlags(schema, values, io.env);
  const { value, problems } = findProblems(schema, given.input);
  for (const problem of problems) io.stderr.write(`tidegate: ${formatFlagProblem(problem, given, schema)}\n`);
  return value;
}

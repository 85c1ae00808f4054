/** Owns reading what a request to the admin API says, by a schema, and wording what is wrong with it. Refuses to know HTTP. */
import type { z } from 'zod';
import { TidegateError } from '../../receivers/index.js';
import { nearestName } from '../config/nearest-name.js';
import { findProblems, formatProblem, type Problem } from '../config/problems.js';

/**
 * Reads what stands behind the `?`. A parameter that is empty counts as left out.
 *
 * @throws TidegateError `ADMIN_BAD_REQUEST` that names every wrong parameter, its value and what would be right.
 */
export function readQuery<Schema extends z.ZodObject>(schema: Schema, query: URLSearchParams): z.output<Schema> {
  refuseTwice(query);
  const given = [...query].filter(([, value]) => value !== '');
  return read(schema, Object.fromEntries(given), 'the query', 'parameter');
}

/**
 * Reads the JSON of a body; none counts as `{}`.
 *
 * @throws TidegateError `ADMIN_BAD_REQUEST` that names every wrong field, its value and what would be right.
 */
export function readBody<Schema extends z.ZodObject>(schema: Schema, body: unknown): z.output<Schema> {
  return read(schema, body === undefined ? {} : body, 'the body', 'field');
}

/** @throws TidegateError `ADMIN_BAD_REQUEST` for a parameter that stands there more than once: which is meant is anyone's guess. */
export function refuseTwice(query: URLSearchParams): void {
  const twice = [...new Set(query.keys())].filter((name) => query.getAll(name).length > 1);
  if (twice.length === 0) return;
  throw new TidegateError('ADMIN_BAD_REQUEST', `${twice.join(', ')}: expected once; it is there more than once`);
}

/** @throws TidegateError `ADMIN_BAD_REQUEST` for a parameter of another name than these. */
export function refuseUnknown(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...new Set(query.keys())].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const messages = unknown.map((name) => unknownName(name, known, 'parameter'));
  throw new TidegateError('ADMIN_BAD_REQUEST', messages.join('; '));
}

function read<Schema extends z.ZodObject>(
  schema: Schema,
  input: unknown,
  whole: string,
  kind: string,
): z.output<Schema> {
  const { value, problems } = findProblems(schema, input, { expected: 'expected a JSON object' });
  if (problems.length === 0 && value !== undefined) return value;
  const messages = problems.map((problem) => worded(problem, Object.keys(schema.shape), whole, kind));
  throw new TidegateError('ADMIN_BAD_REQUEST', messages.join('; '));
}

function worded(problem: Problem, known: readonly string[], whole: string, kind: string): string {
  return problem.unknown ? unknownName(problem.path, known, kind) : formatProblem(problem, whole);
}

function unknownName(name: string, known: readonly string[], kind: string): string {
  const near = nearestName(
    name,
    [],
    known.map((one) => [one]),
  )?.join('.');
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
  if (near !== undefined) return `unknown ${kind} ${shown}: did you mean ${near}?`;
  return `unknown ${kind} ${shown}: expected ${known.length === 0 ? 'none' : `one of ${known.join(', ')}`}`;
}

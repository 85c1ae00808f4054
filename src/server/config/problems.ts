/**
 * Owns turning what zod found into problems a person can act on: the option, the value it got and what would be right.
 * Refuses to know which options there are, and to read files.
 */
import { inspect } from 'node:util';
import type { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { knownNames, nearestName } from './nearest-name.js';

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** The option, such as `limits.maxConnections` or `proxies[0].target`; empty for the whole. */
  readonly path: string;
  /** The same path in steps. */
  readonly steps: readonly PropertyKey[];
  /** The value it got, as text; undefined when the option itself is the problem. */
  readonly received: string | undefined;
  /** What would be right. */
  readonly expected: string;
  /** True when the problem is the name of the option and not its value. */
  readonly unknown: boolean;
}

interface Options {
  /** Names at the top that are someone else's to check. */
  readonly ignore?: readonly string[];
  /** What stands for an input that is not an object at all. */
  readonly expected?: string;
}

/** Validates and answers with either the value or every problem, never both, and never throws. */
export function findProblems<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  { ignore = [], expected = 'expected an object with options' }: Options = {},
): { value?: z.output<Schema>; problems: Problem[] } {
  try {
    const own = ignore.length > 0 ? without(input, ignore) : input;
    const result = schema.safeParse(own);
    if (result.success) return { value: result.data, problems: [] };
    const context = { schema, input: own, expected };
    return { problems: result.error.issues.flatMap((issue) => toProblems(issue, [], context)) };
  } catch (error) {
    // A getter or a proxy of the caller may throw while it is read.
    const message = `${expected} that can be read (${describe(error)})`;
    return { problems: [{ path: '', steps: [], received: undefined, expected: message, unknown: false }] };
  }
}

/** Writes a problem as one line: the option, the value it got and what would be right. */
export function formatProblem({ path, received, expected, unknown }: Problem, whole = 'the options'): string {
  const subject = path === '' ? whole : path;
  if (unknown) return `unknown option ${subject}: ${expected}`;
  return received === undefined ? `${subject}: ${expected}` : `${subject}: got ${received}; ${expected}`;
}

/** Writes an option path the way people read it: `proxies[0].limits.maxConnections`. */
export function formatPath(steps: readonly PropertyKey[]): string {
  return steps.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

interface Context {
  readonly schema: z.ZodType;
  readonly input: unknown;
  readonly expected: string;
}

function toProblems(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[], context: Context): Problem[] {
  const steps = asWritten([...prefix, ...issue.path], context.input);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownOption([...steps, key], context));
  if (issue.code === 'invalid_union') {
    const inner = closestBranch(issue.errors);
    if (inner !== undefined) return inner.flatMap((one) => toProblems(one, steps, context));
  }
  const expected = expectedBy(issue, steps, context);
  return [
    { path: formatPath(steps), steps, received: show(lookUp(context.input, steps), steps), expected, unknown: false },
  ];
}

// Of the alternatives of an option, the one meant is the one that got past the outermost type.
function closestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  return branches.find((issues) => issues.some(isInside));
}

function isInside(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0 || issue.code === 'unrecognized_keys' || issue.code === 'custom') return true;
  return issue.code === 'invalid_union' && closestBranch(issue.errors) !== undefined;
}

function expectedBy(issue: z.core.$ZodIssue, steps: readonly PropertyKey[], { expected }: Context): string {
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) return issue.message;
  if (steps.length === 0) return expected;
  return `expected ${issue.expected === 'object' || issue.expected === 'record' ? 'an object with options' : issue.expected}`;
}

function unknownOption(steps: PropertyKey[], { schema }: Context): Problem {
  const name = String(steps.at(-1));
  const near = nearestName(name, steps.slice(0, -1), knownNames(schema));
  const expected = near === undefined ? 'there is no such option' : `did you mean ${formatPath(near)}?`;
  return { path: formatPath(steps), steps, received: undefined, expected, unknown: true };
}

/** Leaves out positions in what is no list: an option that takes one value or several is checked as a list of them. */
function asWritten(steps: readonly PropertyKey[], input: unknown): PropertyKey[] {
  return steps.filter((step, index) => typeof step !== 'number' || Array.isArray(lookUp(input, steps.slice(0, index))));
}

function lookUp(input: unknown, steps: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

const SECRET = new Set<PropertyKey>(['key', 'pfx', 'passphrase', 'tls']);

/** Shows a received value in one short line, and never key material. */
function show(value: unknown, steps: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing';
  if (isSecret(value, steps)) return `a value of type ${typeof value}`;
  // JSON's quotes for text, as in the file; inspect() for everything JSON has no words for.
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 1, breakLength: Infinity });
  // A password in a URL must not reach a log by way of an error message.
  const line = text.replaceAll(/\s*\n\s*/g, ' ').replace(/\/\/[^/?#]*@/, '//…@');
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

function isSecret(value: unknown, steps: readonly PropertyKey[]): boolean {
  if (typeof value === 'number' || typeof value === 'boolean' || !steps.some((step) => SECRET.has(step))) return false;
  // A name of a file may be shown, and has to be.
  return typeof value !== 'string' || steps.includes('passphrase') || value.length >= 200 || /-----|\n/.test(value);
}

function describe(error: unknown): string {
  try {
    return describeError(error);
  } catch {
    return 'unknown error';
  }
}

function without(input: unknown, names: readonly string[]): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)));
}

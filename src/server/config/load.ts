/**
 * Owns reading a configuration file, YAML or JSON: every problem in it, each with its line. Refuses to know what the
 * options mean.
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { describeError, TidegateError } from '../../receivers/errors.js';
import { withBaseDirectory } from './base-directory.js';
import { type ConfigFile, cliBalancerSchema, cliProxySchema, configFileSchema } from './file-schema.js';
import { offsetOf } from './locate.js';
import { findProblems, formatProblem, type Problem } from './problems.js';

export { jsonSchema } from './file-schema.js';

/** One thing that is wrong with a configuration file, with its place. */
export interface FileProblem {
  readonly file: string;
  /** Counted from 1; undefined when the file could not be read at all. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** The option, such as `proxies[0].limits.maxConnections`; empty for the whole file. */
  readonly path: string;
  /** The value it got; undefined when the option itself is the problem. */
  readonly received: string | undefined;
  /** What would be right. */
  readonly expected: string;
  /** All of that in one line, beginning with `file:line:column`. */
  readonly message: string;
}

/** A configuration file that can be used. */
export interface LoadedConfig extends ConfigFile {
  readonly file: string;
}

/**
 * Reads and validates a configuration file.
 *
 * @throws TidegateError `INVALID_CONFIG` with every problem, one a line.
 */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const { config, problems } = await examineConfig(path);
  if (config !== undefined) return config;
  throw new TidegateError('INVALID_CONFIG', problems.map(({ message }) => message).join('\n'));
}

/** Lists everything that is wrong with a configuration file, in the order of its lines. Never rejects. */
export async function checkConfig(path: string): Promise<FileProblem[]> {
  return (await examineConfig(path)).problems;
}

/** Reads a configuration file and answers with either the configuration or its problems. Never rejects. */
export async function examineConfig(path: string): Promise<{ config?: LoadedConfig; problems: FileProblem[] }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return { problems: [place(path, whole(`cannot be read; expected a YAML or JSON file (${describeError(error)})`))] };
  }
  const lines = new LineCounter();
  // JSON is YAML: one parser, one way to name a place.
  // Problems are told by the caller; the parser would put a warning of its own on standard error.
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number | undefined) => (offset === undefined ? { line: 1, col: 1 } : lines.linePos(offset));
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const expected = `not valid YAML or JSON: ${error.message}; expected a mapping with \`proxies\` or \`balancers\``;
      return place(path, whole(expected), at(error.pos[0]));
    });
    return { problems };
  }
  const { value, problems } = examine(document, dirname(path));
  if (value !== undefined) return { config: { file: path, ...value }, problems: [] };
  const placed = problems.map((problem) => ({ problem, offset: offsetOf(document, problem.steps, problem.unknown) }));
  placed.sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
  return { problems: placed.map(({ problem, offset }) => place(path, problem, at(offset))) };
}

function examine(document: Document, directory: string): { value?: ConfigFile; problems: Problem[] } {
  let input: unknown;
  try {
    input = document.toJS();
  } catch (error) {
    return { problems: [whole(`cannot be used: ${describeError(error)}`)] };
  }
  const found = withBaseDirectory(directory, () =>
    findProblems(configFileSchema, input, { expected: 'expected a mapping with `proxies` or `balancers`' }),
  );
  const misplaced = found.problems.filter(({ unknown, steps }) => unknown && ownersOf(steps).length > 0);
  if (misplaced.length === 0) return found;
  const hint = howToNest(misplaced);
  const others = found.problems.filter((problem) => !misplaced.includes(problem) && problem.path !== 'proxies');
  return { problems: [hint, ...others] };
}

const OWNERS = {
  proxies: ['a proxy', cliProxySchema.shape],
  balancers: ['a balancer', cliBalancerSchema.shape],
} as const;
type List = keyof typeof OWNERS;

/** The lists in whose entries an option at the top of a file would have its place. */
function ownersOf(steps: readonly PropertyKey[]): List[] {
  if (steps.length !== 1) return [];
  return (Object.keys(OWNERS) as List[]).filter((list) => Object.hasOwn(OWNERS[list][1], steps[0]!));
}

/** Says how to write a file whose top level is itself the options of one server. */
function howToNest(misplaced: readonly Problem[]): Problem {
  const { path, steps } = misplaced[0]!;
  // What only one of them has tells which was meant.
  const told = misplaced.map((problem) => ownersOf(problem.steps)).find((owners) => owners.length === 1);
  const list = told?.[0] ?? 'proxies';
  const expected = `an option of ${OWNERS[list][0]} stands inside the list of ${list}; write \`${list}:\` and below it \`  - ${path}: …\``;
  return { path, steps, received: undefined, expected, unknown: true };
}

function whole(expected: string): Problem {
  return { path: '', steps: [], received: undefined, expected, unknown: false };
}

function place(file: string, problem: Problem, position?: { line: number; col: number }): FileProblem {
  const { path, received, expected } = problem;
  const where = position === undefined ? file : `${file}:${position.line}:${position.col}`;
  const text = path === '' && received === undefined ? expected : formatProblem(problem, 'the file');
  return { file, line: position?.line, column: position?.col, path, received, expected, message: `${where}: ${text}` };
}

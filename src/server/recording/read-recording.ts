/**
 * Owns reading a recording back: every line checked, and a last line that was cut off passed over. Refuses what is no recording, and says
 * in which line.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { describeError, TidegateError } from '../../receivers/index.js';
import { type BodyLine, bodyLine, type EndLine, type HeaderLine, headerLine } from './format.js';

/** A recording as it was read. */
export interface Recording {
  readonly header: HeaderLine;
  readonly lines: readonly BodyLine[];
  /** How it ended; undefined for one that was cut off, or is still written. */
  readonly end: EndLine | undefined;
}

const anyLine = z.looseObject({ type: z.string() });

/** The types of lines that are known. */
const KNOWN: ReadonlySet<string> = new Set(bodyLine.options.map(({ shape }) => shape.type.value));

/**
 * Reads the file of a recording. One that is still written can be read, too.
 *
 * @throws TidegateError `INVALID_RECORDING` for a file that cannot be read, or is no recording.
 */
export async function readRecording(file: string): Promise<Recording> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new TidegateError('INVALID_RECORDING', `${file}: ${describeError(error)}`, { cause: error });
  }
  return parseRecording(text, file);
}

/**
 * Reads a recording that is text.
 *
 * @param name what it is called in messages.
 * @throws TidegateError `INVALID_RECORDING` for what is no recording.
 */
export function parseRecording(text: string, name = 'recording'): Recording {
  const lines = text.split('\n');
  // What stands behind the last end of a line was cut off while it was written, or is nothing.
  lines.pop();
  const [first, ...rest] = lines;
  if (first === undefined) throw invalid(name, 1, 'there is no whole line');
  const header = checked(headerLine, parsed(first, name, 1), name, 1);
  const body = rest.flatMap((line, index) => bodyOf(line, name, index + 2));
  const last = body.at(-1);
  return { header, lines: body, end: last?.type === 'end' ? last : undefined };
}

function bodyOf(line: string, name: string, number: number): BodyLine[] {
  const value = parsed(line, name, number);
  const { type } = checked(anyLine, value, name, number);
  return KNOWN.has(type) ? [checked(bodyLine, value, name, number)] : [];
}

function parsed(line: string, name: string, number: number): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw invalid(name, number, describeError(error));
  }
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
  number: number,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(name, number, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as it should be'}`);
}

function invalid(name: string, number: number, why: string): TidegateError {
  // What a file says is shown as text, and not as what a terminal makes of it.
  return new TidegateError('INVALID_RECORDING', `${name}, line ${number}: ${JSON.stringify(why).slice(1, -1)}`);
}

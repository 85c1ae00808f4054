/** Owns telling what went wrong with a question to a running server. */
import { describeError, TidegateError } from '../../../receivers/errors.js';
import { printable } from '../../telemetry/printable.js';
import { type CliIo, EXIT } from '../io.js';

/** Writes what went wrong with a line of help, and answers with the exit code. */
export function reportProblem(error: unknown, { stderr }: CliIo, more: readonly string[] = []): number {
  const help = error instanceof TidegateError ? [error.help] : [];
  for (const line of [`tidegate: ${describeError(error)}`, ...help, ...more]) stderr.write(`${printable(line)}\n`);
  return EXIT.failed;
}

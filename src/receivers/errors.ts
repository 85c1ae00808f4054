/** Owns the one error class, and what the table of errors says about one. A close is not an error. */
import type { ErrorEntry } from './error-entry.js';
import { ERRORS } from './error-table.js';

export { ERRORS } from './error-table.js';

/** The code of a {@link TidegateError}: a key of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** The one error class of Tidegate. Match on `code`, never on the text. */
export class TidegateError extends Error {
  override readonly name = 'TidegateError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** What to do about it, in one line. */
  get help(): string {
    return ERRORS[this.code].help;
  }
}

/** The HTTP status that goes with an error code before the 101; 500 where the table names none. */
export function httpStatusOf(code: ErrorCode): number {
  const entry: ErrorEntry = ERRORS[code];
  return entry.status ?? 500;
}

/** The text of anything that was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

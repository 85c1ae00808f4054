/**
 * Owns the value that says which rule of the protocol a peer broke, and how to close for it. Refuses to close anything:
 * the connection decides what follows.
 */

import type { CloseCode, ErrorCode } from '../receivers/index.js';

/** The close codes that answer a broken rule (RFC 6455 section 7.4.1). */
export type ViolationCode = 1002 | 1007 | 1008 | 1009;

/** The error codes a rule of the protocol is reported under. */
export type ViolationError =
  | 'PROTOCOL_ERROR'
  | 'INVALID_UTF8'
  | 'INVALID_DEFLATE'
  | 'MESSAGE_TOO_BIG'
  | 'TOO_MANY_FRAGMENTS';

/** Tells which rule a peer broke. It is a value and not an Error: a stack trace per hostile frame would cost too much. */
export interface Violation {
  /** The code to close with. */
  readonly code: CloseCode;
  /** One of {@link ViolationError}, or of a rule that the server has of its own. */
  readonly error: ErrorCode;
  /** Names the rule, its RFC section if it is of the protocol, and the offending value. */
  readonly message: string;
}

const CODES = {
  PROTOCOL_ERROR: 1002,
  INVALID_UTF8: 1007,
  INVALID_DEFLATE: 1007,
  MESSAGE_TOO_BIG: 1009,
  TOO_MANY_FRAGMENTS: 1008,
} as const satisfies Record<ViolationError, ViolationCode>;

/** Makes a violation, with the close code that goes with its error code. */
export function violationOf(error: ViolationError, message: string): Violation {
  return { code: CODES[error], error, message };
}

/** Tells a violation from the value a parser returns when all is well. */
export function isViolation(value: object): value is Violation {
  return 'error' in value;
}

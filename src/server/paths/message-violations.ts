/** Owns what can be wrong with a whole message. Refuses to judge frames; the scanner does. */
import { type Buffer, constants, isUtf8 } from 'node:buffer';
import { type Violation, violationOf } from '../../protocol/violation.js';

/** A text that is none. */
export const notText = violationOf('INVALID_UTF8', 'a text message is not UTF-8 (RFC 6455 section 8.1)');

/** What is wrong with a whole text; nothing mostly. Without a limit one may be longer than any string of V8. */
export function textViolation(data: Buffer): Violation | undefined {
  if (data.length > constants.MAX_STRING_LENGTH) {
    return violationOf(
      'MESSAGE_TOO_BIG',
      `a text of ${data.length} bytes; no string has more than ${constants.MAX_STRING_LENGTH}`,
    );
  }
  return isUtf8(data) ? undefined : notText;
}

/** Why a compressed message is none. */
export function inflateViolation(error: Error | null): Violation {
  const tooBig = error !== null && 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
  return tooBig
    ? violationOf('MESSAGE_TOO_BIG', 'a message inflates to more than limits.maxMessageBytes')
    : violationOf('INVALID_DEFLATE', `a compressed message does not inflate: ${error?.message ?? 'no data'}`);
}

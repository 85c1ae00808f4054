import { expect, it } from 'vitest';
import { isViolation, violationOf } from '../../../src/protocol/violation.js';
import { ERRORS } from '../../../src/receivers/errors.js';

it.each(['PROTOCOL_ERROR', 'INVALID_UTF8', 'INVALID_DEFLATE', 'MESSAGE_TOO_BIG', 'TOO_MANY_FRAGMENTS'] as const)(
  'a violation with %s closes with the code that the table of errors names',
  (error) => {
    expect(violationOf(error, 'why')).toEqual({ code: ERRORS[error].close, error, message: 'why' });
  },
);

it('a violation can be told from what a parser returns', () => {
  expect(isViolation(violationOf('PROTOCOL_ERROR', ''))).toBe(true);
  expect(isViolation({ code: 1002, reason: '' })).toBe(false);
});

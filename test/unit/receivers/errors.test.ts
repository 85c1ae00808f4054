/** Owns that the table of errors is whole: what each code means on the wire, and that its page in the docs names every one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  describeError,
  ERRORS,
  type ErrorCode,
  httpStatusOf,
  isCloseCode,
  TidegateError,
} from '../../../src/receivers/index.js';

const codes = Object.keys(ERRORS) as ErrorCode[];
const entries: ReadonlyArray<readonly [ErrorCode, { status?: number; close?: number; help: string }]> = Object.entries(
  ERRORS,
).map(([code, entry]) => [code as ErrorCode, entry]);

describe('the table of errors', () => {
  it('has codes in capital letters, and one line of help that is a sentence for each', () => {
    for (const [code, { help }] of entries) {
      expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
      expect(help, code).toMatch(/^[^\n]{20,140}[.?]$/);
    }
  });

  it('names only statuses of errors and close codes that may be sent (P4)', () => {
    for (const [code, { status, close }] of entries) {
      // Who is told to go elsewhere gets no connection either.
      const least = code === 'REDIRECTED' ? 307 : 400;
      if (status !== undefined) expect(status >= least && status <= 599, code).toBe(true);
      if (close !== undefined) expect(isCloseCode(close), code).toBe(true);
    }
  });

  it('answers what the upstream did as a gateway does (P6)', () => {
    expect(httpStatusOf('UPSTREAM_REFUSED')).toBe(502);
    expect(httpStatusOf('UPSTREAM_TIMEOUT')).toBe(504);
    expect(httpStatusOf('DECISION_TIMEOUT')).toBe(503);
    expect(httpStatusOf('RECEIVER_FAILED')).toBe(500);
    expect(httpStatusOf('REJECTED')).toBe(403);
  });

  it('answers 500 for a code that no handshake can end with', () => {
    expect(httpStatusOf('HEARTBEAT_LOST')).toBe(500);
  });

  it('has a heading for each code in docs/reference/errors.md, and for no other', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/errors.md'), 'utf8');
    const headings = [...page.matchAll(/^#{2,4} `?([A-Z][A-Z0-9_]+)`?\s*$/gm)].map((match) => match[1]);
    expect(headings.sort()).toEqual([...codes].sort());
  });
});

describe('a TidegateError', () => {
  it('is an Error with a name, a code, its help and a cause', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new TidegateError('UPSTREAM_REFUSED', 'nobody there', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TidegateError', code: 'UPSTREAM_REFUSED', message: 'nobody there', cause });
    expect(error.help).toBe(ERRORS.UPSTREAM_REFUSED.help);
  });
});

describe('the text of what was thrown', () => {
  it.each([
    [new Error('message'), 'message'],
    ['text', 'text'],
    [42, '42'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('%s is %j', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });
});

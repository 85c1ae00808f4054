/** Owns the answers to an upgrade request that an application can make, and those it is told off for at once. */
import { describe, expect, it } from 'vitest';
import { accept, type HeaderFields, reject, TidegateError } from '../../../src/receivers/index.js';

/** The error that a call throws. */
function thrownBy(call: () => unknown): TidegateError {
  try {
    call();
  } catch (error) {
    if (error instanceof TidegateError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('accept()', () => {
  it('needs nothing', () => {
    expect(accept()).toEqual({ kind: 'accept' });
  });

  it('keeps target, subprotocol and headers', () => {
    const options = { target: 'tcp://127.0.0.1:5900', subprotocol: 'binary', headers: { 'X-A': ['1', '2'] } };
    expect(accept(options)).toEqual({ kind: 'accept', ...options });
  });

  it('refuses a subprotocol that would break the answer apart', () => {
    expect(thrownBy(() => accept({ subprotocol: 'line\r\nbreak' })).code).toBe('INVALID_HEADER');
  });
});

describe('reject()', () => {
  it('is 403 when nothing is said', () => {
    expect(reject()).toEqual({ kind: 'reject', status: 403 });
  });

  it('keeps status, headers and body', () => {
    const options = { headers: { 'WWW-Authenticate': 'Basic realm="x"' }, body: 'who are you?' };
    expect(reject(401, options)).toEqual({ kind: 'reject', status: 401, ...options });
  });

  it.each([200, 204, 301, 404, 599])('takes the status %d', (status) => {
    expect(reject(status).status).toBe(status);
  });

  it.each([0, 100, 101, 199, 600, 1000, 404.5, Number.NaN, -404])('refuses the status %d and names it', (status) => {
    const error = thrownBy(() => reject(status));
    expect(error.code).toBe('INVALID_STATUS');
    expect(error.message).toContain(String(status));
  });
});

describe('headers', () => {
  it.each<[what: string, headers: HeaderFields]>([
    ['a value with CR and LF', { 'x-a': 'one\r\nSet-Cookie: evil=1' }],
    ['a value with LF alone', { 'x-a': 'one\ntwo' }],
    ['a value with NUL', { 'x-a': 'one\u0000' }],
    ['a value with DEL', { 'x-a': 'one\u007f' }],
    ['a value outside of latin1', { 'x-a': '水' }],
    ['a bad value in a list', { 'x-a': ['fine', 'not\r\nfine'] }],
    ['a name with a space', { 'x a': 'one' }],
    ['a name with a colon', { 'x-a:': 'one' }],
    ['a name with CR and LF', { 'x-a\r\nx-b': 'one' }],
    ['an empty name', { '': 'one' }],
  ])('are refused for %s', (_, headers) => {
    expect(thrownBy(() => accept({ headers })).code).toBe('INVALID_HEADER');
    expect(thrownBy(() => reject(403, { headers })).code).toBe('INVALID_HEADER');
  });

  it('are refused for a value that is no string, as JavaScript may give it', () => {
    const headers: HeaderFields = JSON.parse('{"retry-after":30}');
    expect(thrownBy(() => reject(503, { headers })).code).toBe('INVALID_HEADER');
  });

  it('take what HTTP allows: tabs, quotes, latin1, an empty value, a list', () => {
    const headers = { "x-!#$%&'*+.^_`|~1": 'a\t"b" é', empty: '', list: ['1', '2'] };
    expect(accept({ headers }).headers).toEqual(headers);
  });

  it('are named in the error, with what is wrong', () => {
    const { message } = thrownBy(() => accept({ headers: { 'x-a': 'one\r\ntwo' } }));
    expect(message).toContain('x-a');
    expect(message).toContain('one\\r\\ntwo');
  });
});

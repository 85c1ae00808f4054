/** Owns the grammar of heads (RFC 9112 sections 2 to 5): what is read of a right one, and which rule each wrong one breaks. */
import { describe, expect, it } from 'vitest';
import {
  HeadFinder,
  parseRequestHead,
  parseRequestLine,
  parseResponseHead,
  type RequestHead,
} from '../../../src/protocol/http-head.js';

/** Finds and reads a request as the server does, from these chunks; the fault as text. */
function read(...chunks: Array<string | Buffer>): RequestHead | string | undefined {
  const finder = new HeadFinder();
  let bytes = Buffer.alloc(0);
  for (const chunk of chunks) {
    bytes = Buffer.concat([bytes, typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk]);
    const end = finder.find(bytes);
    if (finder.fault !== undefined) return finder.fault;
    if (end === -1) continue;
    const head = parseRequestHead(bytes.toString('latin1', finder.skipped, end));
    return 'fault' in head ? head.fault : head;
  }
  return undefined;
}

const request = (lines: string[] = []): string => `${['GET /chat HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`;

describe('a request head', () => {
  it('is read as it was sent, without the white space around values', () => {
    const text = request(['Host: h:80', 'X-Tabs:\t a\tb \t', 'x-none:', 'X-Blank: \t ', 'X-Twice: 1', 'x-twice:2']);
    expect(read(text)).toEqual({
      method: 'GET',
      url: '/chat',
      httpVersion: '1.1',
      text,
      rawHeaders: ['Host', 'h:80', 'X-Tabs', 'a\tb', 'x-none', '', 'X-Blank', '', 'X-Twice', '1', 'x-twice', '2'],
    });
  });

  it.each([
    ['no field at all', 'GET / HTTP/1.1\r\n\r\n', { url: '/', rawHeaders: [] }],
    ['a target in absolute form', 'GET http://h:1/a?b HTTP/1.1\r\n\r\n', { url: 'http://h:1/a?b' }],
    ['a target in authority form', 'CONNECT h:1 HTTP/1.1\r\n\r\n', { method: 'CONNECT', url: 'h:1' }],
    ['a target that is a star', 'OPTIONS * HTTP/1.1\r\n\r\n', { method: 'OPTIONS', url: '*' }],
    ['a method of any token', "M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1\r\n\r\n", { method: "M-SEARCH!#$%&'*+.^_`|~9" }],
    ['another version, for others to judge', 'GET / HTTP/2.0\r\n\r\n', { httpVersion: '2.0' }],
    ['a colon in a value', request(['X: a:b::']), { rawHeaders: ['X', 'a:b::'] }],
    ['every visible character in a value', request(['X: !"~\\(){}<>@']), { rawHeaders: ['X', '!"~\\(){}<>@'] }],
    ['bytes above ASCII in a value', request(['X: caf\xe9\xff\x80']), { rawHeaders: ['X', 'caf\xe9\xff\x80'] }],
    ['U+00A0 at the end of a value, which is no white space', request(['X: a\xa0']), { rawHeaders: ['X', 'a\xa0'] }],
    ['an empty line before it', `\r\n${request()}`, { url: '/chat' }],
    ['several empty lines before it', `\r\n\r\n\r\n${request()}`, { url: '/chat' }],
    ['a name that every object has', request(['__proto__: 1']), { rawHeaders: ['__proto__', '1'] }],
  ])('may have %s', (_, text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });

  it.each([
    ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: h\r\n\r\n', 'LF stands without'],
    ['a bare LF behind a field', 'GET / HTTP/1.1\r\nHost: h\n\r\n', 'LF stands without'],
    ['bare LFs for the empty line', 'GET / HTTP/1.1\r\nHost: h\r\n\n', 'LF stands without'],
    ['a LF before everything', '\nGET / HTTP/1.1\r\n\r\n', 'begins with a byte 0x0a'],
    ['a bare CR within a value', request(['X: a\rb']), 'CR stands without'],
    ['a bare CR within the request line', 'GET /\r HTTP/1.1\r\n\r\n', 'CR stands without'],
    ['two CRs before a LF', 'GET / HTTP/1.1\r\r\n\r\n', 'CR stands without'],
    ['a CR before everything', '\rGET / HTTP/1.1\r\n\r\n', 'CR stands without'],
    ['two CRs before everything', '\r\r\nGET / HTTP/1.1\r\n\r\n', 'CR stands without'],
    ['a NUL in a value', request(['X: a\0b']), 'a byte 0x00'],
    ['a NUL in a name', request(['X\0: a']), 'a byte 0x00'],
    ['a control character in a value', request(['X: a\x0bb']), 'a byte 0x0b'],
    ['a form feed at the end of a value', request(['X: a\x0c']), 'a byte 0x0c'],
    ['a DEL in a value', request(['X: a\x7fb']), 'a byte 0x7f'],
    ['a line that is folded with a space', request(['X: a', ' b']), 'a header field'],
    ['a line that is folded with a tab', request(['X: a', '\tb']), 'a header field'],
    ['white space before its first field', request([' X: a']), 'a header field'],
    ['a space before a colon', request(['X : a']), 'a header field'],
    ['a tab before a colon', request(['X\t: a']), 'a header field'],
    ['an empty name', request([': a']), 'a header field'],
    ['a field without a colon', request(['X']), 'a header field'],
    ['a field without a colon before one with', request(['X', 'Y: a']), 'a header field'],
    ['a space in a name', request(['X Y: a']), 'a header field'],
    ['a name that is no token', request(['X(Y): a']), 'a header field'],
    ['a name above ASCII', request(['X\xe9: a']), 'a header field'],
    ['white space alone in a line', request(['X: a', ' ']), 'a header field'],
    ['a space before the method', ' GET / HTTP/1.1\r\n\r\n', 'begins with a byte 0x20'],
    ['two spaces before the target', 'GET  / HTTP/1.1\r\n\r\n', 'request line'],
    ['two spaces before the version', 'GET /  HTTP/1.1\r\n\r\n', 'request line'],
    ['a space behind the version', 'GET / HTTP/1.1 \r\n\r\n', 'request line'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\n\r\n', 'request line'],
    ['a tab for a space', 'GET\t/ HTTP/1.1\r\n\r\n', 'request line'],
    ['a tab in the target', 'GET /a\tb HTTP/1.1\r\n\r\n', 'request line'],
    ['a target above ASCII', 'GET /\xe9 HTTP/1.1\r\n\r\n', 'request line'],
    ['a target that is no path', 'GET a/b HTTP/1.1\r\n\r\n', 'request line'],
    ['host and port for a target, which CONNECT alone may have', 'GET h:1 HTTP/1.1\r\n\r\n', 'request line'],
    ['a star with more behind it', 'OPTIONS *a HTTP/1.1\r\n\r\n', 'request line'],
    ['a query alone for a target', 'GET ?q HTTP/1.1\r\n\r\n', 'request line'],
    ['no target', 'GET HTTP/1.1\r\n\r\n', 'request line'],
    ['an empty target', 'GET  HTTP/1.1\r\n\r\n', 'request line'],
    ['no version', 'GET /\r\n\r\n', 'request line'],
    ['an empty version', 'GET / \r\n\r\n', 'request line'],
    ['a method alone', 'GET\r\n\r\n', 'request line'],
    ['a method that is no token', 'GE(T / HTTP/1.1\r\n\r\n', 'request line'],
    ['a version in lower case', 'GET / http/1.1\r\n\r\n', 'request line'],
    ['a version with two digits', 'GET / HTTP/1.10\r\n\r\n', 'request line'],
    ['a version with one number', 'GET / HTTP/1\r\n\r\n', 'request line'],
    ['a version with letters', 'GET / HTTP/1.x\r\n\r\n', 'request line'],
    ['a version with a comma', 'GET / HTTP/1,1\r\n\r\n', 'request line'],
    ['another protocol', 'GET / ICAP/1.0\r\n\r\n', 'request line'],
    ['the bytes of TLS', '\x16\x03\x01\x02\0\x01', 'begins with a byte 0x16'],
    ['a status line', 'HTTP/1.1 200 OK\r\n\r\n', 'request line'],
  ])('is none with %s', (_, text, fault) => {
    expect(read(text)).toEqual(expect.stringContaining(fault));
  });

  it('shows no more of what is wrong than a line', () => {
    const fault = read(request([`${'x'.repeat(5000)} : a`]));
    expect(fault).toMatch(/^a header field is malformed: "x+…"$/);
    expect(String(fault).length).toBeLessThan(200);
  });
});

describe('the first line of a request', () => {
  it('can be judged before the rest came', () => {
    expect(parseRequestLine('GET /a HTTP/1.1')).toEqual({ method: 'GET', url: '/a', httpVersion: '1.1' });
    expect(parseRequestLine('')).toHaveProperty('fault');
    expect(parseRequestLine('SSH-2.0-OpenSSH_9.7')).toEqual({
      fault: 'the request line is malformed: "SSH-2.0-OpenSSH_9.7"',
    });
  });
});

describe('the end of a head', () => {
  const HEADS = [
    `\r\n\r\n${request(['Host: h', 'X: caf\xe9'])}`,
    request(),
    request(['X: a\rb']),
    request(['X: a\nb']),
    '\rGET / HTTP/1.1\r\n\r\n',
  ];

  it.each(HEADS)('is found at the same place wherever %j is cut', (text) => {
    const whole = read(`${text}behind`);
    for (let first = 0; first <= text.length; first += 1) {
      for (let second = first; second <= text.length; second += 1) {
        expect(read(text.slice(0, first), text.slice(first, second), `${text.slice(second)}behind`)).toEqual(whole);
      }
    }
    expect(read(...`${text}behind`)).toEqual(whole);
  });

  it('is said with what came before and behind it', () => {
    const finder = new HeadFinder();
    const text = `\r\n${request(['Host: h'])}`;
    expect(finder.find(Buffer.from(`${text}more`))).toBe(text.length);
    expect(finder).toMatchObject({ skipped: 2, looked: text.length, lines: 2, fault: undefined });
  });

  it('is not there while something is missing', () => {
    const finder = new HeadFinder();
    const text = request(['Host: h']);
    for (let length = 0; length < text.length; length += 1) {
      expect(finder.find(Buffer.from(text.slice(0, length)))).toBe(-1);
      expect(finder.looked).toBe(length);
    }
    expect(finder.find(Buffer.from(text))).toBe(text.length);
  });

  it('is told not to come by the first byte that shows it, whatever is behind', () => {
    const finder = new HeadFinder();
    expect(finder.find(Buffer.from('GET /\nx'))).toBe(-1);
    expect(finder.fault).toContain('LF');
  });

  it('costs one look at each byte, however the head drips', () => {
    let looks = 0;
    const text = request([`X: ${'x'.repeat(2000)}`]);
    const bytes = new Proxy(Buffer.from(text), {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1;
        if (key === 'length') return length;
        return Reflect.get(target, key);
      },
    });
    const finder = new HeadFinder();
    let length = 0;
    while (length < text.length) {
      length += 1;
      finder.find(bytes);
    }
    expect(finder.looked).toBe(text.length);
    // One for the byte, and one for the byte before it where that could be a CR.
    expect(looks).toBeLessThanOrEqual(3 * text.length);
  });
});

describe('the head of an answer', () => {
  const answer = (line: string, fields = ''): string => `${line}\r\n${fields}\r\n`;

  it.each([
    ['a reason', 'HTTP/1.1 404 Not Found', { statusCode: 404, statusText: 'Not Found', httpVersion: '1.1' }],
    ['an empty reason', 'HTTP/1.1 200 ', { statusCode: 200, statusText: '' }],
    ['no reason, and no space for it', 'HTTP/1.1 200', { statusCode: 200, statusText: '' }],
    ['HTTP/1.0', 'HTTP/1.0 101 Yes', { statusCode: 101, httpVersion: '1.0' }],
    ['a reason above ASCII', 'HTTP/1.1 500 D\xe9faut', { statusText: 'D\xe9faut' }],
    ['a reason with a tab and more spaces', 'HTTP/1.1 500  a\tb ', { statusText: ' a\tb ' }],
    ['a status nobody defined', 'HTTP/1.1 999 x', { statusCode: 999 }],
  ])('may have %s', (_, line, expected) => {
    expect(parseResponseHead(answer(line, 'X: a\r\n'))).toMatchObject({ ...expected, rawHeaders: ['X', 'a'] });
  });

  it.each([
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 1O1 OK',
    'HTTP/1.1 +10 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1',
    'HTTP/11 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    'ICY 200 OK',
    '200 OK',
    'GET / HTTP/1.1',
    '',
  ])('does not begin with %j', (line) => {
    expect(parseResponseHead(answer(line))).toEqual({ fault: expect.stringContaining('status line') });
  });

  it('has fields as a request has', () => {
    expect(parseResponseHead(answer('HTTP/1.1 200 OK', 'X : a\r\n'))).toHaveProperty('fault');
    expect(parseResponseHead(answer('HTTP/1.1 200 OK'))).toMatchObject({ rawHeaders: [] });
  });
});

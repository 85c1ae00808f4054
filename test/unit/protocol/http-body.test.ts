/** Owns where the body of an answer ends (RFC 9112 sections 6 and 7), wherever it is cut. */
import { describe, expect, it } from 'vitest';
import { BodyReader } from '../../../src/protocol/http-body.js';

const LENGTH = (length: string): string[] => ['Content-Length', length];
const CHUNKED = ['Transfer-Encoding', 'chunked'];

function reader(rawHeaders: string[], statusCode = 200): BodyReader {
  return new BodyReader({ statusCode, statusText: '', httpVersion: '1.1', rawHeaders });
}

/** The body that is read of these chunks, and whether it is complete. */
function read(rawHeaders: string[], chunks: string[], statusCode = 200): { body: string; done: boolean } {
  const body = reader(rawHeaders, statusCode);
  let text = '';
  for (const chunk of chunks) {
    body.push(Buffer.from(chunk, 'latin1'), (part) => {
      expect(part.length).toBeGreaterThan(0);
      text += part.toString('latin1');
    });
  }
  return { body: text, done: body.done };
}

/** The same of the text whole, in every two parts, and byte by byte. */
function readEveryWay(rawHeaders: string[], text: string): { body: string; done: boolean } {
  const whole = read(rawHeaders, [text]);
  for (let at = 0; at <= text.length; at += 1) {
    expect(read(rawHeaders, [text.slice(0, at), text.slice(at)])).toEqual(whole);
  }
  expect(read(rawHeaders, [...text])).toEqual(whole);
  return whole;
}

describe('a body of announced length', () => {
  it('ends there, wherever it is cut, and leaves alone what is behind it', () => {
    expect(readEveryWay(LENGTH('5'), 'hello')).toEqual({ body: 'hello', done: true });
    expect(readEveryWay(LENGTH('5'), 'hello world')).toEqual({ body: 'hello', done: true });
    expect(readEveryWay(LENGTH('5'), 'hell')).toEqual({ body: 'hell', done: false });
  });

  it('is complete at once if it is empty', () => {
    expect(reader(LENGTH('0')).done).toBe(true);
    expect(read(LENGTH('0'), ['x'])).toEqual({ body: '', done: true });
  });

  it.each(['', '-1', '+5', '0x5', '5, 5', '5.0', '99999999999999999999'])(
    'ends with TCP if the length is %j, which is none',
    (length) => {
      expect(readEveryWay(LENGTH(length), 'hello')).toEqual({ body: 'hello', done: false });
    },
  );
});

describe('a body without a length', () => {
  it('ends with TCP', () => {
    expect(readEveryWay([], 'hello')).toEqual({ body: 'hello', done: false });
  });

  it('ends with TCP if its last coding is not chunked', () => {
    expect(readEveryWay(['Transfer-Encoding', 'chunked, gzip'], '0\r\n\r\n')).toEqual({
      body: '0\r\n\r\n',
      done: false,
    });
  });

  it.each([204, 304])('is none with the status %i, whatever is announced', (status) => {
    expect(reader(LENGTH('5'), status).done).toBe(true);
    expect(reader(CHUNKED, status).done).toBe(true);
    expect(read([], ['hello'], status)).toEqual({ body: '', done: true });
  });
});

describe('a body in chunks', () => {
  it.each([
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['several', '4\r\nno, \r\n5\r\nnever\r\n0\r\n\r\n', 'no, never'],
    ['none', '0\r\n\r\n', ''],
    [
      'lengths in either case, with zeros before them',
      '00a\r\n0123456789\r\n0A\r\nabcdefghij\r\n0\r\n\r\n',
      '0123456789abcdefghij',
    ],
    ['extensions', '5;a=b;c="d"\r\nhello\r\n0;last\r\n\r\n', 'hello'],
    ['white space before an extension', '5 ;a\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['a trailer, which nobody wants', '5\r\nhello\r\n0\r\nX: y\r\n\r\n', 'hello'],
    ['line ends and digits in their data', '9\r\n\r\n5\r\nab\r\n\r\n0\r\n\r\n', '\r\n5\r\nab\r\n'],
    ['zeros for the last one', '2\r\nab\r\n000\r\n\r\n', 'ab'],
  ])('is read whole with %s, wherever it is cut', (_, text, body) => {
    expect(readEveryWay(CHUNKED, text)).toEqual({ body, done: true });
  });

  it('is chunked whatever stands before the last coding, in any case, over several fields', () => {
    const fields = ['transfer-encoding', 'gzip', 'Transfer-Encoding', 'Chunked'];
    expect(read(fields, ['2\r\nab\r\n0\r\n\r\n'])).toEqual({ body: 'ab', done: true });
  });

  it('goes by its chunks if a length is announced too (RFC 9112 section 6.3)', () => {
    expect(read([...LENGTH('3'), ...CHUNKED], ['5\r\nhello\r\n0\r\n\r\n'])).toEqual({ body: 'hello', done: true });
  });

  it.each(['x', '-5', '+5', '0x5', '5 5', ' ;', ';a', '5:', '1000000000000000', 'five'])(
    'is over at a length of %j, which is none, with what came before',
    (length) => {
      expect(readEveryWay(CHUNKED, `2\r\nab\r\n${length}\r\nhello\r\n0\r\n\r\n`)).toEqual({ body: 'ab', done: true });
    },
  );

  it('is over at a line without end', () => {
    const body = reader(CHUNKED);
    for (let n = 0; n < 10_000 && !body.done; n += 1) body.push(Buffer.from('1'), () => {});
    expect(body.done).toBe(true);
  });

  it('is not complete before its last chunk', () => {
    expect(readEveryWay(CHUNKED, '5\r\nhello\r\n')).toEqual({ body: 'hello', done: false });
    expect(readEveryWay(CHUNKED, '5\r\nhel')).toEqual({ body: 'hel', done: false });
  });

  it('hands on parts of what came, and not copies', () => {
    const bytes = Buffer.from('5\r\nhello\r\n0\r\n\r\n');
    const parts: Buffer[] = [];
    reader(CHUNKED).push(bytes, (part) => void parts.push(part));
    expect(parts).toHaveLength(1);
    expect(parts[0]?.buffer).toBe(bytes.buffer);
  });
});

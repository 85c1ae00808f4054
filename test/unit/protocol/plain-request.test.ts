/** Owns what makes a plain request fit to be passed on, field by field. */
import { describe, expect, it } from 'vitest';
import { endToEndTrailers, plainRequestHeaders, plainResponseHeaders } from '../../../src/protocol/forward-headers.js';
import { framingOf, isIdempotent, originForm, plainRequestFault } from '../../../src/protocol/plain-request.js';

const head = (changed: Partial<Parameters<typeof plainRequestFault>[0]> = {}) => ({
  method: 'GET',
  url: '/x',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'app.example'],
  ...changed,
});

const withFields = (...fields: string[]) => head({ method: 'POST', rawHeaders: ['Host', 'app.example', ...fields] });

describe('a plain request', () => {
  it.each([
    ['a path', head()],
    ['a whole URL of the host that was asked', head({ url: 'http://app.example/x' })],
    ['the asterisk of OPTIONS', head({ method: 'OPTIONS', url: '*' })],
    ['HTTP/1.0 without Host', head({ httpVersion: '1.0', rawHeaders: [] })],
    ['a method that nobody knows', head({ method: 'BREW' })],
    ['a length', withFields('Content-Length', '12')],
    ['chunks', withFields('transfer-encoding', 'Chunked')],
  ])('may have %s', (_what, one) => {
    expect(plainRequestFault(one)).toBeUndefined();
  });

  it.each([
    [405, 'CONNECT', head({ method: 'CONNECT', url: 'app.example:80' })],
    [405, 'TRACE', head({ method: 'TRACE' })],
    [400, 'HTTP/2.0', head({ httpVersion: '2.0' })],
    [400, 'no Host', head({ rawHeaders: [] })],
    [400, 'an empty Host', head({ rawHeaders: ['Host', ''] })],
    [400, 'two Hosts in one', head({ rawHeaders: ['Host', 'a.example, b.example'] })],
    [400, 'a URL of another host', head({ url: 'http://other.example/' })],
    [400, 'a URL of another protocol', head({ url: 'ftp://app.example/' })],
    [400, 'an asterisk for GET', head({ url: '*' })],
    [400, 'control characters in its target', head({ url: '/\x7f' })],
    [400, 'a length and chunks', withFields('Content-Length', '1', 'Transfer-Encoding', 'chunked')],
    [400, 'two lengths', withFields('Content-Length', '1', 'Content-Length', '1')],
    [400, 'a list of lengths', withFields('Content-Length', '1, 1')],
    [400, 'a length beyond what numbers hold', withFields('Content-Length', '9'.repeat(16))],
    [400, 'an empty coding', withFields('Transfer-Encoding', '')],
    [400, 'chunks twice', withFields('Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'identity')],
    [501, 'a coding before chunks', withFields('Transfer-Encoding', 'gzip, chunked')],
  ])('is refused with %i for %s', (status, _what, one) => {
    expect(plainRequestFault(one)).toMatchObject({ status });
  });

  it('tells how its body comes', () => {
    expect(framingOf([])).toBe('none');
    expect(framingOf(['content-length', '0'])).toBe(0);
    expect(framingOf(['Content-Length', '12'])).toBe(12);
    expect(framingOf(['Transfer-Encoding', 'chunked'])).toBe('chunked');
  });

  it('is asked for by path, as it was written', () => {
    expect(originForm('/a/../%2f?b')).toBe('/a/../%2f?b');
    expect(originForm('http://app.example/a?b')).toBe('/a?b');
    expect(originForm('HTTP://app.example?b')).toBe('/?b');
    expect(originForm('http://app.example')).toBe('/');
    expect(originForm('*')).toBe('*');
  });

  it('may be repeated by some methods', () => {
    expect(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'].every(isIdempotent)).toBe(true);
    expect(['POST', 'PATCH', 'get', 'LOCK'].some(isIdempotent)).toBe(false);
  });
});

describe('the fields of a plain message', () => {
  it('cross but for those of the hop, and those that Connection names', () => {
    const hop = ['Connection', 'X-Mine, close', 'Keep-Alive', 'timeout=5', 'TE', 'trailers', 'Upgrade', 'h2c'];
    const more = ['X-Mine', '1', 'Proxy-Authorization', 'Basic x', 'Transfer-Encoding', 'chunked'];
    const kept = ['X-Other', 'caf\xe9', 'Trailer', 'X-Sum', 'Sec-WebSocket-Key', 'x'];
    expect(plainRequestHeaders([...hop, 'Host', 'a', 'Expect', '100-continue', ...more, ...kept])).toEqual(kept);
    expect(plainResponseHeaders([...hop, ...more, 'Content-Length', '5', ...kept])).toEqual([
      'Content-Length',
      '5',
      ...kept,
    ]);
  });

  it('cross as trailers unless they would frame, address or authorize', () => {
    const forbidden = [
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Authorization',
      'Cookie',
      'X_Forwarded_For',
      'Forwarded',
    ];
    const raw = [...forbidden.flatMap((name) => [name, '1']), 'X-Sum', '42'];
    expect(endToEndTrailers(raw)).toEqual([['X-Sum', '42']]);
  });
});

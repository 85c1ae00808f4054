import { describe, expect, it } from 'vitest';
import { endToEndHeaders, endToEndResponseHeaders } from '../../../src/protocol/forward-headers.js';

const HOP_BY_HOP = [
  ['Connection', 'Upgrade'],
  ['keep-alive', 'timeout=5'],
  ['Proxy-Authenticate', 'Basic'],
  ['Proxy-Authorization', 'Basic eDp5'],
  ['Proxy-Connection', 'keep-alive'],
  ['TE', 'trailers'],
  ['Trailer', 'X-Sum'],
  ['Transfer-Encoding', 'chunked'],
  ['Upgrade', 'websocket'],
  ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
  ['Content-Length', '0'],
];

describe('endToEndHeaders', () => {
  it('keeps what is for the application, in order, with case and duplicates', () => {
    const raw = [
      'COOKIE',
      'a=1',
      'Origin',
      'http://x',
      'Authorization',
      'Bearer t',
      'User-Agent',
      'u',
      'x-a',
      '1',
      'X-A',
      '2',
    ];
    expect(endToEndHeaders(raw)).toEqual(raw);
  });

  it.each([
    ...HOP_BY_HOP,
    ['Host', 'a'],
    ['Expect', '100-continue'],
    ['Sec-WebSocket-Key', 'k'],
    ['sec-websocket-version', '13'],
    ['Sec-WebSocket-Protocol', 'chat'],
    ['Sec-WebSocket-Extensions', 'permessage-deflate'],
  ])('leaves out %s', (name, value) => {
    const before = ['A', '1', name!, value!, 'B', '2'];
    expect(endToEndHeaders(before)).toEqual(['A', '1', 'B', '2']);
    expect(endToEndHeaders(before.map((text, at) => (at === 2 ? text.toUpperCase() : text)))).toEqual([
      'A',
      '1',
      'B',
      '2',
    ]);
  });

  it('leaves out what any Connection field names, wherever it stands', () => {
    const raw = [
      'X-Hop',
      '1',
      'Connection',
      'Upgrade, x-hop',
      'X-Other',
      '2',
      'connection',
      'X-LAST',
      'x-last',
      '3',
      'X-End',
      '4',
    ];
    expect(endToEndHeaders(raw)).toEqual(['X-Other', '2', 'X-End', '4']);
  });

  it('makes a new list and leaves the old one as it was', () => {
    const raw = Object.freeze(['A', '1', 'Host', 'h']);
    expect(endToEndHeaders(raw)).not.toBe(raw);
    expect(raw).toHaveLength(4);
  });
});

describe('endToEndResponseHeaders', () => {
  it('keeps what a refusal says to the client, with the versions it may try', () => {
    const raw = [
      'WWW-Authenticate',
      'Basic',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
      'Retry-After',
      '5',
      'Sec-WebSocket-Version',
      '13',
    ];
    expect(endToEndResponseHeaders(raw)).toEqual(raw);
  });

  it.each([
    ...HOP_BY_HOP,
    ['Sec-WebSocket-Accept', 'x'],
    ['Sec-WebSocket-Protocol', 'chat'],
    ['Sec-WebSocket-Extensions', 'permessage-deflate'],
  ])('leaves out %s', (name, value) => {
    expect(endToEndResponseHeaders(['A', '1', name!, value!, 'B', '2'])).toEqual(['A', '1', 'B', '2']);
  });

  it('leaves out what Connection names', () => {
    expect(endToEndResponseHeaders(['Connection', 'X-Hop', 'X-Hop', '1', 'X-A', '2'])).toEqual(['X-A', '2']);
  });
});

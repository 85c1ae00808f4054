/** Owns where credentials are found, and that nothing of them is left in the request. */
import { describe, expect, it } from 'vitest';
import { parseRequestHead, type RequestHead } from '../../../src/protocol/http-head.js';
import { present, type Sources } from '../../../src/server/authentication/presented.js';

const ALL: Sources = {
  passwords: true,
  tokens: true,
  unknown: true,
  keepAuthorization: false,
  url: 'query',
  userParameter: 'user',
  passwordParameter: 'password',
  tokenParameters: ['token', 'access_token'],
  subprotocol: 'bearer',
  cookie: 'session',
};

function head(url: string, ...fields: string[]): RequestHead {
  const parsed = parseRequestHead(
    `GET ${url} HTTP/1.1\r\nHost: h\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`,
  );
  if ('fault' in parsed) throw new Error(parsed.fault);
  return parsed;
}

const basic = (text: string): string => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;

/** What was found, and the lines of the request that are left. */
function found(request: RequestHead, sources: Partial<Sources> = {}) {
  const { credentials, head: left, marker } = present(request, { ...ALL, ...sources });
  const { kind, ...rest } = credentials ?? { kind: 'nothing' };
  // What is kept of the request as text, for later, is the same as its fields.
  expect(parseRequestHead(left.text)).toEqual(left);
  return { kind, ...rest, left: left.text.trim().split('\r\n'), marker };
}

const token = { kind: 'token', token: 'tok' };

describe('credentials in Authorization', () => {
  it('are found by their scheme, in any case, and taken out', () => {
    expect(found(head('/', basic('ada:a:b')))).toMatchObject({
      kind: 'password',
      scheme: 'basic',
      user: 'ada',
      password: 'a:b',
      left: ['GET / HTTP/1.1', 'Host: h'],
    });
    expect(found(head('/', 'authorization: bEARER  tok'))).toMatchObject({
      ...token,
      left: ['GET / HTTP/1.1', 'Host: h'],
    });
    expect(found(head('/', 'Authorization: Negotiate abc=='))).toMatchObject({
      kind: 'unknown',
      scheme: 'Negotiate',
      data: 'abc==',
    });
  });

  it.each([
    ['not base64', 'Authorization: Basic !!!'],
    ['without a colon', basic('ada')],
    ['not UTF-8', `Authorization: Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`],
    ['without data', 'Authorization: Basic'],
    ['Bearer without a token', 'Authorization: Bearer'],
    ['without a scheme', 'Authorization: ,'],
  ])('are malformed when they are %s', (_, field) => {
    expect(found(head('/', field)).kind).toBe('malformed');
  });

  it('are malformed when there are two of them', () => {
    const two = found(head('/', basic('ada:x'), 'Authorization: Bearer tok'));
    expect(two).toMatchObject({ kind: 'malformed', left: ['GET / HTTP/1.1', 'Host: h'] });
  });

  it('of a scheme that is not for us are left alone', () => {
    const sources = { passwords: false, unknown: false };
    expect(found(head('/', basic('ada:x')), sources)).toMatchObject({ kind: 'nothing', left: { length: 3 } });
    expect(found(head('/', 'Authorization: Digest x'), sources)).toMatchObject({
      kind: 'nothing',
      left: { length: 3 },
    });
  });

  it('go on when they are to', () => {
    const kept = found(head('/', 'Authorization: Bearer tok'), { keepAuthorization: true });
    expect(kept).toMatchObject({ ...token, left: ['GET / HTTP/1.1', 'Host: h', 'Authorization: Bearer tok'] });
  });
});

describe('a token in a subprotocol', () => {
  it.each([
    ['behind the marker', 'bearer, tok, chat', ['chat'], 'bearer'],
    ['behind the marker at the end', 'chat, bearer, tok', ['chat'], 'bearer'],
    ['behind the marker alone', 'bearer, tok', [], 'bearer'],
    ['joined to the marker', 'chat, bearer.tok', ['chat'], ''],
    ['said twice', 'bearer, tok, bearer.tok, tok, chat', ['chat'], 'bearer'],
  ])('is found %s', (_, offer, left, marker) => {
    const result = found(head('/', `Sec-WebSocket-Protocol: ${offer}`));
    const lines = left.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${left.join(', ')}`];
    expect(result).toMatchObject({ ...token, marker, left: ['GET / HTTP/1.1', 'Host: h', ...lines] });
  });

  it('is found over several fields', () => {
    const result = found(head('/', 'Sec-WebSocket-Protocol: bearer', 'Sec-WebSocket-Protocol: tok, chat'));
    expect(result).toMatchObject({ ...token, left: ['GET / HTTP/1.1', 'Host: h', 'Sec-WebSocket-Protocol: chat'] });
  });

  it('is malformed when it is missing or there are two, and nothing of it is left', () => {
    expect(found(head('/', 'Sec-WebSocket-Protocol: chat, bearer'))).toMatchObject({ kind: 'malformed' });
    const two = found(head('/', 'Sec-WebSocket-Protocol: bearer, one, bearer.two'));
    expect(two).toMatchObject({ kind: 'malformed', left: ['GET / HTTP/1.1', 'Host: h'] });
  });

  it('is nothing without the marker', () => {
    expect(found(head('/', 'Sec-WebSocket-Protocol: chat, tok')).kind).toBe('nothing');
  });
});

describe('credentials in the URL', () => {
  it.each([
    ['a token', '/x?token=tok', token, '/x'],
    ['a token by its other name', '/x?access_token=tok&a=1', token, '/x?a=1'],
    ['a token whose name is escaped', '/x?a=1&%74oken=tok&b=%20', token, '/x?a=1&b=%20'],
    [
      'a user and a password',
      '/x?user=a%20b&a&password=c%26d',
      { kind: 'password', user: 'a b', password: 'c&d' },
      '/x?a',
    ],
    ['an absolute target', 'http://h/x?token=tok', token, 'http://h/x'],
    ['a token twice', '/?token=tok&token=tok', token, '/'],
    ['two tokens', '/?token=one&token=two', { kind: 'malformed' }, '/'],
    ['an empty token', '/?token=', { kind: 'malformed' }, '/'],
    ['a user without a password', '/?user=ada', { kind: 'malformed' }, '/'],
    ['a password without a user', '/?password=x', { kind: 'malformed' }, '/'],
  ])('are found in the query: %s', (_, url, wanted, left) => {
    const result = found(head(url));
    expect(result).toMatchObject({ ...wanted, left: [`GET ${left} HTTP/1.1`, 'Host: h'] });
  });

  it.each([
    ['/ada/s%2Fx/chat?a=1', { kind: 'password', scheme: 'url', user: 'ada', password: 's/x' }, '/chat?a=1'],
    ['/ada/secret', { kind: 'password', user: 'ada', password: 'secret' }, '/'],
    ['/ada/secret?a', { kind: 'password', user: 'ada', password: 'secret' }, '/?a'],
    ['/chat', { kind: 'nothing' }, '/chat'],
    ['/', { kind: 'nothing' }, '/'],
    ['/ada/%zz/chat', { kind: 'nothing' }, '/ada/%zz/chat'],
  ])('are found in the path %s', (url, wanted, left) => {
    const result = found(head(url), { url: 'path' });
    expect(result).toMatchObject({ ...wanted, left: [`GET ${left} HTTP/1.1`, 'Host: h'] });
  });

  it('are not looked for unless asked to', () => {
    const off = found(head('/a/b?token=x&user=a&password=b'), { url: 'off', tokenParameters: [] });
    expect(off).toMatchObject({ kind: 'nothing', left: ['GET /a/b?token=x&user=a&password=b HTTP/1.1', 'Host: h'] });
  });
});

describe('a token in a cookie', () => {
  it('is found, and the other cookies stay', () => {
    const one = found(head('/', 'Cookie: a=1; session=tok; b=2'));
    expect(one).toMatchObject({ ...token, left: ['GET / HTTP/1.1', 'Host: h', 'Cookie: a=1; b=2'] });
    const several = found(head('/', 'Cookie: a=1', 'Cookie: session="tok"'));
    expect(several).toMatchObject({ ...token, left: ['GET / HTTP/1.1', 'Host: h', 'Cookie: a=1'] });
    expect(found(head('/', 'Cookie: session=tok'))).toMatchObject({ ...token, left: ['GET / HTTP/1.1', 'Host: h'] });
  });

  it('is malformed when it is empty, or when there are two that differ', () => {
    expect(found(head('/', 'Cookie: session='))).toMatchObject({ kind: 'malformed' });
    expect(found(head('/', 'Cookie: session=a; session=b'))).toMatchObject({ kind: 'malformed', left: { length: 2 } });
  });

  it('of another name is none', () => {
    expect(found(head('/', 'Cookie: xsession=tok; SESSION=tok')).kind).toBe('nothing');
  });
});

it('every place is emptied, although the first one counts', () => {
  const request = head(
    '/x?token=four&user=five&password=six',
    'Cookie: session=seven',
    'Sec-WebSocket-Protocol: bearer, three',
    basic('one:two'),
  );
  const result = found(request);
  expect(result).toMatchObject({
    kind: 'password',
    scheme: 'basic',
    user: 'one',
    left: ['GET /x HTTP/1.1', 'Host: h'],
  });
});

it('a request without credentials is not even copied', () => {
  const request = head('/x?a=1', 'Cookie: a=1', 'Sec-WebSocket-Protocol: chat');
  expect(present(request, ALL).head).toBe(request);
});

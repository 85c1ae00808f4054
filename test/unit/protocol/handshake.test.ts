import { describe, expect, it } from 'vitest';
import { acceptKey, checkUpgrade, headerTokens, newKey } from '../../../src/protocol/handshake.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const FIELDS: [string, string][] = [
  ['Host', 'server.example.com'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Key', KEY],
  ['Sec-WebSocket-Version', '13'],
];

/** The valid request of RFC 6455 section 1.2 with some fields replaced (null: left out) and others added. */
function head(changes: Record<string, string | null> = {}, added: [string, string][] = []) {
  const fields = FIELDS.map(([name, value]) => [name, changes[name] === undefined ? value : changes[name]] as const);
  const kept = fields.flatMap(([name, value]) => (value === null ? [] : [name, value]));
  return { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: [...kept, ...added.flat()] };
}

describe('keys', () => {
  it('are answered as in the example of RFC 6455 section 1.3', () => {
    expect(acceptKey(KEY)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('are 16 new bytes each time', () => {
    const keys = [newKey(), newKey()];
    expect(keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([16, 16]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(checkUpgrade(head({ 'Sec-WebSocket-Key': keys[0]! }))).toEqual({ key: keys[0] });
  });
});

describe('headerTokens', () => {
  it('joins every field with that name, of any case, into one list', () => {
    const raw = ['Connection', ' keep-alive,\tUpgrade ', 'X', 'y', 'CONNECTION', ',Close,,'];
    expect(headerTokens(raw, 'connection')).toEqual(['keep-alive', 'upgrade', 'close']);
  });

  it('is empty without such a field', () => {
    expect(headerTokens(['A', 'b'], 'connection')).toEqual([]);
  });

  it('takes no other character than space and tab for white space', () => {
    expect(headerTokens(['Upgrade', '\u00a0websocket'], 'upgrade')).toEqual(['\u00a0websocket']);
  });
});

describe('checkUpgrade accepts', () => {
  it.each([
    ['the example of RFC 6455', head()],
    ['lists and any case', head({ Upgrade: 'h2c, WebSocket', Connection: 'keep-alive, UPGRADE' })],
    ['a list over two fields', head({ Connection: 'keep-alive' }, [['connection', 'upgrade']])],
    [
      'spaces around the version and the key',
      head({ 'Sec-WebSocket-Version': ' 13 ', 'Sec-WebSocket-Key': ` ${KEY}\t` }),
    ],
    ['a URL of the same host', { ...head(), url: 'HTTP://Server.Example.com/a' }],
    ['a URL with the port that goes without saying', { ...head(), url: 'https://server.example.com:443?a' }],
    ['a host in brackets with a port', head({ Host: '[::1]:8080' })],
    ['a body length of 0', head({}, [['Content-Length', '0']])],
    [
      'extensions over two fields',
      head({}, [
        ['Sec-WebSocket-Extensions', 'a'],
        ['Sec-WebSocket-Extensions', 'b'],
      ]),
    ],
  ])('%s', (_, request) => {
    expect(checkUpgrade(request)).toEqual({ key: KEY });
  });
});

describe('checkUpgrade refuses', () => {
  it.each([
    ['no Upgrade', null],
    ['another protocol', 'h2c'],
    ['a longer name', 'websockets'],
    ['a name with a version', 'websocket/13'],
  ])('as no upgrade: %s', (_, value) => {
    expect(checkUpgrade(head({ Upgrade: value }))).toEqual({
      error: 'NOT_AN_UPGRADE',
      status: 426,
      message: `Upgrade must name websocket, got ${value === null ? 'none' : `"${value}"`}.`,
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    });
  });

  it.each([
    ['no Connection', null],
    ['Connection without upgrade', 'keep-alive'],
    ['Connection with a longer token', 'upgrades'],
  ])('as no upgrade: %s', (_, value) => {
    expect(checkUpgrade(head({ Connection: value }))).toEqual({
      error: 'NOT_AN_UPGRADE',
      status: 426,
      message: `Connection must name upgrade, got ${value === null ? 'none' : `"${value}"`}.`,
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    });
  });

  it.each([
    ['no version', null],
    ['an older version', '8'],
    ['a list of versions', '13, 8'],
    ['a padded version', '013'],
  ])('with the version it wants: %s', (_, value) => {
    expect(checkUpgrade(head({ 'Sec-WebSocket-Version': value }))).toMatchObject({
      error: 'WRONG_VERSION',
      status: 426,
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    });
  });

  it.each([
    ['another method', { ...head(), method: 'POST' }, 'method'],
    ['a method in lower case', { ...head(), method: 'get' }, 'method'],
    ['HTTP/1.0', { ...head(), httpVersion: '1.0' }, 'HTTP version'],
    ['HTTP/2.0', { ...head(), httpVersion: '2.0' }, 'HTTP version'],
    ['no Host', head({ Host: null }), 'Host'],
    ['an empty Host', head({ Host: '' }), 'Host'],
    ['a list of Hosts', head({ Host: 'a, b' }), 'Host must come once'],
    ['a Host with credentials', head({ Host: 'me@a' }), 'Host must come once'],
    ['a Host with a path', head({ Host: 'a/b' }), 'Host must come once'],
    ['a Host with a space', head({ Host: 'a b' }), 'Host must come once'],
    ['a Host with a port that is none', head({ Host: 'a:x' }), 'Host must come once'],
    [
      'a URL of another host than Host',
      { ...head(), url: 'http://other/a' },
      'The request target names "other", and Host "server.example.com".',
    ],
    ['a URL of another port', { ...head(), url: 'http://server.example.com:81/' }, 'The request target names'],
    ['a URL that is not for the web', { ...head(), url: 'file://server.example.com/' }, 'The request target must be'],
    [
      'two Origins',
      head({}, [
        ['Origin', 'a'],
        ['origin', 'a'],
      ]),
      'Origin must come once, got "a" and "a"',
    ],
    [
      'two Authorizations',
      head({}, [
        ['Authorization', 'a'],
        ['authorization', 'b'],
      ]),
      'Authorization must come once',
    ],
    ['two Hosts', head({}, [['host', 'server.example.com']]), 'Host'],
    ['the first key of an old draft', head({}, [['Sec-WebSocket-Key1', '4 @1  46546xW%0l 1 5']]), 'Sec-WebSocket-Key1'],
    ['the second key of an old draft', head({}, [['sec-websocket-key2', '1']]), 'Sec-WebSocket-Key2'],
    ['two keys', head({}, [['sec-websocket-key', KEY]]), 'Sec-WebSocket-Key must come once'],
    ['two versions', head({}, [['sec-websocket-version', '13']]), 'Sec-WebSocket-Version must come once'],
    ['no key', head({ 'Sec-WebSocket-Key': null }), 'base64 of 16 bytes, got none'],
    ['an empty key', head({ 'Sec-WebSocket-Key': '' }), 'base64 of 16 bytes'],
    ['a key of 15 bytes', head({ 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') }), 'base64 of 16 bytes'],
    ['a key of 17 bytes', head({ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') }), 'base64 of 16 bytes'],
    ['a key with stray bits', head({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' }), 'base64 of 16 bytes'],
    ['a key without padding', head({ 'Sec-WebSocket-Key': KEY.slice(0, 22) }), 'base64 of 16 bytes'],
    ['a key in base64url', head({ 'Sec-WebSocket-Key': '-GhlIHNhbXBsZSBub25jZQ==' }), 'base64 of 16 bytes'],
    ['a key with a line feed behind it', head({ 'Sec-WebSocket-Key': `${KEY}\n` }), 'base64 of 16 bytes'],
    ['a body length', head({}, [['Content-Length', '5']]), 'Content-Length "5"'],
    [
      'two body lengths',
      head({}, [
        ['Content-Length', '0'],
        ['content-length', '7'],
      ]),
      'Content-Length "0" and "7"',
    ],
    [
      'two body lengths of nothing',
      head({}, [
        ['Content-Length', '0'],
        ['content-length', '0'],
      ]),
      'Content-Length "0" and "0"',
    ],
    ['a body length that is no number', head({}, [['Content-Length', '+0']]), 'Content-Length'],
    ['a transfer coding', head({}, [['Transfer-Encoding', 'chunked']]), 'Transfer-Encoding "chunked"'],
  ])('as a bad request: %s', (_, request, message) => {
    expect(checkUpgrade(request)).toEqual({
      error: 'BAD_HANDSHAKE',
      status: 400,
      message: expect.stringContaining(message),
      headers: {},
    });
  });

  it('in order: what is no upgrade at all is not told about its method', () => {
    expect(checkUpgrade({ method: 'POST', url: '/', httpVersion: '1.0', rawHeaders: [] })).toMatchObject({
      error: 'NOT_AN_UPGRADE',
    });
  });

  it('a wrong version before a wrong key, so that an old client learns what to speak', () => {
    const request = head({ 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Key': null });
    expect(checkUpgrade(request)).toMatchObject({ error: 'WRONG_VERSION' });
  });

  it('with header fields of its own, so that changing one answer changes no other', () => {
    const fault = checkUpgrade(head({ Upgrade: null }));
    if ('headers' in fault) fault.headers.Upgrade = 'changed';
    expect(checkUpgrade(head({ Upgrade: null }))).toMatchObject({ headers: { Upgrade: 'websocket' } });
  });
});

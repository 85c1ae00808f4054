import { describe, expect, it } from 'vitest';
import { TidegateError } from '../../../src/receivers/errors.js';
import { parseTarget } from '../../../src/server/dial/target.js';

function faultOf(text: string): TidegateError {
  try {
    parseTarget(text);
  } catch (error) {
    if (error instanceof TidegateError) return error;
  }
  throw new Error(`${text} was accepted`);
}

describe('parseTarget', () => {
  it.each([
    ['ws://h', { kind: 'websocket', secure: false, family: 0, host: 'h', port: 80, path: '', href: 'ws://h' }],
    ['wss://H:443/', { kind: 'websocket', secure: true, family: 0, host: 'h', port: 443, path: '/', href: 'wss://h/' }],
    [
      'WS://h:81/a?b=c',
      { kind: 'websocket', secure: false, family: 0, host: 'h', port: 81, path: '/a?b=c', href: 'ws://h:81/a?b=c' },
    ],
    ['ws://h?b', { kind: 'websocket', secure: false, family: 0, host: 'h', port: 80, path: '/?b', href: 'ws://h/?b' }],
    ['tcp://[::1]:5900', { kind: 'tcp', secure: false, family: 6, host: '::1', port: 5900, href: 'tcp://[::1]:5900' }],
    ['tcp://h:80/', { kind: 'tcp', secure: false, family: 0, host: 'h', port: 80, href: 'tcp://h:80' }],
    [
      'tls://db.example:5432',
      { kind: 'tcp', secure: true, family: 0, host: 'db.example', port: 5432, href: 'tls://db.example:5432' },
    ],
    ['unix:/run/x.sock', { kind: 'unix', path: '/run/x.sock', href: 'unix:/run/x.sock' }],
    ['unix:///run/x y.sock', { kind: 'unix', path: '/run/x y.sock', href: 'unix:/run/x y.sock' }],
  ])('reads %s', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });

  it('gives a numeric address its normal form, so that an allow-list sees what is dialled', () => {
    expect(parseTarget('tcp://0x7f.1:5900')).toMatchObject({ host: '127.0.0.1', href: 'tcp://127.0.0.1:5900' });
  });

  it.each([
    ['', 'ws://host'],
    ['5900', 'ws://host'],
    ['localhost:5900', 'scheme "localhost:"'],
    ['tcp://h', 'tcp://h:PORT'],
    ['tls://h:', '1 to 65535'],
    ['tcp://h:0', '1 to 65535'],
    ['tcp://h:65536', '1 to 65535'],
    ['tcp://h:1e3', '1 to 65535'],
    ['tcp://h:x', '1 to 65535'],
    ['tcp://::1:5900', 'brackets'],
    ['tcp://[::g]:5900', 'IPv6'],
    ['tcp://:5900', 'host is missing'],
    ['tcp://a b:5900', 'not a host name'],
    ['tcp://h:1/x', 'no path'],
    ['tcp://h:1?x', 'no path'],
    ['ws://h/#x', 'fragment'],
    ['http://h:1', 'use ws:'],
    ['https://h:1', 'use wss:'],
    ['ftp://h:1', 'scheme "ftp:"'],
    ['unix:run/x', 'absolute path'],
    ['unix://host/x', 'absolute path'],
    ['unix:', 'absolute path'],
    ['ws:/h', 'ws://host'],
    ['ws://h\\x', 'ws://host'],
  ])('refuses %j and says what would be right', (text, advice) => {
    const fault = faultOf(text);
    expect(fault.code).toBe('INVALID_TARGET');
    expect(fault.message).toContain(JSON.stringify(text));
    expect(fault.message).toContain(advice);
  });

  it('refuses credentials without repeating them', () => {
    const fault = faultOf('ws://user:secret@h/x');
    expect(fault.message).toContain('credentials');
    expect(fault.message).not.toContain('secret');
  });
});

/** Owns the fields that tell a target on whose behalf it is asked, and that nobody is believed who is not trusted. */
import { describe, expect, it } from 'vitest';
import { type Forwarding, withForwardedFields } from '../../../src/protocol/forwarded-fields.js';

const forwarding: Forwarding = {
  style: 'both',
  address: '192.0.2.1',
  peer: '192.0.2.1',
  trusted: false,
  secure: true,
  host: 'app.example:8443',
  port: 8443,
};

const fieldsOf = (rawHeaders: readonly string[], extra: Partial<Forwarding> = {}): string[] => {
  const fields = withForwardedFields(rawHeaders, { ...forwarding, ...extra });
  return Array.from({ length: fields.length / 2 }, (_, at) => `${fields[2 * at]}: ${fields[2 * at + 1]}`);
};

describe('the fields', () => {
  it('tell address, scheme, host and port', () => {
    expect(fieldsOf(['A', '1'])).toEqual([
      'A: 1',
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: app.example:8443',
      'X-Forwarded-Port: 8443',
      'Forwarded: for=192.0.2.1;host="app.example:8443";proto=https',
    ]);
  });

  it('write an IPv6 address as each of the two wants it, and none as unknown', () => {
    const of = (address: string) => fieldsOf([], { address, host: 'h', port: 0, secure: false });
    expect(of('2001:db8::1')).toEqual([
      'X-Forwarded-For: 2001:db8::1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: h',
      'Forwarded: for="[2001:db8::1]";host=h;proto=http',
    ]);
    expect(of('')).toEqual([
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: h',
      'Forwarded: for=unknown;host=h;proto=http',
    ]);
  });

  it('cannot be broken by what a client calls its host', () => {
    expect(fieldsOf([], { style: 'forwarded', host: 'a";for=1.1.1.1;x="\\' })).toEqual([
      'Forwarded: for=192.0.2.1;host="a\\";for=1.1.1.1;x=\\"\\\\";proto=https',
    ]);
  });

  const lies = [
    'x-forwarded-for',
    '127.0.0.1',
    'X_Forwarded_For',
    '127.0.0.1',
    'X-Forwarded-Prefix',
    '/admin',
    'X-Real-IP',
    '127.0.0.1',
    'Forwarded',
    'for=127.0.0.1',
    'X-Forwarded-For',
    '127.0.0.2',
  ];

  it.each(['x-forwarded', 'forwarded', 'both'] as const)(
    'overwrite whatever an untrusted sender says of them, with %s',
    (style) => {
      const said = fieldsOf(lies, { style }).join('\n');
      expect(said).not.toMatch(/127\.0\.0\.|admin/);
      expect(said).toContain('192.0.2.1');
    },
  );

  it('are left alone when they are off', () =>
    expect(withForwardedFields(lies, { ...forwarding, style: 'off' })).toEqual(lies));

  it('add to what a trusted proxy says', () => {
    const told = [
      'X-Forwarded-For',
      '203.0.113.9',
      'x-forwarded-for',
      '10.0.0.1',
      'X-Forwarded-Proto',
      'http',
      'Forwarded',
      'for=203.0.113.9',
      'X-Real-IP',
      '203.0.113.9',
    ];
    expect(fieldsOf(told, { trusted: true, address: '203.0.113.9', peer: '10.0.0.2' })).toEqual([
      'X-Forwarded-Proto: http',
      'X-Real-IP: 203.0.113.9',
      'X-Forwarded-For: 203.0.113.9, 10.0.0.1, 10.0.0.2',
      'X-Forwarded-Host: app.example:8443',
      'X-Forwarded-Port: 8443',
      'Forwarded: for=203.0.113.9, for=10.0.0.2;host="app.example:8443";proto=https',
    ]);
  });

  it('begin with the client when a trusted proxy told of it in another way', () => {
    expect(fieldsOf([], { trusted: true, address: '203.0.113.9', peer: '10.0.0.2' })[0]).toBe(
      'X-Forwarded-For: 203.0.113.9',
    );
  });
});

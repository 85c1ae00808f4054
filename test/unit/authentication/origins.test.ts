/** Owns which pages may connect. */
import { describe, expect, it } from 'vitest';
import { OriginPolicy, parseOriginPattern } from '../../../src/server/authentication/origins.js';

function passes(allowed: readonly string[], origin: string, host = 'chat.example:8080'): boolean {
  const policy = new OriginPolicy({ allowed, required: false });
  return policy.problemOf(['Host', host, 'Origin', origin]) === undefined;
}

describe('an origin', () => {
  it.each([
    ['https://a.example', 'https://a.example', true],
    ['https://a.example', 'https://A.example', true],
    ['HTTPS://A.Example', 'https://a.example', true],
    ['https://a.example', 'http://a.example', false],
    ['https://a.example', 'https://a.example:8443', false],
    ['https://a.example', 'https://a.example.evil', false],
    ['https://a.example', 'https://xa.example', false],
    ['https://a.example', 'https://a-example', false],
    ['https://a.example:443', 'https://a.example', true],
    ['https://a.example:8443', 'https://a.example:8443', true],
    ['http://a.example:*', 'http://a.example', true],
    ['http://a.example:*', 'http://a.example:3000', true],
    ['http://a.example:*', 'http://a.example:3000.evil', false],
    ['https://*.a.example', 'https://x.a.example', true],
    ['https://*.a.example', 'https://x.y.a.example', true],
    ['https://*.a.example', 'https://a.example', false],
    ['https://*.a.example', 'https://evil/.a.example', false],
    ['https://*.a.example', 'https://evila.example', false],
    ['http://[::1]:*', 'http://[::1]:3000', true],
    ['/https://(a|b)\\.example/', 'https://b.example', true],
    ['/https://(a|b)\\.example/', 'https://b.example.evil', false],
    ['/https://(a|b)\\.example/', 'xhttps://b.example', false],
    ['/https://A\\.example/i', 'https://a.example', true],
    ['/https://a\\.example/g', 'https://a.example', true],
    ['null', 'null', true],
    ['https://a.example', 'null', false],
    ['*', 'null', true],
    ['*', 'https://anything.example', true],
  ])('%s: %s passes: %s', (pattern, origin, expected) => {
    expect(passes([pattern], origin.startsWith('https://A') ? origin.toLowerCase() : origin)).toBe(expected);
    expect(passes(['https://never.example', pattern], origin.toLowerCase())).toBe(expected);
  });

  it.each([
    ['http://chat.example:8080', 'chat.example:8080', true],
    ['http://chat.example', 'chat.example', true],
    ['http://chat.example', 'chat.example:80', true],
    // TLS ended before us.
    ['https://chat.example', 'chat.example', true],
    ['https://chat.example', 'chat.example:443', true],
    ['http://chat.example', 'CHAT.example', true],
    ['http://[::1]:3000', '[::1]:3000', true],
    ['http://chat.example:3000', 'chat.example:8080', false],
    ['http://evil.example', 'chat.example', false],
    ['http://chat.example.evil', 'chat.example', false],
    ['null', 'chat.example', false],
    ['file://', 'chat.example', false],
    ['http://chat.example@evil.example', 'evil.example', false],
    ['http://evil.example', 'evil.example@chat.example', false],
    ['http://evil.example', 'evil.example/chat.example', false],
    ['chat.example', 'chat.example', false],
  ])('same-origin: a page of %s at the host %s passes: %s', (origin, host, expected) => {
    expect(passes(['same-origin'], origin, host)).toBe(expected);
  });

  it('that is missing passes unless one is required', () => {
    const headers = ['Host', 'h'];
    expect(new OriginPolicy({ allowed: ['same-origin'], required: false }).problemOf(headers)).toBeUndefined();
    expect(new OriginPolicy({ allowed: undefined, required: true }).problemOf(headers)).toBe('there is no Origin');
    const any = new OriginPolicy({ allowed: undefined, required: true });
    expect(any.problemOf([...headers, 'Origin', 'https://x.example'])).toBeUndefined();
  });

  it('that comes twice, or is longer than any, does not pass', () => {
    const policy = new OriginPolicy({ allowed: ['https://a.example', '/.*/'], required: false });
    const twice = ['Host', 'h', 'Origin', 'https://a.example', 'Origin', 'https://a.example'];
    expect(policy.problemOf(twice)).toMatch(/more than one/);
    expect(policy.problemOf(['Host', 'h', 'Origin', `https://${'a'.repeat(600)}.example`])).toMatch(/not one of those/);
  });

  it('is not judged when there are no rules', () => {
    const policy = new OriginPolicy({ allowed: undefined, required: false });
    expect(policy.problemOf(['Origin', 'null', 'Origin', 'x'])).toBeUndefined();
  });

  it('may read an answer with credentials only when it was named, and not because any passes', () => {
    const headers = ['Host', 'h', 'Origin', 'https://a.example'];
    expect(new OriginPolicy({ allowed: ['*'], required: false }).names(headers)).toBe(false);
    expect(new OriginPolicy({ allowed: undefined, required: false }).names(headers)).toBe(false);
    const nobody = ['Host', 'h', 'Origin', 'null'];
    expect(new OriginPolicy({ allowed: ['null', '/.*/'], required: false }).names(nobody)).toBe(false);
    expect(new OriginPolicy({ allowed: ['*', 'https://a.example'], required: false }).names(headers)).toBe(true);
  });
});

describe('a pattern', () => {
  it.each([
    '',
    'a.example',
    'https://a.example/',
    'https://a.example/x',
    'https://*',
    'https://a.*',
    'https://u@a',
    '/(/',
  ])('%s is refused', (pattern) => {
    expect(() => parseOriginPattern(pattern)).toThrow();
  });
});

/** Owns what a client is known by. */
import { expect, it } from 'vitest';
import { keyReader } from '../../../src/server/balancer/affinity/key-reader.js';

const client = (facts: { url?: string; headers?: Record<string, string>; remoteAddress?: string }) => ({
  url: '/',
  headers: {},
  remoteAddress: '192.0.2.1',
  tls: undefined,
  ...facts,
});

it('is the address, and of IPv6 the network', () => {
  const read = keyReader('address');
  expect(read(client({}))).toBe('192.0.2.1');
  expect(read(client({ remoteAddress: '::ffff:192.0.2.1' }))).toBe('192.0.2.1');
  expect(read(client({ remoteAddress: '2001:db8::5' }))).toBe(read(client({ remoteAddress: '2001:db8::ffff:1' })));
  expect(read(client({ remoteAddress: '' }))).toBeUndefined();
});

it('is a header by any case of its name, a parameter decoded, the first cookie of the name', () => {
  expect(keyReader('header:X-Id')(client({ headers: { 'x-id': 'ada' } }))).toBe('ada');
  expect(keyReader('query:id')(client({ url: '/x?a=b&id=a%2Fb+c&id=z' }))).toBe('a/b c');
  expect(keyReader('query:id')(client({ url: '/id=1' }))).toBeUndefined();
  expect(keyReader('cookie:s.id')(client({ headers: { cookie: 'sxid=0; s.id=1; s.id=2' } }))).toBe('1');
});

it('keeps the bound of a key, and tells long ones apart', () => {
  const read = keyReader('header:x-id');
  const [one, other] = ['a', 'b'].map((end) => read(client({ headers: { 'x-id': 'x'.repeat(5000) + end } })));
  expect(one).toMatch(/^[\w-]{43}$/);
  expect(one).not.toBe(other);
});

it('is nothing for what a prototype has', () => {
  expect(keyReader('header:constructor')(client({ headers: Object.create(null) }))).toBeUndefined();
});

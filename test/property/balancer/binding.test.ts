/** Owns that a client can ask for whatever it likes, and is never sent anywhere but to the backend. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertHeaderField } from '../../../src/receivers/index.js';
import { addressFor, assertBinding } from '../../../src/server/balancer/redirect/binding.js';

const binding = fc.constantFrom(
  'ws://a.example',
  'wss://a.example:444/',
  'ws://[::1]:90/base',
  'wss://a.example/x?y=1',
);
const piece = fc.constantFrom(
  '/',
  '\\',
  '@',
  ':',
  '//',
  '#',
  '?',
  '..',
  'evil.example',
  '%0d%0a',
  '%2f',
  'http:',
  'ä',
  '"',
  '&',
);
const asked = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
  fc.webUrl(),
  fc.string({ unit: 'binary' }),
);

it('whatever is asked for, the address is one of the backend, can be opened, and fits into a header field', () => {
  fc.assert(
    fc.property(binding, asked, (base, wanted) => {
      const address = addressFor(base, wanted);
      const [is, was] = [new URL(address), new URL(base)];
      expect([is.protocol, is.host, is.username, is.password, is.hash]).toEqual([was.protocol, was.host, '', '', '']);
      expect(assertBinding(address)).toBe(address);
      expect(() => assertHeaderField('Location', address)).not.toThrow();
      if (was.pathname !== '/') expect(is.pathname).toBe(was.pathname);
    }),
    { numRuns: 2000 },
  );
});

/** Owns that nobody without the secret can make a cookie, and that whatever is not one of ours is nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CookieSeal } from '../../../src/server/balancer/affinity/cookie-seal.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';

function seal(given: { secret?: string; name?: string; maxAge?: number; ids?: readonly string[]; at?: number } = {}) {
  const { secret = 'a secret of the tests', name = 'tidegate', maxAge = 0, ids = [], at = 1e12 } = given;
  const clock = { now: at };
  return { clock, seal: new CookieSeal({ name, secret, maxAge, backendIds: () => ids, now: () => clock.now }) };
}

const id = fc.string({ minLength: 1, maxLength: 40 });
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 8 });

it('a value opens to the backend that it was sealed for, also elsewhere, and holds nothing of its id', () => {
  fc.assert(
    fc.property(ids, fc.nat(), fc.constantFrom(0, 60_000), (all, pick, maxAge) => {
      const backendId = all[pick % all.length]!;
      const value = seal({ ids: all, maxAge }).seal.seal(backendId);
      expect(value).toMatch(/^[\w.-]{48,60}$/);
      const elsewhere = seal({ ids: [...all].reverse(), maxAge }).seal;
      expect(elsewhere.open(value)).toEqual({ backendId, isAging: false });
      const withoutIt = seal({ ids: all.filter((other) => other !== backendId), maxAge }).seal;
      expect(withoutIt.open(value)).toEqual({ backendId: '', isAging: false });
    }),
  );
});

it('a value with any character changed, added or taken out is nothing', () => {
  const { seal: ours } = seal({ ids: ['a', 'b'], maxAge: 60_000 });
  const value = ours.seal('a');
  fc.assert(
    fc.property(
      fc.nat({ max: value.length - 1 }),
      fc.constantFrom(...ALPHABET),
      fc.constantFrom('changed', 'added', 'taken'),
      (at, character, how) => {
        const rest = value.slice(how === 'added' ? at : at + 1);
        const other = value.slice(0, at) + (how === 'taken' ? '' : character) + rest;
        fc.pre(other !== value);
        expect(ours.open(other)).toBeUndefined();
      },
    ),
    { numRuns: 2000 },
  );
});

it('parts of genuine values do not make another one', () => {
  const { seal: ours, clock } = seal({ ids: ['a', 'b'], maxAge: 60_000 });
  const early = ours.seal('a').split('.');
  clock.now += 5000;
  const late = ours.seal('b').split('.');
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (fromLate) => {
      const mixed = fromLate.map((isLate, at) => (isLate ? late : early)[at]!).join('.');
      fc.pre(mixed !== early.join('.') && mixed !== late.join('.'));
      expect(ours.open(mixed)).toBeUndefined();
    }),
  );
});

it('what was sealed with another secret or for another name is nothing, whatever is said', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (secret, name) => {
      fc.pre(secret !== 'a secret of the tests' || name !== 'tidegate');
      const foreign = seal({ secret, name, ids: ['a'] }).seal.seal('a');
      expect(seal({ ids: ['a'] }).seal.open(foreign)).toBeUndefined();
    }),
  );
});

it('text of strangers is nothing and throws nothing', () => {
  const { seal: ours } = seal({ ids: ['a'] });
  const tag = ours.seal('a').split('.')[1]!;
  const guess = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 22, maxLength: 22 });
  const forged = fc.tuple(fc.constantFrom('0', 'zzzzzz'), guess).map(([until, mac]) => `1.${tag}.${until}.${mac}`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), forged), (text) => {
      expect(ours.open(text)).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});

it('expires when it says, is renewed from half of its time on, and outlives a change of options no longer than it said', () => {
  const { seal: ours, clock } = seal({ ids: ['a'], maxAge: 60_000 });
  const value = ours.seal('a');
  clock.now += 29_000;
  expect(ours.open(value)).toEqual({ backendId: 'a', isAging: false });
  clock.now += 2000;
  expect(ours.open(value)).toEqual({ backendId: 'a', isAging: true });
  const forSession = seal({ ids: ['a'], at: clock.now });
  expect(forSession.seal.open(value)).toEqual({ backendId: 'a', isAging: true });
  expect(ours.open(forSession.seal.seal('a'))).toEqual({ backendId: 'a', isAging: true });
  clock.now += 30_000;
  expect(ours.open(value)).toBeUndefined();
});

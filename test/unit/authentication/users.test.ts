/** Owns that passwords are checked in constant time, with the same work whoever is named, and not too many at a time. */
import * as crypto from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hashPassword } from '../../../src/server/authentication/password-hash.js';
import { Users } from '../../../src/server/authentication/users.js';

vi.mock('node:crypto', async (importOriginal) => {
  const actual = await importOriginal<typeof import('node:crypto')>();
  return { ...actual, scrypt: vi.fn(actual.scrypt), timingSafeEqual: vi.fn(actual.timingSafeEqual) };
});

const scrypt = vi.mocked(crypto.scrypt);
const timingSafeEqual = vi.mocked(crypto.timingSafeEqual);

beforeEach(() => {
  scrypt.mockClear();
  timingSafeEqual.mockClear();
});

describe('users with plain passwords', () => {
  const users = new Users({ ada: 'right', bob: { password: 'other', tags: ['staff'] } });

  it('are known by their own password only', async () => {
    expect(await users.check('ada', 'right')).toMatchObject({ name: 'ada' });
    expect(await users.check('bob', 'other')).toMatchObject({ name: 'bob', tags: ['staff'] });
    expect(await users.check('ada', 'other')).toBe('wrong');
    expect(await users.check('ada', '')).toBe('wrong');
    expect(await users.check('eve', 'right')).toBe('wrong');
    expect(await users.check('__proto__', 'right')).toBe('wrong');
  });

  it('are compared in constant time, whether they exist or not', async () => {
    for (const name of ['ada', 'eve']) {
      timingSafeEqual.mockClear();
      await users.check(name, 'a guess');
      expect(timingSafeEqual, name).toHaveBeenCalledOnce();
    }
    expect(scrypt).not.toHaveBeenCalled();
  });
});

describe('users with hashed passwords', () => {
  it('are known by their own password, and a second time without the work', async () => {
    const users = new Users({ ada: await hashPassword('right') });
    scrypt.mockClear();
    expect(await users.check('ada', 'wrong')).toBe('wrong');
    expect(await users.check('ada', 'right')).toMatchObject({ name: 'ada' });
    expect(scrypt).toHaveBeenCalledTimes(2);
    expect(await users.check('ada', 'right')).toMatchObject({ name: 'ada' });
    expect(scrypt).toHaveBeenCalledTimes(2);
    expect(await users.check('ada', 'wrong')).toBe('wrong');
    expect(scrypt).toHaveBeenCalledTimes(3);
  });

  it('cost the same work whether they exist, have a plain password, or are unknown', async () => {
    const users = new Users({ ada: await hashPassword('right'), bob: 'plain' });
    const costs: unknown[] = [];
    for (const name of ['ada', 'bob', 'eve']) {
      scrypt.mockClear();
      timingSafeEqual.mockClear();
      expect(await users.check(name, 'a guess')).toBe('wrong');
      expect(scrypt, name).toHaveBeenCalledOnce();
      // Against what is known of the user, and against the hash.
      expect(timingSafeEqual, name).toHaveBeenCalledTimes(2);
      const [, salt, length, options] = scrypt.mock.calls[0] as unknown as [string, Buffer, number, object];
      costs.push({ salt: salt.length, length, options });
    }
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[2]).toEqual(costs[0]);
  });

  it('are not checked any more when too many guesses wait, and are again when those are through', async () => {
    const users = new Users({ ada: await hashPassword('right') });
    const guesses = Array.from({ length: 40 }, (_, index) => users.check('ada', `guess ${index}`));
    expect(await users.check('ada', 'right')).toBe('busy');
    const answers = await Promise.all(guesses);
    expect(new Set(answers)).toEqual(new Set(['wrong', 'busy']));
    expect(answers.filter((answer) => answer === 'wrong').length).toBeGreaterThanOrEqual(32);
    expect(await users.check('ada', 'right')).toMatchObject({ name: 'ada' });
  }, 30_000);
});

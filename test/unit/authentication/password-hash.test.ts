/** Owns that hashes of passwords are made, read and compared as they are documented. */
import { describe, expect, it } from 'vitest';
import {
  hashOfNobody,
  hashPassword,
  looksHashed,
  matchesHash,
  parseHash,
} from '../../../src/server/authentication/password-hash.js';

/** Cheap, for tests: scrypt of `secret` with ln=4. */
const CHEAP = '$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$';

describe('a hash of a password', () => {
  it('is in the documented form, salted anew each time, and fits its password only', async () => {
    const [one, two] = [await hashPassword('hunter2'), await hashPassword('hunter2')];
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
    expect(looksHashed(one)).toBe(true);
    expect(await matchesHash('hunter2', parseHash(one)!)).toBe(true);
    expect(await matchesHash('hunter3', parseHash(one)!)).toBe(false);
  });

  it('is the same for one password typed in two ways of Unicode', async () => {
    const hash = parseHash(await hashPassword('caf\u00e9'))!;
    expect(await matchesHash('cafe\u0301', hash)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a password', 'hunter2'],
    ['half of it', '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ'],
    ['another function', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a cost of zero', `${CHEAP.replace('ln=4', 'ln=0')}AAAAAAAAAAAAAAAAAAAAAAAAAAA`],
    ['a cost that is an attack', `${CHEAP.replace('ln=4', 'ln=30')}AAAAAAAAAAAAAAAAAAAAAAAAAAA`],
  ])('is not read from %s', (_, text) => {
    expect(parseHash(text)).toBeUndefined();
  });

  it('of nobody costs what another costs, and fits nothing', async () => {
    const hash = parseHash(`${CHEAP}AAAAAAAAAAAAAAAAAAAAAAAAAAA`)!;
    const nobody = hashOfNobody(hash);
    expect(nobody).toMatchObject({ ln: 4, r: 8, p: 1 });
    expect(nobody.hash).toHaveLength(hash.hash.length);
    expect(await matchesHash('', nobody)).toBe(false);
  });
});

/** Owns what the cookies of a request are, and what is left of it without one. */
import { describe, expect, it } from 'vitest';
import { cookieValues, withoutCookie } from '../../../src/protocol/cookies.js';

describe('cookieValues', () => {
  it('finds every cookie of exactly that name', () => {
    expect(cookieValues('a=1; ab=2; a="3";a=;b=a=4', 'a')).toEqual(['1', '3', '']);
    expect(cookieValues('b=a=4', 'b')).toEqual(['a=4']);
    expect(cookieValues('A=1', 'a')).toEqual([]);
    expect(cookieValues(undefined, 'a')).toEqual([]);
  });
});

describe('withoutCookie', () => {
  it('takes one out of one field or several, and leaves the rest as it was', () => {
    const fields = ['Host', 'h', 'Cookie', 'a=1; b=2', 'X', 'y', 'cookie', 'c=3; a=4'];
    expect(withoutCookie(fields, 'a')).toEqual(['Host', 'h', 'Cookie', 'b=2; c=3', 'X', 'y']);
  });

  it('takes the field out when nothing is left, and gives the same list when there is nothing to take', () => {
    expect(withoutCookie(['Cookie', 'a=1', 'X', 'y'], 'a')).toEqual(['X', 'y']);
    const fields = ['Cookie', 'ab=1; b=a=2', 'X', 'a=1'];
    expect(withoutCookie(fields, 'a')).toBe(fields);
  });
});

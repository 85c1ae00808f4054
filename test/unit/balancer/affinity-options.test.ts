/** Owns what is said about wrong options of affinity, and that a secret is not part of it. */
import { expect, it } from 'vitest';
import { resolveBalancerOptions } from '../../../src/server/config/balancer/options.js';

it.each([
  [{ affinity: { by: 'cookies' } }, /^affinity\.by: got "cookies"; expected .*'header:NAME'.*'cookie' or 'none'$/],
  [{ affinity: { by: 'cookie:' } }, /^affinity\.by: got "cookie:"/],
  [{ affinity: { cookieName: 'a;b' } }, /^affinity\.cookieName: got "a;b"; expected the name of a cookie/],
  [{ hashBy: 'cookie' }, /^hashBy: got "cookie"; expected 'address'/],
  [
    { affinity: { by: 'cookie' }, connectUpstream: 'after-accept' },
    /^connectUpstream: got "after-accept"; expected 'before-accept'/,
  ],
])('%j is refused with what would be right', (options, message) => {
  expect(() => resolveBalancerOptions(options)).toThrow(message);
});

it('a secret that is too short is not repeated', () => {
  const options = { affinity: { secret: 'hunter2' } };
  expect(() => resolveBalancerOptions(options)).toThrow(/^affinity\.secret: (?!.*hunter2).*at least 16 characters$/);
});

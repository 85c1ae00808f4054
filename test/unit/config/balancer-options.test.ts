/** Owns what is said about options of a balancer that are wrong, alone or beside each other: once, with the value and what would be right. */
import { expect, it } from 'vitest';
import { type BalancerConfigInput, resolveBalancerOptions } from '../../../src/server/config/balancer/options.js';

function problemsOf(input: unknown): string[] {
  try {
    resolveBalancerOptions(input);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
  [
    'an address that is none',
    { backends: ['http://a'] },
    /^backends\[0\]: got "http:\/\/a"; expected the address of a/,
  ],
  [
    'an address that is none beside a right one',
    { backends: ['ws://a', 'b'] },
    /^backends\[1\]: got "b"; expected the address of a backend/,
  ],
  [
    'one id for two',
    {
      backends: [
        { id: 'x', url: 'ws://a' },
        { id: 'x', url: 'ws://b' },
      ],
    },
    /^backends\[1\]: got .*; expected a backend with an id of its own/,
  ],
  ['one address for two', { backends: ['ws://a', 'ws://a:80'] }, /expected a backend with an id of its own/],
  ['an id with a blank', { backends: [{ id: 'a b', url: 'ws://a' }] }, /id: got "a b"; expected 1 to 128 letters/],
  ['a weight of nothing', { backends: [{ url: 'ws://a', weight: 0 }] }, /weight: got 0; expected a number above 0/],
  ['half a capacity', { backends: [{ url: 'ws://a', capacity: 1.5 }] }, /capacity: got 1.5; expected a whole number/],
  [
    'two kinds of backends',
    { backends: ['ws://a', 'tcp://b:1'] },
    /^backends\[1\]: got "tcp:\/\/b:1"; expected one that/,
  ],
  [
    'a name of another kind',
    { backends: ['ws://a'], discovery: { names: ['tcp://b.example:1'] } },
    /^discovery\.names\[0\]: got "tcp:\/\/b\.example:1"; expected one that speaks/,
  ],
  [
    'a way in without a secret',
    { control: { path: '/control' } },
    /^control\.tokens: got nothing; expected it beside control\.path/,
  ],
  ['a short secret', { control: { tokens: ['short'] } }, /^control\.tokens\[0\]: got .*; expected a list of secrets/],
  [
    'delays the wrong way round',
    { drain: { minDelay: '6s' } },
    /^drain\.minDelay: got "6s"; expected at most drain\.maxDelay, which is 5000 ms/,
  ],
  [
    'a redirect after the 101',
    { mode: 'redirect', connectUpstream: 'after-accept' },
    /^connectUpstream: got "after-accept"; expected 'before-accept' beside mode/,
  ],
  [
    'a cookie after the 101',
    { affinity: { by: 'cookie' }, connectUpstream: 'after-accept' },
    /^connectUpstream: got "after-accept"; expected 'before-accept' beside affinity/,
  ],
  ['a policy nobody knows', { policy: 'leastconn' }, /^policy: got "leastconn"; expected 'least-connections' or /],
  ['a target', { target: 'ws://a' }, /^unknown option target/],
];

it.each(WRONG)('%s is told once', (_, input, message) => {
  expect(problemsOf(input)).toEqual([expect.stringMatching(message)]);
});

it('what was resolved is taken again as it is', () => {
  const given: BalancerConfigInput = {
    backends: [
      'ws://a',
      { id: 'b', url: 'wss://b/path', weight: 2, capacity: 10, tags: ['eu'], bindings: ['wss://c'] },
    ],
    affinity: { by: 'cookie', secret: 'a-secret-of-16-letters' },
    control: { path: '/control', tokens: ['a-secret-of-16-letters'] },
  };
  const { target: _target, warmConnections: _warm, register: _register, ...resolved } = resolveBalancerOptions(given);
  expect(resolveBalancerOptions(resolved)).toEqual(resolveBalancerOptions(given));
});

/** Owns that a client is known again by what it brings: its address, a header, a parameter, a cookie of the application. */
import { expect, it } from 'vitest';
import type { LoadBalancerOptions } from '../../src/index.js';
import type { RawClientOptions } from '../support/raw-client.js';
import { startBackends, startBalancer } from './named-backends.js';

/** Gives new clients each backend in turn. */
function inTurn(): NonNullable<LoadBalancerOptions['selection']> {
  let picks = 0;
  return { select: (candidates) => candidates[picks++ % candidates.length] };
}

const behindProxy = (address: string): RawClientOptions => ({ headers: { 'X-Forwarded-For': address } });

const cases: [by: string, mine: RawClientOptions, other: RawClientOptions, nothing: RawClientOptions][] = [
  ['header:X-Tenant', { headers: { 'x-tenant': 'ada' } }, { headers: { 'X-Tenant': 'bob' } }, {}],
  ['query:room', { path: '/chat?a=1&room=ada%20x' }, { path: '/chat?room=bob' }, { path: '/chat?room=' }],
  [
    'cookie:sid',
    { headers: { Cookie: 'x=1; sid="ada"' } },
    { headers: { Cookie: 'sid=bob' } },
    { headers: { Cookie: 'SID=ada' } },
  ],
  ['address', behindProxy('192.0.2.1'), behindProxy('192.0.2.2'), behindProxy('192.0.2.3')],
];

it.each(cases)(
  'by %s: the same client comes to the same backend, another one where the policy says',
  async (by, mine, other, nothing) => {
    const backends = await startBackends('a', 'b', 'c');
    const { visit } = await startBalancer(backends, {
      affinity: { by },
      selection: inTurn(),
      trustedProxies: ['loopback'],
    });
    expect((await visit(mine)).backend).toBe('a');
    expect((await visit(other)).backend).toBe('b');
    for (let count = 0; count < 3; count += 1) {
      const again = await visit(mine);
      expect([again.backend, again.setCookie]).toEqual(['a', []]);
    }
    expect((await visit(other)).backend).toBe('b');
    // Who has nothing to be known by is new each time.
    const strangers = [await visit(nothing), await visit(nothing)].map(({ backend }) => backend);
    expect(strangers).toEqual(by === 'address' ? ['c', 'c'] : ['c', 'a']);
  },
);

it('by address: what a stranger tells of itself is not believed', async () => {
  const { visit } = await startBalancer(await startBackends('a', 'b'), {
    affinity: { by: 'address' },
    selection: inTurn(),
  });
  const backends = [await visit(behindProxy('192.0.2.1')), await visit(behindProxy('192.0.2.2'))];
  expect(backends.map(({ backend }) => backend)).toEqual(['a', 'a']);
});

it('by address: an IPv6 client is its /64 network', async () => {
  const { visit } = await startBalancer(await startBackends('a', 'b', 'c'), {
    affinity: { by: 'address' },
    selection: inTurn(),
    trustedProxies: ['loopback'],
  });
  const from = async (address: string) => (await visit(behindProxy(address))).backend;
  expect(await from('2001:db8:0:1::1')).toBe('a');
  expect(await from('2001:db8:0:2::1')).toBe('b');
  expect(await from('2001:db8:0:1:ffff::2')).toBe('a');
});

it('a client stays where it is when a backend comes, and moves for good when its own goes', async () => {
  const backends = await startBackends('a', 'b', 'c');
  const { a, b, c } = backends;
  const { visit, balancer } = await startBalancer(
    { a: a!, b: b! },
    { affinity: { by: 'query:id' }, selection: inTurn() },
  );
  const of = async (id: number) => (await visit({ path: `/?id=${id}` })).backend;
  const before = [await of(1), await of(2), await of(3), await of(4)];
  balancer.addBackend({ id: 'c', url: c!.url });
  expect([await of(1), await of(2), await of(3), await of(4)]).toEqual(before);
  balancer.drainBackend('a');
  const moved = await of(1);
  expect(moved).not.toBe('a');
  balancer.resumeBackend('a');
  expect(await of(1)).toBe(moved);
  expect(await of(2)).toBe('b');
});

it('with `refuse` a known client is refused while its backend is away, and a new one is not', async () => {
  const backends = await startBackends('a', 'b');
  const { visit, handshake, balancer } = await startBalancer(backends, {
    affinity: { by: 'query:id', whenGone: 'refuse' },
    selection: inTurn(),
  });
  expect((await visit({ path: '/?id=1' })).backend).toBe('a');
  balancer.drainBackend('a');
  expect((await handshake({ path: '/?id=1' })).status).toBe(503);
  expect((await visit({ path: '/?id=2' })).backend).toBe('b');
  balancer.resumeBackend('a');
  expect((await visit({ path: '/?id=1' })).backend).toBe('a');
});

it('is remembered after-accept as well', async () => {
  const { visit } = await startBalancer(await startBackends('a', 'b'), {
    affinity: { by: 'query:id' },
    selection: inTurn(),
    connectUpstream: 'after-accept',
  });
  const of = async (id: number) => (await visit({ path: `/?id=${id}` })).backend;
  expect([await of(1), await of(2), await of(1), await of(2)]).toEqual(['a', 'b', 'a', 'b']);
});

/** Owns that a client with the cookie of the balancer comes back to its backend, and that nobody can make use of that cookie otherwise. */
import { expect, it } from 'vitest';
import { accept, ConnectionReceiver } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { localhostCertificate } from '../support/tls.js';
import { startBackends, startBalancer } from './named-backends.js';

const SECRET = 'a secret of the tests';
const BY_COOKIE = { affinity: { by: 'cookie', secret: SECRET } } as const;

/** Puts everybody new on the last backend, so that who is elsewhere is there for its cookie. */
const last = { select: (candidates: readonly { id: string }[]) => candidates.at(-1) } as never;

it('a new client gets a cookie with its 101, and with it the same backend, whatever the policy would say', async () => {
  const backends = await startBackends('a', 'b', 'c');
  const { visit } = await startBalancer(backends, { ...BY_COOKIE, policy: 'random' });
  const first = await visit();
  expect(first.setCookie).toHaveLength(1);
  expect(first.setCookie[0]).toMatch(/^tidegate=1\.[\w-]{22}\.0\.[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
  for (let count = 0; count < 12; count += 1) {
    const again = await visit({ headers: { Cookie: `theme=dark; ${first.cookie}; x=1` } });
    expect(again.backend).toBe(first.backend);
    expect(again.setCookie).toEqual([]);
  }
});

it('a cookie with a name and an age of its own says so', async () => {
  const backends = await startBackends('a');
  const affinity = { ...BY_COOKIE.affinity, cookieName: 'lb-node', maxAge: '90s' } as const;
  const { visit } = await startBalancer(backends, { affinity });
  const { setCookie } = await visit();
  expect(setCookie[0]).toMatch(
    /^lb-node=1\.[\w-]{22}\.[0-9a-z]{6}\.[\w-]{22}; Path=\/; Max-Age=90; HttpOnly; SameSite=Lax$/,
  );
});

it('two balancers with the same secret send the same cookie to the same backend', async () => {
  const backends = await startBackends('a', 'b', 'c');
  const one = await startBalancer(backends, { ...BY_COOKIE, policy: 'random' });
  const other = await startBalancer(backends, { ...BY_COOKIE, policy: 'random' });
  const stranger = await startBalancer(backends, { affinity: { by: 'cookie' }, policy: 'first' });
  for (let count = 0; count < 6; count += 1) {
    const first = await one.visit();
    const headers = { Cookie: first.cookie! };
    const second = await other.visit({ headers });
    expect([second.backend, second.setCookie]).toEqual([first.backend, []]);
    const elsewhere = await stranger.visit({ headers });
    expect(elsewhere.backend).toBe('a');
    expect(elsewhere.setCookie).toHaveLength(1);
  }
});

it('a forged, foreign or malformed cookie is ignored without a word, and replaced', async () => {
  const backends = await startBackends('a', 'b');
  const { visit, exceptions, rejections } = await startBalancer(backends, { ...BY_COOKIE, selection: last });
  const { cookie } = await visit();
  const [, tag] = cookie!.split('.');
  for (const value of [
    'tidegate=',
    'tidegate=a',
    'tidegate=ws://10.0.0.1:80',
    `tidegate=1.${tag}.0.${'A'.repeat(22)}`,
    `${cookie}x`,
    cookie!.replace('tidegate', 'TIDEGATE'),
  ]) {
    const visited = await visit({ headers: { Cookie: value } });
    expect([value, visited.backend, visited.setCookie.length]).toEqual([value, 'b', 1]);
  }
  // A second one that a neighbour planted takes nothing from the first that is ours.
  const both = await visit({ headers: { Cookie: `tidegate=planted; ${cookie}` } });
  expect(both.setCookie).toEqual([]);
  expect([exceptions, rejections]).toEqual([[], []]);
});

it('the cookie tells neither the id of a backend nor its address, and reaches no backend', async () => {
  const backends = await startBackends('internal-name');
  const { visit } = await startBalancer(backends, BY_COOKIE);
  const { cookie } = await visit();
  const plain = Buffer.from(cookie!.split('.')[1]!, 'base64url').toString('latin1');
  for (const shown of [cookie!, plain]) expect(shown).not.toMatch(/internal|127\.0\.0\.1/);
  await visit({ headers: { Cookie: `theme=dark; ${cookie}; lang=en` } });
  await visit({ headers: { Cookie: cookie! } });
  const cookies = backends['internal-name']!.peers.map(({ headers }) => headers.cookie);
  expect(cookies).toEqual([undefined, 'theme=dark; lang=en', undefined]);
});

it('is Secure for clients that came by TLS, to us or to a trusted proxy, and for nobody else', async () => {
  const backends = await startBackends('a');
  const isSecure = ({ setCookie }: { setCookie: string[] }) => /; Secure$/.test(setCookie[0]!);
  const tls = await startBalancer(backends, {
    ...BY_COOKIE,
    listen: { host: '127.0.0.1', port: 0, tls: { ...localhostCertificate } },
  });
  const trust = { tls: { ca: localhostCertificate.cert, servername: 'localhost' } };
  expect(isSecure(await tls.visit(trust))).toBe(true);
  const forwarded = { headers: { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' } };
  const behind = await startBalancer(backends, { ...BY_COOKIE, trustedProxies: ['loopback'] });
  expect(isSecure(await behind.visit(forwarded))).toBe(true);
  expect(isSecure(await behind.visit())).toBe(false);
  const open = await startBalancer(backends, BY_COOKIE);
  expect(isSecure(await open.visit(forwarded))).toBe(false);
});

it('when its backend is drained or gone the client gets another one, and a cookie for that', async () => {
  const backends = await startBackends('a', 'b');
  const { visit, balancer } = await startBalancer(backends, { ...BY_COOKIE, selection: last });
  const onB = await visit();
  expect(onB.backend).toBe('b');
  balancer.drainBackend('b');
  const moved = await visit({ headers: { Cookie: onB.cookie! } });
  expect([moved.backend, moved.setCookie.length]).toEqual(['a', 1]);
  balancer.resumeBackend('b');
  const stays = await visit({ headers: { Cookie: moved.cookie! } });
  expect([stays.backend, stays.setCookie]).toEqual(['a', []]);
  balancer.removeBackend('a');
  const back = await visit({ headers: { Cookie: moved.cookie! } });
  expect([back.backend, back.setCookie.length]).toEqual(['b', 1]);
});

it('when its backend is full the client gets another one, and a cookie for that', async () => {
  const { a, b } = await startBackends('a', 'b');
  const { visit } = await startBalancer(
    {},
    {
      ...BY_COOKIE,
      selection: last,
      backends: [
        { id: 'a', url: a!.url },
        { id: 'b', url: b!.url, capacity: 1 },
      ],
    },
  );
  const onB = await visit();
  const beside = await visit({ headers: { Cookie: onB.cookie! } });
  expect([onB.backend, beside.backend, beside.setCookie.length]).toEqual(['b', 'a', 1]);
});

it('when the backend cannot be reached the cookie names the one that could', async () => {
  const backends = await startBackends('a', 'b');
  const { visit } = await startBalancer(backends, { ...BY_COOKIE, selection: last, failover: { budget: 1 } });
  const onB = await visit();
  await backends.b!.close();
  const moved = await visit({ headers: { Cookie: onB.cookie! } });
  expect([moved.backend, moved.setCookie.length]).toEqual(['a', 1]);
  expect(moved.cookie).not.toBe(onB.cookie);
});

it('with `refuse` no other backend will do: 503 with Retry-After until it is there again', async () => {
  const backends = await startBackends('a', 'b');
  const affinity = { ...BY_COOKIE.affinity, whenGone: 'refuse' } as const;
  const { visit, handshake, balancer, rejections } = await startBalancer(backends, { affinity, selection: last });
  const { cookie } = await visit();
  const headers = { Cookie: cookie! };
  balancer.drainBackend('b');
  const refused = await handshake({ headers });
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
  expect(rejections[0]).toMatchObject({ error: 'NO_BACKEND', message: expect.stringContaining('affinity.whenGone') });
  expect((await visit()).backend).toBe('a');
  balancer.resumeBackend('b');
  expect((await visit({ headers })).backend).toBe('b');
  balancer.removeBackend('b');
  await eventually(() => balancer.backends().length === 2, 'the backend has its clients yet');
  expect((await handshake({ headers })).status).toBe(503);
});

it('with `refuse` a genuine cookie of a backend that nobody knows is refused as well', async () => {
  const affinity = { ...BY_COOKIE.affinity, whenGone: 'refuse' } as const;
  const known = await startBalancer(await startBackends('a', 'gone'), { affinity, selection: last });
  const { cookie } = await known.visit();
  const { handshake } = await startBalancer(await startBackends('a'), { affinity });
  expect((await handshake({ headers: { Cookie: cookie! } })).status).toBe(503);
  expect((await handshake()).status).toBe(101);
});

it('the cookie stands beside one that the application sets', async () => {
  class Setting extends ConnectionReceiver {
    override onUpgradeRequest() {
      return accept({ headers: { 'Set-Cookie': 'own=1' } });
    }
  }
  const { visit } = await startBalancer(await startBackends('a'), { ...BY_COOKIE, receiver: () => new Setting() });
  const { setCookie } = await visit();
  expect(setCookie).toEqual(['own=1', expect.stringMatching(/^tidegate=/)]);
});

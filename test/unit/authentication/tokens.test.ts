/** Owns which JSON Web Tokens are taken, what they say about who a client is, and that no refusal tells what was in one. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JWTPayload } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyConfigInput } from '../../../src/index.js';
import { Tokens } from '../../../src/server/authentication/tokens.js';
import { resolveProxyOptions } from '../../../src/server/config/options.js';
import { inSeconds, SECRET, sign, testKey } from '../../support/tokens.js';

type JwtInput = NonNullable<NonNullable<ProxyConfigInput['authentication']>['jwt']>;

const rsa = testKey('RS256');
const ec = testKey('ES256');
const ed = testKey('EdDSA');

function create(jwt: JwtInput): Tokens {
  return new Tokens(resolveProxyOptions({ authentication: { jwt } }).authentication!.jwt!);
}

async function check(jwt: JwtInput, token: string): Promise<string> {
  const outcome = await create(jwt).check(token);
  if (!('error' in outcome)) return outcome.principal?.name ?? 'nobody';
  for (const part of token.split('.')) if (part !== '') expect(outcome.message).not.toContain(part);
  return `${outcome.error}: ${outcome.message}`;
}

const WRONG = /^INVALID_CREDENTIALS/;

describe('a token', () => {
  it('is taken with each kind of key', async () => {
    expect(await check({ secret: SECRET }, await sign())).toBe('ada');
    for (const key of [rsa, ec, ed]) {
      expect(await check({ key: key.pem }, await sign(key)), key.alg).toBe('ada');
      expect(await check({ key: JSON.stringify(key.jwk()) }, await sign(key)), key.alg).toBe('ada');
    }
    const oct = JSON.stringify({ kty: 'oct', k: Buffer.from(SECRET).toString('base64url') });
    expect(await check({ key: oct }, await sign())).toBe('ada');
  });

  it('is refused with another key of the kind', async () => {
    expect(await check({ secret: `${SECRET}!` }, await sign())).toMatch(WRONG);
    expect(await check({ key: testKey('ES256').pem }, await sign(ec))).toMatch(WRONG);
  });

  it.each([
    ['nothing', ''],
    ['one word', 'hello'],
    ['dots', '..'],
    ['three parts', 'a.b.c'],
    ['a lot', 'x'.repeat(20_000)],
  ])('is refused when it is none: %s', async (_, text) => {
    expect(await check({ secret: SECRET }, text)).toMatch(WRONG);
  });

  it('is refused when it was changed', async () => {
    const [header = '', , signature = ''] = (await sign()).split('.');
    const claims = Buffer.from(JSON.stringify({ sub: 'root', exp: inSeconds(300) })).toString('base64url');
    expect(await check({ secret: SECRET }, `${header}.${claims}.${signature}`)).toMatch(WRONG);
  });

  it('is refused without a signature, whatever its header says', async () => {
    const claims = Buffer.from(JSON.stringify({ sub: 'root', exp: inSeconds(300) })).toString('base64url');
    for (const alg of ['none', 'None', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
      expect(await check({ secret: SECRET }, `${header}.${claims}.`), alg).toMatch(WRONG);
      expect(await check({ key: rsa.pem }, `${header}.${claims}.`), alg).toMatch(WRONG);
    }
  });

  it('is refused when the public key was taken for a shared secret', async () => {
    expect(await check({ key: rsa.pem }, await sign(rsa.pem))).toMatch(WRONG);
    expect(
      await check({ keySet: JSON.stringify({ keys: [rsa.jwk('a')] }) }, await sign(rsa.pem, {}, { kid: 'a' })),
    ).toMatch(WRONG);
  });

  it('is refused with an algorithm that is not among those allowed', async () => {
    const token = await sign(SECRET, {}, { alg: 'HS512' });
    expect(await check({ secret: SECRET }, token)).toBe('ada');
    expect(await check({ secret: SECRET, algorithms: ['HS256'] }, token)).toMatch(WRONG);
    // Allowing more than the key is good for allows nothing more.
    expect(await check({ key: rsa.pem, algorithms: ['HS256', 'RS256'] }, await sign(rsa.pem))).toMatch(WRONG);
  });

  it.each<[string, JWTPayload, JwtInput, string | RegExp]>([
    ['expired', { exp: inSeconds(-60) }, {}, /^CREDENTIALS_EXPIRED/],
    ['expired within the tolerance', { exp: inSeconds(-10) }, {}, 'ada'],
    ['expired beyond a tolerance of none', { exp: inSeconds(-10) }, { clockTolerance: 0 }, /^CREDENTIALS_EXPIRED/],
    ['of later', { nbf: inSeconds(60) }, {}, WRONG],
    ['of a little later', { nbf: inSeconds(10) }, {}, 'ada'],
    ['without an end', { exp: undefined }, {}, WRONG],
    ['without an end, where none is needed', { exp: undefined }, { requiredClaims: [] }, 'ada'],
    ['without a claim that is needed', {}, { requiredClaims: ['exp', 'jti'] }, WRONG],
    ['of the issuer', { iss: 'me' }, { issuer: ['you', 'me'] }, 'ada'],
    ['of another issuer', { iss: 'him' }, { issuer: ['you', 'me'] }, WRONG],
    ['of no issuer', {}, { issuer: ['me'] }, WRONG],
    ['for us', { aud: ['others', 'us'] }, { audience: ['us'] }, 'ada'],
    ['for others', { aud: 'others' }, { audience: ['us'] }, WRONG],
    ['for nobody', {}, { audience: ['us'] }, WRONG],
    ['without a name', { sub: undefined }, {}, WRONG],
    ['with a name that is no text', { sub: undefined, uid: 5 }, { nameClaim: 'uid' }, WRONG],
    ['with a name elsewhere', { email: 'ada@a.example' }, { nameClaim: 'email' }, 'ada@a.example'],
  ])('%s', async (_, claims, options, expected) => {
    const result = await check({ secret: SECRET, ...options }, await sign(SECRET, claims));
    if (typeof expected === 'string') expect(result).toBe(expected);
    else expect(result).toMatch(expected);
  });

  it('gives its claims, tags and end to the principal', async () => {
    const exp = inSeconds(300);
    const claims = { exp, roles: ['a', 5, 'b'], scope: 'read write' };
    const token = await sign(SECRET, claims);
    expect(await create({ secret: SECRET, tagsClaim: 'roles' }).check(token)).toEqual({
      principal: {
        name: 'ada',
        scheme: 'bearer',
        claims: { sub: 'ada', ...claims },
        tags: ['a', 'b'],
        expiresAt: exp * 1000 + 30_000,
      },
    });
    const scoped = await create({ secret: SECRET, tagsClaim: 'scope' }).check(token);
    expect(scoped).toMatchObject({ principal: { tags: ['read', 'write'] } });
  });
});

describe('a set of keys', () => {
  const keySet = JSON.stringify({ keys: [rsa.jwk('one'), ec.jwk('two')] });

  it('is looked through by the id of the key', async () => {
    expect(await check({ keySet }, await sign(ec, {}, { kid: 'two' }))).toBe('ada');
    expect(await check({ keySet }, await sign(ec, {}, { kid: 'three' }))).toMatch(WRONG);
    expect(await check({ keySet }, await sign(ec, {}, { kid: 'one' }))).toMatch(WRONG);
  });

  it('is tried one after the other when a token names no key', async () => {
    const other = testKey('ES256');
    const several = JSON.stringify({ keys: [other.jwk('a'), ec.jwk('b')] });
    expect(await check({ keySet: several }, await sign(ec))).toBe('ada');
    expect(await check({ keySet: several }, await sign(testKey('ES256')))).toMatch(WRONG);
    expect(await check({ keySet: several }, await sign(ec, { exp: inSeconds(-60) }))).toMatch(/^CREDENTIALS_EXPIRED/);
  });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
}

describe('a set of keys at a URL', () => {
  const set = JSON.stringify({ keys: [ec.jwk('a')] });

  it('is fetched once and kept', async () => {
    let fetches = 0;
    const keySetUrl = await serve((_, answer) => {
      fetches += 1;
      answer.end(set);
    });
    const tokens = create({ keySetUrl });
    const token = await sign(ec, {}, { kid: 'a' });
    for (const _ of [1, 2, 3]) expect(await tokens.check(token)).toMatchObject({ principal: { name: 'ada' } });
    // Nor is it asked for again at once for every token with a key that is not in it.
    expect(await tokens.check(await sign(ec, {}, { kid: 'b' }))).toMatchObject({ error: 'INVALID_CREDENTIALS' });
    expect(fetches).toBe(1);
  });

  it.each<[string, RequestListener]>([
    ['is not there', (_, answer) => answer.writeHead(404).end()],
    ['fails', (_, answer) => answer.writeHead(500).end('no')],
    ['redirects', (_, answer) => answer.writeHead(302, { Location: '/elsewhere' }).end()],
    ['is no JSON', (_, answer) => answer.end('<html>')],
    ['is no set', (_, answer) => answer.end('{}')],
    ['breaks off', (request) => request.socket.destroy()],
    ['is too large', (_, answer) => answer.end(Buffer.alloc(2 * 1024 * 1024, ' '))],
  ])('that %s says that nobody can be checked, and not that the token is wrong', async (_, listener) => {
    const keySetUrl = await serve(listener);
    expect(await check({ keySetUrl }, await sign(ec, {}, { kid: 'a' }))).toMatch(/^AUTHENTICATION_UNAVAILABLE/);
  });

  it('that cannot be reached says the same', async () => {
    const keySetUrl = await serve(() => {});
    const port = Number(new URL(keySetUrl).port);
    const gone = keySetUrl.replace(String(port), '1');
    expect(await check({ keySetUrl: gone }, await sign(ec))).toMatch(/^AUTHENTICATION_UNAVAILABLE/);
  });

  it('that does not come is given up when the server stops', async () => {
    let asked: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const tokens = create({ keySetUrl: await serve(() => asked()) });
    const checked = tokens.check(await sign(ec));
    await arrived;
    tokens.close();
    expect(await checked).toMatchObject({ error: 'AUTHENTICATION_UNAVAILABLE' });
  });

  it('is not asked for a token that names no algorithm of public keys', async () => {
    let fetches = 0;
    const keySetUrl = await serve((_, answer) => {
      fetches += 1;
      answer.end(set);
    });
    expect(await check({ keySetUrl }, await sign())).toMatch(WRONG);
    expect(fetches).toBe(0);
  });
});

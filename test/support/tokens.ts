/** Owns keys and tokens for tests, made anew for each run. Refuses to share a line with what checks them, but for the library. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';

/** A shared secret that is long enough. */
export const SECRET = 'a-secret-that-is-shared-by-nobody-else';

/** A pair of keys with what options take of it. */
export interface TestKey {
  readonly alg: string;
  readonly privateKey: KeyObject;
  /** The public key as PEM. */
  readonly pem: string;
  /** The public key as a JWK, with this `kid`. */
  jwk(kid?: string): object;
}

/** Makes a pair of keys for one algorithm. */
export function testKey(alg: 'RS256' | 'ES256' | 'EdDSA'): TestKey {
  const { publicKey, privateKey } = pair(alg);
  return {
    alg,
    privateKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    jwk: (kid) => ({ ...publicKey.export({ format: 'jwk' }), ...(kid === undefined ? {} : { kid }) }),
  };
}

function pair(alg: string): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
}

/** Seconds since the epoch, from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** Signs a token: for `ada`, good for five minutes, unless told otherwise. */
export function sign(
  key: TestKey | string = SECRET,
  claims: JWTPayload = {},
  header: { alg?: string; kid?: string } = {},
): Promise<string> {
  const alg = header.alg ?? (typeof key === 'string' ? 'HS256' : key.alg);
  const payload = { sub: 'ada', exp: inSeconds(300), ...claims };
  const signer = typeof key === 'string' ? new TextEncoder().encode(key) : key.privateKey;
  return new SignJWT(payload).setProtectedHeader({ ...header, alg }).sign(signer);
}

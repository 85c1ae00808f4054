/**
 * Owns the keys that tokens are signed with, as they are written in options: a shared secret, PEM, a JWK, a set of JWKs, and
 * which algorithms each kind of key is good for. Refuses to read files and tokens.
 */
import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** Bytes of the shortest shared secret (RFC 7518 section 3.2: as long as the hash it is used with). */
const MIN_SECRET_BYTES = 32;

/** Signatures that anybody with the public key can check. A set of keys is never good for a shared secret. */
export const ASYMMETRIC: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const SYMMETRIC: readonly string[] = ['HS256', 'HS384', 'HS512'];

/** Every algorithm that can be allowed. `none` is not one. */
export const ALGORITHMS: readonly string[] = [...SYMMETRIC, ...ASYMMETRIC];

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/** Makes the key of a shared secret. @throws Error for one that is too short. */
export function secretKey(secret: string): KeyObject {
  return secretKeyOf(Buffer.from(secret));
}

/**
 * Reads one key: PEM (public key, certificate, or a private key of which the public half is taken) or a JWK.
 *
 * @throws Error that says why it cannot be used, without its text.
 */
export function parseKey(text: string): KeyObject {
  if (!text.trimStart().startsWith('{')) return createPublicKey(text);
  const jwk = parseJson(text) as JsonWebKey;
  if (jwk.kty !== 'oct') return createPublicKey({ key: jwk, format: 'jwk' });
  if (typeof jwk.k !== 'string') throw new Error('the JWK has no `k`');
  return secretKeyOf(Buffer.from(jwk.k, 'base64url'));
}

/** A set of JWKs. */
export interface KeySet {
  readonly keys: readonly JsonWebKey[];
}

/** Reads a set of JWKs, each of them public. @throws Error that says why it cannot be used, without its text. */
export function parseKeySet(text: string): KeySet {
  const set = parseJson(text) as Partial<KeySet> | null;
  const keys = Array.isArray(set?.keys) ? set.keys : [];
  if (keys.length === 0) throw new Error('there is no list `keys` in it, or an empty one');
  if (keys.some((key) => key?.kty === 'oct')) throw new Error('a shared secret (kty `oct`) has no place in a key set');
  return { keys };
}

/** The algorithms that a key is good for, so that a public key is never taken for a shared secret. */
export function algorithmsOf(key: KeyObject): readonly string[] {
  if (key.type === 'secret') return SYMMETRIC;
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return ASYMMETRIC.filter((name) => /^[RP]S/.test(name));
    case 'rsa-pss':
      return ASYMMETRIC.filter((name) => name.startsWith('PS'));
    case 'ec':
      return [CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']].filter((name) => name !== undefined);
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}

function secretKeyOf(bytes: Buffer): KeyObject {
  if (bytes.length < MIN_SECRET_BYTES) throw new Error(`a secret of at least ${MIN_SECRET_BYTES} bytes is needed`);
  return createSecretKey(bytes);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote what it read.
    throw new Error('it is not JSON');
  }
}

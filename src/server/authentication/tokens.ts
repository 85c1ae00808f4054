/**
 * Owns checking JSON Web Tokens (RFC 7519, RFC 8725): the signature with an algorithm that the key is good for, and the claims.
 * Refuses `none`, and to say anything about a token but why it was refused.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { describeError, type Principal } from '../../receivers/index.js';
import type { JwtConfig } from '../config/authentication-tokens.js';
import { type Outcome, unavailable, wrong } from './credentials.js';
import { ASYMMETRIC, algorithmsOf, parseKey, parseKeySet, secretKey } from './jwt-keys.js';
import { fetchDocument } from './key-set-fetch.js';

/** Milliseconds that a key set may take to come, is kept, and is not asked for again when it lacks a key. */
const FETCH = { timeoutDuration: 5000, cacheMaxAge: 600_000, cooldownDuration: 30_000 };

/** The keys could not be had. */
class KeysUnavailable extends Error {}

/** Checks the tokens of one issuer. */
export class Tokens {
  readonly #config: JwtConfig;
  readonly #key: JWTVerifyGetKey;
  readonly #algorithms: string[];
  readonly #closing = new AbortController();

  constructor(config: JwtConfig) {
    this.#config = config;
    const { key, algorithms } = this.#keyOf(config);
    this.#key = key;
    const wanted = config.algorithms;
    this.#algorithms = algorithms.filter((name) => wanted?.includes(name) ?? true);
  }

  /** Gives up what is being fetched. */
  close(): void {
    this.#closing.abort();
  }

  async check(token: string): Promise<Outcome> {
    try {
      return this.#principalOf(await this.#verify(token));
    } catch (error) {
      if (error instanceof KeysUnavailable) return unavailable(`the keys cannot be had: ${error.message}`);
      if (error instanceof errors.JWTExpired) return wrong('the token has expired', 'CREDENTIALS_EXPIRED');
      // Never the words of the token itself: these messages name a claim or an algorithm at most.
      if (error instanceof errors.JWTClaimValidationFailed) return wrong(`the token has a wrong claim ${error.claim}`);
      return wrong(error instanceof errors.JOSEError ? `the token is refused (${error.code})` : 'the token is refused');
    }
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { issuer, audience, clockTolerance, requiredClaims } = this.#config;
    const options = {
      algorithms: this.#algorithms,
      issuer,
      audience,
      clockTolerance: clockTolerance / 1000,
      requiredClaims,
    };
    try {
      return (await jwtVerify(token, this.#key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // No `kid` in the token: one of the keys may be the one.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (problem) {
          if (!(problem instanceof errors.JWSSignatureVerificationFailed)) throw problem;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  #principalOf(claims: JWTPayload): Outcome {
    const { nameClaim, tagsClaim, clockTolerance } = this.#config;
    const name = claims[nameClaim];
    if (typeof name !== 'string' || name === '') return wrong(`the token has no text in the claim ${nameClaim}`);
    const principal: Principal = {
      name,
      scheme: 'bearer',
      claims,
      tags: tagsClaim === undefined ? undefined : tagsIn(claims[tagsClaim]),
      // As long as a new connection would be let in with it.
      expiresAt: claims.exp === undefined ? undefined : claims.exp * 1000 + clockTolerance,
    };
    return { principal };
  }

  #keyOf({ secret, key, keySet, keySetUrl }: JwtConfig): { key: JWTVerifyGetKey; algorithms: readonly string[] } {
    if (keySet !== undefined) {
      // The set was checked when the options were.
      const set = parseKeySet(keySet) as unknown as JSONWebKeySet;
      return { key: createLocalJWKSet(set), algorithms: ASYMMETRIC };
    }
    if (keySetUrl !== undefined) return { key: this.#remote(keySetUrl), algorithms: ASYMMETRIC };
    const own = secret === undefined ? parseKey(key ?? '') : secretKey(secret);
    return { key: async () => own, algorithms: algorithmsOf(own) };
  }

  #remote(url: string): JWTVerifyGetKey {
    const closing = this.#closing.signal;
    const keys = createRemoteJWKSet(new URL(url), {
      ...FETCH,
      [customFetch]: (asked, { signal }) => fetchDocument(asked, AbortSignal.any([signal, closing])),
    });
    return async (header, token) => {
      try {
        return await keys(header, token);
      } catch (error) {
        const aboutTheToken =
          error instanceof errors.JWKSNoMatchingKey ||
          error instanceof errors.JWKSMultipleMatchingKeys ||
          error instanceof errors.JOSENotSupported;
        throw aboutTheToken ? error : new KeysUnavailable(describeError(error), { cause: error });
      }
    };
  }
}

function tagsIn(claim: unknown): readonly string[] | undefined {
  if (typeof claim === 'string') return claim.split(' ').filter((tag) => tag !== '');
  return Array.isArray(claim) ? claim.filter((tag) => typeof tag === 'string') : undefined;
}

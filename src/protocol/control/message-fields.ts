/** Owns what the fields of control messages may hold. Refuses to know which message has which. */
import { z } from 'zod';

/** What the id of a backend is made of. */
export const BACKEND_ID = /^[A-Za-z0-9._:@-]{1,128}$/;

/** What is said of another one. */
export const BACKEND_ID_ERROR = "expected 1 to 128 letters, digits or '-', '_', '.', ':', '@'";

const NONCE_ERROR = 'expected 16 to 96 random bytes as base64url';
const PROOF_ERROR = 'expected HMAC-SHA-256 as base64url without padding: 43 characters';
const BINDINGS_ERROR = 'expected a list of 1 to 16 addresses, such as ["ws://10.0.0.7:9000"]';
const BINDING_ERROR = 'expected an address of at most 2048 characters without spaces and line feeds';
const WEIGHT_ERROR = 'expected a number above 0, at most 1000';
const COUNT_ERROR = 'expected a whole number from 0 to 1000000000';
const TAGS_ERROR = 'expected a list of at most 64 words of 1 to 128 characters';

/** Random bytes that are used once. */
export const nonce = z.string({ error: NONCE_ERROR }).regex(/^[A-Za-z0-9_-]{22,128}$/, { error: NONCE_ERROR });

/** A proof by a token. */
export const proof = z.string({ error: PROOF_ERROR }).regex(/^[A-Za-z0-9_-]{43}$/, { error: PROOF_ERROR });

/** Where a backend is reached. What the addresses mean is judged elsewhere. */
export const bindings = z
  .array(z.string({ error: BINDING_ERROR }).regex(/^[\x21-\x7e]{1,2048}$/, { error: BINDING_ERROR }), {
    error: BINDINGS_ERROR,
  })
  .min(1, { error: BINDINGS_ERROR })
  .max(16, { error: BINDINGS_ERROR });

/** The share of a backend. */
export const weight = z
  .number({ error: WEIGHT_ERROR })
  .gt(0, { error: WEIGHT_ERROR })
  .max(1000, { error: WEIGHT_ERROR });

/** A number of connections, or of something else. */
export const count = z
  .int({ error: COUNT_ERROR })
  .min(0, { error: COUNT_ERROR })
  .max(1_000_000_000, { error: COUNT_ERROR });

/** How many connections a backend takes. */
export const capacity = count;

/** Words for policies. */
export const tags = z
  .array(z.string({ error: TAGS_ERROR }).min(1, { error: TAGS_ERROR }).max(128, { error: TAGS_ERROR }), {
    error: TAGS_ERROR,
  })
  .max(64, { error: TAGS_ERROR });

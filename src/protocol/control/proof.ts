/**
 * Owns the proofs by which a backend and a balancer show each other that they know the same token, without saying it. Refuses to make
 * nonces, and to know which tokens there are.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CONTROL_SUBPROTOCOL } from './messages.js';

/** What a proof is for. None of it may hold a line feed; what is read from the wire cannot. */
export interface ProofParts {
  /** `balancer` of the challenge. */
  readonly balancer: string;
  /** `nonce` of the challenge. */
  readonly challenge: string;
  /** `nonce` of the registration. */
  readonly nonce: string;
  /** `id` of the registration. */
  readonly id: string;
  /** `bindings` of the registration, so that nobody on the way can change where clients are sent. */
  readonly bindings: readonly string[];
}

/** Who proves something. The two differ, so that neither can be answered with its own words. */
export type Prover = 'backend' | 'balancer';

/** What is signed: the protocol and who proves, then each part on a line of its own, the bindings last. No line feed at the end. */
export function proofText(prover: Prover, { balancer, challenge, nonce, id, bindings }: ProofParts): string {
  return [`${CONTROL_SUBPROTOCOL} ${prover}`, balancer, challenge, nonce, id, ...bindings].join('\n');
}

/** HMAC-SHA-256 of the text above (RFC 2104), keyed by the token as UTF-8; base64url without padding: 43 characters. */
export function makeProof(token: string, prover: Prover, parts: ProofParts): string {
  return createHmac('sha256', token).update(proofText(prover, parts)).digest('base64url');
}

/** The token that a proof was made with, if it is one of these. Takes as long for every wrong proof. */
export function provenToken(
  tokens: readonly string[],
  prover: Prover,
  parts: ProofParts,
  proof: string,
): string | undefined {
  const given = Buffer.from(proof, 'latin1');
  let proven: string | undefined;
  for (const token of tokens) {
    const expected = Buffer.from(makeProof(token, prover, parts), 'latin1');
    if (expected.length === given.length && timingSafeEqual(expected, given)) proven ??= token;
  }
  return proven;
}

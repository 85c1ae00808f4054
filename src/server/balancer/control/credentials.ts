/** Owns whether a backend may register: by a token it knows, or by its client certificate. Refuses to keep count of wrong ones. */
import type { Register } from '../../../protocol/control/messages.js';
import { makeProof, type ProofParts, provenToken } from '../../../protocol/control/proof.js';
import type { TlsFacts } from '../../../receivers/index.js';

/** Who may register. */
export interface CredentialOptions {
  readonly tokens: readonly string[];
  /** Names of certificates that may; undefined for any. */
  readonly certificateNames?: readonly string[] | undefined;
}

/** It may, with the balancer's own proof where there is a token; or why not. */
export type Credited = { readonly proof: string | undefined } | { readonly fault: string };

/** Judges one registration. */
export function judgeCredentials(
  { tokens, certificateNames }: CredentialOptions,
  register: Register,
  challenge: Pick<ProofParts, 'balancer' | 'challenge'>,
  tls: TlsFacts | undefined,
): Credited {
  if (tokens.length === 0) return judgeCertificate(tls, certificateNames);
  if (register.proof === undefined) return { fault: 'a proof by a token is needed, and there is none' };
  const { id, nonce, bindings } = register;
  const parts = { ...challenge, id, nonce, bindings };
  const token = provenToken(tokens, 'backend', parts, register.proof);
  if (token === undefined) return { fault: 'the proof is of no token that is known here, or of another registration' };
  return { proof: makeProof(token, 'balancer', parts) };
}

function judgeCertificate(tls: TlsFacts | undefined, names: readonly string[] | undefined): Credited {
  if (tls?.authorized !== true) return { fault: 'a client certificate that verifies is needed, and there is none' };
  if (names === undefined) return { proof: undefined };
  const { commonName, subjectAltNames } = tls.peerCertificate ?? { commonName: undefined, subjectAltNames: [] };
  const own = [commonName, ...subjectAltNames.map((name) => name.replace(/^[^:]*:/, ''))];
  if (own.some((name) => name !== undefined && names.includes(name))) return { proof: undefined };
  return { fault: `the client certificate of ${JSON.stringify(commonName ?? '')} may not register` };
}

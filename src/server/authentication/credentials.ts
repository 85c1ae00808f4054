/** Owns the shapes of what a client showed, and of what came of checking it. Refuses to check anything. */
import type { ErrorCode, Principal } from '../../receivers/index.js';

/** A user name and a password, as `onAuthentication` gets them. Secret: not for a log. */
export interface PasswordCredentials {
  /** How they came: `basic`, or `url` when they stood in the URL. */
  readonly scheme: 'basic' | 'url';
  readonly user: string;
  readonly password: string;
}

/** What a client showed. */
export type Credentials =
  | ({ readonly kind: 'password' } & PasswordCredentials)
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'certificate'; readonly principal: Principal }
  | { readonly kind: 'unknown'; readonly scheme: string; readonly data: string }
  | { readonly kind: 'malformed'; readonly message: string };

/** Why a client was not let in. Its message holds no secret. */
export interface Failure {
  readonly error: ErrorCode;
  readonly message: string;
  /** Whether it was the client's credentials that were wrong, and not just missing or impossible to check. */
  readonly offence: boolean;
}

/** Who a client is; no principal for one that may stay anonymous. */
export type Outcome = { readonly principal: Principal | undefined } | Failure;

/** Says that what was shown is wrong. */
export function wrong(message: string, error: ErrorCode = 'INVALID_CREDENTIALS'): Failure {
  return { error, message, offence: true };
}

/** Says that nothing can be checked now. */
export function unavailable(message: string): Failure {
  return { error: 'AUTHENTICATION_UNAVAILABLE', message, offence: false };
}

/** Owns how much each offence weighs on the scale of `admission.bans.threshold`. Refuses to keep scores. */
import type { ErrorCode } from '../../receivers/index.js';

/** What adds to the score of an address. */
export const OFFENCES = {
  /** A malformed handshake. */
  badHandshake: 1,
  /** A frame or message against the protocol, or larger than it may be. */
  brokenRule: 1,
  /** A wrong password, or a token that is no good. Not a request without any: browsers begin with one. */
  failedAuthentication: 5,
  /** More messages or frames than the limits allow, for so long that the connection was closed. */
  flood: 20,
  /** A connection beyond `admission.rate`: whoever goes on at many times of it. */
  tooFast: 0.1,
} as const;

/** What a refusal or violation weighs by its code. Authentication and floods report their own: not every 401 is an offence. */
export const WEIGHTS: Readonly<Partial<Record<ErrorCode, number>>> = {
  BAD_HANDSHAKE: OFFENCES.badHandshake,
  UNKNOWN_PROTOCOL: OFFENCES.badHandshake,
  HANDSHAKE_TOO_BIG: OFFENCES.badHandshake,
  HANDSHAKE_TIMEOUT: OFFENCES.badHandshake,
  BAD_PROXY_HEADER: OFFENCES.badHandshake,
  RATE_LIMITED: OFFENCES.tooFast,
  PROTOCOL_ERROR: OFFENCES.brokenRule,
  INVALID_UTF8: OFFENCES.brokenRule,
  INVALID_DEFLATE: OFFENCES.brokenRule,
  MESSAGE_TOO_BIG: OFFENCES.brokenRule,
  TOO_MANY_FRAGMENTS: OFFENCES.brokenRule,
};

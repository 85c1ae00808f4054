/** Owns how much each offence weighs on the scale of `admission.bans.threshold`. Refuses to keep scores. */
import type { ErrorCode } from '../../receivers/index.js';

/** What adds to the score of an address. */
export const OFFENCES = {
  /** A malformed handshake. */
  badHandshake: 1,
  /** A frame or message against the protocol. */
  brokenRule: 1,
  /** A message that is larger than it may be, which may be an honest mistake of many behind one address. */
  tooBig: 0.2,
  /** A wrong password, or a token that is no good. Not a request without any: browsers begin with one. */
  failedAuthentication: 5,
  /** More messages or frames than the limits allow, for so long that the connection was closed. */
  flood: 20,
  /** A connection beyond `admission.rate`: whoever goes on at many times of it. */
  tooFast: 0.1,
} as const;

type Weights = Readonly<Partial<Record<ErrorCode, number>>>;

/** What a refusal before the 101 weighs by its code. Authentication reports its own, since not every 401 is an offence. */
export const REFUSAL_WEIGHTS: Weights = {
  BAD_HANDSHAKE: OFFENCES.badHandshake,
  BAD_REQUEST: OFFENCES.badHandshake,
  UNKNOWN_PROTOCOL: OFFENCES.badHandshake,
  HANDSHAKE_TOO_BIG: OFFENCES.badHandshake,
  HANDSHAKE_TIMEOUT: OFFENCES.badHandshake,
  BAD_PROXY_HEADER: OFFENCES.badHandshake,
  RATE_LIMITED: OFFENCES.tooFast,
};

/** What breaking a rule weighs once a connection is open. Floods report their own; what a policy denies is its own affair. */
export const VIOLATION_WEIGHTS: Weights = {
  PROTOCOL_ERROR: OFFENCES.brokenRule,
  INVALID_UTF8: OFFENCES.brokenRule,
  INVALID_DEFLATE: OFFENCES.brokenRule,
  TOO_MANY_FRAGMENTS: OFFENCES.brokenRule,
  MESSAGE_TOO_BIG: OFFENCES.tooBig,
};

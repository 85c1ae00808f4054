/**
 * Owns the numbers of RFC 6455 section 7.4 as two types: what an endpoint may send and what may be reported about an
 * ending. Refuses to know frames or sockets.
 */

/** The close codes with a standard name that an endpoint may put on the wire (RFC 6455 section 7.4.1 and the IANA registry). */
export const CloseCode = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  UnsupportedData: 1003,
  InvalidPayload: 1007,
  PolicyViolation: 1008,
  MessageTooBig: 1009,
  MandatoryExtension: 1010,
  InternalError: 1011,
  ServiceRestart: 1012,
  TryAgainLater: 1013,
  BadGateway: 1014,
} as const;

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type NumberFrom<Text> = Text extends `${infer Value extends number}` ? Value : never;

/** A code of a library or an application: 3000 to 4999 (RFC 6455 section 7.4.2). */
export type PrivateCloseCode = NumberFrom<`${3 | 4}${Digit}${Digit}${Digit}`>;

/** A code that may be sent in a Close frame: 1000-1003, 1007-1014, 3000-4999. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode] | PrivateCloseCode;

/** The codes that only describe an ending and never travel (RFC 6455 section 7.4.1). */
export const CloseIndicator = {
  /** The peer's Close frame carried no code. */
  NoStatus: 1005,
  /** The connection ended without a Close frame. */
  Abnormal: 1006,
  /** The TLS handshake failed. */
  TlsFailed: 1015,
} as const;

/** A code that may be reported about an ending: every {@link CloseCode}, and 1005, 1006 and 1015. */
export type CloseStatus = CloseCode | (typeof CloseIndicator)[keyof typeof CloseIndicator];

/** The largest close reason, in bytes of UTF-8: a control frame holds 125 and the code takes two (RFC 6455 section 5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;

/** Tells whether a number may be sent in a Close frame. */
export function isCloseCode(value: number): value is CloseCode {
  if (!Number.isInteger(value)) return false;
  if (value >= 3000 && value <= 4999) return true;
  return (value >= 1000 && value <= 1003) || (value >= 1007 && value <= 1014);
}

/** Tells whether a number may be reported as the status of an ending. */
export function isCloseStatus(value: number): value is CloseStatus {
  return value === 1005 || value === 1006 || value === 1015 || isCloseCode(value);
}

const NAMES = new Map<number, string>(
  [...Object.entries(CloseCode), ...Object.entries(CloseIndicator)].map(([name, code]) => [code, name]),
);

/** The standard name of a close status, such as `GoingAway`; `Registered` for 3000-3999, `Private` for 4000-4999. */
export function closeStatusName(status: CloseStatus): string {
  return NAMES.get(status) ?? (status < 4000 ? 'Registered' : 'Private');
}

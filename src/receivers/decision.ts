/** Owns the answers to an upgrade request and what makes them valid. Refuses to send them. */
import type { RateLimits } from './connection.js';
import { TidegateError } from './errors.js';

/** Extra header fields of an answer. A list sends the field more than once. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** TLS towards the target of one connection, where it is to differ from the option `upstreamTls`. What is left out is as there. */
export interface UpstreamTlsOptions {
  /** Certificate authorities to trust, as PEM. */
  readonly ca?: string | readonly string[];
  /** Our certificate with its chain, as PEM. */
  readonly cert?: string;
  /** The key of `cert`, as PEM. */
  readonly key?: string;
  /** Key and certificate in one, as PKCS #12, in place of `key` and `cert`. */
  readonly pfx?: Uint8Array;
  /** What `key` or `pfx` is encrypted with. */
  readonly passphrase?: string;
  /** The name to ask for and to verify, when it is not the host of the target. */
  readonly servername?: string;
  /** Whether a target with an invalid certificate is refused. */
  readonly rejectUnauthorized?: boolean;
}

/** What {@link accept} may set. */
export interface AcceptOptions {
  /** Where this connection goes instead of the server's `target`: `ws:`, `wss:`, `tcp:`, `tls:` or `unix:`. The option `targets` says where it may. Null: nowhere, the receiver itself is who the client talks to. */
  readonly target?: string | null;
  /** TLS towards a `wss:` or `tls:` target. Connections share certificates and sessions as long as this is the same object. */
  readonly upstreamTls?: UpstreamTlsOptions;
  /** The subprotocol to answer with. It must be one that the client offered. */
  readonly subprotocol?: string;
  /** Header fields added to the 101. */
  readonly headers?: HeaderFields;
  /** How fast this connection may be; what is left out is as the option `throttle` says. */
  readonly throttle?: RateLimits;
  /** Whether this connection is recorded, where `recording.directory` is set. Left out: as `recording.rules` say. */
  readonly record?: boolean;
}

/** What {@link reject} may set. */
export interface RejectOptions {
  /** Header fields added to the answer, such as `WWW-Authenticate` or `Retry-After`. */
  readonly headers?: HeaderFields;
  /** The body, sent as `text/plain` unless a `Content-Type` is given. Default: one line that names the status. */
  readonly body?: string;
}

/** The answer 101. */
export interface Acceptance extends AcceptOptions {
  readonly kind: 'accept';
}

/** Any other answer. */
export interface Rejection extends RejectOptions {
  readonly kind: 'reject';
  readonly status: number;
}

/** A decided upgrade request. */
export type UpgradeDecision = Acceptance | Rejection;

/** What `onUpgradeRequest` may return: `true` or nothing accepts, `false` rejects with 403 (as in mare). */
export type UpgradeAnswer = UpgradeDecision | boolean | undefined | void;

/**
 * Accepts an upgrade request (IPWorks WebSocketOpenRequest: SubProtocols, ResponseHeaders, ForwardHost, ForwardPort).
 *
 * @throws TidegateError `INVALID_HEADER` when a name or value holds CR, LF or another character HTTP does not allow.
 */
export function accept(options: AcceptOptions = {}): Acceptance {
  assertHeaderFields(options.headers);
  if (options.subprotocol !== undefined) assertHeaderField('Sec-WebSocket-Protocol', options.subprotocol);
  return { kind: 'accept', ...options };
}

/**
 * Rejects an upgrade request with an HTTP status (IPWorks WebSocketOpenRequest: StatusCode).
 *
 * @param status 200 to 599; default 403.
 * @throws TidegateError `INVALID_STATUS` for another status, `INVALID_HEADER` for a header HTTP does not allow.
 */
export function reject(status = 403, options: RejectOptions = {}): Rejection {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TidegateError('INVALID_STATUS', `reject(${String(status)}): the status must be from 200 to 599`);
  }
  assertHeaderFields(options.headers);
  return { kind: 'reject', status, ...options };
}

// RFC 9110 section 5.6.2 (token) and section 5.5 (field values: no controls but the tab).
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Throws `INVALID_HEADER` unless every field can be sent as it is. */
export function assertHeaderFields(headers: HeaderFields | undefined): void {
  if (headers === undefined) return;
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) assertHeaderField(name, one);
  }
}

/** Throws `INVALID_HEADER` unless the field can be sent as it is. */
export function assertHeaderField(name: string, value: string): void {
  if (!TOKEN.test(name)) {
    throw new TidegateError(
      'INVALID_HEADER',
      `the header name ${JSON.stringify(name)} holds a character that HTTP does not allow`,
    );
  }
  if (typeof value !== 'string' || FORBIDDEN_IN_VALUE.test(value)) {
    throw new TidegateError(
      'INVALID_HEADER',
      `the value ${JSON.stringify(value)} of header ${name} holds a character that HTTP does not allow, such as CR or LF`,
    );
  }
}

/**
 * Owns the one table of error codes: whose mistake each is, what a client sees before and after the 101, and one line of help.
 */
import { ADMIN_ERRORS } from './admin-errors.js';
import { BALANCER_ERRORS } from './balancer-errors.js';
import { DASHBOARD_ERRORS } from './dashboard-errors.js';
import type { ErrorEntry } from './error-entry.js';
import { INSPECTION_ERRORS } from './inspection-errors.js';
import { PLAIN_REQUEST_ERRORS } from './plain-request-errors.js';
import { RECORDING_ERRORS } from './recording-errors.js';

export type { ErrorEntry } from './error-entry.js';

/** Every error code Tidegate uses. Match on `error.code`; the texts may change. */
export const ERRORS = {
  INVALID_OPTION: {
    whose: 'operator',
    help: 'An option has a value it cannot take; the message names the option, the value and what would be right.',
  },
  INVALID_CONFIG: {
    whose: 'operator',
    help: 'The configuration file cannot be used; run `tidegate check --config FILE` for every problem with its line.',
  },
  INVALID_HEADER: {
    whose: 'application',
    status: 500,
    help: 'A header name or value holds a character that HTTP does not allow, such as CR or LF.',
  },
  INVALID_STATUS: { whose: 'application', status: 500, help: 'A rejection takes an HTTP status from 200 to 599.' },
  INVALID_CLOSE_CODE: {
    whose: 'application',
    help: 'A Close frame may carry 1000-1003, 1007-1014 or 3000-4999; 1005, 1006 and 1015 are only reported.',
  },
  INVALID_MESSAGE: {
    whose: 'application',
    help: 'A message is a string or a Uint8Array; a ping payload has at most 125 bytes.',
  },
  INVALID_DECISION: {
    whose: 'application',
    status: 500,
    help: 'onUpgradeRequest answers with accept(), reject(), true, false or nothing.',
  },
  INVALID_TARGET: {
    whose: 'operator',
    status: 500,
    help: 'A target is ws://host:port/path, wss://…, tcp://host:port, tls://host:port or unix:/path.',
  },
  SUBPROTOCOL_NOT_OFFERED: {
    whose: 'application',
    status: 500,
    help: 'Only a subprotocol that the client offered can be chosen (RFC 6455 section 4.2.2).',
  },
  NO_TARGET: {
    whose: 'operator',
    status: 500,
    help: 'A proxy needs a target: set `target`, or answer accept({ target }).',
  },
  ALREADY_STARTED: { whose: 'application', help: 'The server is running; await stop() first, or use restart().' },
  ADDRESS_IN_USE: {
    whose: 'operator',
    help: 'Another process listens on that address; choose another port, or 0 for any free one.',
  },
  LISTEN_FAILED: { whose: 'operator', help: 'The listener could not be opened; the cause says why.' },
  LISTENER_LOST: {
    whose: 'network',
    help: 'A listener died or does not answer. `watchdog` says how often it is opened again before it is given up.',
  },
  IO_UNAVAILABLE: {
    whose: 'operator',
    help: 'The fast socket layer needs socket handles that this Node.js or system does not give; `io: auto` falls back by itself.',
  },
  BAD_HANDSHAKE: {
    whose: 'downstream',
    status: 400,
    help: 'The request is not a valid WebSocket handshake (RFC 6455 section 4.1).',
  },
  ...PLAIN_REQUEST_ERRORS,
  ...RECORDING_ERRORS,
  NOT_AN_UPGRADE: {
    whose: 'downstream',
    status: 426,
    help: 'This port speaks WebSocket; connect with a WebSocket client.',
  },
  WRONG_VERSION: {
    whose: 'downstream',
    status: 426,
    help: 'Only version 13 of the protocol is spoken (RFC 6455 section 4.4).',
  },
  HANDSHAKE_TOO_BIG: {
    whose: 'downstream',
    status: 431,
    help: 'The handshake has larger headers than `limits.maxHandshakeBytes` or more than `limits.maxHeaderCount` allows.',
  },
  HANDSHAKE_TIMEOUT: {
    whose: 'downstream',
    status: 408,
    help: 'The handshake did not arrive within `timeouts.handshake`.',
  },
  DECISION_TIMEOUT: {
    whose: 'application',
    status: 503,
    help: 'onUpgradeRequest, or `onBeforeBinding`, did not answer within `timeouts.handshake`.',
  },
  ADDRESS_DENIED: {
    whose: 'downstream',
    status: 403,
    close: 1008,
    help: 'This address may not connect here: `admission.deny` has it, or `admission.allow` has others.',
  },
  ADDRESS_BANNED: {
    whose: 'downstream',
    status: 403,
    close: 1008,
    help: 'This address failed or flooded too often and is kept out for a while (`admission.bans`); `server.unban()` lets it in.',
  },
  TOO_MANY_CONNECTIONS: {
    whose: 'downstream',
    status: 503,
    close: 1013,
    help: 'This address or user has as many connections as it may have; close one, or try again later.',
  },
  RATE_LIMITED: {
    whose: 'downstream',
    status: 429,
    close: 1008,
    help: 'There were more connections (`admission.rate`) or messages in a short time than the limits allow; slow down.',
  },
  POLICY_DENIED: {
    whose: 'application',
    status: 403,
    close: 1008,
    help: 'One of `policies`, or the hook `onTcpConnect`, turned it away.',
  },
  ORIGIN_DENIED: {
    whose: 'downstream',
    status: 403,
    help: 'A page of this origin may not connect here; `origins` names those that may (see the guide to authentication for its default).',
  },
  UNKNOWN_CONNECTION: {
    whose: 'operator',
    status: 404,
    help: 'There is no connection with that id, or no more; `connections` lists those there are.',
  },
  UNKNOWN_PROTOCOL: {
    whose: 'downstream',
    status: 400,
    help: 'The first bytes are neither HTTP nor TLS; `onUnknownProtocol` or `protocol` of a listener takes such clients.',
  },
  BAD_PROXY_HEADER: {
    whose: 'downstream',
    status: 400,
    help: 'A PROXY protocol header was missing or malformed, or not from one of `trustedProxies`; see `proxyProtocol`.',
  },
  UNAUTHENTICATED: {
    whose: 'downstream',
    status: 401,
    close: 1008,
    help: 'The client has to say who it is; the answer names the ways to do so.',
  },
  INVALID_CREDENTIALS: {
    whose: 'downstream',
    status: 401,
    close: 1008,
    help: 'What the client showed is wrong, malformed or expired.',
  },
  CREDENTIALS_EXPIRED: {
    whose: 'downstream',
    status: 401,
    close: 1008,
    help: 'The token that let the client in has expired; connect again with a new one.',
  },
  AUTHENTICATION_TIMEOUT: {
    whose: 'downstream',
    status: 408,
    close: 1008,
    help: 'The client did not say who it is within `authentication.timeout`.',
  },
  AUTHENTICATION_UNAVAILABLE: {
    whose: 'operator',
    status: 503,
    close: 1013,
    help: 'Nobody can be authenticated now: keys could not be fetched, a hook failed, or too many wait. The log says which.',
  },
  TARGET_DENIED: {
    whose: 'operator',
    status: 403,
    close: 1008,
    help: 'The target chosen for this connection, or an address of it, is not one that `targets` allows.',
  },
  SUBPROTOCOL_REQUIRED: { whose: 'downstream', status: 400, help: 'None of the offered subprotocols is served here.' },
  REJECTED: { whose: 'application', status: 403, help: 'The application refused the upgrade.' },
  DOWNSTREAM_GONE: { whose: 'downstream', help: 'The client left before the handshake was answered.' },
  CAPACITY_REACHED: {
    whose: 'us',
    status: 503,
    close: 1013,
    help: 'There are as many connections as `limits.maxConnections` or `maxPendingHandshakes` allows; try again later.',
  },
  SHUTTING_DOWN: { whose: 'us', status: 503, close: 1001, help: 'The server is stopping; connect again later.' },
  RECEIVER_FAILED: {
    whose: 'application',
    status: 500,
    close: 1011,
    help: 'A callback of the receiver threw or rejected; the cause is its error.',
  },
  HOOK_FAILED: {
    whose: 'application',
    status: 500,
    close: 1011,
    help: 'A hook of the options threw, rejected, or gave something that cannot be used; the message says which.',
  },
  ...BALANCER_ERRORS,
  ...ADMIN_ERRORS,
  ...DASHBOARD_ERRORS,
  ...INSPECTION_ERRORS,
  NOT_RUNNING: { whose: 'application', status: 503, help: 'That needs a server that runs; await start() first.' },
  UPSTREAM_REFUSED: {
    whose: 'upstream',
    status: 502,
    close: 1014,
    help: 'The target refused the connection or reset it; is it running, and is the address right?',
  },
  UPSTREAM_NOT_FOUND: {
    whose: 'operator',
    status: 502,
    close: 1014,
    help: 'The name of the target does not resolve, or the socket file does not exist.',
  },
  UPSTREAM_TIMEOUT: {
    whose: 'upstream',
    status: 504,
    close: 1014,
    help: 'The target, or the proxy before it, did not answer within `timeouts.dial`.',
  },
  UPSTREAM_TLS_FAILED: {
    whose: 'upstream',
    status: 502,
    close: 1014,
    help: 'TLS with the target failed; its certificate must be valid for its name.',
  },
  UPSTREAM_PROXY_FAILED: {
    whose: 'upstream',
    status: 502,
    close: 1014,
    help: 'The proxy of `dialThrough` could not be reached, or it refused; the message says what it answered.',
  },
  UPSTREAM_REJECTED: {
    whose: 'upstream',
    status: 502,
    close: 1014,
    help: 'The target answered the handshake with another status than 101; the client got that answer.',
  },
  UPSTREAM_BAD_HANDSHAKE: {
    whose: 'upstream',
    status: 502,
    close: 1014,
    help: 'The target answered 101, but not as RFC 6455 section 4.1 asks.',
  },
  UPSTREAM_LOST: {
    whose: 'upstream',
    status: 502,
    close: 1011,
    help: 'The connection to the target broke without a Close frame.',
  },
  PROTOCOL_ERROR: {
    whose: 'downstream',
    status: 400,
    close: 1002,
    help: 'A frame broke RFC 6455; the message says which rule.',
  },
  INVALID_UTF8: { whose: 'downstream', close: 1007, help: 'A text message is not UTF-8 (RFC 6455 section 8.1).' },
  INVALID_DEFLATE: { whose: 'downstream', close: 1007, help: 'A compressed message does not inflate (RFC 7692).' },
  MESSAGE_TOO_BIG: { whose: 'downstream', close: 1009, help: 'A message is larger than `limits.maxMessageBytes`.' },
  TOO_MANY_FRAGMENTS: {
    whose: 'downstream',
    close: 1008,
    help: 'A message has more fragments than `limits.maxFragments`.',
  },
  SEND_OVERFLOW: {
    whose: 'downstream',
    close: 1008,
    help: 'More was sent to the client than may wait for it, and `overflow` says to close then.',
  },
  OVERLOADED: {
    whose: 'us',
    status: 503,
    close: 1013,
    help: 'The connections of this server hold as much memory as they may; the slowest are let go.',
  },
  WRITE_STALLED: {
    whose: 'downstream',
    close: 1008,
    help: 'The peer read nothing for `timeouts.writeStall` while data waited for it.',
  },
  IDLE_TIMEOUT: { whose: 'downstream', close: 1001, help: 'Nothing was sent or received for `timeouts.idle`.' },
  LIFETIME_EXCEEDED: { whose: 'us', close: 1001, help: 'The connection was open for `timeouts.lifetime`.' },
  HEARTBEAT_LOST: {
    whose: 'network',
    help: 'The peer answered no ping; the connection was terminated and is reported as 1006.',
  },
  CONNECTION_RESET: { whose: 'network', help: 'The connection broke without a Close frame; it is reported as 1006.' },
} as const satisfies Record<string, ErrorEntry>;

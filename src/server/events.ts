/** Owns the server-wide events and their shapes. Refuses to decide anything: decisions are hooks and callbacks. */
import type { CloseReport, Connection, ErrorCode, TidegateError } from '../receivers/index.js';
import type { BoundAddress } from './listener/listen-address.js';

/** A handshake that was answered with anything but 101. */
export interface RejectedUpgrade {
  readonly error: ErrorCode;
  /** The HTTP status of the answer; 101 when the client had that already, and was refused with a Close frame. */
  readonly status: number;
  readonly message: string;
  readonly remoteAddress: string | undefined;
  /** Undefined when the request was not understood. */
  readonly path: string | undefined;
}

/** The events of a server, by name, with what a listener gets. A listener that throws is reported as `exception`. */
export interface ServerEvents {
  /** Every listener is bound. */
  startup: [addresses: readonly BoundAddress[]];
  /** Everything is stopped. */
  shutdown: [];
  /** A connection is open; just before its `onOpen`. */
  connection: [connection: Connection];
  /** A handshake was refused. */
  rejected: [rejected: RejectedUpgrade];
  /** A connection is closed; right after its `onClosed` was called. */
  disconnected: [connection: Connection, report: CloseReport];
  /**
   * The credentials of a connection expire at `expiresAt`, `authentication.expiryWarning` from now; then it is closed, unless it is
   * renewed with `connection.renew`.
   */
  expiring: [connection: Connection, expiresAt: Date];
  /** A listener failed after it was bound. Unlike with other emitters, nothing is thrown when nobody listens. */
  error: [error: TidegateError];
  /** A callback of a receiver or a listener of an event threw or rejected. */
  exception: [error: unknown, connection: Connection | undefined];
}

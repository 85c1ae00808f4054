/** Owns the server-wide events and their shapes. Refuses to decide anything: decisions are hooks and callbacks. */
import type { CloseReport, Connection, ErrorCode, TidegateError } from '../receivers/index.js';
import type { Ban } from './admission/bans.js';
import type { BoundAddress } from './listener/listen-address.js';
import type { RecordingReport } from './recording/recording-report.js';
import type { CertificateReport } from './tls/server-certificates.js';
import type { LostListener, RestoredListener } from './watchdog/watchdog-hooks.js';

/** A connection or handshake that was turned away: cut at once, or answered with anything but 101. */
export interface RejectedUpgrade {
  readonly error: ErrorCode;
  /**
   * The HTTP status of the answer; 101 when the client had that already, and was refused with a Close frame; of one that was cut without
   * an answer, the status that goes with its code.
   */
  readonly status: number;
  readonly message: string;
  readonly remoteAddress: string | undefined;
  /** Undefined when the request was not understood, or not even awaited. */
  readonly path: string | undefined;
  /** The admission policy that turned it away, or `onTcpConnect`; else undefined. */
  readonly policy?: string | undefined;
  /** Connections that were turned away at the accept since the last one that was told, and not told: at most 10 a second are. */
  readonly suppressed?: number | undefined;
}

/** The events of a server, by name, with what a listener gets. A listener that throws is reported as `exception`. */
export interface ServerEvents {
  /** Every listener is bound. */
  startup: [addresses: readonly BoundAddress[]];
  /** Everything is stopped. */
  shutdown: [];
  /** A connection is open; just before its `onOpen`. */
  connection: [connection: Connection];
  /** A connection was turned away at its accept, or its handshake was refused. */
  rejected: [rejected: RejectedUpgrade];
  /** An address was banned for what it did; not for `server.ban()`. */
  banned: [ban: Ban];
  /** A connection is closed; right after its `onClosed` was called. */
  disconnected: [connection: Connection, report: CloseReport];
  /** A listener is not served any more; the watchdog opens it again, unless it is off. Connections of it live on. */
  'listener.lost': [lost: LostListener];
  /** A lost listener is bound again, on the same address. */
  'listener.restored': [restored: RestoredListener];
  /**
   * The certificates of a listener were read: when it began, and whenever their files changed or somebody asked. Also told when what
   * was read cannot be used and those there were stay in use.
   */
  certificates: [report: CertificateReport];
  /**
   * The credentials of a connection expire at `expiresAt`, `authentication.expiryWarning` from now; then it is closed, unless it is
   * renewed with `connection.renew`.
   */
  expiring: [connection: Connection, expiresAt: Date];
  /** The recording of a connection began, ended, or ended because it could not be written; the connection itself goes on. */
  recording: [report: RecordingReport];
  /** A listener is lost for good (`LISTENER_LOST`). Unlike with other emitters, nothing is thrown when nobody listens. */
  error: [error: TidegateError];
  /** A callback of a receiver or a listener of an event threw or rejected. */
  exception: [error: unknown, connection: Connection | undefined];
}

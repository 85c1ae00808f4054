/**
 * Owns the contract of an admission policy: what may turn a connection or a message away, and what it is told to give back.
 * Refuses to know any policy.
 */
import type { Connection, ErrorCode } from '../../receivers/index.js';

/** The two ends of a connection as they are believed: behind a trusted proxy, the client's own address. */
export interface Peer {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** Why something is turned away. */
export interface Denial {
  /** Decides about the HTTP status and the close code. */
  readonly error: ErrorCode;
  /** For the log and the `rejected` event, and for the client. Never a secret. */
  readonly message: string;
  /** Seconds until it is worth trying again, for `Retry-After`. */
  readonly retryAfter?: number | undefined;
}

/** A message from a client, as far as a policy may know it: on a path that assembles nothing there is no content. */
export interface MessageFacts {
  readonly kind: 'text' | 'binary';
  /** Payload bytes, as they came over the wire. */
  readonly bytes: number;
}

/**
 * Decides who gets in, and what an open connection may send. Several are asked in their order; the first that denies decides, and
 * those that admitted before it are told to release. Methods are called synchronously, on the hot path where there is a
 * `message`, and may not block. One that throws denies with `RECEIVER_FAILED`, and ends nothing else.
 */
export interface AdmissionPolicy {
  /** For counters and logs, such as `address-list`. */
  readonly name: string;
  /**
   * Asked once for each connection as soon as its address is known, before TLS and before anything of the request is read; behind a
   * trusted proxy, when its header is there. Nothing admits.
   */
  connection?(peer: Peer): Denial | undefined;
  /**
   * Asked for each message from a client, before it is passed on or delivered. A denial closes the connection with the close code of its
   * error. Of a plain TCP client it is asked for each message of `tcpFraming`, or without it for as many bytes as came at once. A server
   * none of whose policies has this method does not look for messages at all.
   */
  message?(connection: Connection, message: MessageFacts): Denial | undefined;
  /** Called once for each connection that this policy admitted, when it is gone or was turned away by another. */
  release?(peer: Peer): void;
}

/** Owns the shape of a connection as an application holds it, and of the report about its end. Refuses to carry it out. */
import type { CloseCode, CloseStatus } from './close-code.js';
import type { ErrorCode } from './errors.js';
import type { Principal } from './principal.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** A whole message: text, or bytes. */
export type Message = string | Uint8Array;

/** Where in its life a connection is; the statechart `connection` is the full picture. */
export type ConnectionState = 'handshaking' | 'open' | 'closing' | 'closed' | 'rejected';

/**
 * What became of a message handed to `send`:
 * `accepted` it is with the socket; `queued` it is kept, in order, behind backpressure: slow down until `onUnthrottled`;
 * `dropped` it was refused whole, because `limits.maxQueuedBytes` are waiting already; `closed` the connection is not open.
 * The option `outbound.overflow` may say otherwise: then older or less important messages that wait are dropped instead, and this one is
 * `queued`, or the connection is closed.
 */
export type SendResult = 'accepted' | 'queued' | 'dropped' | 'closed';

/**
 * How fast a connection may be, in bits a second, or as text such as `'500kbit'`, `'10Mbit'`, `'1Gbit'`; 0 is as fast as it goes.
 * What is left out stays as it is. Bytes are counted as they are on the wire, with the headers of frames and without TLS.
 */
export interface RateLimits {
  /** What comes from the client. */
  readonly read?: number | string | undefined;
  /** What goes to the client. Control frames do not wait. */
  readonly write?: number | string | undefined;
}

/** Who brought a connection to its end. */
export type CloseInitiator = 'downstream' | 'upstream' | 'application' | 'proxy' | 'operator' | 'network';

/** Why a connection ended: a clean close, or the code of what went wrong. */
export type CloseCause = 'closed' | 'disconnected' | 'terminated' | ErrorCode;

/** Messages and payload bytes of one direction. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** Everything that is known about the end of a connection. */
export interface CloseReport {
  readonly initiator: CloseInitiator;
  readonly cause: CloseCause;
  /** What `onClosed` was told. */
  readonly status: CloseStatus;
  readonly reason: string;
  /** The code in our Close frame; 1005 when it carried none, undefined when none went out to the socket. */
  readonly codeSent: CloseStatus | undefined;
  /** The code in the peer's Close frame; undefined when none came, 1005 when it carried none. */
  readonly codeReceived: CloseStatus | undefined;
  /** From the client. Messages of a `tcp:` target's client are WebSocket messages. */
  readonly received: Traffic;
  /** To the client. */
  readonly sent: Traffic;
  /** Milliseconds from the 101 to the end. */
  readonly durationMs: number;
  /** Bytes that were accepted for the client and could not be written any more. */
  readonly undeliveredBytes: number;
  /** Messages of the application that were dropped, because too much waited or by `clearQueue`; not among those `sent`. */
  readonly dropped: Traffic;
}

/** A connection at one moment, as plain JSON. */
export interface ConnectionSnapshot {
  readonly id: string;
  readonly state: ConnectionState;
  /** The full value of the statechart, such as `{ open: { outbound: 'flowing', … } }`. */
  readonly chart: unknown;
  readonly path: string;
  readonly target: string | undefined;
  readonly dataPath: 'frames' | 'stream' | 'messages' | 'bytes' | undefined;
  readonly subprotocol: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly channels: readonly string[];
  /** The name of the principal. */
  readonly user?: string | undefined;
  /** Those of the principal. */
  readonly tags: readonly string[];
  readonly openedAt: string | undefined;
  readonly received: Traffic;
  readonly sent: Traffic;
  /** Whether the client takes less than there is for it. */
  readonly throttled: boolean;
  readonly bufferedBytes: number;
  /** Milliseconds from the last ping of the heartbeat that the client answered to its pong; undefined before there is one. */
  readonly roundTripMs?: number | undefined;
  /** The same of the target. */
  readonly upstreamRoundTripMs?: number | undefined;
}

/** One downstream connection, as its receiver and the server hold it. Every method may be called at any time, also from inside a callback. */
export interface Connection {
  readonly id: string;
  /** The opening handshake. Its `signal` has no meaning once the connection is open. */
  readonly request: UpgradeRequest;
  readonly state: ConnectionState;
  /** The subprotocol of the 101, or an empty string. */
  readonly subprotocol: string;
  /** Where the connection is forwarded to; undefined for a server without target. */
  readonly target: string | undefined;
  /** True between `onThrottled` and `onUnthrottled`. */
  readonly throttled: boolean;
  /** Bytes accepted for the client and not with the operating system yet. */
  readonly bufferedBytes: number;
  readonly channels: ReadonlySet<string>;
  /** Who the client has shown to be; undefined without `authentication`, and for one that may stay anonymous. */
  readonly principal: Principal | undefined;

  /**
   * Sends one message to the client (never to the target). A string becomes a text message, bytes a binary one; the
   * bytes must not be changed afterwards. On the `frames` path it is placed between two messages of the target.
   */
  send(message: Message): SendResult;
  /**
   * Drops the messages of `send` and `ping` that still wait, whole; what has begun to be written goes on, and nothing that comes from
   * the target is lost (sgc: QueueClear). Answers with the number of messages, which the close report has as `dropped`; 0 for a plain
   * TCP client, out of whose bytes nothing is taken.
   */
  clearQueue(): number;
  /** Sends a ping with at most 125 bytes of payload. @throws TidegateError `INVALID_MESSAGE` for a longer one. */
  ping(payload?: Message): SendResult;
  /**
   * Begins the closing handshake: what was accepted is written first, then a Close frame. Nothing is delivered to the
   * receiver afterwards but `onClosed`. Does nothing unless the connection is open. Bounded by `timeouts.close`.
   *
   * @param code default 1000.
   * @param reason at most 123 bytes of UTF-8; a longer one is cut at a character.
   * @throws TidegateError `INVALID_CLOSE_CODE` for a number that may not be sent.
   */
  close(code?: CloseCode, reason?: string): void;
  /** Cuts the connection at once, without a Close frame. What waits is lost; `onClosed` reports 1006. */
  terminate(): void;
  /** Stops reading from the client until {@link resume}. Its sender is slowed down; heartbeats are suspended. */
  pause(): void;
  resume(): void;
  /**
   * Changes how fast this connection may be, from now on (sgc: Throttle.BitsPerSec). That it waits for its rate is no backpressure:
   * `throttled` and its callbacks tell of that only when sends pile up or the client itself is slow. Once the connection is
   * closing, everything goes as fast as it can. Does nothing before it is open.
   *
   * @throws TidegateError `INVALID_OPTION` for what is no bit rate.
   */
  limitRate(rates: RateLimits): void;
  /** Joins a channel, for `broadcast(message, { channel })`. Leaving is automatic at the end. */
  subscribe(channel: string): void;
  unsubscribe(channel: string): void;
  /**
   * Replaces the principal, with the same name and mostly a later `expiresAt`: the connection ends with its credentials otherwise.
   *
   * @throws TidegateError `INVALID_CREDENTIALS` for a principal of another name, `INVALID_DECISION` for what is none.
   */
  renew(principal: Principal): void;
  snapshot(): ConnectionSnapshot;
}

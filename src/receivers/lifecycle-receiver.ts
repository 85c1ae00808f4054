/**
 * Owns the contract between a connection and the application: seven callbacks, and some optional ones.
 * Refuses to know how they are called; the connection actor does that.
 */
import type { CloseStatus } from './close-code.js';
import type { Connection } from './connection.js';
import type { UpgradeAnswer } from './decision.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** Returned from a message callback: the message goes no further. */
export const DROP: unique symbol = Symbol('tidegate.drop');

/**
 * What a message callback may return: nothing passes the message on, a string or bytes replace it (text or binary),
 * {@link DROP} swallows it. Without a target there is nowhere to pass it on to: answer with `connection.send`. Bytes that are returned
 * must not be changed afterwards.
 */
export type MessageReply = undefined | void | string | Uint8Array | typeof DROP;

/** One frame of a message from the client, with its payload unmasked and inflated. */
export interface Fragment {
  /** 0 for the first fragment of its message. */
  readonly index: number;
  readonly first: boolean;
  readonly final: boolean;
  /** The kind of the whole message. A text fragment may cut a code point, so `data` is bytes. */
  readonly kind: 'text' | 'binary';
  readonly data: Buffer;
}

/**
 * What an application implements for one connection (mare: WebSocketLifecycleEventReceiver).
 *
 * Order: `onUpgradeRequest`, `onOpen`, then any number of `onText`, `onBinary`, `onThrottled`, `onUnthrottled`, then
 * `onClosed`; after a refused upgrade nothing more. Callbacks of one connection never overlap: while one that returned a
 * promise is pending the next messages wait, and beyond `limits.maxPendingMessages` the client is read no further.
 * Every callback runs after the state change it tells of, so `connection.state` is true inside it, and it may call any
 * method of the connection. One that throws or rejects ends this connection with 1011 (500 before the 101) and no other.
 */
export interface LifecycleReceiver {
  /**
   * Called once, before everything else, with the connection the receiver belongs to. Its methods do nothing useful
   * before `onOpen`.
   */
  attach?(connection: Connection): void;

  /**
   * Decides about a valid upgrade request. Called once, before the target is dialled. May be asynchronous; when it takes
   * longer than `timeouts.handshake` the client gets 503 and a later answer is ignored. Throwing answers 500.
   */
  onUpgradeRequest(request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer>;

  /**
   * Called once, after the 101 was handed to the socket and before the first message is delivered. When it returns a
   * promise, nothing is read from the client until it settles.
   */
  onOpen(request: UpgradeRequest): void | Promise<void>;

  /** Called for each whole text message from the client, checked to be UTF-8, in order. */
  onText(text: string): MessageReply | Promise<MessageReply>;

  /**
   * Called for each whole binary message from the client, in order. The receiver may keep the buffer, and must not change it: to change
   * the message, return other bytes.
   */
  onBinary(data: Buffer): MessageReply | Promise<MessageReply>;

  /**
   * Called exactly once if `onOpen` was called, and last. `status` is the code of the peer's Close frame, or our own when
   * we ended the connection, or 1006 when it was cut; the report in the `disconnected` event has both. Sending does
   * nothing any more.
   */
  onClosed(status: CloseStatus, reason: string): void | Promise<void>;

  /**
   * Called when the client reads more slowly than it is sent to: a pause has lasted, or queued sends passed the high water
   * mark. Alternates with `onUnthrottled`, and comes first.
   */
  onThrottled(): void | Promise<void>;

  /** Called when that is over. Not called when the connection ends while throttled. */
  onUnthrottled(): void | Promise<void>;

  /**
   * Called for each fragment of a message from the client when the option `fragments` is `fragments` or `both`, before
   * the `onText` or `onBinary` of the same message. With `fragments`, returned bytes replace the payload of this fragment
   * and DROP empties it; with `both` the return value has no effect.
   */
  onFragment?(fragment: Fragment): FragmentReply | Promise<FragmentReply>;

  /** Called for each whole text message from a WebSocket target. Same return values as `onText`. */
  onUpstreamText?(text: string): MessageReply | Promise<MessageReply>;

  /** Called for each whole binary message from a WebSocket target, or for each chunk a TCP target sent. */
  onUpstreamBinary?(data: Buffer): MessageReply | Promise<MessageReply>;

  /**
   * Called before each heartbeat ping to the client (sgc: OnBeforeHeartBeat), unless another callback is pending then.
   * Return true when you sent something of your own instead: no ping is sent then, and anything the client sends still
   * counts as life.
   */
  onBeforeHeartbeat?(): boolean | void;

  /**
   * Called when nothing was sent or received for `timeouts.idle` and no callback is pending. Return true to keep the
   * connection for another such time; otherwise it is closed with 1001.
   */
  onIdleTimeout?(): boolean | void;
}

/** What `onFragment` may return. */
export type FragmentReply = undefined | void | Uint8Array | typeof DROP;

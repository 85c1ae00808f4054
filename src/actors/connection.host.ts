/** Owns what a connection actor tells others: the server it belongs to, and the other side of its pair. */
import type { AnyActorRef } from 'xstate';
import type { CloseReport, LifecycleReceiver, UpgradeRequest } from '../receivers/index.js';
import type { ConnectionTimeouts, Refusal } from './connection.effects.js';
import type { Ending } from './ending.js';

/** What a connection actor tells the server it belongs to. Nothing in it may throw. */
export interface ConnectionHost<Connection> {
  readonly timeouts: ConnectionTimeouts;
  readonly maxPendingMessages: number;
  opened(connection: Connection): void;
  rejected(connection: Connection, refusal: Refusal): void;
  closed(connection: Connection, report: CloseReport): void;
  /** A callback threw or rejected. */
  exception(connection: Connection, error: unknown): void;
  joined(connection: Connection, channel: string): void;
  left(connection: Connection, channel: string): void;
}

/** What a connection actor is made of. */
export interface ConnectionParts<Connection> {
  readonly id: string;
  readonly request: UpgradeRequest;
  readonly receiver: LifecycleReceiver;
  readonly host: ConnectionHost<Connection>;
  readonly parent: AnyActorRef;
  /** Deadlines of this one, where they are not those of its server. */
  readonly timeouts?: ConnectionTimeouts | undefined;
}

/** The other side of a pair, as a connection sees it. */
export interface Counterpart {
  /** True while it can still answer a Close frame that is passed on to it. */
  readonly answersClose: boolean;
  /** This side began to end, answered, or is gone. May be called more than once. */
  close(ending: Ending): void;
  /** Callbacks are behind: read no further until `release`. */
  hold(): void;
  release(): void;
}

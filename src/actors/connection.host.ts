/** Owns what a connection actor tells others: the server it belongs to, and the other side of its pair. */
import type { AnyActorRef, AnyEventObject, StateValue } from 'xstate';
import type { CloseReport, LifecycleReceiver, Principal, UpgradeRequest } from '../receivers/index.js';
import type { Clock } from './clock.js';
import type { ConnectionTimeouts, Refusal } from './connection.effects.js';
import type { Ending } from './ending.js';
import type { Pairing } from './pairing.js';

/** What a connection actor tells the server it belongs to. Nothing in it may throw. */
export interface ConnectionHost<Connection> {
  readonly timeouts: ConnectionTimeouts;
  readonly maxPendingMessages: number;
  /** Default: the clock of the process. */
  readonly clock?: Clock | undefined;
  /** Who is in which channel. */
  readonly registry: {
    join(channel: string, connection: Connection): void;
    leave(channel: string, connection: Connection): void;
  };
  opened(connection: Connection): void;
  rejected(connection: Connection, refusal: Refusal): void;
  closed(connection: Connection, report: CloseReport): void;
  /** Its chart took a step; `before` is undefined for the first one. */
  stepped(connection: Connection, event: AnyEventObject, before: StateValue | undefined): void;
  /** A callback threw or rejected. */
  exception(connection: Connection, error: unknown): void;
  /** It has a principal that may end at another time. */
  renewed(connection: Connection): void;
}

/** Who a client has shown to be, if it had to, or how it is refused. */
export type Verdict = { readonly principal: Principal | undefined } | Refusal;

/** A place that is taken as long as a connection is there. */
export interface Seat {
  /** Called once, when the connection is gone or was refused after all. */
  release(): void;
}

/** What is asked before a connection gets a receiver. */
export interface Admission {
  /** Asked once. Never throws or rejects; whoever waits for it may be gone when it answers. */
  admit(): Verdict | Promise<Verdict>;
  /** Called once with a verdict that admits, when the connection goes on with it: takes a place for it, or refuses it still. */
  enter(principal: Principal | undefined): Seat | Refusal | undefined;
  /** How the client is refused when the handshake takes too long before there is a verdict. */
  late(): Refusal;
}

/** What a connection actor is made of. */
export interface ConnectionParts<Connection> {
  readonly id: string;
  readonly request: UpgradeRequest;
  /** Called once, when nothing else refuses the connection any more. A throw answers 500. */
  createReceiver(): LifecycleReceiver;
  /** Left out: everybody is admitted. */
  readonly admission?: Admission | undefined;
  readonly host: ConnectionHost<Connection>;
  readonly parent: AnyActorRef;
  /** Deadlines of this one, where they are not those of its server. */
  readonly timeouts?: ConnectionTimeouts | undefined;
}

/** The other side of a pair, as a connection sees it. */
export interface Counterpart {
  /** Its place on a backend, from when that is connected until somebody was told that the pair is none any more; in a balancer. */
  pairing: Pairing | undefined;
  /** True while it can still answer a Close frame that is passed on to it. */
  readonly answersClose: boolean;
  /** That of its wire. */
  readonly roundTripMs: number | undefined;
  /** This side began to end, answered, or is gone. May be called more than once. */
  close(ending: Ending): void;
  /** Callbacks are behind: read no further until `release`. */
  hold(): void;
  release(): void;
}

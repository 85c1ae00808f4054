/** Owns what a supervisor is made with: the shell that holds the listeners, who is told, and its options. Refuses to decide anything. */
import type { CloseReport } from '../receivers/index.js';
import type { CapacityOptions } from './capacity.js';
import type { ConnectionTimeouts, Refusal } from './connection.effects.js';
import type { ConnectionActor } from './connection-actor.js';
import type { UpstreamTimeouts } from './upstream.effects.js';
import type { WatchOptions } from './watches.js';

/** What a supervisor needs from the shell that holds the listeners. */
export interface SupervisorPort {
  bind(): Promise<void>;
  /** Stops listening. */
  unbind(): void;
}

/** Who is told about the connections of a server. Nothing in it may throw. */
export interface SupervisorObserver {
  opened(connection: ConnectionActor): void;
  rejected(connection: ConnectionActor, refusal: Refusal): void;
  disconnected(connection: ConnectionActor, report: CloseReport): void;
  exception(connection: ConnectionActor | undefined, error: unknown): void;
}

/** The options of a supervisor. Milliseconds; 0 switches a limit off. */
export interface SupervisorOptions extends WatchOptions, CapacityOptions {
  readonly timeouts: WatchOptions['timeouts'] & ConnectionTimeouts & UpstreamTimeouts & { readonly drain: number };
  readonly maxPendingMessages: number;
  readonly disconnectsPerSecond: number;
  /** How many steps of each pair are kept; 0 keeps none. */
  readonly historySize: number;
}

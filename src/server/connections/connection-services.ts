/** Owns what all connections of one server share: its configuration, the watch over pending writes and the dial queue. */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { SupervisorActor } from '../../actors/supervisor-actor.js';
import type { ProxyConfig } from '../config/options.js';
import type { DialQueue } from '../dial/dial-queue.js';
import type { Dialer } from '../dial/dialer.js';
import type { WarmPool } from '../dial/warm-pool.js';
import type { LinkServices } from '../paths/links.js';
import type { RecordingPort } from '../recording/recording-report.js';
import type { Routes } from './route.js';

/** Shared by the connections of one server. */
export interface ConnectionServices {
  readonly config: ProxyConfig;
  /** Whether a connection without a target is refused: a proxy, and not a server of its own. */
  readonly needsTarget: boolean;
  readonly supervisor: SupervisorActor;
  readonly links: LinkServices;
  /** Who chooses the target of a connection that has none of its own; undefined where there is nobody. */
  readonly routes: Routes | undefined;
  /** How targets are dialled. */
  readonly dialer: Dialer;
  /** Bounds how many targets are dialled at a time. */
  readonly dials: DialQueue;
  /** Records connections; undefined where nothing can be recorded. */
  readonly recorder: RecordingPort | undefined;
  /** Connections to the target of the configuration that were dialled ahead of need, if any are to be. */
  readonly warm: WarmPool | undefined;
  /** What a WebSocket target is told of the trace of a connection, instead of what the client said. */
  readonly tracing: { carry(connection: ConnectionActor, rawHeaders: readonly string[]): readonly string[] };
}

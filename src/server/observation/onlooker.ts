/** Owns the contract of whatever looks at a server while it runs. Refuses to know what is looked for. */
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { PoolActor } from '../../actors/pool-actor.js';
import type { SupervisorActor } from '../../actors/supervisor-actor.js';
import type { CloseReport } from '../../receivers/index.js';
import type { RegistrationSnapshot } from '../balancer/control/registration-counts.js';
import type { ProxyConfig } from '../config/options.js';
import type { ServerEvents } from '../events.js';

/** A side of a pair. */
export type Side = 'downstream' | 'upstream';

/** The parts of a running server that can be looked at. Made anew for each start. */
export interface ObservedParts {
  readonly supervisor: SupervisorActor;
  /** The backends of a balancer; undefined for every other server. */
  readonly pool: PoolActor | undefined;
  /** Dials to targets, those of connections. */
  readonly dials: { readonly running: number; readonly waiting: number };
  /** Connections dialled ahead of need; undefined where there are none to be. */
  readonly warm: { readonly idle: number } | undefined;
  /** Backends that registered themselves; undefined for every server but a balancer. */
  readonly registrations: { snapshot(): RegistrationSnapshot } | undefined;
  readonly config: ProxyConfig;
  /** Bytes held for all connections together. */
  heldBytes(): number;
}

/** Something that looks at one server, and outlives its restarts. Nothing in it may throw. */
export interface Onlooker {
  /** The server starts: nothing listens yet. */
  began?(parts: ObservedParts): void;
  /** The server has stopped, or could not start: everything of {@link began} is gone. */
  ended?(): void;
  /** A handshake was answered with 101. */
  opened?(connection: ConnectionActor): void;
  /** A handshake was refused after it was given an actor. */
  refused?(connection: ConnectionActor, refusal: Refusal): void;
  /** A connection is over, and no more among those of its supervisor. */
  closed?(connection: ConnectionActor, report: CloseReport): void;
  /** The answer to a ping of the heartbeat came, of one side of a pair. */
  answeredPing?(side: Side, ms: number): void;
  /** An event of the server, before those who listen for it. */
  told?<Name extends keyof ServerEvents>(name: Name, values: ServerEvents[Name]): void;
}

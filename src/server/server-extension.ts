/** Owns the contract of what one kind of server adds to what every server does. Refuses to know which kinds there are. */
import type { Refusal } from '../actors/connection.effects.js';
import type { ConnectionActor } from '../actors/connection-actor.js';
import type { PoolActor } from '../actors/pool-actor.js';
import type { SupervisorActor } from '../actors/supervisor-actor.js';
import type { RequestHead } from '../protocol/http-head.js';
import type { ErrorCode, HeaderFields, LifecycleReceiver, UpgradeRequest } from '../receivers/index.js';
import type { Denial } from './admission/policy.js';
import type { Authentication } from './authentication/authentication.js';
import type { AuthenticationPorts } from './authentication/handshake-admission.js';
import type { RegistrationCounts } from './balancer/control/registration-counts.js';
import type { ListenerRole } from './config/listen.js';
import type { Routes } from './connections/route.js';
import type { Dialer } from './dial/dialer.js';
import type { RejectedUpgrade } from './events.js';
import type { BoundAddress } from './listener/listen-address.js';
import type { AcceptedWire } from './wires/wire.js';

/** What an extension is built on. */
export interface ExtensionBase {
  readonly supervisor: SupervisorActor;
  readonly dialer: Dialer;
  /** The addresses that are bound; empty before. */
  addresses(): readonly BoundAddress[];
  /** Adds to the score of an address that did something wrong. */
  offence(peer: { readonly remoteAddress: string }, weight: number, why: string): void;
  /** Counts something that was refused and that nothing else counts. */
  refused(error: ErrorCode): void;
  readonly authentication: Authentication;
  readonly entry: EntryPorts;
}

/** The way in, for whoever reads the further requests of a connection. */
export interface EntryPorts {
  /** Who is told about wrong credentials. */
  readonly ports: AuthenticationPorts;
  /** Why a further request of a connection is turned away, if it is; whoever asked answers it. */
  denialOfNext(head: RequestHead, wire: AcceptedWire): Denial | undefined;
  /** Whether the server answers this request itself, such as one for a session token: then it is to be given back by `take`. */
  serves(head: RequestHead, wire: AcceptedWire): boolean;
  /** Takes a further request as if its listener had handed it over. Its wire is not read. */
  take(head: RequestHead, wire: AcceptedWire): void;
  /** Counts a request that was refused, and tells of it. */
  rejected(rejected: RejectedUpgrade): void;
}

/** A request that is no upgrade, and the wire it came by, which is not read. Credentials were not looked at. */
export interface PlainRequest {
  readonly head: RequestHead;
  readonly wire: AcceptedWire;
}

/** The answer to a plain request. */
export interface PlainAnswer {
  /** 200 to 599. */
  readonly status: number;
  readonly headers?: HeaderFields | undefined;
  readonly body?: string | undefined;
}

/** Beside the start, nothing in it may throw. Made anew for each start of its server. */
export interface ServerExtension {
  /** The backends of a balancer. */
  readonly pool?: PoolActor;
  /** How many backends registered themselves or were turned away. */
  readonly registrations?: RegistrationCounts;
  /** Who chooses where connections go that have no target of their own. */
  readonly routes?: Routes | undefined;
  /** Whether a handshake is that of a control channel, which is no client: it has room and credentials of its own. */
  isControl?(head: RequestHead, role: ListenerRole): boolean;
  /** Makes the receiver of a control channel, which is the application: it has no target. */
  createControl?(request: UpgradeRequest): LifecycleReceiver;
  /** Why no client gets a WebSocket, whatever it asks for; undefined where they may. Plain requests are not meant. */
  readonly refusesClients?: Refusal | undefined;
  /**
   * Makes the receiver of a client whom the server answers itself; undefined for all others.
   *
   * @param application makes the receiver that the client would get else; a throw answers 500.
   */
  createReceiver?(request: UpgradeRequest, application: () => LifecycleReceiver): LifecycleReceiver | undefined;
  /** Whether it answers a request that is no upgrade by {@link answerPlain}. Its credentials were taken out of it. */
  answersPlain?(head: RequestHead): boolean;
  /** Answers a request of a client that was authenticated. Never rejects. */
  answerPlain?(request: UpgradeRequest): Promise<PlainAnswer>;
  /** Takes a request that is no upgrade. Answers whether it did; else it is refused with 426. */
  takePlain?(request: PlainRequest): boolean;
  /** How many connections it has that are no actors; they count for `limits.maxConnections`. */
  readonly held?: number;
  /** A connection is open; after the event `connection`. */
  opened?(connection: ConnectionActor): void;
  /** A connection that was open is closed; before the event `disconnected`. */
  closed?(connection: ConnectionActor): void;
  /** Called when every listener is bound. A throw fails the start. */
  start?(): Promise<void> | void;
  /**
   * The server is stopping: nothing new is begun. Connections are still there, and are left alone until the promise settles, which has
   * to be soon.
   */
  stopAhead?(): Promise<void> | void;
  /** The server has stopped listening. Resolves when what it has beside connections has come to its end, or so many milliseconds are over. */
  drain?(milliseconds: number): Promise<void>;
  /** Lets go of everything. Resolves when no socket, timer or handle is left. Called after a failed start, too. */
  release(): Promise<void> | void;
}

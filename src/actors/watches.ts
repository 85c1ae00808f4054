/**
 * Owns the long waits of every connection of a server on one wheel: heartbeat, idle timeout, lifetime and credentials. Refuses to act
 * when one is over; the charts do.
 */
import type { Clock } from './clock.js';
import type { ConnectionActor } from './connection-actor.js';
import { watchExpiry } from './expiry.js';
import { type HeartbeatOptions, watchHeart } from './heartbeat.js';
import { IdleWatch } from './idle.js';
import type { LongWaits } from './long-waits.js';
import { TimerWheel, wheelTick } from './timer-wheel.js';
import type { UpstreamActor } from './upstream-actor.js';

/** What follows when the credentials of a connection come to their end. */
export interface CredentialWatch {
  /** How long before the end to tell; 0 does not. */
  readonly warning: number;
  expiring(connection: ConnectionActor): void;
  expired(connection: ConnectionActor): void;
}

/** How long connections are watched for. Milliseconds; 0 switches a wait off. */
export interface WatchOptions {
  readonly heartbeat: HeartbeatOptions;
  readonly timeouts: {
    readonly idle: number;
    readonly lifetime: number;
    /** How much of the lifetime is random, from 0 to 1, so that connections do not all end at once. */
    readonly lifetimeJitter: number;
  };
  /** What all of them go by. */
  readonly clock: Clock;
  /** Left out: nothing of a connection expires. */
  readonly credentials?: CredentialWatch | undefined;
}

type Side = ConnectionActor | UpstreamActor;

/** When something is done about a side, in milliseconds since the epoch; about a tick of the wheel early. */
export type WatchTimes = Readonly<Partial<Record<keyof LongWaits | 'heartbeat', number>>>;

/** The watches of one server. */
export class Watches {
  readonly #options: WatchOptions;
  readonly #wheel: TimerWheel;
  #beating = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    const { interval, timeout } = options.heartbeat;
    const { idle, lifetime } = options.timeouts;
    const { warning = 0 } = options.credentials ?? {};
    this.#wheel = new TimerWheel(wheelTick(interval, timeout, idle, lifetime, warning), options.clock);
  }

  /**
   * Watches an open connection.
   *
   * @param isControl it is no client: it lives as long as it is needed, and whoever it is of says how long it may be silent.
   */
  connection(connection: ConnectionActor, isControl = false): void {
    // A client without frames cannot be pinged; TCP keepalive judges its silence.
    if (connection.request.transport === 'websocket') this.heart(connection);
    this.credentials(connection);
    const { idle, lifetime, lifetimeJitter } = this.#options.timeouts;
    if (isControl || (idle <= 0 && lifetime <= 0)) return;
    connection.waits ??= {};
    const { waits } = connection;
    if (idle > 0) waits.idle = new IdleWatch(connection, this.#wheel, idle);
    if (lifetime > 0) {
      const jittered = lifetime * (1 - Math.random() * lifetimeJitter);
      waits.lifetime = this.#wheel.schedule(jittered, () => connection.send({ type: 'lifetime.expired' }));
    }
  }

  /** Watches the credentials of a connection, from now on by the principal it has. */
  credentials(connection: ConnectionActor): void {
    const { credentials } = this.#options;
    const expiresAt = connection.principal?.expiresAt;
    if (credentials === undefined) return;
    connection.waits?.credentials?.cancel();
    if (connection.waits !== undefined) connection.waits.credentials = undefined;
    if (expiresAt === undefined || !Number.isFinite(expiresAt)) return;
    const { warning } = credentials;
    const warn = () => credentials.expiring(connection);
    const expire = () => credentials.expired(connection);
    connection.waits ??= {};
    connection.waits.credentials = watchExpiry({ expiresAt, warning, warn, expire }, this.#wheel);
  }

  /** Watches the heart of one side, which keeps the watch: a table of all of them takes more. */
  heart(side: Side): void {
    if (this.#beating) side.heart = watchHeart(side, this.#wheel, this.#options.heartbeat);
  }

  /** One side is gone. */
  forget(side: Side): void {
    this.#still(side);
    for (const wait of Object.values(waitsOf(side))) wait?.cancel();
  }

  /** What one side is watched for, and until when. */
  timesOf(side: Side): WatchTimes {
    const { idle, lifetime, credentials } = waitsOf(side);
    return {
      heartbeat: side.heart?.due,
      idle: idle?.due,
      lifetime: lifetime?.due,
      credentials: credentials !== undefined && 'principal' in side ? side.principal?.expiresAt : undefined,
    };
  }

  startHeartbeat(): void {
    this.#beating = true;
  }

  /** @param sides all that may be watched */
  stopHeartbeat(...sides: Array<Iterable<Side>>): void {
    this.#beating = false;
    for (const some of sides) for (const side of some) this.#still(side);
  }

  stop(): void {
    this.#wheel.stop();
  }

  #still(side: Side): void {
    side.heart?.cancel();
    side.heart = undefined;
  }
}

function waitsOf(side: Side): LongWaits {
  return ('waits' in side ? side.waits : undefined) ?? {};
}

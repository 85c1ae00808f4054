/**
 * Owns a server at run time: its chart, which connections and upstreams exist, the shared wheel for heartbeat, idle and
 * lifetime, and paced endings. Refuses to listen or dial; its port does.
 */
import PQueue from 'p-queue';
import { type ActorRefFrom, createActor } from 'xstate';
import type { CloseReport } from '../receivers/index.js';
import type { ConnectionTimeouts, Refusal } from './connection.effects.js';
import type { ConnectionActor, ConnectionHost } from './connection-actor.js';
import type { Ending } from './ending.js';
import { type HeartbeatOptions, watchHeart } from './heartbeat.js';
import { watchIdle } from './idle.js';
import { Outbox } from './outbox.js';
import { Registry } from './registry.js';
import type { SupervisorEffects } from './supervisor.effects.js';
import { type SupervisorEvent, supervisorMachine } from './supervisor.machine.js';
import { TimerWheel, type WheelEntry, wheelTick } from './timer-wheel.js';
import type { UpstreamTimeouts } from './upstream.effects.js';
import type { UpstreamActor, UpstreamHost } from './upstream-actor.js';

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
export interface SupervisorOptions {
  readonly heartbeat: HeartbeatOptions;
  readonly timeouts: {
    readonly handshake: number;
    readonly dial: number;
    readonly close: number;
    readonly idle: number;
    readonly lifetime: number;
    readonly writeStall: number;
    readonly drain: number;
    /** How much of the lifetime is random, from 0 to 1, so that connections do not all end at once. */
    readonly lifetimeJitter: number;
  };
  readonly maxConnections: number;
  readonly maxPendingMessages: number;
  readonly disconnectsPerSecond: number;
}

/** Pauses between two batches of endings. */
const PACE_MS = 20;

/** A server's connections, and how they live and end together. */
export class SupervisorActor implements SupervisorEffects, ConnectionHost, UpstreamHost {
  readonly registry = new Registry();
  readonly maxPendingMessages: number;
  readonly upstreamTimeouts: UpstreamTimeouts;
  readonly timeouts: ConnectionTimeouts & { drain: number };
  readonly #options: SupervisorOptions;
  readonly #port: SupervisorPort;
  readonly #observer: SupervisorObserver;
  readonly #chart: ActorRefFrom<typeof supervisorMachine>;
  readonly #wheel: TimerWheel;
  readonly #upstreams = new Set<UpstreamActor>();
  readonly #hearts = new Map<ConnectionActor | UpstreamActor, WheelEntry>();
  readonly #waits = new Map<ConnectionActor | UpstreamActor, WheelEntry[]>();
  readonly #endings = new PQueue({ concurrency: 1 });
  readonly #started = settling();
  #stopped: Promise<void> | undefined;
  #announceStopped: (() => void) | undefined;
  readonly #outbox = new Outbox();
  #failure: unknown;
  #beating = false;
  #stopping = false;
  #ending: () => Ending = () => operatorCut;

  constructor(options: SupervisorOptions, port: SupervisorPort, observer: SupervisorObserver) {
    this.#options = options;
    this.#port = port;
    this.#observer = observer;
    this.maxPendingMessages = options.maxPendingMessages;
    this.timeouts = { ...options.timeouts };
    this.upstreamTimeouts = options.timeouts;
    const { idle, lifetime } = options.timeouts;
    this.#wheel = new TimerWheel(wheelTick(options.heartbeat.interval, options.heartbeat.timeout, idle, lifetime));
    this.#chart = createActor(supervisorMachine, { id: 'supervisor', input: { port: this } });
    this.#chart.subscribe({
      next: () => this.#outbox.settle(),
      error: (error) => this.#observer.exception(undefined, error),
    });
  }

  toJSON(): undefined {
    return undefined;
  }

  /** The parent of every connection and upstream. */
  get ref(): ActorRefFrom<typeof supervisorMachine> {
    return this.#chart;
  }

  get chartValue(): unknown {
    return this.#chart.getSnapshot().value;
  }

  /** Resolves when every listener is bound, rejects when one cannot be. */
  start(): Promise<void> {
    this.#outbox.around(() => this.#chart.start());
    return this.#started.promise;
  }

  /** Resolves once it is known whether the server could be started. */
  get started(): Promise<void> {
    return this.#started.promise.catch(() => {});
  }

  /** Drains: no new connections, those that are left are closed, and cut after the deadline. Resolves when all are gone. */
  stop(ending: () => Ending, drainTimeout?: number): Promise<void> {
    if (drainTimeout !== undefined) this.timeouts.drain = drainTimeout;
    this.#stopped ??= new Promise((resolve) => {
      this.#announceStopped = resolve;
      this.#stopping = true;
      this.#ending = ending;
      this.#send({ type: 'stop.request' });
      if (drainTimeout === 0) this.#send({ type: 'terminate.all' });
    });
    return this.#stopped;
  }

  /** Tells why a new connection cannot be taken now, or nothing. */
  admit(): Refusal | undefined {
    const chart = this.#chart.getSnapshot();
    if (!chart.matches('running')) {
      return { status: 503, error: 'SHUTTING_DOWN', message: 'the server is stopping' };
    }
    if (chart.matches({ running: { admission: 'full' } })) {
      const { maxConnections } = this.#options;
      return {
        status: 503,
        error: 'CAPACITY_REACHED',
        message: `${maxConnections} connections are open (limits.maxConnections)`,
      };
    }
    return undefined;
  }

  /** Takes a connection that begins its handshake. */
  add(connection: ConnectionActor): void {
    this.registry.add(connection);
    this.#checkCapacity();
  }

  /** Takes an upstream that is about to dial, as the other side of its connection. */
  pair(upstream: UpstreamActor): void {
    this.#upstreams.add(upstream);
    upstream.connection.counterpart = upstream;
  }

  /** Closes the connections there are now, a batch at a time. Resolves with their number when each was told. */
  async closeAll(ending: () => Ending): Promise<number> {
    this.#ending = ending;
    const connections = [...this.registry.all()];
    this.#send({ type: 'disconnect.all' });
    await this.#endings.onIdle();
    return connections.length;
  }

  /** Cuts every connection now. */
  cutAll(): number {
    const count = this.registry.size;
    this.#send({ type: 'terminate.all' });
    return count;
  }

  // What the connections tell.

  opened(connection: ConnectionActor): void {
    const { idle, lifetime, lifetimeJitter } = this.#options.timeouts;
    this.#watch(connection);
    if (idle > 0) {
      const expire = () => connection.expireIdle();
      this.#keep(
        connection,
        watchIdle(() => activity(connection), expire, this.#wheel, idle),
      );
    }
    if (lifetime > 0) {
      const jitter = 1 - Math.random() * lifetimeJitter;
      this.#keep(
        connection,
        this.#wheel.schedule(lifetime * jitter, () => connection.expireLifetime()),
      );
    }
    this.#observer.opened(connection);
  }

  rejected(connection: ConnectionActor, refusal: Refusal): void {
    this.#forget(connection);
    this.#observer.rejected(connection, refusal);
  }

  closed(connection: ConnectionActor, report: CloseReport): void {
    this.#forget(connection);
    this.#observer.disconnected(connection, report);
  }

  exception(connection: ConnectionActor, error: unknown): void {
    this.#observer.exception(connection, error);
  }

  joined(connection: ConnectionActor, channel: string): void {
    this.registry.join(channel, connection);
  }

  left(connection: ConnectionActor, channel: string): void {
    this.registry.leave(channel, connection);
  }

  // What the upstreams tell.

  upstreamOpened(upstream: UpstreamActor): void {
    if (upstream.port.speaksWebSocket) this.#watch(upstream);
  }

  upstreamGone(upstream: UpstreamActor): void {
    this.#upstreams.delete(upstream);
    this.#stopWaiting(upstream);
    this.#checkGone();
  }

  upstreamFault(upstream: UpstreamActor, error: unknown): void {
    this.#observer.exception(upstream.connection, error);
  }

  // The effects of the chart.

  bindListeners(): void {
    this.#port.bind().then(
      () => this.#send({ type: 'listeners.bound' }),
      (error) => {
        this.#failure = error;
        this.#send({ type: 'listeners.failed' });
      },
    );
  }

  closeListeners(): void {
    this.#port.unbind();
  }

  startHeartbeat(): void {
    this.#beating = true;
  }

  stopHeartbeat(): void {
    this.#beating = false;
    for (const heart of this.#hearts.values()) heart.cancel();
    this.#hearts.clear();
  }

  disconnectAll(): void {
    this.#endPaced(this.#options.disconnectsPerSecond);
  }

  drainConnections(): void {
    // Fast enough to leave the second half of the deadline to the closing handshakes.
    const needed = (2000 * this.registry.size) / Math.max(1, this.timeouts.drain);
    this.#endPaced(Math.max(this.#options.disconnectsPerSecond, needed));
    this.#outbox.push(() => this.#checkGone());
  }

  terminateAll(): void {
    this.#outbox.push(() => {
      for (const connection of [...this.registry.all()]) connection.requestTerminate(operatorCut);
      for (const upstream of [...this.#upstreams]) upstream.requestTerminate(operatorCut);
    });
  }

  announceStarted(): void {
    this.#started.resolve();
  }

  announceFailed(): void {
    this.#started.reject(this.#failure);
  }

  announceStopped(): void {
    this.#wheel.stop();
    this.#endings.clear();
    this.#announceStopped?.();
  }

  noteFailure(error: unknown): void {
    this.#observer.exception(undefined, error);
  }

  #send(event: SupervisorEvent): void {
    if (this.#chart.getSnapshot().status === 'active') this.#outbox.around(() => this.#chart.send(event));
  }

  #watch(side: ConnectionActor | UpstreamActor): void {
    if (this.#beating) this.#hearts.set(side, watchHeart(side, this.#wheel, this.#options.heartbeat));
  }

  #keep(side: ConnectionActor | UpstreamActor, entry: WheelEntry): void {
    const entries = this.#waits.get(side);
    if (entries === undefined) this.#waits.set(side, [entry]);
    else entries.push(entry);
  }

  #stopWaiting(side: ConnectionActor | UpstreamActor): void {
    this.#hearts.get(side)?.cancel();
    this.#hearts.delete(side);
    for (const wait of this.#waits.get(side) ?? []) wait.cancel();
    this.#waits.delete(side);
  }

  #forget(connection: ConnectionActor): void {
    this.#stopWaiting(connection);
    if (!this.registry.remove(connection)) return;
    this.#checkCapacity();
    this.#checkGone();
  }

  #checkCapacity(): void {
    const { maxConnections } = this.#options;
    if (maxConnections <= 0) return;
    if (this.registry.size === maxConnections) this.#send({ type: 'capacity.reached' });
    else if (this.registry.size === maxConnections - 1) this.#send({ type: 'capacity.freed' });
  }

  #checkGone(): void {
    if (this.registry.size > 0 || this.#upstreams.size > 0) return;
    if (this.#stopping) this.#send({ type: 'connections.gone' });
  }

  /** Ends every connection there is now, so many per second, in batches: never one burst. */
  #endPaced(perSecond: number): void {
    const ending = this.#ending;
    const connections = [...this.registry.all()];
    const batch = Math.max(1, Math.ceil((perSecond * PACE_MS) / 1000));
    for (let start = 0; start < connections.length; start += batch) {
      const some = connections.slice(start, start + batch);
      this.#endings.add(async () => {
        for (const connection of some) connection.close(ending());
        if (start + batch < connections.length) await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      });
    }
  }
}

/** An ending that an operator asked for. */
export function operatorEnding(code: Ending['code'], reason: string): Ending {
  return { initiator: 'operator', cause: 'disconnected', code, reason };
}

const operatorCut: Ending = { initiator: 'operator', cause: 'terminated', code: 1006, reason: '' };

function settling(): { promise: Promise<void>; resolve(): void; reject(error: unknown): void } {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Grows with every message or payload byte in either direction; heartbeats do not count. */
function activity(connection: ConnectionActor): number {
  const { received, sent } = connection.port;
  return received.messages + received.bytes + sent.messages + sent.bytes;
}

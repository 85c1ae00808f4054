/**
 * Owns what a proxy and a receiver server have in common: listeners, the way of an upgrade request to a connection actor,
 * and the verbs of a running server. Refuses to know targets and data paths.
 */
import { captureRejectionSymbol, EventEmitter } from 'node:events';
import type { Ending } from '../actors/ending.js';
import { operatorEnding, SupervisorActor } from '../actors/supervisor-actor.js';
import {
  CloseCode,
  type CloseReport,
  type Connection,
  ConnectionReceiver,
  type ConnectionSnapshot,
  type Message,
  type SendResult,
  TidegateError,
} from '../receivers/index.js';
import { type BroadcastFilter, type BroadcastReport, broadcast } from './broadcast.js';
import type { ProxyConfig } from './config/options.js';
import type { ConnectionServices } from './connections/connection-services.js';
import { Entrance, type ReceiverFactory } from './connections/entrance.js';
import { DialQueue } from './dial/dial-queue.js';
import { createWarmPool } from './dial/warm-pool.js';
import type { ServerEvents } from './events.js';
import type { BoundAddress } from './listener/listen-address.js';
import { Listener } from './listener/listener.js';
import { PressureWatch } from './paths/pressure-watch.js';
import { chooseLayer, type WireLayer } from './wires/wire-layer.js';

/** Where in its life a server is. */
export type ServerState = 'stopped' | 'starting' | 'running' | 'draining';

/** A server at one moment, as plain JSON. */
export interface ServerSnapshot {
  readonly state: ServerState;
  /** The value of the statechart `supervisor`, or undefined when the server is stopped. */
  readonly chart: unknown;
  readonly addresses: readonly BoundAddress[];
  readonly connections: readonly ConnectionSnapshot[];
}

/** How a server is stopped. */
export interface StopOptions {
  /** Milliseconds until what is left is cut; default `timeouts.drain`, 0 cuts at once. */
  readonly drainTimeout?: number;
}

/** What exists while the server runs. */
interface Running {
  readonly supervisor: SupervisorActor;
  readonly services: ConnectionServices;
  readonly watch: PressureWatch;
  readonly listeners: readonly Listener[];
  readonly entrance: Entrance;
}

/** Accepts WebSocket connections and runs each as an actor. */
export abstract class ConnectionServer extends EventEmitter<ServerEvents> {
  protected readonly config: ProxyConfig;
  readonly #needsTarget: boolean;
  readonly #createReceiver: ReceiverFactory;
  readonly #layer: WireLayer;
  #state: ServerState = 'stopped';
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  #addresses: readonly BoundAddress[] = [];
  #count = 0;

  protected constructor(config: ProxyConfig, needsTarget: boolean, createReceiver: ReceiverFactory | undefined) {
    super({ captureRejections: true });
    this.config = config;
    this.#needsTarget = needsTarget;
    this.#layer = chooseLayer(config.io);
    this.#createReceiver = createReceiver ?? (() => new ConnectionReceiver());
  }

  get state(): ServerState {
    return this.#state;
  }

  /** The addresses that are bound; empty unless running. */
  get addresses(): readonly BoundAddress[] {
    return this.#addresses;
  }

  /** Every open connection. */
  get connections(): Connection[] {
    const open: Connection[] = [];
    for (const connection of this.#running?.supervisor.registry.all() ?? []) {
      if (connection.gate) open.push(connection.handle);
    }
    return open;
  }

  /** The connection with this id, if there is one. */
  connection(id: string): Connection | undefined {
    return this.#running?.supervisor.registry.get(id)?.handle;
  }

  /**
   * Binds every listener.
   *
   * @throws TidegateError `ALREADY_STARTED`, `ADDRESS_IN_USE` or `LISTEN_FAILED`; nothing is left open then.
   */
  start(): Promise<readonly BoundAddress[]> {
    return this.#start(this.config.listen);
  }

  /**
   * Stops listening, closes every connection with 1001, a batch at a time, and cuts what is left after the drain deadline.
   * Resolves when no socket, timer or handle is left. May be called at any time, and more than once.
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.#stop(() => operatorEnding(CloseCode.GoingAway, 'the server is stopping'), options);
  }

  /** Stops, telling clients with 1012 when to come back, and starts again on the same addresses. */
  async restart(options: StopOptions = {}): Promise<readonly BoundAddress[]> {
    const addresses = this.#addresses;
    await this.#stop(() => operatorEnding(CloseCode.ServiceRestart, retryReason()), options);
    const listen = this.config.listen.map((wanted, index) => ({
      ...wanted,
      port: addresses[index]?.port ?? wanted.port,
    }));
    return this.#start(listen);
  }

  /** Closes every connection with 1001, a batch at a time, and goes on listening. Resolves with their number. */
  async disconnectAll(): Promise<number> {
    const ending = () => operatorEnding(CloseCode.GoingAway, 'disconnected by the operator');
    return (await this.#running?.supervisor.closeAll(ending)) ?? 0;
  }

  /** Cuts every connection now, without a Close frame, and goes on listening. Answers with their number. */
  terminateAll(): number {
    return this.#running?.supervisor.cutAll() ?? 0;
  }

  /** Sends a message to one client (sgc: WriteData); `unknown` when there is no such connection. */
  send(id: string, message: Message): SendResult | 'unknown' {
    return this.connection(id)?.send(message) ?? 'unknown';
  }

  /** Sends a ping to every client. Answers with the number of connections it was sent on. */
  ping(payload: Message = ''): number {
    let sent = 0;
    for (const connection of this.connections) {
      const result = connection.ping(payload);
      if (result === 'accepted' || result === 'queued') sent += 1;
    }
    return sent;
  }

  /** Sends a message to every client that passes the filter; never to a target. */
  broadcast(message: Message, filter: BroadcastFilter = {}): BroadcastReport {
    const registry = this.#running?.supervisor.registry;
    if (registry === undefined) return { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };
    return broadcast(registry, message, filter);
  }

  /** The server and its connections at this moment, as plain JSON. */
  snapshot(): ServerSnapshot {
    const registry = this.#running?.supervisor.registry;
    return {
      state: this.#state,
      chart: this.#running?.supervisor.chartValue,
      addresses: this.#addresses,
      connections: registry === undefined ? [] : [...registry.all()].map((connection) => connection.handle.snapshot()),
    };
  }

  /** Called by Node.js for a listener that rejects, in place of an unhandled rejection that ends the process. */
  override [captureRejectionSymbol](error: Error, event: unknown, ..._values: unknown[]): void {
    if (event !== 'exception') this.#tell('exception', error, undefined);
  }

  async #start(listen: ProxyConfig['listen']): Promise<readonly BoundAddress[]> {
    // Without a turn of its own, so that a stop that comes right after it finds the server starting.
    if (this.#stopping !== undefined) await this.#stopping;
    if (this.#state !== 'stopped') throw new TidegateError('ALREADY_STARTED', `the server is ${this.#state} already`);
    this.#state = 'starting';
    const running = this.#create(listen);
    this.#running = running;
    try {
      await running.supervisor.start();
    } catch (error) {
      await this.#release(running);
      throw error;
    }
    running.services.warm?.start();
    this.#state = 'running';
    this.#tell('startup', this.#addresses);
    return this.#addresses;
  }

  #stop(ending: () => Ending, options: StopOptions): Promise<void> {
    this.#stopping ??= this.#drain(ending, options).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #drain(ending: () => Ending, options: StopOptions): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    await running.supervisor.started;
    if (this.#running !== running) return;
    this.#state = 'draining';
    void running.services.warm?.close();
    await running.supervisor.stop(ending, options.drainTimeout);
    await this.#release(running);
    this.#tell('shutdown');
  }

  async #release(running: Running): Promise<void> {
    await Promise.all(running.listeners.map((listener) => listener.close()));
    await Promise.all(running.listeners.map((listener) => listener.terminateAll()));
    await running.services.warm?.close();
    running.watch.stop();
    this.#running = undefined;
    this.#addresses = [];
    this.#state = 'stopped';
  }

  #create(listen: ProxyConfig['listen']): Running {
    const { config } = this;
    const { limits, timeouts, heartbeat } = config;
    const listeners = listen.map((address) => this.#createListener(address));
    const supervisor = new SupervisorActor(
      { heartbeat, timeouts, ...limits },
      {
        bind: async () => {
          this.#addresses = await bindAll(listeners);
        },
        unbind: () => {
          for (const listener of listeners) void listener.close();
        },
      },
      {
        opened: (connection) => this.#tell('connection', connection.handle),
        rejected: ({ request }, { error, status, message }) => {
          const { remoteAddress, path } = request;
          this.#tell('rejected', { error, status, message, remoteAddress, path });
        },
        disconnected: (connection, report: CloseReport) => this.#tell('disconnected', connection.handle, report),
        exception: (connection, error) => this.#tell('exception', error, connection?.handle),
      },
    );
    const watch = new PressureWatch(timeouts.pressureDwell);
    const services: ConnectionServices = {
      config,
      needsTarget: this.#needsTarget,
      supervisor,
      links: { watch, limits },
      layer: this.#layer,
      dials: new DialQueue(limits.maxConcurrentDials),
      warm: createWarmPool(config, this.#layer),
    };
    const entrance = new Entrance({
      services,
      createReceiver: this.#createReceiver,
      nextId: () => {
        this.#count += 1;
        return `conn-${this.#count}`;
      },
      rejected: (rejected) => this.#tell('rejected', rejected),
      exception: (error) => this.#tell('exception', error, undefined),
    });
    return { supervisor, services, watch, listeners, entrance };
  }

  #createListener(address: ProxyConfig['listen'][number]): Listener {
    const { timeouts, limits, keepAlive } = this.config;
    return new Listener({
      ...address,
      handshakeTimeout: timeouts.handshake,
      maxHandshakeBytes: limits.maxHandshakeBytes,
      highWaterMark: limits.highWaterMark,
      keepAlive,
      layer: this.#layer,
      onRequest: (head, wire) => {
        if (this.#running === undefined) wire.terminate();
        else this.#running.entrance.take(head, wire);
      },
      onRefused: ({ error, status, message, remoteAddress }) =>
        this.#tell('rejected', { error, status, message, remoteAddress, path: undefined }),
      onError: (error) => this.#tell('error', error),
    });
  }

  /** Tells an event. A listener that throws must not reach the connection that caused it. */
  #tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void {
    if (this.listenerCount(name) === 0) return;
    try {
      (this.emit as (name: string, ...values: unknown[]) => boolean).call(this, name, ...values);
    } catch (error) {
      if (name !== 'exception') this.#tell('exception', error, undefined);
    }
  }
}

/** Binds all listeners, or none. */
async function bindAll(listeners: readonly Listener[]): Promise<BoundAddress[]> {
  const bound: BoundAddress[] = [];
  for (const listener of listeners) bound.push(await listener.bind());
  return bound;
}

/** When to come back after a restart: spread, so that not all clients come at once. */
function retryReason(): string {
  return JSON.stringify({ retryAfterMs: 500 + Math.floor(Math.random() * 2000) });
}

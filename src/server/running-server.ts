/**
 * Owns everything that exists while a server runs, and how it is put together: listeners, supervisor, entrance, and what all
 * connections share. Made anew for each start. Refuses to know in which state the server is.
 */
import { SupervisorActor } from '../actors/supervisor-actor.js';
import { type CloseReport, ConnectionReceiver } from '../receivers/index.js';
import type { ProxyConfig } from './config/options.js';
import type { ConnectionServices } from './connections/connection-services.js';
import { Entrance } from './connections/entrance.js';
import { DialQueue } from './dial/dial-queue.js';
import { createWarmPool } from './dial/warm-pool.js';
import type { ServerEvents } from './events.js';
import { writeRefusal } from './handshake/answer.js';
import type { ServerHooks } from './hooks.js';
import type { BoundAddress } from './listener/listen-address.js';
import { Listener } from './listener/listener.js';
import { PressureWatch } from './paths/pressure-watch.js';
import { Watchdog } from './watchdog/watchdog.js';
import type { WireLayer } from './wires/wire-layer.js';

/** What a running server is made of. */
export interface RunningOptions {
  readonly config: ProxyConfig;
  readonly hooks: ServerHooks;
  /** Whether a connection without a target is refused. */
  readonly needsTarget: boolean;
  readonly layer: WireLayer;
  /** Where to listen: as configured, or again where it was. */
  readonly listen: ProxyConfig['listen'];
  nextId(): string;
  /** Tells an event; never throws. */
  tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void;
}

/** A server between its start and its stop. */
export class RunningServer {
  readonly supervisor: SupervisorActor;
  readonly services: ConnectionServices;
  readonly entrance: Entrance;
  /** The addresses that are bound; empty before. */
  addresses: readonly BoundAddress[] = [];
  readonly #options: RunningOptions;
  readonly #listeners: readonly Listener[];
  readonly #watch: PressureWatch;
  /** Told by listeners that died; knows the server's own probes. */
  readonly #watchdog: Watchdog;

  constructor(options: RunningOptions) {
    this.#options = options;
    const { config, tell } = options;
    const { limits, timeouts } = config;
    this.supervisor = this.#createSupervisor();
    this.#watchdog = new Watchdog({ config: config.watchdog, hooks: options.hooks, tell });
    this.#listeners = options.listen.map((address) => this.#createListener(address));
    this.#watch = new PressureWatch(timeouts.pressureDwell);
    this.services = {
      config,
      needsTarget: options.needsTarget,
      supervisor: this.supervisor,
      links: { watch: this.#watch, limits },
      layer: options.layer,
      dials: new DialQueue(limits.maxConcurrentDials),
      warm: createWarmPool(config, options.layer),
    };
    this.entrance = new Entrance({
      services: this.services,
      createReceiver: options.hooks.receiver ?? (() => new ConnectionReceiver()),
      nextId: options.nextId,
      rejected: (rejected) => tell('rejected', rejected),
      exception: (error) => tell('exception', error, undefined),
    });
  }

  /** Binds every listener, or rejects. */
  async start(): Promise<void> {
    await this.supervisor.start();
    this.services.warm?.start();
  }

  /** No new connections and no new dials ahead of need; what is left is released later. */
  stopAhead(): void {
    this.#watchdog.stop();
    void this.services.warm?.close();
  }

  /** Lets go of everything. Resolves when no socket, timer or handle is left. */
  async release(): Promise<void> {
    this.#watchdog.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all(this.#listeners.map((listener) => listener.terminateAll()));
    await this.services.warm?.close();
    this.#watch.stop();
    this.addresses = [];
  }

  #createSupervisor(): SupervisorActor {
    const { config, tell } = this.#options;
    const { limits, timeouts, heartbeat } = config;
    return new SupervisorActor(
      { heartbeat, timeouts, ...limits },
      {
        bind: async () => {
          this.addresses = await bindAll(this.#listeners);
          for (const [index, listener] of this.#listeners.entries()) {
            this.#watchdog.watch(listener, this.addresses[index]!);
          }
        },
        unbind: () => {
          this.#watchdog.stop();
          for (const listener of this.#listeners) void listener.close();
        },
      },
      {
        opened: (connection) => tell('connection', connection.handle),
        rejected: ({ request }, { error, status, message }) => {
          const { remoteAddress, path } = request;
          tell('rejected', { error, status, message, remoteAddress, path });
        },
        disconnected: (connection, report: CloseReport) => tell('disconnected', connection.handle, report),
        exception: (connection, error) => tell('exception', error, connection?.handle),
      },
    );
  }

  #createListener(address: ProxyConfig['listen'][number]): Listener {
    const { config, layer, tell } = this.#options;
    const { timeouts, limits, keepAlive } = config;
    const watchdog = this.#watchdog;
    const listener = new Listener({
      ...address,
      handshakeTimeout: timeouts.handshake,
      maxHandshakeBytes: limits.maxHandshakeBytes,
      maxHeaderCount: limits.maxHeaderCount,
      highWaterMark: limits.highWaterMark,
      keepAlive,
      layer,
      onRequest: (head, wire, waited) => {
        if (watchdog.probing && watchdog.isProbe(wire.addresses)) writeRefusal(wire, { status: 426 });
        else this.entrance.take(head, wire, waited);
      },
      onRefused: ({ error, status, message, remoteAddress, remotePort = 0 }) => {
        if (remoteAddress !== undefined && watchdog.isProbe({ remoteAddress, remotePort })) return;
        tell('rejected', { error, status, message, remoteAddress, path: undefined });
      },
      onLost: (error, shortage) => watchdog.lost(listener, error, shortage),
    });
    return listener;
  }
}

/** Binds all listeners, or none. */
async function bindAll(listeners: readonly Listener[]): Promise<BoundAddress[]> {
  const bound: BoundAddress[] = [];
  for (const listener of listeners) bound.push(await listener.bind());
  return bound;
}

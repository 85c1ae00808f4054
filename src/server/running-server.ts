/**
 * Owns everything that exists while a server runs, and how it is put together: listeners, admission, authentication, supervisor,
 * entrance, and what all connections share. Made anew for each start. Refuses to know in which state the server is.
 */
import { type Clock, systemClock } from '../actors/clock.js';
import type { Ending } from '../actors/ending.js';
import { SupervisorActor } from '../actors/supervisor-actor.js';
import { type CloseReport, ConnectionReceiver } from '../receivers/index.js';
import type { AdminServer } from './admin/admin-server.js';
import type { AdmissionRecord } from './admission/admission-record.js';
import { Gatekeeper } from './admission/gatekeeper.js';
import { Authentication } from './authentication/authentication.js';
import type { ProxyConfig } from './config/options.js';
import type { ConnectionServices } from './connections/connection-services.js';
import { Entrance } from './connections/entrance.js';
import { DialQueue } from './dial/dial-queue.js';
import { Dialer } from './dial/dialer.js';
import { createWarmPool } from './dial/warm-pool.js';
import type { RejectedUpgrade, ServerEvents } from './events.js';
import type { ServerHooks } from './hooks.js';
import type { BoundAddress } from './listener/listen-address.js';
import type { Observation } from './observation/observation.js';
import type { ObservedParts } from './observation/onlooker.js';
import type { LinkServices } from './paths/links.js';
import { PressureWatch } from './paths/pressure-watch.js';
import type { ExtensionBase, ServerExtension } from './server-extension.js';
import { ServerListeners } from './server-listeners.js';
import { MemoryBudget } from './shaping/memory-budget.js';
import { Pacer } from './shaping/pacer.js';
import type { CertificateReport } from './tls/server-certificates.js';
import type { TicketKeys } from './tls/ticket-keys.js';
import type { WireLayer } from './wires/wire-layer.js';

/** What a running server is made of. */
export interface RunningOptions {
  readonly config: ProxyConfig;
  readonly hooks: ServerHooks;
  /** Whether a connection without a target is refused. */
  readonly needsTarget: boolean;
  readonly layer: WireLayer;
  /** Bans and counts, which outlive a stop. */
  readonly record: AdmissionRecord;
  /** Where to listen: as configured, or again where it was. */
  readonly listen: ProxyConfig['listen'];
  /** Of the server, so that they outlive a restart. */
  readonly tickets: TicketKeys;
  /** Makes what this kind of server adds; undefined for nothing. */
  readonly extend?: ((base: ExtensionBase) => ServerExtension) | undefined;
  /** What clients are told when the server stops or restarts, in place of what others say; asked for each. */
  readonly farewell?: (() => Ending) | undefined;
  /** Who looks at the server. */
  readonly observation: Observation;
  /** What deadlines, heartbeats and rates go by. Default: the clock of the process. */
  readonly clock?: Clock | undefined;
  /** The admin API of its own; undefined for none. */
  readonly admin: AdminServer | undefined;
  nextId(): string;
  /** Tells an event; never throws. */
  tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void;
}

/** A server between its start and its stop. */
export class RunningServer {
  readonly supervisor: SupervisorActor;
  readonly services: ConnectionServices;
  readonly gatekeeper: Gatekeeper;
  readonly budget: MemoryBudget;
  /** The addresses that are bound; empty before. */
  addresses: readonly BoundAddress[] = [];
  readonly #options: RunningOptions;
  readonly #listeners: ServerListeners;
  readonly #authentication: Authentication;
  readonly #extension: ServerExtension | undefined;
  readonly #watch: PressureWatch;
  readonly #pacer: Pacer;

  constructor(options: RunningOptions) {
    this.#options = options;
    const { config, hooks, layer, tell } = options;
    this.gatekeeper = new Gatekeeper({
      config,
      hooks,
      record: options.record,
      rejected: (rejected) => tell('rejected', rejected),
      exception: (error) => tell('exception', error, undefined),
    });
    this.#authentication = new Authentication({
      config,
      hooks,
      exception: (error, connection) => tell('exception', error, connection),
      expiring: (connection, expiresAt) => tell('expiring', connection, expiresAt),
    });
    this.supervisor = this.#createSupervisor();
    this.budget = new MemoryBudget(config.limits.maxHeldBytes);
    this.#watch = new PressureWatch(config.timeouts.pressureDwell, options.clock);
    this.#pacer = new Pacer(options.clock);
    const dialer = new Dialer(config, hooks, layer);
    this.#extension = options.extend?.({
      supervisor: this.supervisor,
      dialer,
      addresses: () => this.addresses,
      offence: (peer, weight, why) => this.gatekeeper.offence(peer, weight, why),
      refused: (error) => options.record.refusals.add(error),
      authentication: this.#authentication,
      entry: {
        ports: this.gatekeeper,
        denialOfNext: (head, wire) => this.#listeners.denialOfNext(head, wire),
        serves: (head, wire) => entrance.serves(head, wire),
        take: (head, wire) => entrance.take(head, wire),
        rejected: (rejected) => this.#rejected(rejected),
      },
    });
    this.services = {
      config,
      needsTarget: options.needsTarget,
      supervisor: this.supervisor,
      links: this.#linkServices(),
      routes: this.#extension?.routes,
      dialer,
      dials: new DialQueue(config.limits.maxConcurrentDials),
      recorder: options.observation.recorder.port,
      warm: createWarmPool(config, dialer),
      tracing: options.observation.tracing,
    };
    const entrance = this.#createEntrance();
    this.#listeners = new ServerListeners({
      ...options,
      gatekeeper: this.gatekeeper,
      onRequest: (head, wire, waited) => entrance.take(head, wire, waited),
      onBytes: (wire, target) => entrance.takeBytes(wire, target),
      rejected: (rejected, isSilent) => this.#rejected(rejected, isSilent),
    });
  }

  /** What of it can be looked at. */
  get parts(): ObservedParts {
    const { supervisor, budget } = this;
    const { dials, warm } = this.services;
    const { pool, registrations } = this.#extension ?? {};
    const { config } = this.#options;
    return { config, supervisor, pool, registrations, dials, warm, heldBytes: () => budget.heldBytes };
  }

  /** Binds every listener, or rejects. */
  async start(): Promise<void> {
    // First, so that a server whose admin API cannot be had takes no client.
    await this.#options.admin?.start();
    await this.supervisor.start();
    await this.#listeners.watchCertificates();
    this.services.warm?.start();
    await this.#extension?.start?.();
  }

  /** Reads the certificates of every listener again. */
  reloadCertificates(): CertificateReport[] {
    return this.#listeners.reloadCertificates();
  }

  /** No new dials ahead of need, and whoever is to know that the server goes is told; what is left is released later. */
  stopAhead(): Promise<void> | void {
    void this.services.warm?.close();
    return this.#extension?.stopAhead?.();
  }

  /** Ends everything, connections as `ending` says; cuts what is left after the drain deadline. */
  async stop(ending: () => Ending, drainTimeout: number | undefined): Promise<void> {
    const drained = this.#extension?.drain?.(drainTimeout ?? this.#options.config.timeouts.drain);
    await Promise.all([this.supervisor.stop(ending, drainTimeout), drained]);
  }

  /** Lets go of everything. Resolves when no socket, timer or handle is left. */
  async release(): Promise<void> {
    await this.#options.admin?.close();
    await this.#listeners.release();
    await this.services.warm?.close();
    await this.#extension?.release();
    this.#watch.stop();
    this.#pacer.stop();
    this.#authentication.close();
    await this.#options.observation.recorder.close();
    this.budget.stop();
    this.addresses = [];
  }

  #createSupervisor(): SupervisorActor {
    const { config, tell, observation } = this.#options;
    const { limits, timeouts, heartbeat, inspection } = config;
    return new SupervisorActor(
      {
        heartbeat,
        timeouts,
        ...limits,
        // Some percent of the cost of a short connection: only where somebody may ask.
        historySize: this.#options.observation.isAdministered ? inspection.history : 0,
        clock: this.#options.clock ?? systemClock,
        credentials: this.#authentication.watch,
      },
      {
        bind: async () => {
          this.addresses = await this.#listeners.bind();
        },
        unbind: () => this.#listeners.close(),
      },
      {
        opened: (connection) => {
          observation.opened(connection);
          tell('connection', connection.handle);
          this.#extension?.opened?.(connection);
        },
        rejected: (connection, refusal) => {
          const { request, port } = connection;
          const { error, status, message } = refusal;
          const { remoteAddress, path } = request;
          observation.refused(connection, refusal);
          this.#rejected({ error, status: port.answered ? 101 : status, message, remoteAddress, path });
        },
        disconnected: (connection, report: CloseReport) => {
          observation.closed(connection, report);
          this.#extension?.closed?.(connection);
          tell('disconnected', connection.handle, report);
        },
        exception: (connection, error) => tell('exception', error, connection?.handle),
      },
    );
  }

  #linkServices(): LinkServices {
    const { gatekeeper } = this;
    const { observation, config } = this.#options;
    const { limits, outbound } = config;
    return {
      watch: this.#watch,
      pacer: this.#pacer,
      budget: this.budget,
      limits,
      outbound,
      messagePolicy: gatekeeper.readsMessages
        ? (connection, message) => gatekeeper.message(connection, message)
        : undefined,
      roundTrip: (side, ms) => observation.answeredPing(side, ms),
      offence: (peer, weight, why) => gatekeeper.offence(peer, weight, why),
    };
  }

  #createEntrance(): Entrance {
    const { hooks, nextId } = this.#options;
    return new Entrance({
      services: this.services,
      authentication: this.#authentication,
      extension: this.#extension,
      ports: this.gatekeeper,
      createReceiver: hooks.receiver ?? (() => new ConnectionReceiver()),
      nextId,
      rejected: (rejected) => this.#rejected(rejected),
    });
  }

  /** Something was refused after admission: counted, and told. */
  #rejected(rejected: RejectedUpgrade, isSilent = false): void {
    this.gatekeeper.refused({ ...rejected, isSilent });
    this.#options.tell('rejected', rejected);
  }
}

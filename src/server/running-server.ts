/**
 * Owns everything that exists while a server runs, and how it is put together: listeners, supervisor, entrance, and what all
 * connections share. Made anew for each start. Refuses to know in which state the server is.
 */
import { SupervisorActor } from '../actors/supervisor-actor.js';
import { type CloseReport, ConnectionReceiver } from '../receivers/index.js';
import type { AdmissionRecord } from './admission/admission-record.js';
import { Gatekeeper } from './admission/gatekeeper.js';
import { Reception } from './admission/reception.js';
import { formatListen } from './config/listen.js';
import type { ProxyConfig } from './config/options.js';
import type { ConnectionServices } from './connections/connection-services.js';
import { Entrance } from './connections/entrance.js';
import { DialQueue } from './dial/dial-queue.js';
import { createWarmPool } from './dial/warm-pool.js';
import type { RejectedUpgrade, ServerEvents } from './events.js';
import { writeRefusal } from './handshake/answer.js';
import type { ServerHooks } from './hooks.js';
import type { BoundAddress } from './listener/listen-address.js';
import { Listener } from './listener/listener.js';
import { PressureWatch } from './paths/pressure-watch.js';
import { type CertificateReport, ServerCertificates } from './tls/server-certificates.js';
import type { TicketKeys } from './tls/ticket-keys.js';
import { TlsListening } from './tls/tls-listening.js';
import { Watchdog } from './watchdog/watchdog.js';
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
  nextId(): string;
  /** Tells an event; never throws. */
  tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void;
}

/** A server between its start and its stop. */
export class RunningServer {
  readonly supervisor: SupervisorActor;
  readonly services: ConnectionServices;
  readonly entrance: Entrance;
  readonly gatekeeper: Gatekeeper;
  /** The addresses that are bound; empty before. */
  addresses: readonly BoundAddress[] = [];
  readonly #options: RunningOptions;
  readonly #listeners: readonly Listener[];
  readonly #certificates: ServerCertificates;
  readonly #watch: PressureWatch;
  readonly #reception: Reception;
  /** Told by listeners that died; knows the server's own probes. */
  readonly #watchdog: Watchdog;

  constructor(options: RunningOptions) {
    this.#options = options;
    const { config, tell } = options;
    const { limits, timeouts } = config;
    this.supervisor = this.#createSupervisor();
    this.gatekeeper = new Gatekeeper({
      config,
      hooks: options.hooks,
      record: options.record,
      rejected: (rejected) => tell('rejected', rejected),
      exception: (error) => tell('exception', error, undefined),
    });
    this.#watchdog = new Watchdog({ config: config.watchdog, hooks: options.hooks, tell });
    this.#reception = new Reception(this.gatekeeper, (rejected) => tell('rejected', rejected));
    const secure = options.listen.map((address) => this.#createTls(address));
    this.#listeners = options.listen.map((address, index) => this.#createListener(address, secure[index]));
    const listenings = options.listen.flatMap((address, index) => {
      const one = secure[index];
      return one === undefined ? [] : [{ listener: formatListen(address), tls: one }];
    });
    this.#certificates = new ServerCertificates(listenings, (report) => tell('certificates', report));
    this.#watch = new PressureWatch(timeouts.pressureDwell);
    this.services = {
      config,
      needsTarget: options.needsTarget,
      supervisor: this.supervisor,
      gatekeeper: this.gatekeeper,
      links: { watch: this.#watch, limits },
      layer: options.layer,
      dials: new DialQueue(limits.maxConcurrentDials),
      warm: createWarmPool(config, options.layer),
    };
    this.entrance = new Entrance({
      services: this.services,
      createReceiver: options.hooks.receiver ?? (() => new ConnectionReceiver()),
      nextId: options.nextId,
      rejected: (rejected) => this.#rejected(rejected),
      exception: (error) => tell('exception', error, undefined),
    });
  }

  /** Binds every listener, or rejects. */
  async start(): Promise<void> {
    await this.supervisor.start();
    await this.#certificates.start();
    this.services.warm?.start();
  }

  /** Reads the certificates of every listener again. */
  reloadCertificates(): CertificateReport[] {
    return this.#certificates.reload();
  }

  /** No new connections and no new dials ahead of need; what is left is released later. */
  stopAhead(): void {
    this.#watchdog.stop();
    void this.services.warm?.close();
  }

  /** Lets go of everything. Resolves when no socket, timer or handle is left. */
  async release(): Promise<void> {
    this.#certificates.stop();
    this.#watchdog.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all(this.#listeners.map((listener) => listener.terminateAll()));
    await this.services.warm?.close();
    this.#watch.stop();
    this.addresses = [];
  }

  /** Something was refused after admission: counted, and told. */
  #rejected(rejected: RejectedUpgrade, isSilent = false): void {
    this.gatekeeper.refused({ ...rejected, isSilent });
    this.#options.tell('rejected', rejected);
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
          this.#rejected({ error, status, message, remoteAddress, path });
        },
        disconnected: (connection, report: CloseReport) => tell('disconnected', connection.handle, report),
        exception: (connection, error) => tell('exception', error, connection?.handle),
      },
    );
  }

  #createTls({ tls }: ProxyConfig['listen'][number]): TlsListening | undefined {
    const { config, hooks, tickets, tell } = this.#options;
    const settings = tls ?? config.tls;
    if (settings === undefined || settings === false) return undefined;
    return new TlsListening(settings, { hooks, tickets, exception: (error) => tell('exception', error, undefined) });
  }

  #createListener(address: ProxyConfig['listen'][number], tls: TlsListening | undefined): Listener {
    const { config, hooks, layer, tell } = this.#options;
    const { timeouts, limits, keepAlive, socket } = config;
    const watchdog = this.#watchdog;
    const listener = new Listener({
      keepAlive,
      ...socket,
      ...address,
      tls,
      handshakeTimeout: timeouts.handshake,
      maxHandshakeBytes: limits.maxHandshakeBytes,
      maxPendingHandshakes: limits.maxPendingHandshakes,
      maxHeaderCount: limits.maxHeaderCount,
      highWaterMark: limits.highWaterMark,
      layer,
      onUnknownProtocol: hooks.onUnknownProtocol,
      arrive: (peer, role) => this.gatekeeper.arrive(peer, role),
      become: (pass, peer) => this.#reception.introduces(pass, peer),
      onRequest: (head, wire) => {
        if (watchdog.probing && watchdog.isProbe(wire.addresses)) writeRefusal(wire, { status: 426 });
        else if (this.#reception.admits(head, wire)) this.entrance.take(head, wire);
      },
      onBytes: (wire, target) => {
        // There is nothing to answer it with; that it was accepted and ended is an answer too.
        if (watchdog.probing && watchdog.isProbe(wire.addresses)) wire.terminate();
        else if (this.#reception.admitsBytes(wire)) this.entrance.takeBytes(wire, target);
      },
      onRefused: ({ error, status, message, remoteAddress, remotePort = 0, isSilent }) => {
        if (remoteAddress !== undefined && watchdog.isProbe({ remoteAddress, remotePort })) return;
        this.#rejected({ error, status, message, remoteAddress, path: undefined }, isSilent);
      },
      onLost: (error, shortage) => watchdog.lost(listener, error, shortage),
      onException: (error) => tell('exception', error, undefined),
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

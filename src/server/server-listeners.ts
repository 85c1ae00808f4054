/**
 * Owns the listeners of a running server, and what goes with them: their certificates, the watchdog, and the way from an accepted
 * connection to admission. Refuses to know what becomes of a request.
 */
import type { RequestHead } from '../protocol/http-head.js';
import type { Gatekeeper } from './admission/gatekeeper.js';
import type { Denial } from './admission/policy.js';
import { Reception } from './admission/reception.js';
import { formatListen } from './config/listen.js';
import type { ProxyConfig } from './config/options.js';
import type { RejectedUpgrade, ServerEvents } from './events.js';
import { writeRefusal } from './handshake/answer.js';
import type { ServerHooks } from './hooks.js';
import type { BoundAddress } from './listener/listen-address.js';
import { Listener } from './listener/listener.js';
import type { ListenerRefusal } from './listener/listener-options.js';
import { type CertificateReport, ServerCertificates } from './tls/server-certificates.js';
import type { TicketKeys } from './tls/ticket-keys.js';
import { TlsListening } from './tls/tls-listening.js';
import { Watchdog } from './watchdog/watchdog.js';
import type { AcceptedWire } from './wires/wire.js';
import type { WireLayer } from './wires/wire-layer.js';

/** What listeners are made of. */
export interface ServerListenersOptions {
  readonly config: ProxyConfig;
  readonly hooks: ServerHooks;
  /** Where to listen: as configured, or again where it was. */
  readonly listen: ProxyConfig['listen'];
  readonly layer: WireLayer;
  /** Of the server, so that they outlive a restart. */
  readonly tickets: TicketKeys;
  readonly gatekeeper: Gatekeeper;
  /** Takes an admitted request, whose head took `waited` milliseconds. Its wire is not read. */
  onRequest(head: RequestHead, wire: AcceptedWire, waited: number): void;
  /** Takes an admitted client that speaks plain TCP. Its wire is not read. */
  onBytes(wire: AcceptedWire, target: string | undefined): void;
  /** Told about each connection that was refused on its way. */
  rejected(rejected: RejectedUpgrade, isSilent: boolean): void;
  /** Tells an event; never throws. */
  tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void;
}

/** All listeners of one server. */
export class ServerListeners {
  readonly #options: ServerListenersOptions;
  readonly #listeners: readonly Listener[];
  readonly #certificates: ServerCertificates;
  readonly #reception: Reception;
  /** Told by listeners that died; knows the server's own probes. */
  readonly #watchdog: Watchdog;

  constructor(options: ServerListenersOptions) {
    this.#options = options;
    const { config, hooks, gatekeeper, listen, tell } = options;
    this.#reception = new Reception(gatekeeper, (rejected) => tell('rejected', rejected));
    this.#watchdog = new Watchdog({ config: config.watchdog, hooks, tell });
    const secure = listen.map((address) => this.#createTls(address));
    this.#listeners = listen.map((address, index) => this.#createListener(address, secure[index]));
    const listenings = listen.flatMap((address, index) => {
      const one = secure[index];
      return one === undefined ? [] : [{ listener: formatListen(address), tls: one }];
    });
    this.#certificates = new ServerCertificates(listenings, (report) => tell('certificates', report));
  }

  /** Binds all of them, or none. */
  async bind(): Promise<BoundAddress[]> {
    const bound: BoundAddress[] = [];
    for (const listener of this.#listeners) bound.push(await listener.bind());
    for (const [index, listener] of this.#listeners.entries()) this.#watchdog.watch(listener, bound[index]!);
    return bound;
  }

  /** Begins to watch the files of the certificates. */
  watchCertificates(): Promise<void> {
    return this.#certificates.start();
  }

  /** Reads the certificates of every listener again. */
  reloadCertificates(): CertificateReport[] {
    return this.#certificates.reload();
  }

  /** Why a further request of a connection that was admitted is turned away, if it is; whoever asked answers it. */
  denialOfNext(head: RequestHead, wire: AcceptedWire): Denial | undefined {
    return this.#reception.denialOfNext(head, wire);
  }

  /** Stops listening. Whoever arrived lives on. */
  close(): void {
    this.#watchdog.stop();
    for (const listener of this.#listeners) void listener.close();
  }

  /** Lets go of everything. Resolves when no socket, timer or handle is left. */
  async release(): Promise<void> {
    this.#watchdog.stop();
    this.#certificates.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all(this.#listeners.map((listener) => listener.terminateAll()));
  }

  #createTls({ tls }: ProxyConfig['listen'][number]): TlsListening | undefined {
    const { config, hooks, tickets, tell } = this.#options;
    const settings = tls ?? config.tls;
    if (settings === undefined || settings === false) return undefined;
    return new TlsListening(settings, { hooks, tickets, exception: (error) => tell('exception', error, undefined) });
  }

  #createListener(address: ProxyConfig['listen'][number], tls: TlsListening | undefined): Listener {
    const { config, hooks, layer, gatekeeper, tell } = this.#options;
    const { timeouts, limits, keepAlive, socket } = config;
    const watchdog = this.#watchdog;
    const listener = new Listener({
      keepAlive,
      ...socket,
      ...address,
      tls,
      handshakeTimeout: timeouts.handshake,
      maxHandshakeBytes: limits.maxHandshakeBytes,
      maxHeaderCount: limits.maxHeaderCount,
      maxPendingHandshakes: limits.maxPendingHandshakes,
      highWaterMark: limits.highWaterMark,
      layer,
      onUnknownProtocol: hooks.onUnknownProtocol,
      isProbe: (peer) => watchdog.isProbe(peer),
      arrive: (peer, role) => (watchdog.isProbe(peer) ? undefined : gatekeeper.arrive(peer, role)),
      become: (pass, peer) => this.#reception.introduces(pass, peer),
      onRequest: (head, wire, waited) => this.#take(head, wire, waited),
      onBytes: (wire, target) => {
        // There is nothing to answer a probe with; that it was accepted and ended is an answer too.
        if (watchdog.probing && watchdog.isProbe(wire.addresses)) wire.terminate();
        else if (this.#reception.admitsBytes(wire)) this.#options.onBytes(wire, target);
      },
      onRefused: (refusal) => this.#refused(refusal),
      onLost: (error, shortage) => watchdog.lost(listener, error, shortage),
      onException: (error) => tell('exception', error, undefined),
    });
    return listener;
  }

  #take(head: RequestHead, wire: AcceptedWire, waited: number): void {
    // One that comes by TLS is known for what it is only now.
    if (this.#watchdog.probing && this.#watchdog.isProbe(wire.addresses)) writeRefusal(wire, { status: 426 });
    else if (this.#reception.admits(head, wire)) this.#options.onRequest(head, wire, waited);
  }

  #refused({ error, status, message, remoteAddress, remotePort = 0, isSilent = false }: ListenerRefusal): void {
    if (remoteAddress !== undefined && this.#watchdog.isProbe({ remoteAddress, remotePort })) return;
    this.#options.rejected({ error, status, message, remoteAddress, path: undefined }, isSilent);
  }
}

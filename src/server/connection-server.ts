/**
 * Owns what a proxy and a receiver server have in common: start, stop and the verbs of a running server, and its events. Refuses
 * to know what a running server is made of.
 */
import { captureRejectionSymbol, EventEmitter } from 'node:events';
import { type InspectOptions, inspect } from 'node:util';
import { disconnectedByOperator, type Ending } from '../actors/ending.js';
import { type Connection, type Message, type SendResult, TidegateError } from '../receivers/index.js';
import type { AdminServer } from './admin/admin-server.js';
import { type Administration, administration } from './admin/administration.js';
import { ownAdmin } from './admin/own-admin.js';
import { AdmissionRecord } from './admission/admission-record.js';
import { assertBan, type Ban } from './admission/bans.js';
import { assertAuthentication } from './authentication/authentication.js';
import {
  assertFilter,
  type DisconnectFilter,
  type DisconnectOptions,
  disconnect,
} from './authentication/disconnect.js';
import { type BroadcastFilter, type BroadcastReport, broadcast, pingAll } from './broadcast.js';
import type { ProxyConfig } from './config/options.js';
import type { ServerEvents } from './events.js';
import { explain } from './explain/explain.js';
import type { Explanation } from './explain/explanation.js';
import { comeBack, goingAway } from './farewells.js';
import { type ServerHooks, takeHooks } from './hooks.js';
import { type BoundAddress, listenAgain } from './listener/listen-address.js';
import { Observation } from './observation/observation.js';
import { RunningServer } from './running-server.js';
import { administrationOf, type ServerKind } from './server-kind.js';
import { type ServerSnapshot, type ServerState, snapshotOf } from './server-snapshot.js';
import type { StopOptions } from './stop-options.js';
import type { CertificateReport } from './tls/server-certificates.js';
import { TicketKeys } from './tls/ticket-keys.js';
import { chooseLayer, type WireLayer } from './wires/wire-layer.js';

/** Accepts WebSocket connections and runs each as an actor. */
export abstract class ConnectionServer<
  Events extends ServerEvents & Record<keyof Events, unknown[]> = ServerEvents,
> extends EventEmitter<Events> {
  // Private, as it holds passwords: nothing but what is told below may show a server.
  readonly #config: ProxyConfig;
  readonly #kind: ServerKind;
  readonly #hooks: ServerHooks;
  readonly #layer: WireLayer;
  readonly #tickets = new TicketKeys();
  readonly #record: AdmissionRecord;
  readonly #administration: Administration;
  readonly #observation: Observation;
  #admin: AdminServer | undefined;
  #state: ServerState = 'stopped';
  #running: RunningServer | undefined;
  #stopping: Promise<void> | undefined;
  #count = 0;

  /** @throws TidegateError `INVALID_OPTION` for a hook that cannot be called, or for authentication by nothing. */
  protected constructor(config: ProxyConfig, hooks: ServerHooks, kind: ServerKind) {
    super({ captureRejections: true });
    this.#config = config;
    this.#hooks = takeHooks(hooks);
    assertAuthentication(config.authentication, this.#hooks);
    this.#kind = kind;
    this.#layer = chooseLayer(this.#config.io);
    this.#record = new AdmissionRecord(this.#config, (ban) => this.#tell('banned', ban));
    this.#observation = new Observation({
      config,
      hooks: this.#hooks,
      server: this,
      tell: (name, ...values) => this.#tell(name, ...values),
    });
    this.#administration = administrationOf(kind, this, this.#observation, this.#record);
  }

  /** For its admin side; may change. A method, so that nobody who prints the server prints what it leads to. */
  [administration](): Administration {
    return this.#administration;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** The addresses that are bound; empty unless running. */
  get addresses(): readonly BoundAddress[] {
    return this.#running?.addresses ?? [];
  }

  /** Where its own admin API is, such as `http://127.0.0.1:9090`; undefined unless it is bound. */
  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  /** Every open connection. */
  get connections(): Connection[] {
    const clients = this.#running?.supervisor.registry.clients() ?? [];
    return [...clients].filter(({ gate }) => gate).map(({ handle }) => handle);
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
    return this.#start(this.#config.listen);
  }

  /**
   * Stops listening, closes every connection with 1001, a batch at a time, and cuts what is left after the drain deadline. Clients of
   * a balancer are told 1012 and when to come back. Resolves when no socket, timer or handle is left. May be called at any time, and
   * more than once.
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.#stop(this.#kind.farewell ?? goingAway, options);
  }

  /** Stops, telling clients with 1012 when to come back, and starts again on the same addresses. */
  async restart(options: StopOptions = {}): Promise<readonly BoundAddress[]> {
    const { addresses } = this;
    await this.#stop(this.#kind.farewell ?? (() => comeBack()), options);
    return this.#start(listenAgain(this.#config.listen, addresses));
  }

  /** Closes every connection with 1001, a batch at a time, and goes on listening. Resolves with their number. */
  async disconnectAll(): Promise<number> {
    return (await this.#running?.supervisor.closeAll(disconnectedByOperator)) ?? 0;
  }

  /**
   * Reads the certificates of every TLS listener again, also those that are not watched, and answers with what came of each; what
   * cannot be used is not used, and those there were stay. Touches no connection. Does nothing unless the server runs.
   */
  reloadCertificates(): readonly CertificateReport[] {
    return this.#running?.reloadCertificates() ?? [];
  }

  /**
   * Closes the connections of a user, with a tag, an id or from an address, and goes on listening. Answers with their number; those in
   * their handshake are refused with 503.
   *
   * @throws TidegateError `INVALID_OPTION` without any of them, `INVALID_CLOSE_CODE` for a code that may not be sent.
   */
  disconnect(filter: DisconnectFilter, options: DisconnectOptions = {}): number {
    assertFilter(filter, options.code);
    const registry = this.#running?.supervisor.registry;
    return registry === undefined ? 0 : disconnect(registry, filter, options);
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
    const registry = this.#running?.supervisor.registry;
    if (registry === undefined) return 0;
    const { accepted, queued } = pingAll(registry, payload);
    return accepted + queued;
  }

  /** Sends a message to every client that passes the filter; never to a target. */
  broadcast(message: Message, filter: BroadcastFilter = {}): BroadcastReport {
    const registry = this.#running?.supervisor.registry;
    if (registry === undefined) return { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };
    return broadcast(registry, message, filter);
  }

  /** The server and its connections at this moment, as plain JSON. */
  snapshot(): ServerSnapshot {
    return snapshotOf(this.#state, this.#running, this.#record.refusals);
  }

  /**
   * Says in words why a connection is in its state: since when, until when, what it waits for. While there is an admin API, also
   * what happened last, and of one of the last `inspection.ended` that ended or were refused. Undefined for an id that is not known.
   */
  explain(id: string): Explanation | undefined {
    return explain(this.#observation, id);
  }

  /** The addresses that are kept out now. They stay so when the server stops and starts again. */
  get bans(): Ban[] {
    return this.#record.bans.list();
  }

  /**
   * Keeps an address out, or the /64 network of an IPv6 address, from its next connection on; those that are open stay. Also one of
   * `admission.exempt`. A second call replaces the first.
   *
   * @param milliseconds how long; at least 1.
   * @param reason for the list and for the log.
   * @throws TidegateError `INVALID_OPTION` for what is no IP address, or no duration.
   */
  ban(address: string, milliseconds: number, reason = 'by the operator'): void {
    assertBan(address, milliseconds);
    this.#record.bans.ban(address, milliseconds, reason);
  }

  /** Lets an address in again and forgets what it did. Takes what {@link bans} calls it, too. Answers whether it was banned. */
  unban(address: string): boolean {
    return this.#record.bans.unban(address);
  }

  /**
   * Records a connection from its next frame on. Answers with the name of the file; undefined when it is still in its handshake.
   *
   * @throws TidegateError `UNKNOWN_CONNECTION`, `RECORDING_OFF`, `RECORDING_LIMIT`, `RECORDING_NOT_OPEN`.
   */
  record(id: string): string | undefined {
    return this.#observation.recorder.record(id);
  }

  /** Ends the recording of a connection, which goes on. Answers whether there was one. */
  stopRecording(id: string): boolean {
    return this.#observation.recorder.stopRecording(id);
  }

  /** What `console.log` shows: the state, and never the options. */
  [inspect.custom](_depth: number, options: InspectOptions, print: typeof inspect = inspect): string {
    const { state, addresses } = this;
    const connections = this.connections.length;
    return `${this.constructor.name} ${print({ state, addresses, connections }, options)}`;
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
    const exception = (error: unknown) => this.#tell('exception', error, undefined);
    this.#admin = ownAdmin(this.#config.admin, { [this.#kind.name]: this }, exception);
    const running = new RunningServer({
      config: this.#config,
      hooks: this.#hooks,
      ...this.#kind,
      layer: this.#layer,
      tickets: this.#tickets,
      record: this.#record,
      observation: this.#observation,
      admin: this.#admin,
      listen,
      nextId: () => {
        this.#count += 1;
        return `conn-${this.#count}`;
      },
      tell: (name, ...values) => this.#tell(name, ...values),
    });
    this.#running = running;
    this.#observation.began(running.parts);
    try {
      await running.start();
    } catch (error) {
      await running.release();
      this.#forget();
      throw error;
    }
    this.#state = 'running';
    this.#tell('startup', running.addresses);
    return running.addresses;
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
    const ahead = running.stopAhead();
    if (ahead !== undefined) await ahead;
    await running.stop(ending, options.drainTimeout);
    await running.release();
    this.#forget();
    this.#tell('shutdown');
  }

  #forget(): void {
    this.#running = undefined;
    this.#observation.ended();
    this.#state = 'stopped';
  }

  #tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void {
    this.announce(name, values);
  }

  /** Tells an event. A listener that throws must not reach the connection that caused it. */
  protected announce(name: string, values: readonly unknown[]): void {
    this.#observation.told(name as keyof ServerEvents, values as never);
    if (this.listenerCount(name as never) === 0) return;
    try {
      (this.emit as (name: string, ...values: unknown[]) => boolean).call(this, name, ...values);
    } catch (error) {
      if (name !== 'exception') this.#tell('exception', error, undefined);
    }
  }
}

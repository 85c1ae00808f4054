/**
 * Owns a server without sockets: everything behind the accepted connection is what a real server runs, from admission to the data path,
 * and its clients and targets are in the same memory. Refuses TLS, listeners and the admin API, which are about sockets.
 */
import { EventEmitter } from 'node:events';
import type { Clock } from '../actors/clock.js';
import type { ConnectionActor } from '../actors/connection-actor.js';
import { operatorEnding } from '../actors/ending.js';
import type { RequestHead } from '../protocol/http-head.js';
import {
  CloseCode,
  type Connection,
  type LifecycleReceiver,
  type Message,
  type Principal,
} from '../receivers/index.js';
import { AdmissionRecord } from '../server/admission/admission-record.js';
import { Reception } from '../server/admission/reception.js';
import { assertAuthentication } from '../server/authentication/authentication.js';
import { type BroadcastFilter, type BroadcastReport, broadcast } from '../server/broadcast.js';
import { type ProxyConfig, type ProxyConfigInput, resolveProxyOptions } from '../server/config/options.js';
import type { ReceiverFactory } from '../server/connections/entrance.js';
import type { ServerEvents } from '../server/events.js';
import { HOOK_NAMES, type ServerHooks, takeHooks } from '../server/hooks.js';
import { Arrivals } from '../server/listener/arrivals.js';
import { Observation } from '../server/observation/observation.js';
import { RunningServer } from '../server/running-server.js';
import type { ServerExtension } from '../server/server-extension.js';
import { TicketKeys } from '../server/tls/ticket-keys.js';
import type { AcceptedWire } from '../server/wires/wire.js';
import { MemoryClient, type MemoryRequest } from './memory-client.js';
import { MemoryTargets, type TargetManners } from './memory-targets.js';
import type { MemoryManners } from './memory-web-socket.js';
import { DEFAULT_WINDOW, MemoryWire } from './memory-wire.js';
import { Principals } from './principals.js';
import { SimulatedClock, settled } from './simulated-clock.js';

/** The options of a {@link MemoryServer}: those of a proxy that are not about sockets, and its own. */
export interface MemoryServerOptions
  extends Omit<
      ProxyConfigInput,
      'listen' | 'tls' | 'admin' | 'watchdog' | 'socket' | 'register' | 'io' | 'keepAlive' | 'warmConnections'
    >,
    Omit<ServerHooks, 'receiver' | 'connect' | 'lookup'> {
  /** What deadlines, heartbeats, dwell times and rates go by, such as a `SimulatedClock`. Default: the clock of the process. */
  readonly clock?: Clock | undefined;
  /** How many bytes may be on their way to an end that does not read before a write has to wait. Default: 64 KiB. */
  readonly window?: number | undefined;
  /** What becomes of dials: the target is reached at once, or when the test says so. Default: `accept`. */
  readonly targetManners?: TargetManners | undefined;
  /** Whether {@link MemoryServer.connect} may be given a principal. Default: false. */
  readonly principals?: boolean | undefined;
}

/** How a client connects. */
export interface MemoryConnectOptions extends MemoryRequest, MemoryManners {
  /** Who the client has shown to be; for a server with `principals`. */
  readonly principal?: Principal | undefined;
}

const HOOKS = [...HOOK_NAMES, 'clock', 'window', 'targetManners', 'principals'];

/** A server for clients in the same memory. Its events are those of every server. */
export class MemoryServer extends EventEmitter<ServerEvents> {
  readonly targets: MemoryTargets;
  readonly #options: MemoryServerOptions;
  readonly #config: ProxyConfig;
  readonly #running: RunningServer;
  readonly #arrivals: Arrivals;
  readonly #principals = new Principals();
  readonly #wires = new WeakMap<MemoryClient, MemoryWire>();
  readonly #connections = new WeakMap<AcceptedWire, ConnectionActor>();
  #take: (head: RequestHead, wire: AcceptedWire) => void = () => {};
  #lastId = '';
  #count = 0;

  private constructor(receiver: ReceiverFactory, options: MemoryServerOptions) {
    super();
    const { clock, window = DEFAULT_WINDOW, targetManners = 'accept', principals = false } = options;
    this.#options = options;
    this.targets = new MemoryTargets(targetManners, window);
    const { connect, lookup } = this.targets;
    const given = { ...takeHooks(options), receiver, connect, lookup };
    const hooks = principals ? this.#principals.hooked(given) : given;
    const authentication = principals ? { allowAnonymous: true, ...options.authentication } : options.authentication;
    this.#config = resolveProxyOptions({ ...options, authentication }, HOOKS);
    assertAuthentication(this.#config.authentication, hooks);
    const tell = <Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]) =>
      this.#tell(name, values);
    this.#running = new RunningServer({
      config: this.#config,
      hooks,
      needsTarget: false,
      layer: this.targets.layer,
      record: new AdmissionRecord(this.#config, (ban) => tell('banned', ban)),
      listen: [],
      tickets: new TicketKeys(),
      extend: ({ entry }): ServerExtension => {
        this.#take = (head, wire) => entry.take(head, wire);
        return { release() {} };
      },
      clock,
      observation: new Observation({ config: this.#config, hooks, server: this, tell }),
      admin: undefined,
      nextId: () => this.#nextId(),
      tell,
    });
    this.#arrivals = this.#createArrivals();
  }

  /**
   * Starts one.
   *
   * @param receiver makes the receiver of each connection.
   * @throws TidegateError `INVALID_OPTION` for options that are none.
   */
  static async start(receiver: ReceiverFactory, options: MemoryServerOptions = {}): Promise<MemoryServer> {
    const server = new MemoryServer(receiver, options);
    await server.#running.start();
    return server;
  }

  /** Connects a client and sends its handshake. How that is answered, the client tells. */
  connect(options: MemoryConnectOptions = {}): MemoryClient {
    const client = this.accept(options);
    const { principal, headers } = options;
    const shown = principal === undefined ? {} : this.#principals.show(principal, this.#options.principals === true);
    client.request({ ...options, headers: { ...headers, ...shown } });
    return client;
  }

  /** Connects a client that sends nothing by itself, not even its handshake. */
  accept(options: Pick<MemoryConnectOptions, 'remoteAddress' | 'remotePort' | keyof MemoryManners> = {}): MemoryClient {
    this.#count += 1;
    const { remoteAddress = '127.0.0.1', remotePort = 1023 + this.#count } = options;
    const addresses = { remoteAddress, remotePort, localAddress: '127.0.0.1', localPort: 80 };
    const { window = DEFAULT_WINDOW } = this.#options;
    const wire = new MemoryWire(addresses, window, (gone) => this.#arrivals.gone(gone));
    const client = new MemoryClient(wire, options);
    this.#wires.set(client, wire);
    this.#arrivals.opened(wire);
    return client;
  }

  /** The connection of a client, also one that is closed; undefined for a client that got none. */
  connectionOf(client: MemoryClient): Connection | undefined {
    return this.#actorOf(client)?.handle;
  }

  /** The receiver of a client; undefined for one that has none yet. */
  receiverOf(client: MemoryClient): LifecycleReceiver | undefined {
    return this.#actorOf(client)?.receiver;
  }

  /** Sends a message to every client that passes the filter. */
  broadcast(message: Message, filter?: BroadcastFilter): BroadcastReport {
    return broadcast(this.#running.supervisor.registry, message, filter);
  }

  /** Closes every connection with 1001 and goes on. Resolves with their number. */
  disconnectAll(): Promise<number> {
    const ending = () => operatorEnding(CloseCode.GoingAway, 'disconnected by the operator');
    return this.#running.supervisor.closeAll(ending);
  }

  /**
   * Stops as a server does: connections are closed with 1001 and cut after `drainTimeout` milliseconds, 0 by default, which cuts at once.
   * A simulated clock is moved on as far as something waits for it.
   */
  async stop({ drainTimeout = 0 }: { readonly drainTimeout?: number } = {}): Promise<void> {
    const { clock } = this.#options;
    let stopped = false;
    const stopping = this.#stop(drainTimeout).finally(() => {
      stopped = true;
    });
    await settled();
    while (clock instanceof SimulatedClock && !stopped) await clock.advance('1s');
    await stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(drainTimeout: number): Promise<void> {
    const ending = () => operatorEnding(CloseCode.GoingAway, 'the server is stopping');
    await this.#running.stop(ending, drainTimeout);
    await this.#arrivals.close();
    await this.#arrivals.terminateAll();
    await this.#running.release();
  }

  #actorOf(client: MemoryClient): ConnectionActor | undefined {
    const wire = this.#wires.get(client);
    return wire === undefined ? undefined : this.#connections.get(wire);
  }

  #nextId(): string {
    this.#count += 1;
    this.#lastId = `conn-${this.#count}`;
    return this.#lastId;
  }

  #createArrivals(): Arrivals {
    const { timeouts, limits } = this.#config;
    const { gatekeeper } = this.#running;
    const reception = new Reception(gatekeeper, (rejected) => this.#tell('rejected', [rejected]));
    return new Arrivals({
      port: 0,
      handshakeTimeout: timeouts.handshake,
      maxHandshakeBytes: limits.maxHandshakeBytes,
      maxHeaderCount: limits.maxHeaderCount,
      maxPendingHandshakes: limits.maxPendingHandshakes,
      highWaterMark: limits.highWaterMark,
      keepAlive: 0,
      layer: this.targets.layer,
      onUnknownProtocol: this.#options.onUnknownProtocol,
      arrive: (peer, role) => gatekeeper.arrive(peer, role),
      become: (pass, peer) => reception.introduces(pass, peer),
      onRequest: (head, wire) => {
        if (!reception.admits(head, wire)) return;
        this.#lastId = '';
        this.#take(head, wire);
        const connection = this.#running.supervisor.registry.get(this.#lastId);
        if (connection !== undefined) this.#connections.set(wire, connection);
      },
      // Plain TCP clients come by listeners only.
      onBytes: (wire) => wire.terminate(),
      onRefused: ({ error, status, message, remoteAddress }) =>
        this.#tell('rejected', [{ error, status, message, remoteAddress, path: undefined }]),
      onLost() {},
      onException: (error) => this.#tell('exception', [error, undefined]),
    });
  }

  /** A listener that throws is told as an exception, as with every server. */
  #tell<Name extends keyof ServerEvents>(name: Name, values: ServerEvents[Name]): void {
    if (this.listenerCount(name) === 0) return;
    try {
      (this.emit as (name: string, ...values: unknown[]) => boolean).call(this, name, ...values);
    } catch (error) {
      if (name !== 'exception') this.#tell('exception', [error, undefined]);
    }
  }
}

/**
 * Owns a server at run time: its chart, which connections and upstreams exist, the shared wheel for heartbeat, idle and
 * lifetime, and paced endings. Refuses to listen or dial; its port does.
 */
import { type ActorRefFrom, type AnyEventObject, createActor, type StateValue } from 'xstate';
import type { CloseReport } from '../receivers/index.js';
import { type ConnectionRole, hasRoom } from './capacity.js';
import { Chain } from './chain.js';
import { compileChart } from './compiled-chart.js';
import type { ConnectionTimeouts, Refusal } from './connection.effects.js';
import type { ConnectionHost } from './connection.host.js';
import type { ConnectionActor } from './connection-actor.js';
import { type Ending, operatorCut } from './ending.js';
import { countingInspectors } from './inspectors.js';
import { Outbox } from './outbox.js';
import { PacedEndings } from './paced-endings.js';
import { capacityReached, shuttingDown } from './refusals.js';
import { Registry } from './registry.js';
import { settling } from './settling.js';
import { Steps } from './steps.js';
import type { SupervisorEffects } from './supervisor.effects.js';
import { type SupervisorEvent, supervisorMachine } from './supervisor.machine.js';
import type { SupervisorObserver, SupervisorOptions, SupervisorPort } from './supervisor.port.js';
import type { UpstreamTimeouts } from './upstream.effects.js';
import type { UpstreamActor, UpstreamHost } from './upstream-actor.js';
import { Watches, type WatchOptions } from './watches.js';

const supervisorChart = compileChart(supervisorMachine);

/** A server's connections, and how they live and end together. */
export class SupervisorActor implements SupervisorEffects, ConnectionHost<ConnectionActor>, UpstreamHost {
  readonly registry = new Registry();
  /** Who learns of the steps of connections and upstreams. */
  readonly steps: Steps;
  readonly clock: WatchOptions['clock'];
  readonly maxPendingMessages: number;
  readonly upstreamTimeouts: UpstreamTimeouts;
  readonly timeouts: ConnectionTimeouts & { drain: number };
  readonly #options: SupervisorOptions;
  readonly #port: SupervisorPort;
  readonly #observer: SupervisorObserver;
  readonly #chart: ActorRefFrom<typeof supervisorChart>;
  readonly watches: Watches;
  readonly #upstreams = new Chain<UpstreamActor>();
  readonly #endings: PacedEndings;
  readonly #started = settling();
  #stopped: Promise<void> | undefined;
  #announceStopped: (() => void) | undefined;
  readonly #outbox = new Outbox();
  #failure: unknown;
  #stopping = false;
  #isFull = false;
  #ending: () => Ending = () => operatorCut;
  #meant: readonly ConnectionActor[] = [];

  constructor(options: SupervisorOptions, port: SupervisorPort, observer: SupervisorObserver) {
    this.#options = options;
    this.#port = port;
    this.#observer = observer;
    this.maxPendingMessages = options.maxPendingMessages;
    this.timeouts = { ...options.timeouts };
    this.upstreamTimeouts = options.timeouts;
    this.clock = options.clock;
    this.#endings = new PacedEndings(options.clock);
    this.watches = new Watches(options);
    this.steps = new Steps(options.historySize);
    const chart = createActor(supervisorChart, { id: 'supervisor', input: { port: this }, clock: this.clock });
    this.#chart = countingInspectors(chart);
    this.#chart.subscribe({
      next: () => this.#outbox.settle(),
      error: (error) => this.#observer.exception(undefined, error),
    });
  }

  toJSON(): void {}

  /** The parent of every connection and upstream. */
  get ref(): ActorRefFrom<typeof supervisorChart> {
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
  admit(role: ConnectionRole = 'client'): Refusal | undefined {
    const chart = this.#chart.getSnapshot();
    if (!chart.matches('running')) {
      return shuttingDown;
    }
    // The chart is full when clients have no more room; control channels may have some yet.
    const isFull = chart.matches({ running: { admission: 'full' } });
    const hasRoom = !isFull || (role === 'control' && this.#hasRoomFor(role));
    return hasRoom ? undefined : capacityReached(this.registry.size, this.#options.maxConnections);
  }

  /** Takes a connection that begins its handshake. */
  add(connection: ConnectionActor, role: ConnectionRole = 'client'): void {
    this.registry.add(connection, role === 'control');
    this.#checkCapacity();
  }

  /** Every upstream, those that are being dialled too. */
  get upstreams(): Chain<UpstreamActor> {
    return this.#upstreams;
  }

  /** Takes an upstream that is about to dial, as the other side of its connection. */
  pair(upstream: UpstreamActor): void {
    this.#upstreams.add(upstream);
    upstream.connection.counterpart = upstream;
  }

  /**
   * Closes the connections of clients that there are now, a batch at a time. Resolves with their number when each was told.
   *
   * @param isMeant whether one is among them; asked at once, for each.
   */
  async closeAll(ending: () => Ending, isMeant = (_: ConnectionActor) => true): Promise<number> {
    this.#ending = ending;
    const meant = [...this.registry.clients()].filter(isMeant);
    this.#meant = this.#meant.concat(meant);
    this.#send({ type: 'disconnect.all' });
    await this.#endings.done();
    return meant.length;
  }

  /** Cuts every client now. */
  cutAll(): number {
    const count = this.registry.clientCount;
    this.#send({ type: 'terminate.all' });
    return count;
  }

  // What the connections tell.

  opened(connection: ConnectionActor): void {
    this.watches.connection(connection, this.registry.controls > 0 && this.registry.isControl(connection));
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

  stepped(connection: ConnectionActor, event: AnyEventObject, before: StateValue | undefined): void {
    this.steps.connection(connection, event, before);
  }

  exception(connection: ConnectionActor, error: unknown): void {
    this.#observer.exception(connection, error);
  }

  renewed(connection: ConnectionActor): void {
    this.watches.credentials(connection);
  }

  // What the upstreams tell.

  upstreamOpened(upstream: UpstreamActor): void {
    if (upstream.port.speaksWebSocket) this.watches.heart(upstream);
  }

  upstreamGone(upstream: UpstreamActor): void {
    this.#upstreams.delete(upstream);
    this.watches.forget(upstream);
    this.#checkGone();
  }

  upstreamStepped(upstream: UpstreamActor, event: AnyEventObject, before: StateValue | undefined): void {
    this.steps.upstream(upstream, event, before);
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
    this.watches.startHeartbeat();
  }

  stopHeartbeat(): void {
    this.watches.stopHeartbeat(this.registry.all(), this.#upstreams);
  }

  disconnectAll(): void {
    this.#endings.end(this.#meant, this.#ending, this.#options.disconnectsPerSecond);
    this.#meant = [];
  }

  drainConnections(): void {
    // Fast enough to leave the second half of the deadline to the closing handshakes.
    const needed = (2000 * this.registry.size) / Math.max(1, this.timeouts.drain);
    const perSecond = Math.max(this.#options.disconnectsPerSecond, needed);
    this.#endings.end([...this.registry.all()], this.#ending, perSecond);
    this.#outbox.push(() => this.#checkGone());
  }

  terminateAll(): void {
    // Control channels are no clients: they stay as long as the server does.
    const meant = this.#stopping ? this.registry.all() : this.registry.clients();
    this.#outbox.push(() => {
      for (const connection of [...meant]) connection.requestTerminate(operatorCut);
      for (const upstream of this.#upstreams) upstream.requestTerminate(operatorCut);
    });
  }

  announceStarted(): void {
    this.#started.resolve();
  }

  announceFailed(): void {
    this.#started.reject(this.#failure);
  }

  announceStopped(): void {
    this.watches.stop();
    this.#endings.clear();
    this.#announceStopped?.();
  }

  noteFailure(error: unknown): void {
    this.#observer.exception(undefined, error);
  }

  #send(event: SupervisorEvent): void {
    if (this.#chart.getSnapshot().status === 'active') this.#outbox.around(() => this.#chart.send(event));
  }

  #forget(connection: ConnectionActor): void {
    this.watches.forget(connection);
    if (!this.registry.remove(connection)) return;
    this.#checkCapacity();
    this.#checkGone();
  }

  #checkCapacity(): void {
    const isFull = !this.#hasRoomFor('client');
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#send({ type: isFull ? 'capacity.reached' : 'capacity.freed' });
  }

  #hasRoomFor(role: ConnectionRole): boolean {
    return hasRoom(this.#options, role, this.registry.size, this.registry.controls);
  }

  #checkGone(): void {
    if (this.registry.size > 0 || this.#upstreams.size > 0) return;
    if (this.#stopping) this.#send({ type: 'connections.gone' });
  }
}

/**
 * Owns one backend at run time: its chart, how many places on it are taken, and by whom. Refuses to connect to it, to check it and to
 * choose it.
 */
import type { AnyActorRef, StateValue } from 'xstate';
import type { BackendEffects } from './backend.effects.js';
import type {
  BackendCheck,
  BackendHealth,
  BackendInfo,
  BackendSpec,
  BackendState,
  DrainCause,
  PairsFate,
} from './backend.js';
import { type BackendEvent, backendMachine } from './backend.machine.js';
import { Chain } from './chain.js';
import { ChartActor } from './chart-actor.js';
import { compileChart } from './compiled-chart.js';
import { Outbox, outboxObserver } from './outbox.js';
import { PacedEndings } from './paced-endings.js';
import { Pairing, type PairingEnd } from './pairing.js';

/** What a backend actor tells the pool it belongs to. Nothing in it may throw. */
export interface BackendHost {
  readonly drainTimeout: number;
  ejectionTime(backend: BackendActor): number;
  /** Its state, its health or its load is another: what the pool can do may be too. */
  changed(backend: BackendActor): void;
  becameReady(backend: BackendActor): void;
  becameUnhealthy(backend: BackendActor): void;
  /** Its health is judged otherwise than before. */
  judged(backend: BackendActor): void;
  beganDraining(backend: BackendActor, fate: PairsFate): void;
  drainExpired(backend: BackendActor): void;
  gone(backend: BackendActor): void;
  paired(pairing: Pairing): void;
  released(pairing: Pairing, end: PairingEnd): void;
  exception(error: unknown): void;
}

/** A drain that is under way. Milliseconds since the epoch. */
interface Drain {
  readonly since: number;
  readonly until: number | undefined;
}

const backendChart = compileChart(backendMachine, outboxObserver);

/** One backend. */
export class BackendActor implements BackendEffects {
  /** Counts the registrations under this id: what an older one tells is not about this one. */
  generation = 1;
  readonly outbox = new Outbox();
  readonly timeouts: { readonly drain: number };
  /** How its clients are sent away when it goes: at its own pace, whatever the others do. */
  readonly endings = new PacedEndings();
  readonly #host: BackendHost;
  readonly #chart: ChartActor<typeof backendMachine>;
  readonly #pairs = new Chain<Pairing>();
  #spec: BackendSpec;
  #reserved = 0;
  /** Connections that others brought to it, as it reports them itself. */
  #reported = 0;
  #hasRoom = true;
  #draining: DrainCause | undefined;
  #drain: Drain | undefined;
  #lastCheck: BackendCheck | undefined;

  constructor(spec: BackendSpec, host: BackendHost, parent: AnyActorRef) {
    this.#spec = spec;
    this.#host = host;
    this.timeouts = { drain: host.drainTimeout };
    this.#chart = new ChartActor(backendChart, this, parent);
  }

  start(): void {
    this.outbox.around(() => this.#chart.start());
  }

  toJSON(): undefined {
    return undefined;
  }

  get id(): string {
    return this.#spec.id;
  }

  get spec(): BackendSpec {
    return this.#spec;
  }

  get weight(): number {
    return this.#spec.weight;
  }

  get tags(): readonly string[] {
    return this.#spec.tags;
  }

  get chartValue(): StateValue {
    return this.#chart.value;
  }

  get state(): BackendState {
    const { chartValue } = this;
    return (typeof chartValue === 'string' ? chartValue : Object.keys(chartValue)[0]) as BackendState;
  }

  get health(): BackendHealth | undefined {
    const { chartValue } = this;
    if (typeof chartValue === 'string') return undefined;
    return (chartValue.ready as { health: BackendHealth }).health;
  }

  /** Ready and well, with room or without. */
  get isServing(): boolean {
    const { health } = this;
    return health === 'healthy' || health === 'trial';
  }

  /** Ready, well, and with room: the only ones that policies see. */
  get isAvailable(): boolean {
    return this.isServing && this.#hasRoom;
  }

  /** Connections on it, and picks that are under way. Of what it reports and what is known here, the larger counts. */
  get load(): number {
    return Math.max(this.#reserved + this.#pairs.size, this.#reported + this.#reserved);
  }

  get pairs(): Chain<Pairing> {
    return this.#pairs;
  }

  /** A place on it, which counts from now on. */
  reserve(): Pairing {
    this.#reserved += 1;
    this.#loadChanged();
    return new Pairing(this);
  }

  /** What it says of itself changed: weight, capacity, tags, addresses. */
  update(spec: BackendSpec): void {
    this.#spec = spec;
    this.#loadChanged();
  }

  /** How many connections it has, as it says itself. */
  report(connections: number): void {
    this.#reported = connections;
    this.#loadChanged();
  }

  /** A health check of it is over. What follows from that is sent as an event. */
  checked(check: BackendCheck): void {
    this.#lastCheck = check;
  }

  send(event: BackendEvent): void {
    if (!this.#chart.active) return;
    if (event.type === 'drain.request') this.#draining ??= event.cause;
    this.outbox.around(() => this.#chart.send(event));
    this.outbox.around(() => this.#host.changed(this));
  }

  info(): BackendInfo {
    const { chartValue, state, health, isAvailable, load, generation } = this;
    const isDraining = state === 'draining';
    return {
      ...this.#spec,
      state,
      chart: chartValue,
      health,
      available: isAvailable,
      load,
      pairs: this.#pairs.size,
      generation,
      draining: isDraining ? this.#draining : undefined,
      drainingSince: isDraining ? isoDate(this.#drain?.since) : undefined,
      drainingUntil: isDraining ? isoDate(this.#drain?.until) : undefined,
      lastCheck: this.#lastCheck,
    };
  }

  // What its places tell.

  paired(pairing: Pairing): void {
    this.#reserved -= 1;
    this.#pairs.add(pairing);
    this.#host.paired(pairing);
  }

  released(pairing: Pairing, end: PairingEnd): void {
    if (pairing.isPaired) this.#pairs.delete(pairing);
    else this.#reserved -= 1;
    this.#host.released(pairing, end);
    this.#loadChanged();
    if (this.#pairs.size === 0 && this.#reserved === 0) this.send({ type: 'pairs.gone' });
  }

  // The effects of the chart; what calls others waits in the outbox.

  ejectionTime(): number {
    return this.#host.ejectionTime(this);
  }

  announceReady(): void {
    this.#draining = undefined;
    this.#drain = undefined;
    this.endings.clear();
    this.outbox.push(() => {
      this.#host.becameReady(this);
      if (!this.#hasRoom) this.send({ type: 'room.gone' });
    });
  }

  announceDraining(fate: PairsFate): void {
    const { drain } = this.timeouts;
    const until = fate === 'keep' || drain === 0 ? undefined : Date.now() + drain;
    this.#drain = { since: this.#drain?.since ?? Date.now(), until };
    this.outbox.push(() => {
      this.#host.beganDraining(this, fate);
      if (this.#pairs.size === 0 && this.#reserved === 0) this.send({ type: 'pairs.gone' });
    });
  }

  announceUnhealthy(): void {
    this.outbox.push(() => {
      this.#host.becameUnhealthy(this);
      this.#host.judged(this);
    });
  }

  announceEjected(): void {
    this.outbox.push(() => this.#host.judged(this));
  }

  beginTrial(): void {
    this.outbox.push(() => this.#host.judged(this));
  }

  announceHealthy(): void {
    this.outbox.push(() => this.#host.judged(this));
  }

  terminatePairs(): void {
    this.outbox.push(() => this.#host.drainExpired(this));
  }

  announceGone(): void {
    this.outbox.push(() => this.#host.gone(this));
  }

  /** An effect threw, which none may. */
  crashed(error: unknown): void {
    this.#host.exception(error);
    this.#host.gone(this);
    this.outbox.settle();
  }

  #loadChanged(): void {
    const { capacity } = this.#spec;
    const hasRoom = capacity === 0 || this.load < capacity;
    if (hasRoom === this.#hasRoom) return;
    this.#hasRoom = hasRoom;
    this.send({ type: hasRoom ? 'room.freed' : 'room.gone' });
  }
}

function isoDate(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

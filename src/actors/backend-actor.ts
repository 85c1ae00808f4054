/**
 * Owns one backend at run time: its chart, how many places on it are taken and by whom, and what their ends say of its health. Refuses to
 * connect to it, to check it and to choose it.
 */
import type { AnyActorRef, StateValue } from 'xstate';
import type { BackendEffects } from './backend.effects.js';
import type { BackendCheck, BackendHealth, BackendInfo, BackendSpec, BackendState, PairsFate } from './backend.js';
import { type BackendEvent, backendMachine } from './backend.machine.js';
import type { BackendOptions } from './backend.options.js';
import { BackendCandidate } from './backend-candidate.js';
import { healthIn, stateIn } from './backend-place.js';
import type { Chain } from './chain.js';
import { ChartActor } from './chart-actor.js';
import { compileChart } from './compiled-chart.js';
import { Departure } from './departure.js';
import type { Ending } from './ending.js';
import { Outbox, outboxObserver } from './outbox.js';
import { Pairing, type PairingEnd } from './pairing.js';
import { Places } from './places.js';
import { TrafficHealth } from './traffic-health.js';

/** What a backend actor tells the pool it belongs to. Nothing in it may throw. */
export interface BackendHost {
  /** Its state, its health or its room is another: what the pool can do may be too. */
  changed(backend: BackendActor): void;
  /** Whether one more backend may be ejected. */
  mayEject(backend: BackendActor): boolean;
  becameReady(backend: BackendActor): void;
  judged(backend: BackendActor, health: BackendHealth): void;
  beganDraining(backend: BackendActor): void;
  gone(backend: BackendActor): void;
  exception(error: unknown): void;
}

const backendChart = compileChart(backendMachine, outboxObserver);
const CUT: Ending = { initiator: 'operator', cause: 'terminated', code: 1006, reason: '' };

/** One backend. */
export class BackendActor implements BackendEffects {
  /** Counts the registrations under this id: what an older one tells is not about this one. */
  generation = 1;
  readonly outbox = new Outbox();
  readonly timeouts: { readonly drain: number; readonly proving: number };
  /** How policies see it. */
  readonly candidate: BackendCandidate;
  readonly #options: BackendOptions;
  readonly #host: BackendHost;
  readonly chart: ChartActor<typeof backendMachine>;
  readonly #places: Places;
  readonly #traffic: TrafficHealth;
  readonly #departure: Departure;
  #spec: BackendSpec;
  #hasRoom = true;
  /** What active checks say, whatever the chart is at. */
  #isDown = false;
  #lastCheck: BackendCheck | undefined;
  #ejectedUntil = 0;

  constructor(spec: BackendSpec, options: BackendOptions, host: BackendHost, parent: AnyActorRef) {
    this.#spec = spec;
    this.#options = options;
    this.#host = host;
    this.timeouts = { drain: options.drainTimeout, proving: options.outliers.earlyClose };
    this.#places = new Places(options.clock, () => this.#loadChanged());
    this.#traffic = new TrafficHealth(options.outliers, this, this.#places, options.clock);
    this.#departure = new Departure(options);
    this.candidate = new BackendCandidate(this, options.slowStart, options.clock);
    this.chart = new ChartActor(backendChart, this, parent);
  }

  start(): void {
    this.outbox.around(() => this.chart.start());
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

  get chartValue(): StateValue {
    return this.chart.value;
  }

  get state(): BackendState {
    return stateIn(this.chartValue);
  }

  get health(): BackendHealth | undefined {
    return healthIn(this.chartValue);
  }

  /** Ready and well, with room or without. */
  get isServing(): boolean {
    const { health } = this;
    return !this.#isDown && (health === 'healthy' || health === 'trial');
  }

  /** Ready, well, and with room: the only ones that policies see. */
  get isAvailable(): boolean {
    return this.#hasRoom && this.isServing && (this.#traffic.trial?.hasRoom ?? true);
  }

  /** Connections on it, and picks that are under way. */
  get load(): number {
    return this.#places.load;
  }

  get mayBeEjected(): boolean {
    return this.#host.mayEject(this);
  }

  get pairs(): Chain<Pairing> {
    return this.#places.pairs;
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** A place on it, which counts from now on. To be called while it is available. */
  reserve(): Pairing {
    const pairing = new Pairing(this, this.#traffic.trial);
    this.#places.reserve();
    pairing.trial?.take();
    this.#loadChanged(pairing.trial !== undefined);
    return pairing;
  }

  /** What it says of itself changed: weight, capacity, tags, addresses. */
  update(spec: BackendSpec): void {
    this.#spec = spec;
    this.#loadChanged();
  }

  /** It registered anew, and may say other things of itself. Answers with the generation from now on. */
  renew(spec: BackendSpec): number {
    this.generation += 1;
    this.#places.forgetReport();
    this.update(spec);
    return this.generation;
  }

  /** The control channel of a registration is lost. Nothing when there was a newer one: then it is about nobody. */
  lost(generation: number, fate: PairsFate): void {
    if (generation === this.generation) this.send({ type: 'drain.request', cause: 'lost', fate });
  }

  /** How many connections it has, as it says itself. */
  report(connections: number): void {
    this.#places.report(connections);
    this.#loadChanged();
  }

  /** A health check of it is over. What follows from that is sent as an event. */
  checked(check: BackendCheck): void {
    this.#lastCheck = check;
  }

  send(event: BackendEvent): void {
    if (!this.chart.active) return;
    if (event.type === 'check.down') this.#isDown = true;
    if (event.type === 'check.up') this.#isDown = false;
    // What it reported was true as long as it was heard of.
    if (event.type === 'drain.request' && event.cause === 'lost') this.#places.forgetReport();
    this.outbox.around(() => this.chart.send(event));
    this.outbox.around(() => this.#host.changed(this));
  }

  info(): BackendInfo {
    const { chartValue, state, health, isAvailable, load, generation, pairs } = this;
    const { failures, ejections } = this.#traffic;
    const draining = state === 'draining' ? this.chart.getSnapshot().context.cause : undefined;
    const ejectedUntil = health === 'ejected' ? this.#ejectedUntil : undefined;
    return {
      ...this.#spec,
      state,
      chart: chartValue,
      health,
      available: isAvailable,
      load,
      generation,
      draining,
      drainingSince: this.#departure.since,
      drainingUntil: this.#departure.until,
      lastCheck: this.#lastCheck,
      pairs: pairs.size,
      failures,
      ejections,
      ejectedUntil,
    };
  }

  // What its places tell.

  paired(pairing: Pairing): void {
    this.#places.paired(pairing);
    this.#traffic.paired(pairing);
    this.#departure.meet([pairing]);
  }

  released(pairing: Pairing, end: PairingEnd): void {
    this.#traffic.released(pairing, end);
    this.#places.released(pairing);
    if (end === 'redirected' && !pairing.wasPaired) this.#places.redirected();
    this.#loadChanged(pairing.trial !== undefined);
    if (this.state === 'draining') this.#tellWhenEmpty();
  }

  // The effects of the chart; what calls others waits in the outbox.

  ejectionTime(): number {
    return this.#traffic.ejectedFor;
  }

  announceReady(): void {
    this.#beginAnew();
    this.outbox.push(() => {
      if (!this.#hasRoom) this.send({ type: 'room.gone' });
      if (this.#isDown) this.send({ type: 'check.down' });
    });
    this.#announce(() => this.#host.becameReady(this));
  }

  announceDraining(): void {
    this.#traffic.endTrial();
    this.#announce(() => this.#host.beganDraining(this));
  }

  meetFate(fate: PairsFate): void {
    this.#departure.drain(fate);
    this.outbox.push(() => this.#departure.meet(this.pairs));
    this.lookForPairs();
  }

  lookForPairs(): void {
    this.outbox.push(() => this.#tellWhenEmpty());
  }

  announceUnhealthy(): void {
    this.#traffic.endTrial();
    this.#departure.begin(this.#options.whenUnhealthy);
    this.#announce(() => {
      this.#host.judged(this, 'unhealthy');
      this.#departure.meet(this.pairs);
    });
  }

  announceEjected(): void {
    this.#traffic.endTrial();
    this.#ejectedUntil = Math.round(Date.now() + this.#traffic.ejectedFor);
    this.#announce(() => this.#host.judged(this, 'ejected'));
  }

  beginTrial(): void {
    this.#traffic.beginTrial();
    this.#announce(() => this.#host.judged(this, 'trial'));
  }

  announceHealthy(): void {
    this.#beginAnew();
    this.#announce(() => this.#host.judged(this, 'healthy'));
  }

  terminatePairs(): void {
    this.outbox.push(() => {
      for (const pairing of this.pairs) pairing.terminate(CUT);
    });
  }

  announceGone(): void {
    this.#departure.callOff();
    this.#places.forgetReport();
    this.outbox.push(() => this.#host.gone(this));
  }

  /** An effect threw, which none may. */
  crashed(error: unknown): void {
    this.#departure.callOff();
    this.#places.forgetReport();
    this.#host.exception(error);
    this.#host.gone(this);
    this.outbox.settle();
  }

  #beginAnew(): void {
    this.candidate.begin();
    this.#departure.callOff();
    this.#traffic.recovered();
  }

  /** The pool knows before anyone else does: whoever is told may want a backend. */
  #announce(tell: () => void): void {
    this.outbox.push(() => {
      this.#host.changed(this);
      tell();
    });
  }

  #tellWhenEmpty(): void {
    if (this.#places.isEmpty) this.send({ type: 'pairs.gone' });
  }

  #loadChanged(roomChanged = false): void {
    const { capacity } = this.#spec;
    const hasRoom = capacity === 0 || this.load < capacity;
    if (hasRoom !== this.#hasRoom) {
      this.#hasRoom = hasRoom;
      this.send({ type: hasRoom ? 'room.freed' : 'room.gone' });
    } else if (roomChanged) {
      this.outbox.around(() => this.#host.changed(this));
    }
  }
}

/**
 * Owns the backends there are, at run time: which of them gets the next client, who waits for one, and what becomes of the clients of
 * one that goes. Refuses to connect to backends and to learn of them; whoever does tells it.
 */
import { type AnyActorRef, createActor } from 'xstate';
import type { BackendHealth, BackendInfo, BackendSpec, PairsFate } from './backend.js';
import { BackendActor, type BackendHost } from './backend-actor.js';
import { compileChart } from './compiled-chart.js';
import type { Ending } from './ending.js';
import { Outbox } from './outbox.js';
import type { Pairing, PairingEnd } from './pairing.js';
import type { PoolEffects } from './pool.effects.js';
import { type PoolEvent, poolMachine } from './pool.machine.js';
import type { Candidate, SelectionPolicy } from './selection/policy.js';

/** Why there is no backend for a client. */
export type PickFailure = 'empty' | 'unavailable' | 'full';

/** What a client asks a pool for. */
export interface PickQuery {
  /** What a hashing policy hashes. */
  readonly key?: string | undefined;
  /** The id of the backend that it had before: it gets that again if that one is available. */
  readonly prefer?: string | undefined;
  /** Another one than `prefer` will not do. */
  readonly onlyPreferred?: boolean | undefined;
  /** Ids of backends that were tried in vain. */
  readonly avoid?: readonly string[] | undefined;
}

/** The options of a pool. Milliseconds; 0 switches a limit off. */
export interface PoolOptions {
  readonly policy: SelectionPolicy;
  /** What becomes of the clients of a backend whose health check fails. */
  readonly whenUnhealthy: PairsFate;
  readonly drainTimeout: number;
  /** How many clients of a backend that drains are sent away in a second. */
  readonly drainsPerSecond: number;
  readonly ejectionTime: number;
  /** What a client of a backend that goes is told; asked for each. */
  ending(): Ending;
  random(): number;
}

/** Who is told about the backends of a pool. Nothing in it may throw. */
export interface PoolObserver {
  ready(backend: BackendActor): void;
  draining(backend: BackendActor): void;
  gone(backend: BackendActor): void;
  /** Its health is judged otherwise than before; not told when it becomes ready. */
  judged(backend: BackendActor, health: BackendHealth): void;
  exception(error: unknown): void;
}

const poolChart = compileChart(poolMachine);
const CUT: Ending = { initiator: 'operator', cause: 'terminated', code: 1006, reason: '' };

/** The backends of one balancer. */
export class PoolActor implements PoolEffects, BackendHost {
  readonly drainTimeout: number;
  readonly #options: PoolOptions;
  readonly #observer: PoolObserver;
  readonly #chart;
  readonly #outbox = new Outbox();
  /** Few, and seldom others: a `Map` serves. */
  readonly #backends = new Map<string, BackendActor>();
  #state: PoolEvent['type'] = 'backends.none';

  constructor(options: PoolOptions, observer: PoolObserver) {
    this.#options = options;
    this.#observer = observer;
    this.drainTimeout = options.drainTimeout;
    this.#chart = createActor(poolChart, { id: 'pool', input: { port: this } });
    this.#chart.subscribe({
      next: () => this.#outbox.settle(),
      error: (error) => this.#observer.exception(error),
    });
    this.#chart.start();
  }

  toJSON(): undefined {
    return undefined;
  }

  get ref(): AnyActorRef {
    return this.#chart;
  }

  get chartValue(): unknown {
    return this.#chart.getSnapshot().value;
  }

  get(id: string): BackendActor | undefined {
    return this.#backends.get(id);
  }

  /** The ids of all backends there are. */
  ids(): Iterable<string> {
    return this.#backends.keys();
  }

  all(): BackendActor[] {
    return [...this.#backends.values()];
  }

  info(): BackendInfo[] {
    return this.all().map((backend) => backend.info());
  }

  /** Takes a backend, which is `registering` until it is sent `ready.announced`. There must be none of that id. */
  add(spec: BackendSpec): BackendActor {
    const backend = new BackendActor(spec, this, this.ref);
    this.#backends.set(spec.id, backend);
    backend.start();
    this.changed(backend);
    return backend;
  }

  /** Chooses a backend for a client, and takes a place on it. */
  pick(query: PickQuery = {}): Pairing | PickFailure {
    const candidates: BackendActor[] = [];
    for (const backend of this.#backends.values()) {
      if (!backend.isAvailable || query.avoid?.includes(backend.id) === true) continue;
      if (backend.id === query.prefer) return backend.reserve();
      candidates.push(backend);
    }
    if (candidates.length === 0 || (query.onlyPreferred === true && query.prefer !== undefined)) return this.#failure();
    const { policy, random } = this.#options;
    const chosen = policy.select(candidates satisfies Candidate[], { key: query.key, random });
    const backend = chosen === undefined ? undefined : this.#backends.get(chosen.id);
    return backend?.isAvailable === true ? backend.reserve() : this.#failure();
  }

  /** No backend is picked any more. */
  close(): void {
    for (const { endings } of this.#backends.values()) endings.clear();
    this.#send('pool.closed');
  }

  // What the backends tell.

  ejectionTime(_backend: BackendActor): number {
    return this.#options.ejectionTime;
  }

  changed(_backend: BackendActor): void {
    const state = this.#summary();
    if (state === this.#state) return;
    this.#state = state;
    this.#send(state);
  }

  becameReady(backend: BackendActor): void {
    this.#observer.ready(backend);
  }

  becameUnhealthy(backend: BackendActor): void {
    this.changed(backend);
    this.#endPairs(backend, this.#options.whenUnhealthy);
  }

  judged(backend: BackendActor): void {
    this.changed(backend);
    const { health } = backend;
    if (health !== undefined) this.#observer.judged(backend, health);
  }

  beganDraining(backend: BackendActor, fate: PairsFate): void {
    this.changed(backend);
    this.#observer.draining(backend);
    this.#endPairs(backend, fate);
  }

  drainExpired(backend: BackendActor): void {
    for (const { occupant } of backend.pairs) occupant?.requestTerminate(CUT);
  }

  gone(backend: BackendActor): void {
    if (this.#backends.get(backend.id) !== backend) return;
    this.#backends.delete(backend.id);
    backend.endings.clear();
    this.changed(backend);
    this.#observer.gone(backend);
  }

  paired(_pairing: Pairing): void {}

  released(_pairing: Pairing, _end: PairingEnd): void {}

  exception(error: unknown): void {
    this.#observer.exception(error);
  }

  // The effects of the chart.

  serveWaiting(): void {}

  refuseWaiting(): void {}

  /** The last fate holds: those who were not told yet are told as it says. */
  #endPairs(backend: BackendActor, fate: PairsFate): void {
    backend.endings.clear();
    if (fate === 'keep') return;
    const occupants = [...backend.pairs].flatMap(({ occupant }) => occupant ?? []);
    const { ending, drainsPerSecond } = this.#options;
    backend.endings.end(occupants, ending, fate === 'close' ? Number.POSITIVE_INFINITY : drainsPerSecond);
  }

  #failure(): PickFailure {
    const summary = this.#summary();
    if (summary === 'backends.none') return 'empty';
    return summary === 'backends.full' ? 'full' : 'unavailable';
  }

  #summary(): PoolEvent['type'] {
    let summary: PoolEvent['type'] = this.#backends.size === 0 ? 'backends.none' : 'backends.unavailable';
    for (const backend of this.#backends.values()) {
      if (backend.isAvailable) return 'backends.available';
      if (backend.isServing) summary = 'backends.full';
    }
    return summary;
  }

  #send(type: PoolEvent['type']): void {
    if (this.#chart.getSnapshot().status === 'active') this.#outbox.around(() => this.#chart.send({ type }));
  }
}

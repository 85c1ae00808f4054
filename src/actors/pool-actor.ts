/**
 * Owns the backends there are, at run time: which of them gets the next client, who waits for one, and how many may be ejected. Refuses to
 * connect to backends and to learn of them; whoever does tells it.
 */
import { type AnyActorRef, createActor } from 'xstate';
import type { BackendHealth, BackendInfo, BackendSpec } from './backend.js';
import type { BackendOptions } from './backend.options.js';
import { BackendActor, type BackendHost } from './backend-actor.js';
import { type Clock, systemClock } from './clock.js';
import { compileChart } from './compiled-chart.js';
import { countingInspectors } from './inspectors.js';
import { Outbox } from './outbox.js';
import type { Pairing } from './pairing.js';
import type { PoolEffects } from './pool.effects.js';
import { type PoolEvent, poolMachine } from './pool.machine.js';
import { chooseOf } from './selection/choose.js';
import type { SelectionPolicy } from './selection/policy.js';
import { type Leaving, WaitingRoom, type WaitingRoomOptions } from './waiting-room.js';

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
export interface PoolOptions extends Omit<BackendOptions, 'clock'> {
  readonly policy: SelectionPolicy;
  readonly outliers: BackendOptions['outliers'] & {
    /** Which part of the backends that are ready may be ejected at a time. */
    readonly maxEjected: number;
  };
  /** Who waits while every backend is full. */
  readonly queue: WaitingRoomOptions;
  random(): number;
  /** Default: that of the process. */
  readonly clock?: Clock;
}

/** Who is told about the backends of a pool. Nothing in it may throw. */
export interface PoolObserver {
  ready(backend: BackendActor): void;
  /** Whether it is well is judged otherwise than before; not told when it becomes ready. */
  judged(backend: BackendActor, health: BackendHealth): void;
  draining(backend: BackendActor): void;
  gone(backend: BackendActor): void;
  exception(error: unknown): void;
}

const poolChart = compileChart(poolMachine);

/** The backends of one balancer. */
export class PoolActor implements PoolEffects, BackendHost {
  readonly #options: PoolOptions & BackendOptions;
  readonly #observer: PoolObserver;
  readonly #chart;
  readonly #outbox = new Outbox();
  /** Few, and seldom others: a `Map` serves. */
  readonly #backends = new Map<string, BackendActor>();
  readonly #waiting: WaitingRoom<PickQuery, Pairing | PickFailure>;
  #state: PoolEvent['type'] = 'backends.none';
  #isClosed = false;
  #isServing = false;
  #serveAgain = false;

  constructor(options: PoolOptions, observer: PoolObserver) {
    const { clock = systemClock } = options;
    this.#options = { ...options, clock };
    this.#observer = observer;
    this.#waiting = new WaitingRoom<PickQuery, Pairing | PickFailure>(options.queue, clock, 'full');
    this.#chart = countingInspectors(createActor(poolChart, { id: 'pool', input: { port: this }, clock }));
    this.#chart.subscribe({
      next: () => this.#outbox.settle(),
      error: (error) => this.#observer.exception(error),
    });
    this.#outbox.around(() => this.#chart.start());
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

  /** How many clients wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** How many backends there are. */
  get size(): number {
    return this.#backends.size;
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
    const backend = new BackendActor(spec, this.#options, this, this.ref);
    this.#backends.set(spec.id, backend);
    backend.start();
    this.changed(backend);
    return backend;
  }

  /** Chooses a backend for a client, and takes a place on it. Those that wait come first. */
  pick(query: PickQuery = {}): Pairing | PickFailure {
    this.#serve('while there is room');
    return this.#pick(query);
  }

  /**
   * As `pick`; but while every backend that would do is full, and the queue has room, the client waits for its turn. Resolves with
   * `full` when that takes too long, or when it leaves; it never rejects. Who leaves once it is resolved has to release the place.
   */
  pickOrWait(query: PickQuery, leaving: Leaving): Pairing | PickFailure | Promise<Pairing | PickFailure> {
    const picked = this.pick(query);
    return picked === 'full' ? (this.#waiting.enter(query, leaving) ?? picked) : picked;
  }

  /** No backend is picked any more, who waits is refused, and no timer is left. That the backends go is not told. */
  close(): void {
    this.#isClosed = true;
    for (const backend of this.all()) backend.send({ type: 'pool.closed' });
    this.#send('pool.closed');
  }

  // What the backends tell.

  changed(backend: BackendActor): void {
    if (this.#isClosed) return;
    this.#liftSurplus();
    const state = this.#summary();
    if (state !== this.#state) {
      this.#state = state;
      this.#send(state);
    }
    // Some wait for this one alone.
    if (backend.isAvailable) this.#serve('while there is room');
    else if (!backend.isServing) this.#serve('all');
  }

  mayEject(_backend: BackendActor): boolean {
    return this.#ejected().length < this.#mostEjected();
  }

  becameReady(backend: BackendActor): void {
    this.#observer.ready(backend);
  }

  judged(backend: BackendActor, health: BackendHealth): void {
    this.#observer.judged(backend, health);
  }

  beganDraining(backend: BackendActor): void {
    this.#observer.draining(backend);
  }

  gone(backend: BackendActor): void {
    if (this.#backends.get(backend.id) !== backend) return;
    this.#backends.delete(backend.id);
    this.changed(backend);
    if (!this.#isClosed) this.#observer.gone(backend);
  }

  exception(error: unknown): void {
    this.#observer.exception(error);
  }

  // The effects of the chart.

  serveWaiting(): void {
    this.#outbox.push(() => this.#serve('while there is room'));
  }

  refuseWaiting(): void {
    this.#outbox.push(() => this.#waiting.empty('unavailable'));
  }

  #pick(query: PickQuery): Pairing | PickFailure {
    if (this.#isClosed) return 'unavailable';
    const { prefer, onlyPreferred, avoid } = query;
    const preferred = prefer === undefined || avoid?.includes(prefer) ? undefined : this.#backends.get(prefer);
    if (preferred?.isAvailable) return preferred.reserve();
    const mustPrefer = onlyPreferred === true && prefer !== undefined;
    let failure: PickFailure = this.#backends.size === 0 ? 'empty' : 'unavailable';
    const candidates = [];
    for (const backend of mustPrefer ? [preferred] : this.#backends.values()) {
      if (backend === undefined || avoid?.includes(backend.id)) continue;
      if (backend.isAvailable) candidates.push(backend.candidate);
      else if (backend.isServing) failure = 'full';
    }
    if (candidates.length === 0) return failure;
    const { policy, random } = this.#options;
    const chosen = chooseOf(candidates, policy, { key: query.key, random }, (error) => this.exception(error));
    const backend = chosen === undefined ? undefined : this.#backends.get(chosen.id);
    return backend?.isAvailable ? backend.reserve() : 'unavailable';
  }

  /**
   * Serves those that wait, in order, so that nobody comes before them.
   *
   * @param which `all` when some may wait for what will not come any more.
   */
  #serve(which: 'all' | 'while there is room'): void {
    if (this.#waiting.size === 0) return;
    // A place that is taken here changes its backend: looked at again, and not inside of this.
    this.#serveAgain = true;
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (let more = which === 'all'; this.#serveAgain; more = false) {
        this.#serveAgain = false;
        this.#waiting.serve(
          (query) => {
            const picked = this.#pick(query);
            return picked === 'full' ? undefined : picked;
          },
          () => more || this.#summary() === 'backends.available',
        );
      }
    } finally {
      this.#isServing = false;
    }
  }

  #ejected(): BackendActor[] {
    return this.all().filter(({ health }) => health === 'ejected' || health === 'trial');
  }

  #mostEjected(): number {
    const ready = this.all().filter(({ state }) => state === 'ready').length;
    const part = Math.floor(ready * this.#options.outliers.maxEjected);
    return ready > 1 ? Math.max(1, part) : part;
  }

  /** A pool that got smaller cannot do without so many. */
  #liftSurplus(): void {
    const ejected = this.#ejected();
    if (ejected.length === 0 || ejected.length <= this.#mostEjected()) return;
    const [soonest] = ejected.sort((one, other) => one.ejectionTime() - other.ejectionTime());
    soonest?.send({ type: 'ejection.lifted' });
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

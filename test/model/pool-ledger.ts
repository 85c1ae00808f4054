/**
 * Owns the plain account of what has to be true of a pool, by what was done to it. Throws as soon as it is not. Refuses to do anything to
 * the pool, and to know how it keeps its promises.
 */
import type { BackendInfo, DrainCause } from '../../src/actors/backend.js';
import type { BackendActor } from '../../src/actors/backend-actor.js';
import type { Occupant, Pairing } from '../../src/actors/pairing.js';
import type { PickQuery, PoolActor } from '../../src/actors/pool-actor.js';
import type { SimulatedClock } from '../../src/testing/simulated-clock.js';

/** How long a client that was sent to a backend counts without a report. */
const REDIRECTED = 10_000;

/** The limits of the pool that is watched. */
export interface Limits {
  readonly max: number;
  readonly timeout: number;
  readonly trials: number;
  readonly maxEjected: number;
}

/** What has to be true of one backend. */
export interface Account {
  readonly backend: BackendActor;
  generation: number;
  isDown: boolean;
  /** Why it must not be picked. */
  readonly out: Set<DrainCause>;
  others: number;
  redirected: number;
  redirectedSince: number;
  /** The places of the trial that it is in, but for those that were not needed. */
  readonly trial: Set<Pairing>;
}

/** A client, and how far it is. */
export interface Client extends Occupant {
  readonly query: PickQuery;
  /** A number for each, in the order in which they came. */
  readonly came: number;
  readonly since: number;
  readonly controller: AbortController;
  /** It waits when there is no room. */
  readonly waits: boolean;
  phase: 'waiting' | 'reserved' | 'paired' | 'over';
  pairing: Pairing | undefined;
}

/** The account of one pool. */
export class PoolLedger {
  readonly clients = new Set<Client>();
  /** How often each thing happened that a simulation must not go without. */
  readonly happened = new Map<string, number>();
  readonly #pool: PoolActor;
  readonly #clock: SimulatedClock;
  readonly #limits: Limits;
  readonly #accounts = new Map<BackendActor, Account>();
  /** The places of this step, in the order in which they were taken, and who got them. */
  readonly #taken = new Map<Pairing, Client | undefined>();

  constructor(pool: PoolActor, clock: SimulatedClock, limits: Limits) {
    this.#pool = pool;
    this.#clock = clock;
    this.#limits = limits;
  }

  accounts(): Account[] {
    return [...this.#accounts.values()];
  }

  get(backend: BackendActor): Account | undefined {
    return this.#accounts.get(backend);
  }

  /** Another step begins. */
  begin(): void {
    this.#taken.clear();
  }

  count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1);
  }

  /** A client has its place. */
  served(client: Client, pairing: Pairing): void {
    this.#taken.set(pairing, client);
    this.count(client.since < this.#clock.now() ? 'served after a while' : 'served');
  }

  /** So much time passes. */
  pass(milliseconds: number): void {
    for (const account of this.#accounts.values()) {
      if (this.#clock.now() + milliseconds - account.redirectedSince >= REDIRECTED) account.redirected = 0;
    }
  }

  /** The pool tells of a backend. */
  told(what: string, backend: BackendActor): void {
    this.count(what);
    const account = this.#accounts.get(backend);
    // What follows is another trial, whose first places may be taken before it is told.
    if (what === 'ejected') account?.trial.clear();
    if (what === 'ejected') this.#checkEjected(this.#pool.info());
    if (what !== 'gone') return;
    check(backend.pairs.size === 0, () => `${backend.id} is gone with ${backend.pairs.size} pairs`);
    check(this.on(backend).length === 0, () => `${backend.id} is gone, and clients are on it`);
    this.#accounts.delete(backend);
  }

  on(backend: BackendActor, phase?: Client['phase']): Client[] {
    return [...this.clients].filter(
      (client) => client.pairing?.backend === backend && (phase ?? client.phase) === client.phase,
    );
  }

  /** Every place that is taken is taken here, whoever it is for. */
  watch(backend: BackendActor): void {
    const account: Account = {
      backend,
      generation: 1,
      isDown: false,
      out: new Set(),
      others: 0,
      redirected: 0,
      redirectedSince: 0,
      trial: new Set(),
    };
    this.#accounts.set(backend, account);
    const reserve = backend.reserve.bind(backend);
    backend.reserve = () => {
      const { state, health, spec } = backend;
      check(
        state === 'ready' && (health === 'healthy' || health === 'trial'),
        () => `a pick of ${backend.id}, ${state} ${health}`,
      );
      check(!account.isDown, () => `a pick of ${backend.id}, whose checks fail`);
      check(account.out.size === 0, () => `a pick of ${backend.id}, which is out for ${[...account.out].join()}`);
      check(spec.capacity === 0 || backend.load < spec.capacity, () => `a pick of ${backend.id}, which is full`);
      const pairing = reserve();
      this.#taken.set(pairing, undefined);
      if (health === 'trial') {
        account.trial.add(pairing);
        check(
          account.trial.size <= this.#limits.trials,
          () => `${account.trial.size} picks in a trial of ${backend.id}`,
        );
      }
      return pairing;
    };
  }

  checkAll(): void {
    const infos = this.#pool.info();
    check(
      this.#pool.chartValue === summaryOf(infos),
      () => `the pool is ${String(this.#pool.chartValue)}: ${inWords(infos)}`,
    );
    for (const info of infos) this.#checkBackend(info);
    this.#checkEjected(infos);
    this.#checkOrder();
    this.#checkQueue(infos);
  }

  #checkEjected(infos: readonly BackendInfo[]): void {
    const ready = infos.filter(({ state }) => state === 'ready');
    const ejected = ready.filter(({ health }) => health === 'ejected' || health === 'trial');
    const share = Math.floor(ready.length * this.#limits.maxEjected);
    const bound = ready.length > 1 ? Math.max(1, share) : share;
    check(ejected.length <= bound, () => `${ejected.length} of ${ready.length} are ejected: ${inWords(infos)}`);
  }

  #checkBackend({ id, load, pairs, state, draining, health, capacity, available }: BackendInfo): void {
    const { backend, out, others, redirected, trial } = this.#accounts.get(this.#pool.get(id)!)!;
    const reserved = this.on(backend, 'reserved').length;
    const paired = this.on(backend, 'paired').length;
    check(pairs === paired, () => `${backend.id} counts ${pairs} pairs and has ${paired}`);
    const expected = reserved + paired + others + redirected;
    check(load === expected, () => `${backend.id} has a load of ${load} and not ${expected}`);
    check(state === 'draining' || draining === undefined, () => `${backend.id} is ${state} and drains`);
    const strongest = (['removed', 'operator', 'lost', 'backend'] as const).find((cause) => out.has(cause));
    check(
      state === 'registering' || draining === strongest,
      () => `${backend.id} drains for ${draining}, not ${strongest}`,
    );
    const hasTrial = health === 'trial' && trial.size < this.#limits.trials && (capacity === 0 || load < capacity);
    check(!hasTrial || available, () => `${backend.id} is on trial, and gets nobody`);
  }

  /** Whoever waits comes before whoever comes later, wherever it would do for both. */
  #checkOrder(): void {
    const taken = [...this.#taken];
    for (const [at, [{ backend }, client]] of taken.entries()) {
      if (client === undefined) continue;
      const later = taken.slice(at + 1).flatMap(([, other]) => other ?? []);
      const behind = [...later, ...this.clients].filter(({ phase, waits }) => waits && phase !== 'over');
      const overtaken = behind.find(
        (other) =>
          other.came < client.came &&
          suits(other.query, backend.id) &&
          (later.includes(other) || other.phase === 'waiting'),
      );
      check(overtaken === undefined, () => `client ${client.came} overtook client ${overtaken?.came} at ${backend.id}`);
    }
  }

  #checkQueue(infos: readonly BackendInfo[]): void {
    const waiting = [...this.clients].filter(({ phase }) => phase === 'waiting');
    check(this.#pool.waiting === waiting.length, () => `${this.#pool.waiting} wait, not ${waiting.length}`);
    check(waiting.length <= this.#limits.max, () => `${waiting.length} wait, and ${this.#limits.max} may`);
    for (const { came, since, query } of waiting) {
      check(this.#clock.now() - since < this.#limits.timeout, () => `client ${came} waits too long`);
      const fit = infos.filter(({ id }) => suits(query, id));
      check(!fit.some(({ available }) => available), () => `client ${came} waits, and there is room for it`);
      const serving = fit.some(({ health }) => health === 'healthy' || health === 'trial');
      check(serving, () => `client ${came} waits, and there is nothing to wait for`);
    }
  }
}

function check(holds: boolean, wrong: () => string): void {
  if (!holds) throw new Error(wrong());
}

function suits({ prefer, onlyPreferred, avoid }: PickQuery, id: string): boolean {
  return avoid?.includes(id) !== true && (onlyPreferred !== true || prefer === undefined || prefer === id);
}

function summaryOf(infos: readonly BackendInfo[]): string {
  if (infos.length === 0) return 'empty';
  if (infos.some(({ available }) => available)) return 'available';
  return infos.some(({ health }) => health === 'healthy' || health === 'trial') ? 'full' : 'unavailable';
}

function inWords(infos: readonly BackendInfo[]): string {
  return infos
    .map(({ id, state, health, available }) => `${id} ${state} ${health}${available ? ' available' : ''}`)
    .join(', ');
}

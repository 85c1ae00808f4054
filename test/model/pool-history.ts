/**
 * Owns one random history of a pool: backends that come, get lost, come back, are drained, removed, checked and fail, and clients that come,
 * wait, connect and leave, and the ledger that is kept of it. Refuses to say what has to be true.
 */
import type { DrainCause, PairsFate } from '../../src/actors/backend.js';
import type { BackendActor } from '../../src/actors/backend-actor.js';
import type { Pairing, PairingEnd } from '../../src/actors/pairing.js';
import { type PickFailure, type PickQuery, PoolActor } from '../../src/actors/pool-actor.js';
import { createPolicy, POLICY_NAMES } from '../../src/actors/selection/create-policy.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { seededRandom } from '../support/seeded-random.js';
import { type Account, type Client, type Limits, PoolLedger } from './pool-ledger.js';

const IDS = ['a', 'b', 'c', 'd', 'e'];
const FATES: readonly PairsFate[] = ['keep', 'drain', 'close'];
const ENDS: readonly PairingEnd[] = ['ended', 'failed', 'lost', 'unused'];
const CAPACITIES = [0, 1, 2, 3];

/** One history. Throws with what is wrong as soon as something is. */
export class PoolHistory {
  readonly #random: () => number;
  readonly #clock = new SimulatedClock();
  readonly #pool: PoolActor;
  readonly #ledger: PoolLedger;
  #came = 0;
  #depth = 0;
  /** What was done, for whoever reads a failure. */
  readonly log: string[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const limits: Limits = {
      max: this.#below(4),
      timeout: 2000,
      trials: 1 + this.#below(2),
      maxEjected: this.#one([0.3, 0.5, 1]),
    };
    this.#pool = new PoolActor(
      {
        policy: createPolicy(this.#one(POLICY_NAMES)),
        whenUnhealthy: this.#one(FATES),
        drainTimeout: this.#one([0, 3000]),
        drainsPerSecond: this.#one([50, 1000]),
        slowStart: this.#one([0, 5000]),
        queue: limits,
        outliers: {
          ...limits,
          maxFailures: this.#one([0, 1, 2]),
          earlyClose: this.#one([0, 500]),
          ejection: 1000,
          maxEjection: 4000,
        },
        ending: () => ({ initiator: 'operator', cause: 'disconnected', code: 1012, reason: '' }),
        random: this.#random,
        clock: this.#clock,
      },
      {
        ready: (backend) => this.#told('ready', backend),
        judged: (backend, health) => this.#told(health, backend),
        draining: (backend) => this.#told('draining', backend),
        gone: (backend) => this.#told('gone', backend),
        exception: (error) => {
          throw error;
        },
      },
    );
    this.#ledger = new PoolLedger(this.#pool, this.#clock, limits);
  }

  /** How often each thing happened. */
  get happened(): ReadonlyMap<string, number> {
    return this.#ledger.happened;
  }

  /** Lives it, and afterwards sees to it that nothing is left. */
  async live(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      this.#ledger.begin();
      await this.#step();
      this.#ledger.checkAll();
    }
    for (const client of this.#ledger.clients) client.controller.abort();
    for (const { backend } of this.#ledger.accounts()) this.#drain(backend, 'removed', 'close');
    for (const client of this.#ledger.clients) this.#release(client, 'ended');
    await this.#clock.advance(0);
    this.#ledger.checkAll();
    check(this.#pool.all().length === 0, () => 'backends are left that were removed, without anybody on them');
    check(this.#pool.chartValue === 'empty', () => `a pool without backends is ${String(this.#pool.chartValue)}`);
    this.#pool.close();
    await this.#clock.advance(100);
    check(this.#clock.timers === 0, () => `${this.#clock.timers} timers are left`);
  }

  async #step(): Promise<void> {
    const acts: ReadonlyArray<readonly [number, () => void | Promise<void>]> = [
      [5, () => this.#register(this.#one(IDS))],
      [2, () => this.#lose()],
      [2, () => this.#withBackend((backend) => this.#drain(backend, 'operator', this.#one(FATES)))],
      [1, () => this.#withBackend((backend) => this.#drain(backend, 'backend', this.#one(FATES)))],
      [1, () => this.#withBackend((backend) => this.#drain(backend, 'removed', this.#one(FATES)))],
      [3, () => this.#withBackend((backend) => this.#resume(backend))],
      [2, () => this.#withBackend((backend) => this.#checked(backend, 'check.down'))],
      [3, () => this.#withBackend((backend) => this.#checked(backend, 'check.up'))],
      [2, () => this.#withBackend((backend) => this.#report(backend))],
      [2, () => this.#withBackend((backend) => this.#update(backend))],
      [14, () => this.#connect()],
      [6, () => this.#withClient('reserved', (client) => this.#pair(client))],
      [4, () => this.#withClient('reserved', (client) => this.#release(client, this.#one(ENDS)))],
      [1, () => this.#withClient('reserved', (client) => this.#redirect(client))],
      [4, () => this.#withClient('paired', (client) => this.#release(client, this.#one(ENDS)))],
      [1, () => this.#withClient('waiting', (client) => this.#leave(client))],
      [4, () => this.#pass(this.#one([1, 20, 400, 1100, 5000]))],
    ];
    await draw(acts, this.#random());
    // What promises have to do, such as to tell a client that its turn has come.
    await this.#clock.advance(0);
  }

  // What happens to backends.

  #register(id: string): void {
    const known = this.#pool.get(id);
    const capacity = this.#one(CAPACITIES);
    if (known === undefined) {
      this.log.push(`${id} comes, capacity ${capacity}`);
      const weight = 1 + this.#below(3);
      const spec = { id, url: `ws://${id}`, bindings: [], weight, capacity, tags: [], source: 'registered' } as const;
      const backend = this.#pool.add(spec);
      this.#ledger.watch(backend);
      if (this.#random() < 0.9) this.#announce(backend);
    } else {
      this.log.push(`${id} registers anew, capacity ${capacity}`);
      const account = this.#accountOf(known);
      account.generation = known.renew({ ...known.spec, capacity });
      account.others = 0;
      account.redirected = 0;
      this.#announce(known);
    }
  }

  #announce(backend: BackendActor): void {
    const { out } = this.#accountOf(backend);
    if (!out.has('removed')) {
      out.delete('lost');
      if (!out.has('operator')) out.delete('backend');
    }
    backend.send({ type: 'ready.announced' });
  }

  #lose(): void {
    this.#withBackend((backend) => {
      const account = this.#accountOf(backend);
      const fate = this.#one(FATES);
      if (this.#random() < 0.4 && account.generation > 1) {
        this.log.push(`${backend.id} is lost late (${fate})`);
        const before = JSON.stringify(backend.info());
        backend.lost(account.generation - 1, fate);
        check(JSON.stringify(backend.info()) === before, () => 'an old registration changed a newer one');
        return;
      }
      this.log.push(`${backend.id} is lost (${fate})`);
      account.out.add('lost');
      account.others = 0;
      account.redirected = 0;
      backend.lost(account.generation, fate);
    });
  }

  #drain(backend: BackendActor, cause: DrainCause, fate: PairsFate): void {
    this.log.push(`${backend.id} drains for ${cause} (${fate})`);
    // One that is not ready yet does not drain by itself.
    if (cause !== 'backend' || backend.state !== 'registering') this.#accountOf(backend).out.add(cause);
    backend.send({ type: 'drain.request', cause, fate });
  }

  #resume(backend: BackendActor): void {
    this.log.push(`${backend.id} is resumed`);
    const { out } = this.#accountOf(backend);
    if (!out.has('removed')) {
      out.delete('operator');
      if (!out.has('lost')) out.delete('backend');
    }
    backend.send({ type: 'resume.request' });
  }

  #checked(backend: BackendActor, type: 'check.down' | 'check.up'): void {
    this.log.push(`${backend.id} ${type}`);
    this.#accountOf(backend).isDown = type === 'check.down';
    backend.send({ type });
  }

  #report(backend: BackendActor): void {
    const count = this.#below(5);
    this.log.push(`${backend.id} reports ${count}`);
    const account = this.#accountOf(backend);
    account.others = Math.max(0, count - this.#ledger.on(backend, 'paired').length);
    account.redirected = 0;
    backend.report(count);
  }

  #update(backend: BackendActor): void {
    const capacity = this.#one(CAPACITIES);
    this.log.push(`${backend.id} has capacity ${capacity}`);
    backend.update({ ...backend.spec, capacity });
  }

  // What clients do.

  #connect(): void {
    const query: PickQuery = {
      key: this.#random() < 0.5 ? `client-${this.#below(20)}` : undefined,
      prefer: this.#random() < 0.3 ? this.#one(IDS) : undefined,
      onlyPreferred: this.#random() < 0.3,
      avoid: this.#random() < 0.2 ? [this.#one(IDS)] : [],
    };
    const client = this.#clientFor(query);
    this.log.push(`client ${client.came} comes ${JSON.stringify(query)}`);
    this.#ledger.clients.add(client);
    const picked = client.waits ? this.#pool.pickOrWait(query, client.controller.signal) : this.#pool.pick(query);
    if (picked instanceof Promise) void picked.then((served) => this.#answered(client, served));
    else this.#answered(client, picked);
  }

  #clientFor(query: PickQuery): Client {
    this.#came += 1;
    const client: Client = {
      query,
      came: this.#came,
      controller: new AbortController(),
      waits: this.#random() < 0.7,
      phase: 'waiting',
      since: this.#clock.now(),
      pairing: undefined,
      close: () => {
        if (this.#random() < 0.7) this.#release(client, 'ended');
      },
      requestTerminate: () => this.#release(client, 'lost'),
    };
    return client;
  }

  #answered(client: Client, picked: Pairing | PickFailure): void {
    this.log.push(`client ${client.came}: ${typeof picked === 'string' ? picked : `${picked.backend.id}, reserved`}`);
    check(client.phase === 'waiting', () => `client ${client.came} was answered twice`);
    if (typeof picked === 'string') {
      this.#ledger.count(picked);
      client.phase = 'over';
      this.#ledger.clients.delete(client);
      return;
    }
    client.phase = 'reserved';
    client.pairing = picked;
    this.#ledger.served(client, picked);
    // It left between its turn and the news of it.
    if (client.controller.signal.aborted) this.#release(client, 'unused');
  }

  #pair(client: Client): void {
    this.log.push(`client ${client.came} is paired`);
    client.phase = 'paired';
    client.pairing?.paired(client);
  }

  #release(client: Client, end: PairingEnd): void {
    const { pairing } = client;
    if (pairing === undefined || client.phase === 'over') return;
    this.log.push(`client ${client.came} is over: ${end}`);
    const account = this.#ledger.get(pairing.backend as BackendActor);
    if (client.phase === 'reserved' && end === 'unused') account?.trial.delete(pairing);
    client.phase = 'over';
    this.#ledger.clients.delete(client);
    pairing.release(end);
    // Whatever is told a second time counts for nothing.
    if (this.#random() < 0.2) pairing.release(this.#one(ENDS));
    if (this.#random() < 0.2) pairing.paired(client);
  }

  #redirect(client: Client): void {
    const account = this.#ledger.get(client.pairing?.backend as BackendActor);
    if (account !== undefined) {
      if (account.redirected === 0) account.redirectedSince = this.#clock.now();
      account.redirected += 1;
    }
    this.#release(client, 'redirected');
  }

  #leave(client: Client): void {
    this.log.push(`client ${client.came} leaves`);
    client.controller.abort();
  }

  async #pass(milliseconds: number): Promise<void> {
    this.log.push(`${milliseconds} ms pass`);
    this.#ledger.pass(milliseconds);
    await this.#clock.advance(milliseconds);
  }

  #told(what: string, backend: BackendActor): void {
    this.log.push(`told: ${backend.id} ${what}`);
    this.#ledger.told(what, backend);
    if (this.#depth > 2 || this.#random() > 0.1) return;
    // Whoever is told may do something at once.
    this.#depth += 1;
    if (this.#random() < 0.5) this.#connect();
    else if (this.#ledger.get(backend) !== undefined) this.#resume(backend);
    this.#depth -= 1;
  }

  #accountOf(backend: BackendActor): Account {
    return this.#ledger.get(backend)!;
  }

  #withBackend(act: (backend: BackendActor) => void): void {
    const all = this.#pool.all();
    if (all.length > 0) act(this.#one(all));
  }

  #withClient(phase: Client['phase'], act: (client: Client) => void): void {
    const all = [...this.#ledger.clients].filter((client) => client.phase === phase);
    if (all.length > 0) act(this.#one(all));
  }

  #one<Value>(all: readonly Value[]): Value {
    return all[this.#below(all.length)]!;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

/** Does one of them, as often as its weight says. */
function draw(
  acts: ReadonlyArray<readonly [number, () => void | Promise<void>]>,
  chance: number,
): void | Promise<void> {
  let rest = chance * acts.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, act] of acts) {
    rest -= weight;
    if (rest < 0) return act();
  }
}

function check(holds: boolean, wrong: () => string): void {
  if (!holds) throw new Error(wrong());
}

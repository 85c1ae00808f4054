/** Owns the server that spreads clients over backends: its options, its backends and their verbs. Refuses to pick one. */
import type { BackendInfo, BackendSpec } from '../../actors/backend.js';
import type { BackendActor } from '../../actors/backend-actor.js';
import { TidegateError } from '../../receivers/index.js';
import type { BackendInput, BackendPatch } from '../config/balancer/backends.js';
import { type BalancerConfig, type BalancerConfigInput, resolveBalancerOptions } from '../config/balancer/options.js';
import { speechOf } from '../config/balancer/speech.js';
import { ConnectionServer } from '../connection-server.js';
import { comeBack } from '../farewells.js';
import type { Group } from '../group/group.js';
import { GroupFace } from '../group/group-face.js';
import type { GroupMember } from '../group/group-member.js';
import { HOOK_NAMES, type ServerHooks } from '../hooks.js';
import type { ServerSnapshot } from '../server-snapshot.js';
import { balancerRoutes, readinessOf } from './admin-routes.js';
import type { LoadBalancerEvents } from './balancer-events.js';
import { BALANCER_HOOK_NAMES, type BalancerHooks } from './balancer-hooks.js';
import { Balancing } from './balancing.js';
import { RegistrationCounts, type RegistrationSnapshot } from './control/registration-counts.js';
import { type BackendChanges, KnownBackends } from './known-backends.js';
import { type PoolInfo, poolInfo } from './pool-info.js';

/** The options of a {@link LoadBalancer}: everything a configuration file may hold, and what only code can give. */
export interface LoadBalancerOptions extends BalancerConfigInput, ServerHooks, BalancerHooks {}

/** A balancer at one moment, as plain JSON. */
export interface LoadBalancerSnapshot extends ServerSnapshot {
  readonly backends: readonly BackendInfo[];
  /** How many backends registered themselves or were turned away. */
  readonly registrations: RegistrationSnapshot;
}

/** Accepts WebSocket connections and HTTP requests and spreads them over backends (sgc: TsgcWebSocketLoadBalancerServer). */
export class LoadBalancer extends ConnectionServer<LoadBalancerEvents> {
  /** The clients of the balancer and of all its backends. */
  readonly group: Group = new GroupFace(
    () => this.#member(),
    (id) => this.#running().group.deputyOf(id),
  );
  readonly #registrations = new RegistrationCounts();
  readonly #known: KnownBackends;
  readonly #drain: BalancerConfig['drain'];
  #balancing: Balancing | undefined;

  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: LoadBalancerOptions = {}) {
    const config = resolveBalancerOptions(options, [...HOOK_NAMES, ...BALANCER_HOOK_NAMES]);
    const known = new KnownBackends(config.backends, speechOf(config));
    const { selection, onBeforeBinding, resolver, onHttpRequest, onHttpResponse } = options;
    super(config, options, {
      name: 'balancer',
      needsTarget: true,
      farewell: () => comeBack(config.drain.minDelay, config.drain.maxDelay),
      extend: (base) => {
        known.began();
        this.#balancing = new Balancing(
          {
            config: { ...config, backends: [...known.configured] },
            hooks: { selection, onBeforeBinding, resolver, onHttpRequest, onHttpResponse },
            added: known.added,
            registrations: this.#registrations,
            tell: (name, ...values) => {
              this.announce(name, values);
              if (name === 'backend.gone') this.#freed((values as LoadBalancerEvents['backend.gone'])[0].id);
            },
          },
          base,
        );
        return this.#balancing;
      },
      readiness: () => readinessOf(this),
      adminRoutes: () => balancerRoutes(this),
      ownStats: () => ({ pool: this.pool() }),
    });
    this.#known = known;
    this.#drain = config.drain;
  }

  /** Its backends together, in a few numbers. */
  pool(): PoolInfo {
    const { state } = this;
    const chart = state === 'stopped' ? 'closed' : (this.#balancing?.pool.chartValue as PoolInfo['state']);
    return poolInfo(chart, this.backends(), state === 'stopped' ? 0 : (this.#balancing?.pool.waiting ?? 0));
  }

  /** The balancer, its connections and its backends at this moment, as plain JSON. */
  override snapshot(): LoadBalancerSnapshot {
    return { ...super.snapshot(), backends: this.backends(), registrations: this.#registrations.snapshot() };
  }

  /** Every backend there is, with its state, its health and its load. Empty unless running. */
  backends(): BackendInfo[] {
    return this.state === 'stopped' ? [] : (this.#balancing?.pool.info() ?? []);
  }

  /** How many clients wait for room on a backend (option `queue`). */
  get waitingClients(): number {
    return this.#balancing?.pool.waiting ?? 0;
  }

  /**
   * Adds a backend, which is picked from now on. It is there again after a restart.
   *
   * @throws TidegateError `INVALID_OPTION` for what is no backend, or none of what the others speak; `BACKEND_EXISTS` for an id that
   * another one has, also one that was removed and still has clients; `NOT_RUNNING`.
   */
  addBackend(input: BackendInput): BackendInfo {
    const spec: BackendSpec = { ...this.#known.readOne(input), source: 'api' };
    const running = this.#running();
    if (running.pool.get(spec.id) !== undefined) {
      throw new TidegateError('BACKEND_EXISTS', `there is a backend ${JSON.stringify(spec.id)} already`);
    }
    this.#known.add(spec);
    return running.add(spec).info();
  }

  /**
   * Changes what is known of a backend: its weight, capacity, tags, addresses. Touches no connection that is on it. One that the
   * options name is as they say again after a restart, and one that registered itself may change the same.
   *
   * @throws TidegateError `INVALID_OPTION`, `UNKNOWN_BACKEND`, `NOT_RUNNING`.
   */
  updateBackend(id: string, changes: BackendPatch): BackendInfo {
    const patch = this.#known.readPatch(changes);
    const found = this.#get(id);
    const spec: BackendSpec = { ...found.spec, ...patch };
    this.#known.update(spec);
    found.update(spec);
    return found.info();
  }

  /** Takes a backend out; its clients meet the fate of `drain.whenDraining`. It stays known, until it is resumed or removed. */
  drainBackend(id: string): BackendInfo {
    return this.#told(id, { type: 'drain.request', cause: 'operator', fate: this.#drain.whenDraining });
  }

  /** Puts a backend that was drained back in. */
  resumeBackend(id: string): BackendInfo {
    return this.#told(id, { type: 'resume.request' });
  }

  /** Takes a backend out for good; its clients meet the fate of `drain.whenRemoved`. */
  removeBackend(id: string): BackendInfo {
    this.#known.remove(id);
    return this.#told(id, { type: 'drain.request', cause: 'removed', fate: this.#drain.whenRemoved });
  }

  /**
   * Puts another list in place of the option `backends`, now and for every start from now on: those that are new are added, those that
   * changed are updated, those that are no more in it are removed as {@link removeBackend} does. Backends that others brought stay.
   * Touches no connection but those of backends that are removed.
   *
   * @throws TidegateError `INVALID_OPTION`; nothing is changed then.
   */
  replaceBackends(input: readonly BackendInput[]): BackendChanges {
    const running = this.state === 'running' ? this.#balancing : undefined;
    const holder = running && {
      sourceOf: (id: string) => running.pool.get(id)?.spec.source,
      add: (spec: BackendSpec) => void running.add(spec),
      update: (spec: BackendSpec) => running.pool.get(spec.id)?.update(spec),
      remove: (id: string) => void this.removeBackend(id),
    };
    return this.#known.replace(this.#known.readList(input), holder);
  }

  /** The id of a backend is free: one of the options may have waited for it. */
  #freed(id: string): void {
    const heir = this.state === 'running' ? this.#known.heirOf(id) : undefined;
    if (heir !== undefined) this.#balancing?.add(heir);
  }

  #told(id: string, event: Parameters<BackendActor['send']>[0]): BackendInfo {
    const found = this.#get(id);
    found.send(event);
    return found.info();
  }

  /** @throws TidegateError `UNKNOWN_BACKEND`, `NOT_RUNNING`. */
  #get(id: string): BackendActor {
    const found = this.#running().pool.get(id);
    if (found === undefined) throw new TidegateError('UNKNOWN_BACKEND', `there is no backend ${JSON.stringify(id)}`);
    return found;
  }

  #member(): GroupMember {
    if (this.state === 'running' || this.state === 'draining') return this.#running().group.member;
    throw new TidegateError('NOT_RUNNING', `the balancer is ${this.state}`);
  }

  #running(): Balancing {
    const isRunning = this.state === 'running' || this.state === 'draining';
    if (this.#balancing === undefined || !isRunning) {
      throw new TidegateError('NOT_RUNNING', `the balancer is ${this.state}`);
    }
    return this.#balancing;
  }
}

/** Owns the server that spreads clients over backends: its options, its backends and their verbs. Refuses to pick one. */
import type { BackendInfo, BackendSpec } from '../../actors/backend.js';
import { TidegateError } from '../../receivers/index.js';
import { type BackendInput, backend } from '../config/balancer/backends.js';
import { type BalancerConfig, type BalancerConfigInput, resolveBalancerOptions } from '../config/balancer/options.js';
import { findProblems, formatProblem } from '../config/problems.js';
import { ConnectionServer, type ServerSnapshot } from '../connection-server.js';
import type { Group } from '../group/group.js';
import { GroupFace } from '../group/group-face.js';
import type { GroupMember } from '../group/group-member.js';
import { HOOK_NAMES, type ServerHooks } from '../hooks.js';
import type { LoadBalancerEvents } from './balancer-events.js';
import { BALANCER_HOOK_NAMES, type BalancerHooks } from './balancer-hooks.js';
import { Balancing } from './balancing.js';
import { RegistrationCounts, type RegistrationSnapshot } from './control/registration-counts.js';

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
  readonly #added = new Map<string, BackendSpec>();
  readonly #registrations = new RegistrationCounts();
  readonly #drain: BalancerConfig['drain'];
  #balancing: Balancing | undefined;

  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: LoadBalancerOptions = {}) {
    const config = resolveBalancerOptions(options, [...HOOK_NAMES, ...BALANCER_HOOK_NAMES]);
    const { selection } = options;
    super(config, options, {
      needsTarget: true,
      extend: (base) => {
        const added = [...this.#added.values()];
        this.#balancing = new Balancing(
          {
            config,
            hooks: { selection },
            added,
            registrations: this.#registrations,
            tell: (name, ...values) => this.announce(name, values),
          },
          base,
        );
        return this.#balancing;
      },
    });
    this.#drain = config.drain;
  }

  /** The balancer, its connections and its backends at this moment, as plain JSON. */
  override snapshot(): LoadBalancerSnapshot {
    return { ...super.snapshot(), backends: this.backends(), registrations: this.#registrations.snapshot() };
  }

  /** Every backend there is, with its state, its health and its load. Empty unless running. */
  backends(): BackendInfo[] {
    return this.#balancing?.pool.info() ?? [];
  }

  /**
   * Adds a backend, which is picked from now on. It is there again after a restart.
   *
   * @throws TidegateError `INVALID_OPTION` for what is no backend, or for an id that another one has.
   */
  addBackend(input: BackendInput): BackendInfo {
    const { value, problems } = findProblems(backend, input, { expected: 'expected a backend' });
    if (value === undefined) {
      throw new TidegateError(
        'INVALID_OPTION',
        problems.map((problem) => formatProblem(problem, 'backend')).join('\n'),
      );
    }
    const running = this.#running();
    if (running.pool.get(value.id) !== undefined) {
      throw new TidegateError('INVALID_OPTION', `id: got ${JSON.stringify(value.id)}; another backend has it`);
    }
    const spec: BackendSpec = { ...value, source: 'api' };
    this.#added.set(spec.id, spec);
    return running.add(spec).info();
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
    this.#added.delete(id);
    return this.#told(id, { type: 'drain.request', cause: 'removed', fate: this.#drain.whenRemoved });
  }

  #told(id: string, event: Parameters<NonNullable<ReturnType<Balancing['pool']['get']>>['send']>[0]): BackendInfo {
    const found = this.#running().pool.get(id);
    if (found === undefined) throw new TidegateError('UNKNOWN_BACKEND', `there is no backend ${JSON.stringify(id)}`);
    found.send(event);
    return found.info();
  }

  #member(): GroupMember {
    if (this.state === 'running' || this.state === 'draining') return this.#running().group.member;
    throw new TidegateError('NOT_RUNNING', `the balancer is ${this.state}`);
  }

  #running(): Balancing {
    if (this.#balancing === undefined) throw new TidegateError('NOT_RUNNING', 'the balancer is not running');
    return this.#balancing;
  }
}

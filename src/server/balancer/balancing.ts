/**
 * Owns what a running balancer adds to a running server, and how it is put together: the pool, the routes, and whoever brings backends.
 * Made anew for each start. Refuses to know in which state the server is.
 */
import type { BackendSpec } from '../../actors/backend.js';
import type { BackendActor } from '../../actors/backend-actor.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { Ending } from '../../actors/ending.js';
import { PoolActor } from '../../actors/pool-actor.js';
import { createPolicy } from '../../actors/selection/create-policy.js';
import type { RequestHead } from '../../protocol/http-head.js';
import type { LifecycleReceiver } from '../../receivers/index.js';
import type { BalancerConfig } from '../config/balancer/options.js';
import type { ListenerRole } from '../config/listen.js';
import type { Routes } from '../connections/route.js';
import { retryReason } from '../retry-reason.js';
import type { ExtensionBase, ServerExtension } from '../server-extension.js';
import { noAffinity } from './affinity.js';
import { createRoutes } from './backend-route.js';
import type { LoadBalancerEvents } from './balancer-events.js';
import type { BalancerHooks } from './balancer-hooks.js';
import { ControlPlane } from './control/control-plane.js';
import type { RegistrationCounts } from './control/registration-counts.js';
import { BalancerGroup } from './group/balancer-group.js';
import { Pairs } from './pairs.js';
import { RetryBudget } from './retry-budget.js';

/** What a balancer adds is made of. */
export interface BalancingOptions {
  readonly config: BalancerConfig;
  readonly hooks: BalancerHooks;
  /** Those that code or the admin API added; they outlive a restart. */
  readonly added: readonly BackendSpec[];
  /** How many registered; outlives a restart. */
  readonly registrations: RegistrationCounts;
  /** Tells an event; never throws. */
  tell<Name extends keyof LoadBalancerEvents>(name: Name, ...values: LoadBalancerEvents[Name]): void;
}

/** A balancer between its start and its stop. */
export class Balancing implements ServerExtension {
  readonly pool: PoolActor;
  readonly routes: Routes;
  readonly control: ControlPlane;
  readonly group: BalancerGroup;
  readonly #options: BalancingOptions;
  readonly #pairs: Pairs;

  constructor(options: BalancingOptions, base: ExtensionBase) {
    this.#options = options;
    const { supervisor } = base;
    const { config, hooks, tell } = options;
    const { drain, health, failover } = config;
    this.pool = new PoolActor(
      {
        policy: hooks.selection ?? createPolicy(config.policy),
        whenUnhealthy: drain.whenUnhealthy,
        drainTimeout: drain.timeout,
        drainsPerSecond: drain.perSecond,
        ejectionTime: health.ejection,
        ending: () => this.#sentAway(),
        random: Math.random,
      },
      {
        ready: (backend) => {
          this.control.ready(backend);
          tell('backend.ready', backend.info());
        },
        draining: (backend) => {
          this.control.draining(backend);
          tell('backend.draining', backend.info());
        },
        gone: (backend) => {
          this.control.gone(backend);
          tell('backend.gone', backend.info());
        },
        exception: (error) => tell('exception', error, undefined),
      },
    );
    const speaks = config.backends.every(({ url }) => /^wss?:/i.test(url)) ? 'websocket' : 'bytes';
    this.control = new ControlPlane({ config, pool: this.pool, speaks, base, counts: options.registrations, tell });
    this.#pairs = new Pairs({
      connection: (id) => supervisor.registry.get(id),
      paired: (connection, backend) => tell('client.paired', connection.handle, backend.info()),
      unpaired: (connection, backend) => tell('client.unpaired', connection.handle, backend.info()),
    });
    this.group = new BalancerGroup({
      control: this.control,
      pool: this.pool,
      pairs: this.#pairs,
      supervisor,
      config,
      exception: (error) => tell('exception', error, undefined),
    });
    this.routes = createRoutes({
      speaks,
      pool: this.pool,
      affinity: noAffinity,
      budget: new RetryBudget(failover.budget),
      attempts: failover.attempts,
      attemptTimeout: failover.attemptTimeout,
      retryAfter: config.retryAfter,
      lossEnding: () => ({ ...this.#sentAway(), initiator: 'upstream', cause: 'UPSTREAM_LOST' }),
      paired: (id, { backend }) => this.#pairs.paired(id, backend),
      unpaired: (id) => this.#pairs.unpaired(id),
    });
  }

  isControl(head: RequestHead, role: ListenerRole): boolean {
    return this.control.isControl(head, role);
  }

  createControl(): LifecycleReceiver {
    return this.control.createControl();
  }

  opened({ id }: ConnectionActor): void {
    this.#pairs.opened(id);
  }

  start(): void {
    const { config, added } = this.#options;
    for (const backend of config.backends) this.add({ ...backend, source: 'config' });
    for (const spec of added) this.add(spec);
  }

  /** Takes a backend that is ready. */
  add(spec: BackendSpec): BackendActor {
    const backend = this.pool.add(spec);
    backend.send({ type: 'ready.announced' });
    return backend;
  }

  release(): void {
    this.group.close();
    this.pool.close();
  }

  /** What a client is told that has to go, because its backend does. */
  #sentAway(): Ending {
    const { minDelay, maxDelay } = this.#options.config.drain;
    return { initiator: 'operator', cause: 'disconnected', code: 1012, reason: retryReason(minDelay, maxDelay) };
  }
}

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
import type { BalancerConfig } from '../config/balancer/options.js';
import type { Routes } from '../connections/route.js';
import { HttpPlane } from '../http/http-plane.js';
import { retryReason } from '../retry-reason.js';
import type { ExtensionBase, PlainRequest, ServerExtension } from '../server-extension.js';
import { noAffinity } from './affinity.js';
import { createRoutes } from './backend-route.js';
import type { LoadBalancerEvents } from './balancer-events.js';
import type { BalancerHooks } from './balancer-hooks.js';
import { Pairs } from './pairs.js';
import { RetryBudget } from './retry-budget.js';

/** What a balancer adds is made of. */
export interface BalancingOptions {
  readonly config: BalancerConfig;
  readonly hooks: BalancerHooks;
  /** Those that code or the admin API added; they outlive a restart. */
  readonly added: readonly BackendSpec[];
  /** Tells an event; never throws. */
  tell<Name extends keyof LoadBalancerEvents>(name: Name, ...values: LoadBalancerEvents[Name]): void;
}

/** A balancer between its start and its stop. */
export class Balancing implements ServerExtension {
  readonly pool: PoolActor;
  readonly routes: Routes;
  readonly #options: BalancingOptions;
  readonly #pairs: Pairs;
  readonly #http: HttpPlane | undefined;

  constructor(options: BalancingOptions, base: ExtensionBase) {
    const { supervisor } = base;
    this.#options = options;
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
        ready: (backend) => tell('backend.ready', backend.info()),
        draining: (backend) => tell('backend.draining', backend.info()),
        gone: (backend) => {
          this.#http?.forget(backend.id);
          tell('backend.gone', backend.info());
        },
        exception: (error) => tell('exception', error, undefined),
      },
    );
    this.#pairs = new Pairs({
      connection: (id) => supervisor.registry.get(id),
      paired: (connection, backend) => tell('client.paired', connection.handle, backend.info()),
      unpaired: (connection, backend) => tell('client.unpaired', connection.handle, backend.info()),
    });
    const speaks = config.backends.every(({ url }) => /^wss?:/i.test(url)) ? 'websocket' : 'bytes';
    const affinity = noAffinity;
    const budget = new RetryBudget(failover.budget);
    this.routes = createRoutes({
      speaks,
      pool: this.pool,
      affinity,
      budget,
      attempts: failover.attempts,
      attemptTimeout: failover.attemptTimeout,
      retryAfter: config.retryAfter,
      lossEnding: () => ({ ...this.#sentAway(), initiator: 'upstream', cause: 'UPSTREAM_LOST' }),
      paired: (id, { backend }) => this.#pairs.paired(id, backend),
      unpaired: (id) => this.#pairs.unpaired(id),
    });
    if (config.http.enabled && speaks === 'websocket') {
      this.#http = new HttpPlane(
        {
          config,
          hooks,
          pool: this.pool,
          affinity,
          budget,
          done: (report) => tell('http.request', report),
          exception: (error) => tell('exception', error, undefined),
        },
        base,
      );
    }
  }

  get held(): number {
    return this.#http?.size ?? 0;
  }

  takePlain(request: PlainRequest): boolean {
    this.#http?.take(request);
    return this.#http !== undefined;
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

  stopAhead(): void {
    this.#http?.stopAhead();
  }

  async drain(milliseconds: number): Promise<void> {
    await this.#http?.drain(milliseconds);
  }

  release(): void {
    this.#http?.release();
    this.pool.close();
  }

  /** What a client is told that has to go, because its backend does. */
  #sentAway(): Ending {
    const { minDelay, maxDelay } = this.#options.config.drain;
    return { initiator: 'operator', cause: 'disconnected', code: 1012, reason: retryReason(minDelay, maxDelay) };
  }
}

/**
 * Owns what a running balancer adds to a running server, and how it is put together: the pool, the routes, and whoever brings backends.
 * Made anew for each start. Refuses to know in which state the server is.
 */
import type { BackendSpec } from '../../actors/backend.js';
import type { BackendActor } from '../../actors/backend-actor.js';
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { PoolActor } from '../../actors/pool-actor.js';
import { createPolicy } from '../../actors/selection/create-policy.js';
import type { RequestHead } from '../../protocol/http-head.js';
import type { LifecycleReceiver, UpgradeRequest } from '../../receivers/index.js';
import type { BalancerConfig } from '../config/balancer/options.js';
import { speechOf } from '../config/balancer/speech.js';
import type { ListenerRole } from '../config/listen.js';
import type { Routes } from '../connections/route.js';
import { comeBack } from '../farewells.js';
import type { HttpReport } from '../http/http-hooks.js';
import { HttpPlane } from '../http/http-plane.js';
import type { ExtensionBase, PlainAnswer, PlainRequest, ServerExtension } from '../server-extension.js';
import { createAffinity } from './affinity/create-affinity.js';
import { createRoutes, type RouteServices } from './backend-route.js';
import type { LoadBalancerEvents } from './balancer-events.js';
import type { BalancerHooks } from './balancer-hooks.js';
import { ControlPlane } from './control/control-plane.js';
import type { RegistrationCounts } from './control/registration-counts.js';
import { Discovery } from './discovery/discovery.js';
import { BalancerGroup } from './group/balancer-group.js';
import { HealthChecks } from './health/health-checks.js';
import { Pairs } from './pairs.js';
import { Redirection } from './redirect/redirection.js';
import { RetryBudget } from './retry-budget.js';

/** What every client is told that asks for a WebSocket where there are none. */
const OFF: Refusal = {
  status: 403,
  error: 'WEBSOCKET_DISABLED',
  message: 'WebSocket connections are not served here; plain HTTP requests may be',
};

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
  readonly registrations: RegistrationCounts;
  readonly group: BalancerGroup;
  readonly refusesClients: Refusal | undefined;
  readonly #options: BalancingOptions;
  readonly #pairs: Pairs;
  readonly #checks: HealthChecks;
  readonly #discovery: Discovery;
  readonly #redirection: Redirection;
  readonly #http: HttpPlane | undefined;

  constructor(options: BalancingOptions, base: ExtensionBase) {
    this.#options = options;
    const { supervisor, dialer } = base;
    const { config, hooks, registrations, tell } = options;
    const { drain, failover, mode } = config;
    const speaks = speechOf(config);
    const exception = (error: unknown) => tell('exception', error, undefined);
    const pool = this.#createPool(exception);
    this.pool = pool;
    this.registrations = registrations;
    this.control = new ControlPlane({ config, pool, speaks, base, counts: registrations, tell });
    this.#checks = new HealthChecks({ config, dialer });
    this.#discovery = new Discovery({
      ...config.discovery,
      resolver: hooks.resolver,
      pool,
      whenVanished: drain.whenRemoved,
      exception,
    });
    this.#pairs = new Pairs({
      connection: (id) => supervisor.registry.get(id),
      paired: (connection, backend) => tell('client.paired', connection.handle, backend.info()),
      unpaired: (connection, backend) => tell('client.unpaired', connection.handle, backend.info()),
    });
    this.group = new BalancerGroup({ control: this.control, pool, pairs: this.#pairs, supervisor, config, exception });
    const affinity = createAffinity({ config, backendIds: () => pool.ids() });
    const budget = new RetryBudget(failover.budget);
    this.#redirection = new Redirection({ config, pool, affinity, hook: hooks.onBeforeBinding, exception });
    this.routes = mode === 'redirect' ? this.#redirection.routes : this.#createRelay({ speaks, affinity, budget });
    this.refusesClients = mode === 'off' ? OFF : undefined;
    if (config.http.enabled && speaks === 'websocket') {
      const done = (report: HttpReport) => tell('http.request', report);
      this.#http = new HttpPlane({ config, hooks, pool, affinity, budget, done, exception }, base);
    }
  }

  isControl(head: RequestHead, role: ListenerRole): boolean {
    return this.control.isControl(head, role);
  }

  createControl(): LifecycleReceiver {
    return this.control.createControl();
  }

  opened(connection: ConnectionActor): void {
    this.#pairs.opened(connection);
  }

  closed(connection: ConnectionActor): void {
    this.#pairs.closed(connection);
  }

  createReceiver(request: UpgradeRequest, application: () => LifecycleReceiver): LifecycleReceiver | undefined {
    return this.#redirection.receiverFor(request, application);
  }

  answersPlain(head: RequestHead): boolean {
    return this.#redirection.serves(head);
  }

  answerPlain(request: UpgradeRequest): Promise<PlainAnswer> {
    return this.#redirection.answer(request);
  }

  start(): void {
    const { config, added } = this.#options;
    for (const backend of config.backends) this.add({ ...backend, source: 'config' });
    for (const spec of added) this.add(spec);
    this.#discovery.start();
  }

  /** Takes a backend that is ready. */
  add(spec: BackendSpec): BackendActor {
    const backend = this.pool.add(spec);
    backend.send({ type: 'ready.announced' });
    return backend;
  }

  takePlain(request: PlainRequest): boolean {
    this.#http?.take(request);
    return this.#http !== undefined;
  }

  get held(): number {
    return this.#http?.size ?? 0;
  }

  stopAhead(): void {
    this.#discovery.close();
    void this.#checks.close();
    this.#http?.stopAhead();
  }

  async drain(milliseconds: number): Promise<void> {
    await this.#http?.drain(milliseconds);
  }

  async release(): Promise<void> {
    this.#redirection.close();
    this.#discovery.close();
    this.#http?.release();
    this.group.close();
    this.pool.close();
    await this.#checks.close();
  }

  #createPool(exception: (error: unknown) => void): PoolActor {
    const { config, hooks, tell } = this.#options;
    const { drain, health, slowStart, queue } = config;
    return new PoolActor(
      {
        policy: createPolicy(hooks.selection ?? config.policy),
        whenUnhealthy: drain.whenUnhealthy,
        drainTimeout: drain.timeout,
        drainsPerSecond: drain.perSecond,
        slowStart,
        queue,
        outliers: health,
        ending: () => comeBack(drain.minDelay, drain.maxDelay),
        random: Math.random,
      },
      {
        ready: (backend) => {
          this.control.ready(backend);
          this.#checks.watch(backend);
          this.#discovery.review();
          tell('backend.ready', backend.info());
        },
        draining: (backend) => {
          this.control.draining(backend);
          this.#checks.forget(backend);
          this.#discovery.review();
          tell('backend.draining', backend.info());
        },
        gone: (backend) => {
          this.control.gone(backend);
          this.#checks.forget(backend);
          this.#http?.forget(backend.id);
          tell('backend.gone', backend.info());
        },
        judged: (backend, verdict) => {
          this.#discovery.review();
          tell('backend.health', backend.info(), verdict);
        },
        exception,
      },
    );
  }

  #createRelay(shared: Pick<RouteServices, 'speaks' | 'affinity' | 'budget'>): Routes {
    const { drain, failover, retryAfter } = this.#options.config;
    return createRoutes({
      ...shared,
      pool: this.pool,
      attempts: failover.attempts,
      attemptTimeout: failover.attemptTimeout,
      retryAfter,
      lossEnding: () => ({
        ...comeBack(drain.minDelay, drain.maxDelay),
        initiator: 'upstream',
        cause: 'UPSTREAM_LOST',
      }),
      paired: (id, pairing) => this.#pairs.paired(id, pairing),
      unpaired: (id) => this.#pairs.unpaired(id),
    });
  }
}

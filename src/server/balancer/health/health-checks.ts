/** Owns the active health checks of a balancer: which backends are watched. Refuses to judge them. */
import type { BackendActor } from '../../../actors/backend-actor.js';
import type { BalancerConfig } from '../../config/balancer/options.js';
import type { DialSignal } from '../../dial/dial-signal.js';
import type { Dialer } from '../../dial/dialer.js';
import { proxyHeaderOfNobody } from '../../dial/on-behalf.js';
import { targetOf } from '../backend-target.js';
import { BackendWatch } from './backend-watch.js';
import { type CheckKind, check } from './check.js';

/** What checks need of a balancer. */
export interface HealthCheckOptions {
  readonly config: Pick<BalancerConfig, 'health' | 'limits' | 'sendProxyProtocol'>;
  readonly dialer: Pick<Dialer, 'optionsFor'>;
}

/** The watches over the backends of one balancer. */
export class HealthChecks {
  readonly #options: HealthCheckOptions;
  /** Few, and seldom others: a `Map` serves. */
  readonly #watches = new Map<BackendActor, BackendWatch>();
  /** Those that were ended, until their last check is. */
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
  }

  /** A backend is ready: it is taken for healthy, and checked from now on. What was known of it before counts no more. */
  watch(backend: BackendActor): void {
    this.forget(backend);
    const { check: kind, interval, timeout, rise, fall } = this.#options.config.health;
    if (this.#closed || kind === 'off') return;
    const watch = new BackendWatch(backend, {
      interval,
      timeout,
      rise,
      fall,
      check: (asked, signal) => this.#check(kind, asked, signal),
    });
    this.#watches.set(backend, watch);
    watch.start();
  }

  /** A backend is not ready any more. */
  forget(backend: BackendActor): void {
    const watch = this.#watches.get(backend);
    if (watch === undefined) return;
    this.#watches.delete(backend);
    const ended = watch.stop();
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }

  /** Checks no more. Resolves when no check runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const backend of [...this.#watches.keys()]) this.forget(backend);
    await Promise.all(this.#ending);
  }

  #check(kind: CheckKind, { spec }: BackendActor, signal: DialSignal): Promise<void> {
    const { config, dialer } = this.#options;
    const { sendProxyProtocol } = config;
    return check({
      kind,
      target: targetOf(spec),
      dial: {
        ...dialer.optionsFor({ signal }),
        preamble: sendProxyProtocol === 'off' ? undefined : proxyHeaderOfNobody(sendProxyProtocol),
      },
      path: config.health.path,
      maxHeaderBytes: config.limits.maxHandshakeBytes,
    });
  }
}

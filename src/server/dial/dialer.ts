/** Owns how one server dials: everything of its options and hooks that a dial needs, put together once. Refuses to dial. */
import type { UpgradeRequest, UpstreamTlsOptions } from '../../receivers/index.js';
import type { ProxyConfig } from '../config/options.js';
import type { Wire } from '../wires/wire.js';
import type { WireLayer } from '../wires/wire-layer.js';
import type { DialHooks } from './dial-hooks.js';
import { type DialProxy, parseDialProxy } from './dial-proxy.js';
import type { DialSignal } from './dial-signal.js';
import { type DialOptions, dialTarget } from './dial-target.js';
import { proxyHeaderFor } from './on-behalf.js';
import { parseTarget, type Target, type UnixTarget } from './target.js';
import { TargetGuard } from './target-guard.js';
import { parseTargetRule, type TargetRule } from './target-rule.js';
import { TlsSessions } from './tls-sessions.js';

/** What differs from dial to dial. */
export interface DialCase {
  readonly signal: DialSignal;
  /** Whose connection it is for; undefined for one that is opened ahead of need. */
  readonly request?: UpgradeRequest;
  /** Judges the target; undefined for one that the operator chose. */
  readonly guard?: TargetGuard | undefined;
  /** TLS settings for this connection alone. */
  readonly upstreamTls?: UpstreamTlsOptions | undefined;
}

/** How one server dials. */
export class Dialer {
  readonly #config: ProxyConfig;
  readonly #layer: WireLayer;
  readonly #hooks: DialHooks;
  readonly #guard: TargetGuard;
  readonly #configured: string | undefined;
  readonly #proxy: DialProxy | undefined;
  readonly #direct: readonly TargetRule[];
  readonly #sessions: TlsSessions;
  /** Those of settings that receivers gave, as long as they keep them. */
  readonly #ownSessions = new WeakMap<UpstreamTlsOptions, TlsSessions>();

  constructor(config: ProxyConfig, hooks: DialHooks, layer: WireLayer) {
    this.#config = config;
    this.#layer = layer;
    this.#hooks = hooks;
    this.#guard = new TargetGuard(config.targets);
    this.#configured = config.target === undefined ? undefined : parseTarget(config.target).href;
    const proxy = config.dialThrough === undefined ? undefined : parseDialProxy(config.dialThrough);
    this.#proxy = proxy === undefined || 'fault' in proxy ? undefined : proxy;
    this.#direct = config.dialDirect.flatMap((text) => parseTargetRule(text) ?? []);
    this.#sessions = new TlsSessions(config.upstreamTls);
  }

  /** Who judges this target: nobody when it is that of the configuration. */
  guardFor(target: Target): TargetGuard | undefined {
    return target.href === this.#configured ? undefined : this.#guard;
  }

  /**
   * Connects to a target on behalf of nobody in particular. The wire is not read.
   *
   * @throws TidegateError `UPSTREAM_*`, `TARGET_DENIED`, or the reason of the signal.
   */
  dial(target: Target, on: DialCase): Promise<Wire> {
    return dialTarget(target, this.optionsFor(on));
  }

  /** The options for one dial. */
  optionsFor({ signal, request, guard, upstreamTls }: DialCase): DialOptions {
    const { keepAlive, limits, timeouts, upstreamTls: tls, sendProxyProtocol } = this.#config;
    const { connect, lookup } = this.#hooks;
    return {
      signal,
      keepAlive,
      highWaterMark: limits.highWaterMark,
      layer: this.#layer,
      tls,
      sessions: upstreamTls === undefined ? this.#sessions : this.#sessionsOf(upstreamTls),
      attemptDelay: timeouts.dialAttempt,
      guard,
      connect,
      lookup,
      proxyFor: this.#proxy === undefined ? undefined : this.#proxyFor,
      preamble:
        sendProxyProtocol === 'off' || request === undefined ? undefined : proxyHeaderFor(request, sendProxyProtocol),
    };
  }

  readonly #proxyFor = (target: Exclude<Target, UnixTarget>): DialProxy | undefined => {
    const straight = this.#direct.some(
      (rule) =>
        rule.concerns(target) &&
        (rule.names(target) !== undefined || (target.family !== 0 && rule.range?.has(target.host) === true)),
    );
    return straight ? undefined : this.#proxy;
  };

  #sessionsOf(own: UpstreamTlsOptions): TlsSessions {
    let sessions = this.#ownSessions.get(own);
    if (sessions === undefined) {
      const { ca, pfx, ...rest } = own;
      sessions = new TlsSessions({
        ...this.#config.upstreamTls,
        ...rest,
        ...(ca === undefined ? {} : { ca: [ca].flat() }),
        ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
      });
      this.#ownSessions.set(own, sessions);
    }
    return sessions;
  }
}

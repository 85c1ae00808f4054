/** Owns what a backend is, as plain values. Refuses to hold one's life; the chart `backend` does. */

/** Who told the balancer about a backend. */
export type BackendSource = 'config' | 'api' | 'registered' | 'dns';

/** What is known of a backend when it comes. */
export interface BackendSpec {
  /** What tells it from others: the same id is the same backend, whatever its addresses. */
  readonly id: string;
  /** Where clients are relayed to, such as `ws://10.0.0.7:9000`. */
  readonly url: string;
  /** The name whose address stands in `url`: what TLS verifies and what `Host` says. Left out: what stands in `url`. */
  readonly serverName?: string | undefined;
  /** Where clients reach it themselves, best first; handed out when it is to be reached without us. Empty: its `url`. */
  readonly bindings: readonly string[];
  /** Its share compared to others; above 0. */
  readonly weight: number;
  /** How many connections it takes; 0 for any number. */
  readonly capacity: number;
  readonly tags: readonly string[];
  readonly source: BackendSource;
}

/** What becomes of the connections that are on a backend when it goes. */
export type PairsFate = 'keep' | 'drain' | 'close';

const HARSHNESS: Readonly<Record<PairsFate, number>> = { keep: 0, drain: 1, close: 2 };

/** Whether a fate is worse than another one, which it takes the place of then. */
export function isHarsher(one: PairsFate, other: PairsFate): boolean {
  return HARSHNESS[one] > HARSHNESS[other];
}

/**
 * Why a backend gets no new connections any more: an operator or the backend itself asked for it, its control channel was lost, or it
 * was removed or left.
 */
export type DrainCause = 'operator' | 'backend' | 'lost' | 'removed';

/** Where in its life a backend is. */
export type BackendState = 'registering' | 'ready' | 'draining' | 'gone';

/**
 * What its health is judged to be: by active checks `unhealthy`, by the connections of clients `ejected`, after which a `trial` shows
 * whether it is well again.
 */
export type BackendHealth = 'healthy' | 'unhealthy' | 'ejected' | 'trial';

/** How one health check came out. */
export interface BackendCheck {
  /** When it was over, as an ISO date. */
  readonly at: string;
  readonly passed: boolean;
  /** How long it took, in milliseconds. */
  readonly latency: number;
  /** What was wrong; undefined when it passed. */
  readonly reason: string | undefined;
}

/** A backend at one moment, as plain JSON. */
export interface BackendInfo extends BackendSpec {
  readonly state: BackendState;
  /** The full value of the statechart, such as `{ ready: { load: 'available', health: 'healthy' } }`. */
  readonly chart: unknown;
  /** Undefined unless it is ready. */
  readonly health: BackendHealth | undefined;
  /** Ready, healthy, and with room. */
  readonly available: boolean;
  /** Connections on it, and picks that are under way. */
  readonly load: number;
  /** Connections on it that go by this balancer: those that a drain has left. */
  readonly pairs: number;
  /** How many registrations there were under this id. */
  readonly generation: number;
  /** Why it is draining, of several reasons the strongest; undefined unless it is. */
  readonly draining: DrainCause | undefined;
  /** Since when, as an ISO date; undefined unless it is. */
  readonly drainingSince: string | undefined;
  /** When what is left on it will be cut, as an ISO date; undefined unless it is draining, and for no deadline. */
  readonly drainingUntil: string | undefined;
  /** The last health check; undefined when there was none. */
  readonly lastCheck: BackendCheck | undefined;
  /** How many connections of clients failed in a row; too many get it ejected. */
  readonly failures: number;
  /** How often it was ejected; each time is forgiven when it has been well for as long. */
  readonly ejections: number;
  /** When it gets its next trial, in milliseconds since the epoch; undefined unless it is ejected. */
  readonly ejectedUntil: number | undefined;
}

/** Owns what a backend is, as plain values. Refuses to hold one's life; the chart `backend` does. */

/** Who told the balancer about a backend. */
export type BackendSource = 'config' | 'api' | 'registered' | 'dns';

/** What is known of a backend when it comes. */
export interface BackendSpec {
  /** What tells it from others: the same id is the same backend, whatever its addresses. */
  readonly id: string;
  /** Where clients are relayed to, such as `ws://10.0.0.7:9000`. */
  readonly url: string;
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

/** Why a backend gets no new connections any more. */
export type DrainCause = 'operator' | 'backend' | 'lost' | 'removed';

/** Where in its life a backend is. */
export type BackendState = 'registering' | 'ready' | 'draining' | 'gone';

/** What its health is judged to be. */
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
  /** Why it is draining; undefined unless it is. */
  readonly draining: DrainCause | undefined;
  /** Since when, as an ISO date; undefined unless it is. */
  readonly drainingSince: string | undefined;
  /** When what is left on it will be cut, as an ISO date; undefined unless it is draining, and for no deadline. */
  readonly drainingUntil: string | undefined;
  /** The last health check; undefined when there was none. */
  readonly lastCheck: BackendCheck | undefined;
}

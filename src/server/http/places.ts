/**
 * Owns where a plain request goes: a place on a backend of the pool, another one when that did not work, or the target that a hook chose.
 * Each place is given back once. Refuses to ask anybody.
 */
import type { Occupant, Pairing, PairingEnd } from '../../actors/pairing.js';
import type { PoolActor } from '../../actors/pool-actor.js';
import type { Leaving } from '../../actors/waiting-room.js';
import { type HeaderFields, TidegateError } from '../../receivers/index.js';
import type { Affinity, ClientFacts } from '../balancer/affinity/affinity.js';
import { pickError } from '../balancer/backend-route.js';
import { targetOf } from '../balancer/backend-target.js';
import type { RetryBudget } from '../balancer/retry-budget.js';
import { parseTarget, type WebSocketTarget } from '../dial/target.js';
import type { BackendAgent, BackendAgents } from './backend-agents.js';
import type { RequestPlan } from './http-plan.js';

/** What places are found by. */
export interface PlacesOptions {
  readonly pool: PoolActor;
  readonly affinity: Affinity;
  readonly budget: RetryBudget;
  /** Further backends that are tried for one request. */
  readonly retries: number;
  readonly agents: BackendAgents;
  /** Connections to targets that hooks choose, which are judged. */
  readonly targets: BackendAgents;
  /** @throws TidegateError `TARGET_DENIED`. */
  check(target: WebSocketTarget): void;
}

/** Where one request goes. */
export class Place {
  readonly id: string;
  readonly target: WebSocketTarget;
  readonly agent: BackendAgent;
  readonly #pairing: Pairing | undefined;
  readonly #remembers: (() => HeaderFields | undefined) | undefined;

  constructor(parts: {
    id: string;
    target: WebSocketTarget;
    agent: BackendAgent;
    /** Left out for a target that is no backend. */
    pairing?: Pairing;
    remembers?: () => HeaderFields | undefined;
  }) {
    this.id = parts.id;
    this.target = parts.target;
    this.agent = parts.agent;
    this.#pairing = parts.pairing;
    this.#remembers = parts.remembers;
  }

  /** For people to read. */
  get name(): string {
    return this.target.href.replace(/^ws/, 'http');
  }

  connected(occupant: Occupant): void {
    this.#pairing?.paired(occupant);
  }

  /** The backend answers: what the client is to be told, so that it comes back here. Called once. */
  answered(): HeaderFields | undefined {
    return this.#remembers?.();
  }

  /** Gives it back. The first call counts. */
  release(end: PairingEnd): void {
    this.#pairing?.release(end);
  }
}

/** Finds places. */
export class Places {
  readonly #options: PlacesOptions;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** The header fields of a request without what is between the client and us. */
  forwardedHeaders(rawHeaders: readonly string[]): readonly string[] {
    return this.#options.affinity.forwardedHeaders(rawHeaders);
  }

  /** Begins to look for one request. */
  search(client: ClientFacts, plan: RequestPlan): PlaceSearch {
    return new PlaceSearch(this.#options, client, plan);
  }
}

/** The places that one request is tried on. */
class PlaceSearch {
  readonly #options: PlacesOptions;
  readonly #client: ClientFacts;
  readonly #plan: RequestPlan;
  readonly #tried: string[] = [];
  #last: string | undefined;
  #refreshed = false;

  constructor(options: PlacesOptions, client: ClientFacts, plan: RequestPlan) {
    this.#options = options;
    this.#client = client;
    this.#plan = plan;
    options.budget.began();
  }

  /** A place, or why there is none. While every backend is full it is waited for, as handshakes do. */
  async next(leaving: Leaving): Promise<Place | TidegateError> {
    const { target, backend } = this.#plan;
    try {
      if (target !== undefined) return this.#targetPlace(target);
      const pairing = backend === undefined ? await this.#pick(leaving) : this.#reserve(backend);
      return this.#backendPlace(pairing);
    } catch (error) {
      if (error instanceof TidegateError) return error;
      throw error;
    }
  }

  /**
   * The last place did not work. Answers whether `next` may be asked for another one.
   *
   * @param wasStale a connection had ended while nothing was sent over it, which says nothing about the backend: it is asked again, once.
   */
  goOn(wasStale: boolean): boolean {
    if (wasStale && !this.#refreshed) {
      this.#refreshed = true;
      return true;
    }
    const { target, backend } = this.#plan;
    if (target !== undefined || backend !== undefined || this.#last === undefined) return false;
    this.#tried.push(this.#last);
    const { retries, budget } = this.#options;
    return this.#tried.length <= retries && budget.take();
  }

  async #pick(leaving: Leaving): Promise<Pairing> {
    const { pool, affinity } = this.#options;
    const { key, prefer, onlyPreferred } = affinity.hintsOf(this.#client);
    const picked = await pool.pickOrWait({ key, prefer, onlyPreferred, avoid: this.#tried }, leaving);
    if (typeof picked === 'string') throw pickError(picked, onlyPreferred);
    return picked;
  }

  #reserve(id: string): Pairing {
    const picked = this.#options.pool.pick({ prefer: id, onlyPreferred: true });
    if (typeof picked !== 'string') return picked;
    throw new TidegateError('NO_BACKEND', `the backend ${JSON.stringify(id)} of onHttpRequest is not available`);
  }

  #backendPlace(pairing: Pairing): Place {
    const { agents, affinity } = this.#options;
    const { id, spec } = pairing.backend;
    const target = targetOf(spec);
    if (target.kind !== 'websocket') {
      pairing.release('unused');
      throw new TidegateError('NO_BACKEND', `the backend ${JSON.stringify(id)} speaks no HTTP: ${target.href}`);
    }
    this.#last = id;
    const remembers = () => affinity.headersFor(this.#client, id);
    return new Place({ id, target, agent: agents.for(id, target), pairing, remembers });
  }

  #targetPlace(text: string): Place {
    const target = parseTarget(text.replace(/^http/i, 'ws'));
    if (target.kind !== 'websocket') {
      throw new TidegateError(
        'INVALID_TARGET',
        `${JSON.stringify(text)} is no target for a plain request: write http://host:port`,
      );
    }
    this.#options.check(target);
    return new Place({ id: target.href.replace(/^ws/, 'http'), target, agent: this.#options.targets.for('', target) });
  }
}

/**
 * Owns the way of one client to a backend: the pick, another one when that cannot be reached, and the place on it until they part.
 * Refuses to dial.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { Ending } from '../../actors/ending.js';
import type { Occupant, Pairing } from '../../actors/pairing.js';
import type { PickFailure, PoolActor } from '../../actors/pool-actor.js';
import { type HeaderFields, TidegateError, type UpgradeRequest } from '../../receivers/index.js';
import type { Route, Routes } from '../connections/route.js';
import type { DialSignal } from '../dial/dial-signal.js';
import { parseTarget, type Target } from '../dial/target.js';
import type { Affinity, ClientFacts, PickHints } from './affinity.js';
import type { RetryBudget } from './retry-budget.js';

/** What all routes of a balancer share. */
export interface RouteServices {
  readonly speaks: Routes['speaks'];
  readonly pool: PoolActor;
  readonly affinity: Affinity;
  readonly budget: RetryBudget;
  /** Backends that are tried for one client. */
  readonly attempts: number;
  /** Milliseconds; 0 for as long as there is. */
  readonly attemptTimeout: number;
  /** Milliseconds. */
  readonly retryAfter: number;
  /** What a client is told whose backend was lost without a word. */
  lossEnding(): Ending;
  paired(connectionId: string, pairing: Pairing): void;
  unpaired(connectionId: string, pairing: Pairing): void;
}

/** Makes the routes of a balancer. */
export function createRoutes(services: RouteServices): Routes {
  return {
    speaks: services.speaks,
    routeFor: (request, occupant) => new BackendRoute(services, request, occupant),
  };
}

/** Another backend may do better. Not when the client is refused by what it asked for. */
function isWorthAnother({ error, status }: Refusal): boolean {
  if (error === 'UPSTREAM_REJECTED') return status === 502 || status === 503 || status === 504;
  return error.startsWith('UPSTREAM_');
}

class BackendRoute implements Route {
  readonly #services: RouteServices;
  readonly #client: ClientFacts;
  readonly #occupant: Occupant & { readonly id: string };
  readonly #hints: PickHints;
  readonly #tried: string[] = [];
  #pairing: Pairing | undefined;
  #paired = false;
  #isOver = false;

  constructor(services: RouteServices, request: UpgradeRequest, occupant: Occupant & { readonly id: string }) {
    this.#services = services;
    this.#client = request;
    this.#occupant = occupant;
    this.#hints = services.affinity.hintsOf(request);
    services.budget.began();
  }

  get attemptTimeout(): number {
    return this.#services.attemptTimeout;
  }

  get retryAfter(): number {
    return Math.ceil(this.#services.retryAfter / 1000);
  }

  get headers(): HeaderFields | undefined {
    const backend = this.#pairing?.backend;
    return backend === undefined ? undefined : this.#services.affinity.headersFor(this.#client, backend.id);
  }

  next(signal: DialSignal): Target | Promise<Target> {
    const { key, prefer, onlyPreferred } = this.#hints;
    const picked = this.#services.pool.pickOrWait({ key, prefer, onlyPreferred, avoid: this.#tried }, signal);
    return picked instanceof Promise ? picked.then((served) => this.#take(served)) : this.#take(picked);
  }

  failed(refusal: Refusal): boolean {
    const pairing = this.#pairing;
    this.#pairing = undefined;
    if (pairing === undefined) return false;
    const another = isWorthAnother(refusal);
    this.#tried.push(pairing.backend.id);
    // One that turns a client down is there.
    if (another) pairing.release('failed');
    else pairing.release(refusal.error === 'UPSTREAM_REJECTED' ? 'ended' : 'unused');
    const { attempts, budget } = this.#services;
    return another && this.#tried.length < attempts && budget.take();
  }

  connected(): void {
    const pairing = this.#pairing;
    if (pairing === undefined) return;
    this.#paired = true;
    pairing.paired(this.#occupant);
    this.#services.paired(this.#occupant.id, pairing);
  }

  over(ending: Ending | undefined, refusal?: Refusal): void {
    this.#isOver = true;
    const pairing = this.#pairing;
    if (pairing === undefined) return;
    this.#pairing = undefined;
    if (this.#paired) this.#services.unpaired(this.#occupant.id, pairing);
    // The deadline for all attempts passed while this one was under way: it does not answer.
    if (ending === undefined) pairing.release(refusal?.error === 'UPSTREAM_TIMEOUT' ? 'failed' : 'unused');
    else pairing.release(ending.initiator === 'upstream' && ending.cause !== 'closed' ? 'lost' : 'ended');
  }

  lossEnding(): Ending {
    return this.#services.lossEnding();
  }

  #take(picked: Pairing | PickFailure): Target {
    if (typeof picked === 'string') throw failureOf(picked);
    this.#pairing = picked;
    // Its turn came, and it had left just before.
    if (this.#isOver) this.over(undefined);
    return parseTarget(picked.backend.spec.url);
  }
}

function failureOf(failure: PickFailure): TidegateError {
  if (failure === 'full') return new TidegateError('BACKENDS_FULL', 'every backend is full');
  const why = failure === 'empty' ? 'there is no backend' : 'no backend is ready and healthy';
  return new TidegateError('NO_BACKEND', why);
}

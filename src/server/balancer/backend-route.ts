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
import type { Target } from '../dial/target.js';
import type { Affinity, ClientFacts, PickHints } from './affinity/affinity.js';
import { targetOf } from './backend-target.js';
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

/** What a backend answers that cannot, whoever asks; 426 comes from servers that are closing, for the handshake was a right one. */
const CANNOT: ReadonlySet<number> = new Set([426, 502, 503, 504]);

/** Another backend may do better. Not when the client is refused by what it asked for. */
function isWorthAnother({ error, status }: Refusal): boolean {
  if (error === 'UPSTREAM_REJECTED') return CANNOT.has(status);
  return error.startsWith('UPSTREAM_');
}

class BackendRoute implements Route {
  readonly #services: RouteServices;
  readonly #client: ClientFacts;
  readonly #occupant: Occupant & { readonly id: string };
  readonly #hints: PickHints;
  readonly #tried: string[] = [];
  #pairing: Pairing | undefined;
  #headers: HeaderFields | undefined;
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

  get hasAnother(): boolean {
    const { attempts, budget, pool } = this.#services;
    const { prefer, onlyPreferred } = this.#hints;
    if (onlyPreferred && prefer !== undefined) return false;
    if (this.#tried.length + 1 >= attempts || budget.isSpent) return false;
    const asked = this.#pairing?.backend.id;
    return pool.all().some(({ id, isAvailable }) => isAvailable && id !== asked && !this.#tried.includes(id));
  }

  get retryAfter(): number {
    return Math.ceil(this.#services.retryAfter / 1000);
  }

  get headers(): HeaderFields | undefined {
    return this.#headers;
  }

  requestHeaders(rawHeaders: readonly string[]): readonly string[] {
    return this.#services.affinity.forwardedHeaders(rawHeaders);
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
    this.#tried.push(pairing.backend.id);
    // It went while it was dialled, which is no failure, and costs nothing: the client is to land on one that is there.
    if (refusal.error === 'NO_BACKEND') {
      pairing.release('unused');
      return true;
    }
    const another = isWorthAnother(refusal);
    // One that turns a client down is there.
    if (another) pairing.release('failed');
    else pairing.release(refusal.error === 'UPSTREAM_REJECTED' ? 'ended' : 'unused');
    const { attempts, budget } = this.#services;
    return another && this.#tried.length < attempts && budget.take();
  }

  connected(): boolean {
    const pairing = this.#pairing;
    if (pairing?.backend.isServing !== true) return false;
    this.#paired = true;
    this.#headers = this.#services.affinity.headersFor(this.#client, pairing.backend.id);
    pairing.paired(this.#occupant);
    this.#services.paired(this.#occupant.id, pairing);
    return true;
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
    if (typeof picked === 'string') throw pickError(picked, this.#hints.onlyPreferred);
    this.#pairing = picked;
    // Its turn came, and it had left just before.
    if (this.#isOver) this.over(undefined);
    return targetOf(picked.backend.spec);
  }
}

/** Says why there is no backend for a client. */
export function pickError(failure: PickFailure, onlyPreferred: boolean): TidegateError {
  if (onlyPreferred) {
    const why = 'the backend that this client had cannot be had, and another one will not do (affinity.whenGone)';
    return new TidegateError('NO_BACKEND', why);
  }
  if (failure === 'full') return new TidegateError('BACKENDS_FULL', 'every backend is full');
  const why = failure === 'empty' ? 'there is no backend' : 'no backend is ready and healthy';
  return new TidegateError('NO_BACKEND', why);
}

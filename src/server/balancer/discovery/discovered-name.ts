/**
 * Owns keeping the backends of one name in the pool: found when they appear, drained when their records vanish. Refuses to take
 * everybody out on one answer that is empty, or on none.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BackendSpec, PairsFate } from '../../../actors/backend.js';
import type { PoolActor } from '../../../actors/pool-actor.js';
import { describeError, TidegateError } from '../../../receivers/errors.js';
import type { DiscoveryName } from './discovery-name.js';
import { type DnsResolver, type FoundBackend, resolveName } from './resolve-name.js';

/** What keeping a name needs of a balancer. */
export interface DiscoveryServices {
  readonly pool: Pick<PoolActor, 'add' | 'get'>;
  readonly resolver: DnsResolver;
  /** Milliseconds. */
  readonly interval: number;
  /** What becomes of the clients of a backend whose record vanished. */
  readonly whenVanished: PairsFate;
  /** Told once for each outage, and not for each attempt. */
  exception(error: TidegateError): void;
}

/** Empty answers in a row that are believed: a server that has lost its zone says the same as one whose last backend is gone. */
const EMPTY_ANSWERS = 3;
/** How soon a resolution that failed is tried again, in milliseconds; doubled each time, up to the interval. */
const FIRST_RETRY = 1000;
/** The share of the interval that is added or taken at random. */
const JITTER = 0.1;

/** One name, resolved again and again. */
export class DiscoveredName {
  readonly #name: DiscoveryName;
  readonly #services: DiscoveryServices;
  #found: readonly FoundBackend[] = [];
  /** Those that are in the pool because of this name, and are to stay. */
  #wanted: ReadonlySet<string> = new Set();
  #empties = 0;
  #failures = 0;
  #isReviewDue = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(name: DiscoveryName, services: DiscoveryServices) {
    this.#name = name;
    this.#services = services;
  }

  /** Resolves the name now, and then again and again. */
  start(): void {
    void this.#round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** A backend serves, or does not any more: those of another priority may be needed. */
  review(): void {
    if (this.#isReviewDue) return;
    this.#isReviewDue = true;
    // Whoever tells of it is in the middle of something.
    queueMicrotask(() => {
      this.#isReviewDue = false;
      if (!this.#closed) this.#apply();
    });
  }

  async #round(): Promise<void> {
    try {
      const found = await resolveName(this.#name, this.#services.resolver);
      if (this.#closed) return;
      this.#failures = 0;
      this.#take(found);
    } catch (error) {
      if (this.#closed) return;
      this.#failures += 1;
      if (this.#failures === 1) this.#tell(describeError(error));
    }
    this.#timer = setTimeout(() => void this.#round(), this.#pause());
  }

  #pause(): number {
    const { interval } = this.#services;
    const pause = this.#failures === 0 ? interval : Math.min(interval, FIRST_RETRY * 2 ** (this.#failures - 1));
    return pause * (1 - JITTER + 2 * JITTER * Math.random());
  }

  #take(found: readonly FoundBackend[]): void {
    this.#empties = found.length === 0 ? this.#empties + 1 : 0;
    if (this.#empties === 1) this.#tell('it has no backends');
    if (this.#empties > 0 && this.#empties < EMPTY_ANSWERS) return;
    this.#found = found;
    this.#apply();
  }

  #tell(what: string): void {
    const kept = this.#wanted.size === 0 ? 'none is known' : `the ${this.#wanted.size} that are known stay`;
    this.#services.exception(
      new TidegateError('DISCOVERY_FAILED', `cannot find the backends of ${this.#name.text}: ${what}; ${kept}`),
    );
  }

  #apply(): void {
    const specs = this.#needed();
    const before = this.#wanted;
    this.#wanted = new Set(specs.map(({ id }) => id));
    for (const spec of specs) this.#keep(spec);
    for (const id of before) if (!this.#wanted.has(id)) this.#vanished(id);
  }

  /** Those with the best priority, and the next ones for as long as none of the better ones serves (RFC 2782). */
  #needed(): BackendSpec[] {
    const specs: BackendSpec[] = [];
    let isServed = false;
    let priority: number | undefined;
    for (const found of this.#found) {
      if (isServed && found.priority !== priority) break;
      priority = found.priority;
      specs.push(found.spec);
      isServed ||= this.#mayServe(found.spec.id);
    }
    return specs;
  }

  #mayServe(id: string): boolean {
    const backend = this.#services.pool.get(id);
    // One that is new, or that comes back, is taken for well.
    return backend === undefined || backend.isServing || (backend.info().draining === 'lost' && !this.#wanted.has(id));
  }

  #keep(spec: BackendSpec): void {
    const { pool } = this.#services;
    const known = pool.get(spec.id);
    if (known === undefined) {
      pool.add(spec).send({ type: 'ready.announced' });
    } else if (known.spec.source === 'dns') {
      if (!isDeepStrictEqual(known.spec, spec)) known.update(spec);
      if (known.state === 'draining') known.send({ type: 'ready.announced' });
    }
  }

  /** Lost, and not removed: it may come back. */
  #vanished(id: string): void {
    const backend = this.#services.pool.get(id);
    if (backend?.spec.source !== 'dns') return;
    backend.send({ type: 'drain.request', cause: 'lost', fate: this.#services.whenVanished });
  }
}

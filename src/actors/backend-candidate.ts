/** Owns how a backend looks to a policy, with its slow start. Refuses to let a policy do anything to it. */
import type { BackendSpec } from './backend.js';
import type { Clock } from './clock.js';
import type { Candidate } from './selection/policy.js';

/** What of its weight a backend has when its slow start begins. */
const LEAST = 0.1;

interface Shown {
  readonly id: string;
  readonly spec: BackendSpec;
  readonly load: number;
}

/** One backend, as policies see it. The same object at every pick. */
export class BackendCandidate implements Candidate {
  readonly #backend: Shown;
  readonly #slowStart: number;
  readonly #clock: Clock;
  #since = 0;

  /** @param slowStart how long it gets less than its share, in milliseconds; 0 for not at all. */
  constructor(backend: Shown, slowStart: number, clock: Clock) {
    this.#backend = backend;
    this.#slowStart = slowStart;
    this.#clock = clock;
  }

  /** Its slow start begins. */
  begin(): void {
    this.#since = this.#clock.now();
  }

  get id(): string {
    return this.#backend.id;
  }

  get weight(): number {
    const { weight } = this.#backend.spec;
    const grown = this.#slowStart > 0 ? (this.#clock.now() - this.#since) / this.#slowStart : 1;
    return grown >= 1 ? weight : weight * (LEAST + (1 - LEAST) * grown);
  }

  get load(): number {
    return this.#backend.load;
  }

  get tags(): readonly string[] {
    return this.#backend.spec.tags;
  }
}

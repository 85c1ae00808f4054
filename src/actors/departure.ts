/** Owns how the clients of one backend are sent away when it goes. Refuses to know why it goes, and how many there are. */
import { isHarsher, type PairsFate } from './backend.js';
import type { Clock } from './clock.js';
import type { Ending } from './ending.js';
import { PacedEndings } from './paced-endings.js';
import type { Pairing } from './pairing.js';

/** The options of a departure. */
export interface DepartureOptions {
  readonly clock: Clock;
  /** Milliseconds until those that are left are cut; 0 never. */
  readonly drainTimeout: number;
  /** How many clients of a backend that drains are sent away in a second. */
  readonly drainsPerSecond: number;
  /** What a client is told; asked for each. */
  ending(): Ending;
}

/** Sends the clients of one backend away. */
export class Departure {
  readonly #options: DepartureOptions;
  readonly #endings: PacedEndings;
  #fate: PairsFate = 'keep';
  #since: number | undefined;
  #until: number | undefined;

  constructor(options: DepartureOptions) {
    this.#options = options;
    this.#endings = new PacedEndings(options.clock);
  }

  /** Since when the backend drains, as an ISO date; undefined when it does not. */
  get since(): string | undefined {
    return isoDate(this.#since);
  }

  /** When those that are left are cut, as an ISO date; undefined when they are not. */
  get until(): string | undefined {
    return isoDate(this.#until);
  }

  /** The backend drains, with this fate of its clients. */
  drain(fate: PairsFate): void {
    const { drainTimeout } = this.#options;
    const now = Date.now();
    this.#since ??= now;
    this.#until = fate === 'keep' || drainTimeout === 0 ? undefined : now + drainTimeout;
    this.begin(fate);
  }

  /** What becomes of its clients from now on, and of those that come late: their dial began before. It never gets milder. */
  begin(fate: PairsFate): void {
    if (!isHarsher(fate, this.#fate)) return;
    this.#endings.clear();
    this.#fate = fate;
  }

  /** It stays: nobody else is sent away. */
  callOff(): void {
    this.#endings.clear();
    this.#fate = 'keep';
    this.#since = undefined;
    this.#until = undefined;
  }

  /** Has these meet their fate. */
  meet(pairs: Iterable<Pairing>): void {
    if (this.#fate === 'keep') return;
    const { ending, drainsPerSecond } = this.#options;
    this.#endings.end([...pairs], ending, this.#fate === 'close' ? Number.POSITIVE_INFINITY : drainsPerSecond);
  }
}

function isoDate(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

/**
 * Owns who is on one backend and how many, whether they came by way of this balancer or not. Refuses to know whether there is room, and
 * to judge the backend by them.
 */
import { Chain } from './chain.js';
import type { Clock } from './clock.js';
import type { Pairing } from './pairing.js';

/** How long a client that was sent to a backend counts there without being reported: then it has connected, or never will. */
const REDIRECTED = 10_000;

/** The places on one backend. */
export class Places {
  /** In the order in which they were paired. */
  readonly pairs = new Chain<Pairing>();
  readonly #clock: Clock;
  readonly #changed: () => void;
  #reserved = 0;
  /** Connections that others brought, as the backend says. */
  #others = 0;
  /** Clients that go there by themselves, and are in no report yet. */
  #redirected = 0;
  #timer: unknown;
  /** The first pair that was not told of by `proved`; so are all behind it. */
  #unproven: Pairing | undefined;

  /** @param changed the load is less, though nobody called. */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get load(): number {
    return this.#reserved + this.pairs.size + this.#others + this.#redirected;
  }

  /** Nobody is on it, or about to be, by way of this balancer. */
  get isEmpty(): boolean {
    return this.#reserved === 0 && this.pairs.size === 0;
  }

  reserve(): void {
    this.#reserved += 1;
  }

  paired(pairing: Pairing): void {
    this.#reserved -= 1;
    this.pairs.add(pairing);
    this.#unproven ??= pairing;
  }

  released(pairing: Pairing): void {
    if (!pairing.wasPaired) {
      this.#reserved -= 1;
      return;
    }
    if (this.#unproven === pairing) this.#unproven = pairing.behind;
    this.pairs.delete(pairing);
  }

  /** A client goes there by itself. */
  redirected(): void {
    this.#redirected += 1;
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#forgetRedirected();
      this.#changed();
    }, REDIRECTED);
  }

  /**
   * How many connections it has, as it says itself. Those of this balancer are known better, and at once: only what is beyond them is
   * taken from the report.
   */
  report(connections: number): void {
    this.#others = Math.max(0, connections - this.pairs.size);
    this.#forgetRedirected();
  }

  /** What it said is not true any more. */
  forgetReport(): void {
    this.#others = 0;
    this.#forgetRedirected();
  }

  /** Whether a pair has lasted so long since this was asked the last time. Looks at each pair once. */
  proved(age: number): boolean {
    const before = this.#unproven;
    while (this.#unproven !== undefined && this.#unproven.age >= age) this.#unproven = this.#unproven.behind;
    return before !== this.#unproven;
  }

  #forgetRedirected(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#redirected = 0;
  }
}

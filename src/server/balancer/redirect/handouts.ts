/**
 * Owns the places of clients who were told where to go and did not arrive yet: each is kept for a while, so that a burst does not land on
 * one backend before that reports it. Refuses to know whether they arrived; the backend tells its load.
 */
import { Chain, type Chained } from '../../../actors/chain.js';
import type { Pairing } from '../../../actors/pairing.js';

/** Milliseconds that a place is kept. By then the backend has told of the client, if it came. */
export const HANDOUT_MS = 5000;

class Handout implements Chained<Handout> {
  before: Handout | undefined;
  behind: Handout | undefined;
  readonly pairing: Pairing;
  readonly until: number;

  constructor(pairing: Pairing, until: number) {
    this.pairing = pairing;
    this.until = until;
  }
}

/** All are kept for as long, so that the first is over first, and one timer serves. */
export class Handouts {
  readonly #kept = new Chain<Handout>();
  readonly #milliseconds: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(milliseconds = HANDOUT_MS) {
    this.#milliseconds = milliseconds;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps a place; after the end it is given back at once. */
  keep(pairing: Pairing): void {
    if (this.#closed) {
      pairing.release('unused');
      return;
    }
    this.#kept.add(new Handout(pairing, performance.now() + this.#milliseconds));
    this.#timer ??= setTimeout(() => this.#tick(), this.#milliseconds);
  }

  /** Gives every place back. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const handout of [...this.#kept]) this.#giveBack(handout);
  }

  #tick(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let { first } = this.#kept; first !== undefined; first = this.#kept.first) {
      // A timer may come a little early.
      if (first.until > now + 1) {
        this.#timer = setTimeout(() => this.#tick(), first.until - now);
        return;
      }
      this.#giveBack(first);
    }
  }

  #giveBack(handout: Handout): void {
    this.#kept.delete(handout);
    handout.pairing.release('unused');
  }
}

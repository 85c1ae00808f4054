/**
 * Owns who waits for something that comes bit by bit, in the order in which they came, and for how long. Refuses to know what it is, and
 * who gets it.
 */
import { Chain, type Chained } from './chain.js';
import type { Clock } from './clock.js';

/** How somebody who waits says that they wait no more; an `AbortSignal` is one. */
export interface Leaving {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The options of a waiting room. */
export interface WaitingRoomOptions {
  /** How many may wait; 0 for none. */
  readonly max: number;
  /** How long each waits at most, in milliseconds. */
  readonly timeout: number;
}

class Waiter<Wish, Answer> implements Chained<Waiter<Wish, Answer>> {
  before: Waiter<Wish, Answer> | undefined;
  behind: Waiter<Wish, Answer> | undefined;
  readonly wish: Wish;
  readonly due: number;
  readonly #leaving: Leaving;
  readonly #resolve: (answer: Answer) => void;
  readonly #leave: () => void;

  constructor(wish: Wish, due: number, leaving: Leaving, resolve: (answer: Answer) => void, leave: () => void) {
    this.wish = wish;
    this.due = due;
    this.#leaving = leaving;
    this.#resolve = resolve;
    this.#leave = leave;
    leaving.addEventListener('abort', leave);
  }

  answer(answer: Answer): void {
    this.#leaving.removeEventListener('abort', this.#leave);
    this.#resolve(answer);
  }
}

/** Holds those who wait; each is answered exactly once. */
export class WaitingRoom<Wish, Answer> {
  readonly #options: WaitingRoomOptions;
  readonly #clock: Clock;
  /** What those are answered who have waited too long, or left. */
  readonly #inVain: Answer;
  readonly #waiters = new Chain<Waiter<Wish, Answer>>();
  #timer: unknown;

  constructor(options: WaitingRoomOptions, clock: Clock, inVain: Answer) {
    this.#options = options;
    this.#clock = clock;
    this.#inVain = inVain;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Takes somebody in, behind all others. Answers with nothing when there is no room. */
  enter(wish: Wish, leaving: Leaving): Promise<Answer> | undefined {
    const { max, timeout } = this.#options;
    if (this.#waiters.size >= max || leaving.aborted) return undefined;
    return new Promise((resolve) => {
      const leave = () => this.#answer(waiter, this.#inVain);
      const waiter = new Waiter<Wish, Answer>(wish, this.#clock.now() + timeout, leaving, resolve, leave);
      this.#waiters.add(waiter);
      this.#watch();
    });
  }

  /**
   * Goes through those who wait, in order.
   *
   * @param serve answers a wish, or with nothing when it has to wait on.
   * @param more whether there is any use in going on.
   */
  serve(serve: (wish: Wish) => Answer | undefined, more: () => boolean): void {
    for (let waiter = this.#waiters.first; waiter !== undefined && more(); ) {
      const { behind } = waiter;
      const answer = serve(waiter.wish);
      if (answer !== undefined) this.#answer(waiter, answer);
      // Serving one may have made the next one leave.
      waiter = behind === undefined || this.#waiters.has(behind) ? behind : this.#waiters.first;
    }
  }

  /** Sends all away. */
  empty(answer: Answer): void {
    for (const waiter of this.#waiters) this.#answer(waiter, answer);
  }

  #answer(waiter: Waiter<Wish, Answer>, answer: Answer): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.answer(answer);
    this.#watch();
  }

  /** One timer serves all: who came first has waited for the longest time. */
  #watch(): void {
    const { first } = this.#waiters;
    if (first === undefined) {
      this.#clock.clearTimeout(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= this.#clock.setTimeout(() => this.#expire(), Math.max(0, first.due - this.#clock.now()));
    }
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const waiter of this.#waiters) {
      if (waiter.due > now) break;
      this.#answer(waiter, this.#inVain);
    }
    this.#watch();
  }
}

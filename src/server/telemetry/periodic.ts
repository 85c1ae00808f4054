/**
 * Owns telling again and again of what lasts: each member every so often, counted from when it came, with one timer for all of them and
 * no more than a few at a time. Refuses to know what is told.
 */

/** How many are told before others get a turn. */
const SLICE = 100;

/** Milliseconds between two slices. */
const PAUSE = 10;

/** Members that are told of. */
export class Periodic<Member> {
  readonly #interval: number;
  readonly #tell: (member: Member) => void;
  /** When each is due, on the clock of `performance.now()`. All wait equally long, so that the first is the next. */
  readonly #due = new Map<Member, number>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param interval milliseconds; 0 never tells.
   * @param tell must not throw.
   */
  constructor(interval: number, tell: (member: Member) => void) {
    this.#interval = interval;
    this.#tell = tell;
  }

  add(member: Member): void {
    if (this.#interval <= 0) return;
    this.#due.set(member, performance.now() + this.#interval);
    this.#timer ??= setTimeout(() => this.#turn(), this.#interval);
  }

  /** Without members there is no timer. */
  delete(member: Member): void {
    if (!this.#due.delete(member) || this.#due.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    const now = performance.now();
    let told = 0;
    let wait = this.#interval;
    for (const [member, due] of this.#due) {
      // A timer of Node.js may be a millisecond early.
      if (due > now + 1 || told === SLICE) {
        wait = told === SLICE ? PAUSE : due - now;
        break;
      }
      told += 1;
      this.#due.delete(member);
      this.#due.set(member, now + this.#interval);
      this.#tell(member);
    }
    this.#timer = this.#due.size === 0 ? undefined : setTimeout(() => this.#turn(), wait);
  }
}

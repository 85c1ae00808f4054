/**
 * Owns a clock that stands still until a test moves it, for the deadlines, heartbeats and rates of a server in memory. Refuses to touch
 * the timers of the process: what an application sets with `setTimeout` itself runs on.
 */
import type { Clock } from '../actors/clock.js';
import { TidegateError } from '../receivers/errors.js';
import { type Duration, parseDuration } from '../server/config/units.js';

interface Timer {
  due: number;
  /** Milliseconds between two calls; undefined for one call. */
  readonly every: number | undefined;
  readonly call: () => void;
}

/**
 * A clock that a test moves. XState takes it as well: `createActor(machine, { clock })`. Timers that are due at the same moment come in
 * the order in which they were set.
 */
export class SimulatedClock implements Clock {
  #now = 0;
  #last = 0;
  readonly #timers = new Map<number, Timer>();

  /** How many timers run. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Milliseconds since it was made. */
  now(): number {
    return this.#now;
  }

  setTimeout(call: () => void, delay: number): number {
    return this.#set({ due: this.#now + Math.max(0, delay), every: undefined, call });
  }

  setInterval(call: () => void, every: number): number {
    const apart = Math.max(1, every);
    return this.#set({ due: this.#now + apart, every: apart, call });
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /**
   * Lets time pass: each timer comes at its time, and what follows from it in promises comes before the next one.
   *
   * @param duration milliseconds, or text such as `'500ms'`, `'30s'`, `'5m'`.
   * @throws TidegateError `INVALID_OPTION` for what is no duration.
   */
  async advance(duration: Duration): Promise<void> {
    const milliseconds = parseDuration(duration);
    if (milliseconds === undefined) {
      const shown = JSON.stringify(duration) ?? String(duration);
      throw new TidegateError('INVALID_OPTION', `advance: got ${shown}; expected milliseconds, or text such as '30s'`);
    }
    await settled();
    const end = this.#now + milliseconds;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const [id, timer] = next;
      this.#now = Math.max(this.#now, timer.due);
      if (timer.every === undefined) this.#timers.delete(id);
      else timer.due = this.#now + timer.every;
      timer.call();
      await settled();
    }
    this.#now = end;
  }

  #set(timer: Timer): number {
    this.#last += 1;
    this.#timers.set(this.#last, timer);
    return this.#last;
  }

  #next(end: number): [number, Timer] | undefined {
    let next: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].due <= end && (next === undefined || entry[1].due < next[1].due)) next = entry;
    }
    return next;
  }
}

// Taken before a test framework puts its own timers in their place.
const { setImmediate: immediately } = globalThis;

/** Resolves when everything that promises have to do now is done, and what that set off as well. */
export function settled(): Promise<void> {
  return new Promise((resolve) => immediately(() => resolve()));
}

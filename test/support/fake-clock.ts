/** Owns a clock that a test moves, with timers that come when it does. Refuses to move by itself. */
import type { Clock } from '../../src/actors/clock.js';

interface Timer {
  readonly due: number;
  /** Again and again, so many milliseconds apart. */
  readonly every?: number;
  readonly call: () => void;
}

/** A clock whose time is what the test says. */
export class FakeClock implements Clock {
  #now = 0;
  #last = 0;
  readonly #timers = new Map<number, Timer>();

  /** How many timers run. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(call: () => void, delay: number): number {
    this.#last += 1;
    this.#timers.set(this.#last, { due: this.#now + Math.max(0, delay), call });
    return this.#last;
  }

  setInterval(call: () => void, every: number): number {
    const id = this.setTimeout(call, every);
    this.#timers.set(id, { due: this.#now + every, every, call });
    return id;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  /** Lets time pass. Each timer comes at its time; what follows from it in promises comes before the next one. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const [id, { due, every, call }] = next;
      if (every === undefined) this.#timers.delete(id);
      else this.#timers.set(id, { due: due + Math.max(1, every), every, call });
      this.#now = Math.max(this.#now, due);
      call();
      await settled();
    }
    this.#now = end;
    await settled();
  }

  #next(end: number): [number, Timer] | undefined {
    let next: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].due <= end && (next === undefined || entry[1].due < next[1].due)) next = entry;
    }
    return next;
  }
}

/** Resolves when everything that promises have to do is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
}

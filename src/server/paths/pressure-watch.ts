/**
 * Owns how long writes have been pending, over all connections, with one timer that runs only while some are. Refuses to
 * act on it: whoever is blocked is told when the pause lasts.
 */

/** A writer that waits for its peer. */
export interface Blocked {
  /** The wait has lasted for the dwell time: it is backpressure now, and not only a full buffer. */
  onDwelled(): void;
  /** The wait goes on; called about once a second. */
  onStillBlocked(): void;
}

const STILL_BLOCKED_EVERY_MS = 1000;

/** Notices waits that last. */
export class PressureWatch {
  readonly #dwell: number;
  /** When each blocked writer is looked at next, on the clock of `performance.now()`. */
  readonly #blocked = new Map<Blocked, { due: number; dwelled: boolean }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param dwell milliseconds until a wait counts. */
  constructor(dwell: number) {
    this.#dwell = dwell;
  }

  /** How many writers wait. */
  get size(): number {
    return this.#blocked.size;
  }

  begin(writer: Blocked): void {
    this.#blocked.set(writer, { due: performance.now() + this.#dwell, dwelled: false });
    this.#timer ??= setInterval(() => this.#look(), Math.max(1, this.#dwell));
  }

  end(writer: Blocked): void {
    this.#blocked.delete(writer);
    if (this.#blocked.size === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#blocked.clear();
  }

  #look(): void {
    const now = performance.now();
    for (const [writer, wait] of this.#blocked) {
      if (wait.due > now) continue;
      wait.due = now + STILL_BLOCKED_EVERY_MS;
      if (wait.dwelled) writer.onStillBlocked();
      else {
        wait.dwelled = true;
        writer.onDwelled();
      }
    }
  }
}

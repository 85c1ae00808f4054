/**
 * Owns when the server is asked: once a second, not at all while nobody sees the page or somebody has stopped it, and less and less often
 * while nobody answers. Refuses to know what is asked.
 */
import { ApiFailure } from './api/api.js';

/** Milliseconds between two looks. */
const PACE = 1000;

/** The longest wait while nobody answers, in milliseconds. */
const LONGEST_WAIT = 15_000;

/** What comes of a look. */
export interface PollerEvents {
  /** Asks for everything once. Rejects with an {@link ApiFailure}, or with what is our own fault. */
  look(signal: AbortSignal): Promise<void>;
  answered(): void;
  /** It went wrong; the next look is in so many milliseconds, or only after {@link Poller.wake} where that is undefined. */
  failed(error: unknown, nextIn: number | undefined): void;
}

/** Looks again and again. */
export class Poller {
  readonly #events: PollerEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #current: AbortController | undefined;
  #failures = 0;
  #stopped = false;

  constructor(events: PollerEvents) {
    this.#events = events;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#rest();
      else this.wake();
    });
  }

  /** Whether somebody has stopped it. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Stops it, or lets it go on. */
  set stopped(stopped: boolean) {
    this.#stopped = stopped;
    if (stopped) this.#rest();
    else this.wake();
  }

  /** Looks now, whatever is under way; also when it is stopped, once. */
  wake(): void {
    this.#rest();
    const own = new AbortController();
    this.#current = own;
    void this.#look(own);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#current?.abort();
    this.#current = undefined;
  }

  async #look(own: AbortController): Promise<void> {
    const began = performance.now();
    let wait: number | undefined = PACE;
    try {
      await this.#events.look(own.signal);
      if (own.signal.aborted) return;
      this.#failures = 0;
      this.#events.answered();
    } catch (error) {
      if (own.signal.aborted) return;
      this.#failures += 1;
      // Without the token nothing changes by asking again.
      const isRefused = error instanceof ApiFailure && error.status === 401;
      wait = isRefused ? undefined : Math.min(PACE * 2 ** (this.#failures - 1), LONGEST_WAIT);
      this.#events.failed(error, wait);
    }
    if (wait === undefined || this.#stopped || document.hidden) return;
    // A slow answer is no reason to ask faster; a quick one none to drift.
    const spent = performance.now() - began;
    this.#timer = setTimeout(() => this.wake(), Math.max(wait - spent, wait / 2));
  }
}

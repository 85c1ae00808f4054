/** Owns that many connections end a batch at a time: one burst would come back as one burst. Refuses to choose which. */
import PQueue from 'p-queue';
import { type Clock, systemClock } from './clock.js';
import type { Ending } from './ending.js';

/** The shortest pause between two batches, in milliseconds. */
const PAUSE = 20;

/** What can be told to end. */
interface Closable {
  close(ending: Ending): void;
}

/** Ends connections at a bounded rate. */
export class PacedEndings {
  readonly #batches = new PQueue({ concurrency: 1 });
  #endPause: (() => void) | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Ends these connections, so many per second. */
  end(connections: readonly Closable[], ending: () => Ending, perSecond: number): void {
    const size = Math.min(Math.max(1, Math.ceil((perSecond * PAUSE) / 1000)), connections.length);
    // Whole connections: a batch may be more than what its pause allows, and the pause is longer then.
    const pause = (1000 * size) / perSecond;
    for (let start = 0; start < connections.length; start += size) {
      const last = start + size >= connections.length;
      this.#batches.add(async () => {
        for (const connection of connections.slice(start, start + size)) connection.close(ending());
        if (!last) await this.#pause(pause);
      });
    }
  }

  /** Resolves when every connection was told. */
  done(): Promise<void> {
    return this.#batches.onIdle();
  }

  /** Forgets the batches that wait. */
  clear(): void {
    this.#batches.clear();
    this.#endPause?.();
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, milliseconds);
      this.#endPause = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
    });
  }
}

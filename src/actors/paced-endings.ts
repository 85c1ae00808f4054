/** Owns that many connections end a batch at a time: one burst would come back as one burst. Refuses to choose which. */
import PQueue from 'p-queue';
import { type Clock, systemClock } from './clock.js';
import type { Ending } from './ending.js';

/** The pause between two batches, in milliseconds. */
const PAUSE = 20;

/** What can be told to end. */
interface Closable {
  close(ending: Ending): void;
}

/** Ends connections at a bounded rate. */
export class PacedEndings {
  readonly #batches = new PQueue({ concurrency: 1 });
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Ends these connections, so many per second. */
  end(connections: readonly Closable[], ending: () => Ending, perSecond: number): void {
    const size = Math.min(Math.max(1, Math.ceil((perSecond * PAUSE) / 1000)), connections.length);
    for (let start = 0; start < connections.length; start += size) {
      const last = start + size >= connections.length;
      this.#batches.add(async () => {
        for (const connection of connections.slice(start, start + size)) connection.close(ending());
        if (!last) await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, PAUSE));
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
  }
}

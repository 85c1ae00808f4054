/**
 * Owns who watches the charts of one server move. While nobody does, nothing is observed and nothing is kept. Refuses to know what
 * watchers do with what they see.
 */
import type { InspectionEvent } from 'xstate';
import { TidegateError } from '../../receivers/index.js';
import type { ObservedParts, Onlooker } from '../observation/onlooker.js';
import { countActors, lookAt, showAll } from './systems.js';
import { Watch, type WatchOptions } from './watch.js';

/** Nobody needs more; each keeps something. */
export const MAX_WATCHERS = 16;

/** Milliseconds. */
const TICK = 1000;

/** The watchers of one server. They outlive its restarts. */
export class InspectionHub implements Onlooker {
  #parts: ObservedParts | undefined;
  readonly #watches = new Set<Watch>();
  #lookAway: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** How many watch now. */
  get watchers(): number {
    return this.#watches.size;
  }

  began(parts: ObservedParts): void {
    this.#parts = parts;
    if (this.#watches.size === 0) return;
    this.#look(parts);
    for (const watch of this.#watches) showAll(parts, watch);
  }

  ended(): void {
    this.#parts = undefined;
    this.#stopLooking();
    for (const watch of [...this.#watches]) watch.ended();
  }

  /**
   * Begins to watch; what is there already is shown first. To be given back by {@link leave}.
   *
   * @throws TidegateError `TOO_MANY_WATCHERS`.
   */
  watch(options: WatchOptions): Watch {
    if (this.#watches.size >= MAX_WATCHERS) {
      throw new TidegateError('TOO_MANY_WATCHERS', `there are ${MAX_WATCHERS} already`);
    }
    const watch = new Watch(options);
    this.#watches.add(watch);
    this.#timer ??= setInterval(() => this.#tick(), TICK).unref();
    if (this.#parts !== undefined) {
      if (this.#lookAway === undefined) this.#look(this.#parts);
      showAll(this.#parts, watch);
      watch.tick(countActors(this.#parts, watch));
    }
    return watch;
  }

  /** It does not watch any more. */
  leave(watch: Watch): void {
    watch.close();
    this.#watches.delete(watch);
    if (this.#watches.size > 0) return;
    this.#stopLooking();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(parts: ObservedParts): void {
    this.#lookAway = lookAt(parts, (event) => this.#tell(event));
  }

  #stopLooking(): void {
    this.#lookAway?.();
    this.#lookAway = undefined;
  }

  #tell(event: InspectionEvent): void {
    for (const watch of this.#watches) {
      try {
        watch.happened(event);
      } catch {
        // It must not reach the actor it is about: who watches sees nothing more.
        this.leave(watch);
      }
    }
  }

  #tick(): void {
    for (const watch of [...this.#watches]) watch.tick(this.#parts === undefined ? 0 : countActors(this.#parts, watch));
  }
}

/** Owns how often and how long the sides of pairs were throttled. Refuses to decide that one is; the charts do. */

import type { AnyEventObject, StateValue } from 'xstate';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { isThrottled } from '../../actors/regions.js';
import type { StepObserver } from '../../actors/step-observer.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import type { ObservedParts, Onlooker, Side } from './onlooker.js';

/** How often a side was throttled, and for how long all of them together. */
export interface ThrottleSnapshot {
  readonly episodes: number;
  /** Those that are not over are in it, too. */
  readonly seconds: number;
}

/** One side of all pairs. */
class ThrottledSide {
  /** Who is throttled now, and since when. */
  readonly #since = new Map<object, number>();
  #episodes = 0;
  #ms = 0;

  noteStep(actor: { readonly chartValue: StateValue }, event: string): void {
    const isKnown = this.#since.size > 0 && this.#since.has(actor);
    // Nothing else throttles, and whatever step leaves the state ends it.
    if (!isKnown && event !== 'pressure.high') return;
    const is = isThrottled(actor.chartValue);
    if (is === isKnown) return;
    if (is) {
      this.#episodes += 1;
      this.#since.set(actor, performance.now());
      return;
    }
    this.#ms += performance.now() - (this.#since.get(actor) ?? 0);
    this.#since.delete(actor);
  }

  /** Nobody is there any more. */
  end(): void {
    this.#ms = this.#msUntil(performance.now());
    this.#since.clear();
  }

  snapshot(): ThrottleSnapshot {
    return { episodes: this.#episodes, seconds: this.#msUntil(performance.now()) / 1000 };
  }

  #msUntil(now: number): number {
    let ms = this.#ms;
    for (const since of this.#since.values()) ms += now - since;
    return ms;
  }
}

/** Whether a side is throttled is told by its own chart. They outlive restarts. */
export class Throttles implements Onlooker, StepObserver {
  readonly #downstream = new ThrottledSide();
  readonly #upstream = new ThrottledSide();

  began({ supervisor }: ObservedParts): void {
    supervisor.steps.observe(this);
  }

  ended(): void {
    this.#downstream.end();
    this.#upstream.end();
  }

  connectionStepped(connection: ConnectionActor, { type }: AnyEventObject): void {
    this.#downstream.noteStep(connection, type);
  }

  upstreamStepped(upstream: UpstreamActor, { type }: AnyEventObject): void {
    this.#upstream.noteStep(upstream, type);
  }

  snapshot(): Readonly<Record<Side, ThrottleSnapshot>> {
    return { downstream: this.#downstream.snapshot(), upstream: this.#upstream.snapshot() };
  }
}

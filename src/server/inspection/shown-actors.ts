/**
 * Owns which actors one watcher is shown, and where each was last: a bounded number, of which the newest stay. Refuses to make frames.
 */
import type { AnyActorRef, StateValue } from 'xstate';
import type { ChartName, PlainEvent, PlainSnapshot } from './frames.js';
import { chartOf, definitionOf, parentOf, sessionOf, snapshotOf } from './inspected-actor.js';
import { plainSnapshot } from './plain-values.js';

/** Stands for the event that brought an actor where it was found. */
const FOUND = 'tidegate.found';

/** An actor that is shown. Holds nothing of it but names and the last snapshot. */
export interface Shown {
  readonly chart: ChartName;
  readonly name: string;
  readonly sessionId: string;
  readonly parentId: string | undefined;
  readonly rootId: string;
  readonly definition: string;
  /** Where it is. */
  snapshot: PlainSnapshot;
  /** The event that brought it there. */
  event: PlainEvent;
  /** Where the watcher was told that it is. */
  told: StateValue | undefined;
  /** Whether the watcher was told that there is one. */
  isAnnounced: boolean;
  /** Room is needed for newer ones. */
  isEvicted: boolean;
}

/** Those that are shown, in the order in which they came. */
export class ShownActors {
  readonly #max: number;
  readonly #live = new Map<AnyActorRef, Shown>();
  readonly #ended = new Set<Shown>();

  /** @param max how many there may be; roots are always shown. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many live. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** Whether one more needs the place of none that lives. */
  get hasRoom(): boolean {
    return this.#live.size < this.#max;
  }

  get(ref: AnyActorRef): Shown | undefined {
    return this.#live.get(ref);
  }

  /** Those that live, and those that ended and whose place nobody needed. */
  *all(): Generator<Shown, void> {
    yield* this.#ended;
    yield* this.#live.values();
  }

  /** Takes one that is started; another one may have to make room. */
  add(ref: AnyActorRef, chart: ChartName, prefix: string): Shown {
    if (this.#live.size + this.#ended.size >= this.#max) this.#evict();
    const parent = parentOf(ref);
    const shown: Shown = {
      chart,
      name: `${prefix}${ref.id}`,
      sessionId: sessionOf(ref),
      parentId: parent && sessionOf(parent),
      rootId: sessionOf(parent ?? ref),
      definition: definitionOf(ref),
      snapshot: plainSnapshot(chart, snapshotOf(ref)),
      event: { type: FOUND },
      told: undefined,
      isAnnounced: false,
      isEvicted: false,
    };
    this.#live.set(ref, shown);
    return shown;
  }

  /** It is in a final state: what is shown stays for a while, and the actor is let go of. */
  end(ref: AnyActorRef): void {
    const shown = this.#live.get(ref);
    if (shown === undefined) return;
    this.#live.delete(ref);
    this.#ended.add(shown);
  }

  /** The server has stopped: whatever lived is let go of. */
  endAll(): void {
    for (const ref of [...this.#live.keys()]) this.end(ref);
  }

  // Those that are over first; then the oldest connection, the oldest backend.
  #evict(): void {
    const [ended] = this.#ended;
    if (ended !== undefined) {
      ended.isEvicted = true;
      this.#ended.delete(ended);
      return;
    }
    const oldest = this.#oldest('connection', 'upstream') ?? this.#oldest('backend');
    if (oldest === undefined) return;
    const shown = this.#live.get(oldest);
    if (shown !== undefined) shown.isEvicted = true;
    this.#live.delete(oldest);
  }

  #oldest(...charts: readonly ChartName[]): AnyActorRef | undefined {
    for (const [ref, { chart }] of this.#live) if (charts.includes(chart)) return ref;
    return undefined;
  }
}

/** The chart of an actor that may be shown. */
export function shownChart(ref: AnyActorRef, charts: ReadonlySet<ChartName> | undefined): ChartName | undefined {
  const chart = chartOf(ref);
  return chart === undefined || charts === undefined || charts.has(chart) ? chart : undefined;
}

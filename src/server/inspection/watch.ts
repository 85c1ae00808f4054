/**
 * Owns what one watcher is told: of which actors, in which order, and how much at most. A watcher that reads slowly, or one that watches
 * much, is told less: events are left out, and of the snapshots of an actor the newest stays. Refuses to write anything anywhere.
 */

import type { AnyActorRef, AnyEventObject, AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { isRoutine } from '../../actors/routine.js';
import { TokenBucket } from '../shaping/token-bucket.js';
import { type ChartName, FRAME_VERSION, type Frame } from './frames.js';
import { connectionIdOf, sessionOf } from './inspected-actor.js';
import { plainEvent, plainSnapshot } from './plain-values.js';
import { senderOf } from './senders.js';
import { type Shown, ShownActors, shownChart } from './shown-actors.js';

/** What somebody wants to see. */
export interface WatchOptions {
  /** The id of the only connection that is shown, with its upstreams; the watch is over when they are. Default: everything. */
  readonly connection?: string | undefined;
  /** Default: all. */
  readonly charts?: ReadonlySet<ChartName> | undefined;
  /** Whether routine steps are told: heartbeats, and progress of slow writes. Default: for one connection only. */
  readonly heartbeats?: boolean | undefined;
  /** How many actors are shown at a time, the newest. Default 500. */
  readonly maxActors?: number | undefined;
  /** Default 200. */
  readonly framesPerSecond?: number | undefined;
  /** Before the name of each actor. Default: nothing. */
  readonly prefix?: string | undefined;
}

/** What a watcher has not read yet, at most. */
const MAX_QUEUED = 1000;

/** One watcher. */
export class Watch {
  /** Called when there is something to take, after there was nothing; and when it is over. */
  onReady: () => void = () => {};
  readonly #options: WatchOptions;
  readonly #actors: ShownActors;
  readonly #rate: TokenBucket;
  /** Those that were there before, or that came while there was too much. */
  #unannounced: Shown[] = [];
  /** The one of those that was told of last: where it is comes next. */
  #following: Shown | undefined;
  #queue: Frame[] = [];
  /** Those of which a newer snapshot was not told. */
  readonly #behind = new Set<Shown>();
  #dropped = 0;
  #leftOut = 0;
  #told = '';
  #isOver = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#actors = new ShownActors(options.maxActors ?? 500);
    const { framesPerSecond = 200 } = options;
    this.#rate = new TokenBucket(framesPerSecond, framesPerSecond, performance.now());
  }

  /** The id of the only connection that is shown; undefined for all. */
  get connection(): string | undefined {
    return this.#options.connection;
  }

  get maxActors(): number {
    return this.#options.maxActors ?? 500;
  }

  /** How many actors are shown that live. */
  get shownCount(): number {
    return this.#actors.liveCount;
  }

  /** Nothing more comes; what was not taken yet is still there. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the next frame; undefined when there is none now. */
  take(): Frame | undefined {
    const following = this.#following;
    this.#following = undefined;
    if (following !== undefined) return this.#snapshotFrame(following);
    for (let shown = this.#unannounced.shift(); shown !== undefined; shown = this.#unannounced.shift()) {
      if (shown.isEvicted) continue;
      this.#following = shown;
      return this.#announce(shown);
    }
    return this.#queue.shift();
  }

  /** Whether this one is to be shown. */
  wants(chart: ChartName): boolean {
    const { charts, connection } = this.#options;
    if (connection !== undefined && chart !== 'connection' && chart !== 'upstream') return false;
    return charts === undefined || charts.has(chart);
  }

  /** Whether an actor is shown, by its session. */
  shows(sessionId: string): boolean {
    for (const shown of this.#actors.all()) if (shown.sessionId === sessionId) return true;
    return false;
  }

  /** An actor that was there already. */
  found(ref: AnyActorRef): void {
    const chart = this.#chartOf(ref);
    if (chart === undefined || this.#actors.get(ref) !== undefined) return;
    this.#unannounced.push(this.#actors.add(ref, chart, this.#options.prefix ?? ''));
    this.onReady();
  }

  /** Something happened to some actor. */
  happened(event: InspectionEvent): void {
    const ref = event.actorRef as AnyActorRef;
    if (event.type === '@xstate.event') this.#sent(ref, event.sourceRef as AnyActorRef | undefined, event.event);
    else if (event.type === '@xstate.snapshot') this.#stepped(ref, event.event, event.snapshot as AnyMachineSnapshot);
  }

  /** Whatever is shown has come to its end. */
  ended(): void {
    this.#actors.endAll();
    if (this.connection !== undefined) this.close();
  }

  /** A second is over: what was held back is told, and what is not shown. @param alive how many actors it could be shown. */
  tick(alive: number): void {
    this.#leftOut = Math.max(0, alive - this.#actors.liveCount);
    for (const shown of [...this.#behind]) {
      if (!this.#hasRoom()) break;
      this.#behind.delete(shown);
      if (!shown.isEvicted) this.#push(this.#snapshotFrame(shown));
    }
    this.#notice();
    this.#endIfOver();
  }

  /** Nothing more is told. */
  close(): void {
    this.#isOver = true;
    this.onReady();
  }

  #sent(ref: AnyActorRef, source: AnyActorRef | undefined, event: AnyEventObject): void {
    const shown = this.#actors.get(ref) ?? this.#admit(ref, event);
    if (!shown?.isAnnounced || this.#passesOver(event)) return;
    if (!this.#hasRoom()) {
      this.#dropped += 1;
      return;
    }
    const sender = source ?? senderOf(ref, shown.chart, event);
    this.#push({
      type: '@xstate.event',
      ...this.#head(shown),
      sourceId: sender && sessionOf(sender),
      event: plainEvent(event),
    });
  }

  #stepped(ref: AnyActorRef, event: AnyEventObject, snapshot: AnyMachineSnapshot): void {
    const shown = this.#actors.get(ref);
    if (shown === undefined) return;
    const isSame = snapshot.value === shown.snapshot.value && snapshot.status === shown.snapshot.status;
    if (isSame && event.type !== 'xstate.init') return;
    shown.snapshot = plainSnapshot(shown.chart, snapshot);
    shown.event = plainEvent(event);
    if (snapshot.status !== 'active') this.#actors.end(ref);
    // That a ping is under way is no news, but that it is over, where it was told of.
    const isNews = event.type !== 'heartbeat.due' && snapshot.value !== shown.told;
    if (shown.isAnnounced && (isNews || !this.#passesOver(event))) {
      if (this.#hasRoom()) {
        this.#behind.delete(shown);
        this.#push(this.#snapshotFrame(shown));
      } else {
        if (this.#behind.has(shown)) this.#dropped += 1;
        this.#behind.add(shown);
      }
    }
    this.#endIfOver();
  }

  /** Shows an actor of which nothing is known yet, unless there are too many, or too much is told already. */
  #admit(ref: AnyActorRef, event: AnyEventObject): Shown | undefined {
    const isNew = event.type === 'xstate.init';
    if (!isNew && (isRoutine(event.type) || !this.#actors.hasRoom)) return undefined;
    const chart = this.#chartOf(ref);
    if (chart === undefined) return undefined;
    const isMeant = this.connection !== undefined;
    if (!isMeant && !this.#hasRoom()) return undefined;
    const shown = this.#actors.add(ref, chart, this.#options.prefix ?? '');
    this.#push(this.#announce(shown));
    return shown;
  }

  #chartOf(ref: AnyActorRef): ChartName | undefined {
    const { connection, charts } = this.#options;
    const chart = shownChart(ref, charts);
    if (chart === undefined || connection === undefined) return chart;
    return this.wants(chart) && connectionIdOf(ref, chart) === connection ? chart : undefined;
  }

  #passesOver({ type }: AnyEventObject): boolean {
    return isRoutine(type) && !(this.#options.heartbeats ?? this.connection !== undefined);
  }

  #hasRoom(): boolean {
    return this.#queue.length < MAX_QUEUED && this.#rate.level(performance.now()) >= 1;
  }

  #push(frame: Frame): void {
    this.#rate.spend(1);
    this.#queue.push(frame);
    this.onReady();
  }

  #announce(shown: Shown): Frame {
    shown.isAnnounced = true;
    shown.told = shown.snapshot.value;
    const { name, parentId, definition, snapshot } = shown;
    return { type: '@xstate.actor', name, ...this.#head(shown), parentId, definition, snapshot };
  }

  #snapshotFrame(shown: Shown): Frame {
    const { event, snapshot } = shown;
    shown.told = snapshot.value;
    return { type: '@xstate.snapshot', ...this.#head(shown), event, snapshot };
  }

  #head({ sessionId, rootId }: Shown) {
    return { sessionId, rootId, createdAt: String(Date.now()), id: null, _version: FRAME_VERSION } as const;
  }

  #notice(): void {
    const counts = { shown: this.#actors.liveCount, leftOut: this.#leftOut, dropped: this.#dropped };
    const told = JSON.stringify(counts);
    if (told === this.#told || this.#queue.length >= MAX_QUEUED) return;
    this.#told = told;
    this.#queue.push({ type: '@tidegate.notice', createdAt: String(Date.now()), ...counts });
    this.onReady();
  }

  #endIfOver(): void {
    if (this.connection !== undefined && this.#actors.liveCount === 0 && this.#behind.size === 0) this.close();
  }
}

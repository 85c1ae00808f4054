/**
 * Owns the last steps of a connection and its upstream, a few for each pair, and since when each of their regions is where it is, so
 * that it can be told how a connection got there. Refuses to know what the steps mean. Off the data path: no message is a step.
 */
import type { AnyEventObject, StateValue } from 'xstate';
import type { ErrorCode } from '../receivers/index.js';
import type { Ending } from './ending.js';
import { regionsIn } from './regions.js';
import { isRoutine } from './routine.js';

/** Whose chart took a step. */
export type ChartSide = 'connection' | 'upstream';

/** What of a chart is in one state at a time: its life as a whole, and the regions that there are while it is open. */
export type ChartRegion = 'life' | 'outbound' | 'inbound' | 'liveness';

/** One step, as it is told. */
export interface HistoryEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly side: ChartSide;
  /** The type of the event that was dealt with. */
  readonly event: string;
  /** Where the chart was after it. */
  readonly value: StateValue;
  /** How the connection was to end, where the event says so. */
  readonly ending?: Ending | undefined;
  /** What failed, where the event says so. */
  readonly error?: ErrorCode | undefined;
}

/** An event that says more than its type. What is kept of it holds no socket. */
interface TellingEvent {
  readonly type: string;
  readonly ending?: Ending;
  readonly error?: ErrorCode;
}

const REGIONS: readonly ChartRegion[] = ['life', 'outbound', 'inbound', 'liveness'];

/** The first slots say since when each region of the two sides is where it is. */
const HEAD = 2 * REGIONS.length;

/** Slots of one step: when and whose, the event, the value. Flat, since there is one for each connection. */
const WIDTH = 3;

/** The last steps of one pair. */
export class History {
  /** In seconds, which are a small integer: a number in a box of its own is as large as two steps. */
  readonly #began = Math.floor(Date.now() / 1000);
  readonly #limit: number;
  readonly #slots: (number | string | StateValue | TellingEvent)[] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** Where the oldest step is, once there are as many as fit. */
  #oldest = HEAD;
  #dropped = 0;

  /** @param size how many steps are kept. */
  constructor(size: number) {
    this.#limit = HEAD + size * WIDTH;
  }

  /** How many steps there were before those that are kept, but for routine. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a step. `before` is where the chart was, undefined for its first one. */
  note(side: ChartSide, event: AnyEventObject, value: StateValue, before: StateValue | undefined): void {
    const since = Date.now() - this.#began * 1000;
    if (value !== before) this.#enter(side === 'upstream' ? REGIONS.length : 0, since, value, before);
    const slots = this.#slots;
    const at = this.#placeOf(event.type, side);
    slots[at] = since * 2 + (side === 'upstream' ? 1 : 0);
    slots[at + 1] = 'ending' in event || 'error' in event ? (event as TellingEvent) : event.type;
    slots[at + 2] = value;
  }

  /** Since when a region is where it is, in milliseconds since the epoch. Only for a region that there is now. */
  since(side: ChartSide, region: ChartRegion): number {
    const at = REGIONS.indexOf(region) + (side === 'upstream' ? REGIONS.length : 0);
    return this.#began * 1000 + (this.#slots[at] as number);
  }

  /** Oldest first. */
  entries(): HistoryEntry[] {
    return Array.from({ length: this.#count }, (_, index) => this.#entryAt(this.#slotOf(index)));
  }

  get #count(): number {
    return (this.#slots.length - HEAD) / WIDTH;
  }

  /** Where a step is, counted from the oldest. */
  #slotOf(index: number): number {
    return HEAD + ((this.#oldest - HEAD + index * WIDTH) % (this.#slots.length - HEAD));
  }

  #entryAt(at: number): HistoryEntry {
    const slots = this.#slots;
    const event = slots[at + 1] as string | TellingEvent;
    const entry = {
      at: this.#began * 1000 + Math.floor((slots[at] as number) / 2),
      side: this.#sideAt(at),
      value: slots[at + 2] as StateValue,
    };
    if (typeof event === 'string') return { ...entry, event };
    return { ...entry, event: event.type, ending: event.ending, error: event.error };
  }

  /** Notes which regions are elsewhere than before. By name and without a loop: connections open and close often. */
  #enter(from: number, since: number, value: StateValue, before: StateValue | undefined): void {
    const slots = this.#slots;
    if (lifeIn(value) !== lifeIn(before)) slots[from] = since;
    const now = regionsIn(value);
    if (now === undefined) return;
    const then = regionsIn(before);
    if (now.outbound !== then?.outbound) slots[from + 1] = since;
    if (now.inbound !== then?.inbound) slots[from + 2] = since;
    if (now.liveness !== then?.liveness) slots[from + 3] = since;
  }

  /** Where a step goes: behind the last one, in the place of the oldest, or of the last routine of its side. */
  #placeOf(event: string, side: ChartSide): number {
    const count = this.#count;
    // Of several in a row the last of each side is kept.
    if (isRoutine(event) && count > 0) {
      const last = this.#slotOf(count - 1);
      if (this.#isRoutineAt(last, side)) return last;
      const other = this.#slotOf(Math.max(0, count - 2));
      if (this.#isRoutineAt(last) && this.#isRoutineAt(other, side)) {
        // From now on the routine of the other side is the older one.
        this.#slots.copyWithin(other, last, last + WIDTH);
        return last;
      }
    }
    if (this.#slots.length < this.#limit) return this.#slots.length;
    const at = this.#oldest;
    this.#oldest = at + WIDTH < this.#limit ? at + WIDTH : HEAD;
    this.#dropped += 1;
    return at;
  }

  #sideAt(at: number): ChartSide {
    // The lowest bit, also where the clock was set back.
    return ((this.#slots[at] as number) & 1) === 1 ? 'upstream' : 'connection';
  }

  #isRoutineAt(at: number, side: ChartSide = this.#sideAt(at)): boolean {
    const event = this.#slots[at + 1];
    return typeof event === 'string' && isRoutine(event) && this.#sideAt(at) === side;
  }
}

/** The state of the life as a whole: of a handshake, the state within. */
function lifeIn(value: StateValue | undefined): StateValue | undefined {
  return typeof value === 'object' ? (value.handshaking ?? 'open') : value;
}

/**
 * Owns the long waits of all connections (heartbeat, idle, lifetime) with one timer, so that an open connection costs
 * none of its own and the work of an interval is spread over it. Refuses to be exact: a callback comes up to one tick late.
 */

import { Chain, type Chained } from './chain.js';

/** A wait that can be given up. */
export interface WheelEntry {
  cancel(): void;
}

/** A wait in the slot of its tick. Whoever waits again and again is one, so that each wait is not another object. */
export abstract class Wait implements Chained<Wait> {
  before: Wait | undefined;
  behind: Wait | undefined;
  /** The tick it waits for. */
  tick = 0;

  /** It is over. */
  abstract onDue(): void;
}

/** A wait for one call. A class and not closures: there may be many. */
class Call extends Wait implements WheelEntry {
  readonly onDue: () => void;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, call: () => void) {
    super();
    this.#wheel = wheel;
    this.onDue = call;
  }

  cancel(): void {
    this.#wheel.leave(this);
  }
}

/** One shared timer with a slot for each tick. It runs only while something waits. */
export class TimerWheel {
  readonly #tick: number;
  readonly #slots = new Map<number, Chain<Wait>>();
  #now = 0;
  /** The slot whose callbacks are being called. */
  #present: Chain<Wait> | undefined;
  /** When the last tick was, on the clock of `performance.now()`. */
  #tickedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param tick milliseconds between two looks at the wheel. */
  constructor(tick: number) {
    this.#tick = tick;
  }

  /** How many callbacks wait. */
  get size(): number {
    let size = 0;
    for (const slot of this.#slots.values()) size += slot.size;
    return size;
  }

  /** Calls back once after at least `delay` milliseconds. */
  schedule(delay: number, call: () => void): WheelEntry {
    const entry = new Call(this, call);
    this.enter(entry, delay);
    return entry;
  }

  /** Has something wait that does not wait yet; it is told once, after at least `delay` milliseconds. */
  enter(wait: Wait, delay: number): void {
    this.#start();
    wait.tick = this.#now + Math.max(1, Math.ceil((this.#sinceTick() + delay) / this.#tick));
    let slot = this.#slots.get(wait.tick);
    if (slot === undefined) {
      slot = new Chain();
      this.#slots.set(wait.tick, slot);
    }
    slot.add(wait);
  }

  /** Gives up a wait. */
  leave(wait: Wait): void {
    // The slot of the present tick is not in the map any more.
    const slot = this.#slots.get(wait.tick) ?? this.#present;
    if (slot?.delete(wait) && slot.size === 0 && slot !== this.#present) this.#slots.delete(wait.tick);
    if (this.#slots.size === 0) this.stop();
  }

  /** Forgets everything that waits, and the timer. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const slot of this.#slots.values()) slot.clear();
    this.#slots.clear();
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => this.#advance(), this.#tick);
  }

  /** How much of the present tick has passed, in whole milliseconds, as timers count. */
  #sinceTick(): number {
    return Math.min(this.#tick, Math.floor(performance.now() - this.#tickedAt));
  }

  #advance(): void {
    this.#now += 1;
    this.#tickedAt = performance.now();
    this.#present = this.#slots.get(this.#now);
    this.#slots.delete(this.#now);
    const present = this.#present;
    for (let wait = present?.first; wait !== undefined; wait = present?.first) {
      present?.delete(wait);
      wait.onDue();
    }
    this.#present = undefined;
    if (this.#slots.size === 0) this.stop();
  }
}

/** A tick that keeps the shortest of some waits to about 3 % (0 means the wait is off), between 2 ms and one second. */
export function wheelTick(...delays: number[]): number {
  const shortest = Math.min(...delays.filter((delay) => delay > 0), 32_000);
  return Math.min(1000, Math.max(2, Math.round(shortest / 32)));
}

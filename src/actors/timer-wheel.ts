/**
 * Owns the long waits of all connections (heartbeat, idle, lifetime) with one timer, so that an open connection costs
 * none of its own and the work of an interval is spread over it. Refuses to be exact: a callback comes up to one tick late.
 */

import { Chain, type Chained } from './chain.js';
import { type Clock, systemClock } from './clock.js';

/** A wait that can be given up. */
export interface WheelEntry {
  cancel(): void;
}

/** One that tells when it is over. */
export interface DatedEntry extends WheelEntry {
  /** In milliseconds since the epoch; up to one tick early. Only while it waits. */
  readonly due: number;
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
class Call extends Wait implements DatedEntry {
  readonly onDue: () => void;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, call: () => void) {
    super();
    this.#wheel = wheel;
    this.onDue = call;
  }

  get due(): number {
    return this.#wheel.dueOf(this);
  }

  cancel(): void {
    this.#wheel.leave(this);
  }
}

/** One shared timer with a slot for each tick. It runs only while something waits. */
export class TimerWheel {
  readonly #tick: number;
  readonly #clock: Clock;
  readonly #slots = new Map<number, Chain<Wait>>();
  #now = 0;
  /** The slot whose callbacks are being called. */
  #present: Chain<Wait> | undefined;
  /** When the last tick was. */
  #tickedAt = 0;
  #timer: unknown;

  /** @param tick milliseconds between two looks at the wheel. */
  constructor(tick: number, clock: Clock = systemClock) {
    this.#tick = tick;
    this.#clock = clock;
  }

  /** How many callbacks wait. */
  get size(): number {
    let size = 0;
    for (const slot of this.#slots.values()) size += slot.size;
    return size;
  }

  /** Calls back once after at least `delay` milliseconds. */
  schedule(delay: number, call: () => void): DatedEntry {
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

  /** When something that waits is told, in milliseconds since the epoch. */
  dueOf(wait: Wait): number {
    return Date.now() + (wait.tick - this.#now) * this.#tick - this.#sinceTick();
  }

  /** Forgets everything that waits, and the timer. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const slot of this.#slots.values()) slot.clear();
    this.#slots.clear();
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    this.#tickedAt = this.#clock.now();
    this.#timer = this.#clock.setInterval(() => this.#advance(), this.#tick);
  }

  /** How much of the present tick has passed, in whole milliseconds, as timers count. */
  #sinceTick(): number {
    return Math.min(this.#tick, Math.floor(this.#clock.now() - this.#tickedAt));
  }

  #advance(): void {
    this.#now += 1;
    this.#tickedAt = this.#clock.now();
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

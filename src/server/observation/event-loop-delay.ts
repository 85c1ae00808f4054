/**
 * Owns how late the event loop of this process runs, for everybody who asks: measured only while somebody does. Refuses to know who
 * asks.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../actors/clock.js';

/** How late the event loop ran, over the last five seconds at least. Milliseconds. */
export interface DelaySnapshot {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** Milliseconds between two samples. They are timers, so that many are in every sample and are taken off. */
const RESOLUTION = 10;

/** Milliseconds of the past that an answer is about, at least. */
const WINDOW = 5000;

/** Milliseconds that it is measured on for after somebody asked. */
const KEEP = 10_000;

/** Measures the delay of the event loop while somebody asks for it. */
export class EventLoopDelay {
  readonly #clock: Clock;
  /** One covers a window at least; the next one is under way, so that an answer never is about a moment only. */
  #older: IntervalHistogram | undefined;
  #newer: IntervalHistogram | undefined;
  #turned = 0;
  #until = 0;
  #first: Promise<void> | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Whether it is measured now. */
  get measures(): boolean {
    return this.#older !== undefined;
  }

  /**
   * Tells the delay; the first time after a while, a moment later, when there is something to tell.
   *
   * @param keep milliseconds to measure on for: who asks less often than every ten seconds says how often.
   */
  async read(keep: number = KEEP): Promise<DelaySnapshot> {
    const now = this.#clock.now();
    const isOn = this.measures;
    this.#until = Math.max(this.#until, now + keep);
    if (!isOn) this.#begin(now);
    await this.#first;
    if (now - this.#turned >= WINDOW) this.#turn(now);
    return snapshotOf(this.#older);
  }

  #begin(now: number): void {
    this.#older = started();
    this.#newer = started();
    this.#turned = now;
    this.#first = sleep(3 * RESOLUTION);
    this.#wait(now);
  }

  #turn(now: number): void {
    this.#older?.disable();
    this.#older = this.#newer;
    this.#newer = started();
    this.#turned = now;
  }

  #wait(now: number): void {
    const timer = this.#clock.setTimeout(() => {
      const later = this.#clock.now();
      if (later < this.#until) this.#wait(later);
      else this.#end();
    }, this.#until - now);
    // Nobody who asks is kept waiting for it.
    (timer as NodeJS.Timeout).unref?.();
  }

  #end(): void {
    this.#older?.disable();
    this.#newer?.disable();
    this.#older = undefined;
    this.#newer = undefined;
  }
}

/** That of this process. */
export const eventLoopDelay = new EventLoopDelay();

function started(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return histogram;
}

// Nanoseconds; without a sample there is no mean.
function snapshotOf(histogram: IntervalHistogram | undefined): DelaySnapshot {
  if (histogram === undefined || Number.isNaN(histogram.mean)) return { mean: 0, p99: 0, max: 0 };
  const late = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 1e4 - RESOLUTION * 100) / 100);
  return { mean: late(histogram.mean), p99: late(histogram.percentile(99)), max: late(histogram.max) };
}

/**
 * Owns the order of one receiver's callbacks: at once while they are synchronous, one after the other from the first
 * promise on, and never one inside another. Refuses to know what the callbacks are.
 */
import PQueue from 'p-queue';
import { type Clock, systemClock } from './clock.js';
import { deadline } from './deadline.js';

/** What a callback queue needs from its owner. */
export interface CallbackQueueOwner {
  /** A callback threw or rejected. */
  failed(error: unknown): void;
  /** True when as many callbacks wait as the bound allows, false when half of them are done. */
  backlog(high: boolean): void;
}

/** Runs callbacks in order. A synchronous one costs no promise and no queue. */
export class CallbackQueue {
  readonly #owner: CallbackQueueOwner;
  readonly #bound: number;
  readonly #clock: Clock;
  /** Made when something waits for the first time. */
  #deadlines: Set<unknown> | undefined;
  #queue: PQueue | undefined;
  #waiting = 0;
  #high = false;
  #stopped = false;
  /** A synchronous callback is on the stack. */
  #running = false;
  #afterRunning: { last: () => void; patience: number } | undefined;

  /** @param bound how many callbacks may wait before `backlog(true)`. */
  constructor(owner: CallbackQueueOwner, bound: number, clock: Clock = systemClock) {
    this.#owner = owner;
    this.#clock = clock;
    this.#bound = Math.max(1, bound);
  }

  /** True while a callback that returned a promise is not settled, or others wait behind one. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /**
   * Runs a callback in its turn. Answers with its result, or a promise of it; with `fallback` when it fails or when the
   * queue was stopped before its turn came.
   */
  run<T>(call: () => T | Promise<T>, fallback: T): T | Promise<T> {
    return this.runWith(call, undefined, undefined, fallback);
  }

  /** The same for a callback with arguments: what is called for every message should not need a closure for each. */
  runWith<A, B, T>(call: (one: A, other: B) => T | Promise<T>, one: A, other: B, fallback: T): T | Promise<T> {
    if (this.#stopped) return fallback;
    if (this.#waiting > 0 || this.#running) return this.#enqueue(() => call(one, other), fallback);
    let result: T | Promise<T>;
    this.#running = true;
    try {
      result = call(one, other);
    } catch (error) {
      this.#owner.failed(error);
      this.#ran();
      return fallback;
    }
    const answer = isPromise(result) ? this.#enqueue(() => result, fallback, true) : result;
    this.#ran();
    return answer;
  }

  /** Calls when every callback before it was dealt with, but not later than after `patience` milliseconds. */
  whenDone(call: () => void, patience: number): void {
    if ((!this.busy && !this.#running) || this.#stopped) {
      call();
      return;
    }
    const once = () => {
      if (!this.#deadlines?.delete(timer)) return;
      this.#clock.clearTimeout(timer);
      call();
    };
    const timer = this.#clock.setTimeout(once, deadline(patience));
    this.#deadlines ??= new Set();
    this.#deadlines.add(timer);
    this.run(once, undefined);
  }

  /**
   * Runs a last callback after the one that is running, or after `patience` milliseconds if that one does not settle,
   * and lets none of those that wait run any more.
   */
  finish(call: () => void | Promise<void>, patience: number): void {
    this.#stopped = true;
    for (const timer of this.#deadlines ?? []) this.#clock.clearTimeout(timer);
    this.#deadlines = undefined;
    const last = () => {
      try {
        const result = call();
        if (isPromise(result)) result.catch((error) => this.#owner.failed(error));
      } catch (error) {
        this.#owner.failed(error);
      }
    };
    if (this.#running) this.#afterRunning = { last, patience };
    else if (this.#waiting > 0) this.#afterWaiting(last, patience);
    else last();
  }

  #afterWaiting(last: () => void, patience: number): void {
    const once = () => {
      this.#clock.clearTimeout(timer);
      last();
      last = () => {};
    };
    const timer = this.#clock.setTimeout(once, deadline(patience));
    this.#queue?.onIdle().then(once);
  }

  #ran(): void {
    this.#running = false;
    const queue = this.#queue;
    // A microtask later, so that the caller has used the result when the next callback begins.
    if (queue?.isPaused) queueMicrotask(() => queue.start());
    const finish = this.#afterRunning;
    this.#afterRunning = undefined;
    if (finish === undefined) return;
    if (this.#waiting > 0) this.#afterWaiting(finish.last, finish.patience);
    else finish.last();
  }

  /** @param begun the callback was called already, and its promise goes before those that it triggered. */
  #enqueue<T>(call: () => T | Promise<T>, fallback: T, begun = false): Promise<T> {
    this.#queue ??= new PQueue({ concurrency: 1 });
    // p-queue 9 calls at once when it is idle, which would be inside the callback that runs.
    if (this.#running && !begun) this.#queue.pause();
    this.#waiting += 1;
    if (!this.#high && this.#waiting >= this.#bound) {
      this.#high = true;
      this.#owner.backlog(true);
    }
    let answer: (value: T) => void = () => {};
    const turn = new Promise<T>((resolve) => {
      answer = resolve;
    });
    const job = async () => {
      try {
        answer(this.#stopped && !begun ? fallback : await call());
      } catch (error) {
        this.#owner.failed(error);
        answer(fallback);
      }
      // The caller chained on `turn` before this: it has used the result when the next callback begins.
      await turn;
      this.#countDown();
    };
    this.#queue.add(job, { priority: begun ? 1 : 0 });
    return turn;
  }

  #countDown(): void {
    this.#waiting -= 1;
    if (this.#high && this.#waiting <= this.#bound / 2) {
      this.#high = false;
      if (!this.#stopped) this.#owner.backlog(false);
    }
  }
}

/** Tells a promise from a plain result. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Goes on with a result: at once, or when the promise of it settles. A callback queue's promises never reject. */
export function whenSettled<T>(result: T | Promise<T>, next: (value: T) => void): void {
  if (isPromise(result)) result.then(next);
  else next(result);
}

/**
 * Owns the watch over one backend that is ready: when it is checked, and how many checks make it unhealthy or healthy. Refuses to
 * know how a check is done, and what becomes of an unhealthy backend; its chart does.
 */
import type { BackendCheck } from '../../../actors/backend.js';
import type { BackendActor } from '../../../actors/backend-actor.js';
import { describeError, TidegateError } from '../../../receivers/errors.js';
import { DialAbort } from '../../dial/dial-signal.js';

/** How a backend is watched. Milliseconds. */
export interface WatchOptions {
  readonly interval: number;
  readonly timeout: number;
  /** Checks in a row that have to pass. */
  readonly rise: number;
  /** Checks in a row that have to fail. */
  readonly fall: number;
  /** Resolves when the backend is well; rejects when it is not, or the signal aborts. */
  check(backend: BackendActor, signal: DialAbort): Promise<void>;
}

/** The share of the interval that is added or taken at random, so that checks drift apart. */
const JITTER = 0.1;

/** Watches one backend until it is stopped. */
export class BackendWatch {
  readonly #backend: BackendActor;
  readonly #options: WatchOptions;
  /** Whether any check has passed. Before, one result is enough: nothing else is known of the backend. */
  #isProved = false;
  /** Checks in a row that say otherwise than what it is taken for. */
  #streak = 0;
  #timer: NodeJS.Timeout | undefined;
  #abort: DialAbort | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(backend: BackendActor, options: WatchOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  /** Checks at once, and then again and again. */
  start(): void {
    // At any time of the first interval: backends that came together are not checked together.
    this.#begin(this.#options.interval * Math.random());
  }

  /** Checks no more. Resolves when the check that runs is over, with no socket left. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#abort?.abort(new TidegateError('SHUTTING_DOWN', 'the check was given up'));
    return this.#running;
  }

  #begin(pause: number): void {
    const began = performance.now();
    this.#running = this.#check().then((reason) => {
      if (this.#stopped) return;
      this.#judge({
        at: new Date().toISOString(),
        passed: reason === undefined,
        latency: Math.round((performance.now() - began) * 10) / 10,
        reason,
      });
      // A listener may have stopped the server.
      if (!this.#stopped) this.#wait(Math.max(0, began + pause - performance.now()));
    });
  }

  #wait(pause: number): void {
    const next = this.#options.interval * (1 - JITTER + 2 * JITTER * Math.random());
    this.#timer = setTimeout(() => this.#begin(next), pause);
  }

  /** Answers what is wrong; undefined for nothing. Never rejects. */
  async #check(): Promise<string | undefined> {
    const { timeout, check } = this.#options;
    const abort = new DialAbort();
    this.#abort = abort;
    const timer = aliveTimer(timeout, () =>
      abort.abort(new TidegateError('UPSTREAM_TIMEOUT', `no answer within ${timeout} ms`)),
    );
    try {
      await check(this.#backend, abort);
      return undefined;
    } catch (error) {
      return describeError(error);
    } finally {
      clearInterval(timer);
      this.#abort = undefined;
    }
  }

  #judge(result: BackendCheck): void {
    this.#backend.checked(result);
    const { rise, fall } = this.#options;
    const isDown = this.#backend.health === 'unhealthy';
    const needed = this.#isProved ? (isDown ? rise : fall) : 1;
    this.#streak = result.passed === isDown ? this.#streak + 1 : 0;
    this.#isProved ||= result.passed;
    if (this.#streak < needed) return;
    this.#streak = 0;
    this.#backend.send({ type: isDown ? 'check.up' : 'check.down' });
  }
}

/** Parts that a deadline is counted in. */
const SLICES = 10;

/**
 * A deadline that counts only while this process runs: one that was busy or stopped itself finds its timers due before it has read the
 * answers that came meanwhile, and would take every backend for dead. To be cleared as an interval.
 */
function aliveTimer(milliseconds: number, expired: () => void): NodeJS.Timeout {
  let left = SLICES;
  // One that is late comes once, however late it is.
  return setInterval(() => {
    left -= 1;
    if (left === 0) expired();
  }, milliseconds / SLICES);
}

/**
 * Owns waiting in tests: for an event, for a promise settled by hand, for a condition. Refuses to sleep: the one poll
 * that exists is `eventually`, and it is bounded and names what did not happen.
 */
import { type EventEmitter, once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** A promise together with the functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T | PromiseLike<T>): void;
  reject(reason: unknown): void;
}

/** Makes a promise that the test settles itself, for example to hold a callback until it has looked at something. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve'];
  let reject!: Deferred<T>['reject'];
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/**
 * Resolves with the arguments of the next event of that name; rejects when the emitter says `error` first. Call it before
 * the step that causes the event.
 */
export async function waitForEvent<Args extends unknown[] = unknown[]>(
  emitter: Pick<EventEmitter, keyof EventEmitter>,
  name: string,
): Promise<Args> {
  return (await once(emitter as EventEmitter, name)) as Args;
}

/** How long `eventually` goes on. */
const EVENTUALLY_MS = 10_000;

/** What `eventually` may be told. */
export interface EventuallyOptions {
  /** Milliseconds until it gives up. Default 10 000. */
  readonly within?: number;
  /** Adds what is the case instead to the error. */
  readonly instead?: () => string;
}

/**
 * Resolves as soon as the check is true. For facts that no event tells of (a descriptor count, a process that starts).
 *
 * @param what completes the sentence "did not happen within 10 s: …".
 * @throws Error when time is up, or the error of the check itself.
 */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  what: string,
  options: EventuallyOptions = {},
): Promise<void> {
  const within = options.within ?? EVENTUALLY_MS;
  const start = performance.now();
  for (let round = 0; ; round += 1) {
    if (await check()) return;
    if (performance.now() - start > within) {
      const instead = options.instead === undefined ? '' : `; instead: ${options.instead()}`;
      throw new Error(`did not happen within ${within / 1000} s: ${what}${instead}`);
    }
    // The first rounds cost one turn of the loop each, so that what is nearly done is seen at once.
    if (round < 50) await nextTurn();
    else await pause(5);
  }
}

/** Promises that wait until something can be taken, served strictly in the order in which they were asked for. */
export class WaitingLine {
  readonly #waiters: Array<() => boolean> = [];

  /**
   * @param take gives what is waited for, or undefined when it is not there yet; an error it throws rejects.
   * @param failure gives the error when it can never come any more.
   */
  until<T>(take: () => T | undefined, failure: () => Error | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const attempt = (): boolean => {
        try {
          const value = take();
          if (value !== undefined) {
            resolve(value);
            return true;
          }
          const error = failure();
          if (error === undefined) return false;
          reject(error);
        } catch (error) {
          reject(error);
        }
        return true;
      };
      if (this.#waiters.length > 0 || !attempt()) this.#waiters.push(attempt);
    });
  }

  /** Asks the waiters again, from the first one on, until one has to wait longer. */
  notify(): void {
    while (this.#waiters[0]?.() === true) this.#waiters.shift();
  }
}

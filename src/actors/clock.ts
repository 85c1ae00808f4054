/** Owns where time comes from for what has to be told it. Refuses to know the date. */

/** A clock with timers, in milliseconds. XState takes it as well. */
export interface Clock {
  /** Never goes back. */
  now(): number;
  setTimeout(call: () => void, delay: number): unknown;
  /** Calls again and again, until it is cleared. */
  setInterval(call: () => void, every: number): unknown;
  /** Gives up a timer of either kind. */
  clearTimeout(timer: unknown): void;
}

/** That of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (call, delay) => setTimeout(call, delay),
  setInterval: (call, every) => setInterval(call, every),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

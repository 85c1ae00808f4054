/** Owns the delays of charts that run, with the actor they are of and not in a table of all: see {@link Chain}. Refuses to keep time. */

/** A delay of a chart that runs. */
export interface ChartTimer {
  /** The type of the event that it sends, such as `xstate.after.closeTimeout.connection.closing`. */
  readonly id: string;
  /** When it is over, in milliseconds since the epoch. */
  readonly due: number;
}

/** The same for whoever runs it. */
export interface RunningTimer<Handle> extends ChartTimer {
  readonly handle: Handle;
}

const TIMERS = Symbol('timers');

interface Timed {
  // At most one or two of an actor run at a time, and only in the few states that have a deadline.
  [TIMERS]?: RunningTimer<unknown>[] | undefined;
}

/** The delays that run for an actor. */
export function timersOf<Handle = unknown>(actor: object): readonly RunningTimer<Handle>[] {
  return ((actor as Timed)[TIMERS] ?? []) as RunningTimer<Handle>[];
}

/** One begins. */
export function addTimer(actor: object, timer: RunningTimer<unknown>): void {
  const timed = actor as Timed;
  timed[TIMERS] ??= [];
  timed[TIMERS].push(timer);
}

/** One is over or given up; undefined when it does not run. */
export function takeTimer<Handle>(actor: object, id: string): RunningTimer<Handle> | undefined {
  const timed = actor as Timed;
  const timers = timed[TIMERS];
  const at = timers?.findIndex((timer) => timer.id === id) ?? -1;
  if (timers === undefined || at === -1) return undefined;
  if (timers.length === 1) timed[TIMERS] = undefined;
  return timers.splice(at, 1)[0] as RunningTimer<Handle>;
}

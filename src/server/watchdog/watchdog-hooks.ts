/** Owns what code may decide about the watchdog. Refuses to call it. */
import type { TidegateError } from '../../receivers/errors.js';
import type { BoundAddress } from '../listener/listen-address.js';

/** A listener that does not serve any more. */
export interface LostListener {
  /** Where it was bound. */
  readonly address: BoundAddress;
  /** `died`: its socket is gone. `silent`: it is there and answered no probe (`watchdog.selfProbe`). */
  readonly reason: 'died' | 'silent';
  /** `LISTENER_LOST`, with what was found. */
  readonly error: TidegateError;
}

/** A listener that is about to be opened again. */
export interface WatchdogEvent extends LostListener {
  /** 1 for the first attempt since it was lost. */
  readonly attempt: number;
}

/** A listener that serves again. */
export interface RestoredListener {
  readonly address: BoundAddress;
  /** How many attempts it took, those that were vetoed among them. */
  readonly attempts: number;
}

/** What code may give a server beside its options, for the watchdog. */
export interface WatchdogHooks {
  /**
   * Decides whether a lost listener is opened again now (sgc: OnBeforeWatchDog): false, or a promise of it, leaves this attempt
   * out. Called once before each attempt, after the event `listener.lost`, and never once the server stops; the attempt waits
   * for the promise. One that is vetoed counts; after `watchdog.interval` the next one is asked for, until
   * `watchdog.attempts` are over. A `silent` listener stays as it is after a veto, and is asked for again when two more probes
   * got no answer. It may call any method of the server; after `stop()` its answer is not looked at. A throw or a rejection is
   * told as `exception` and vetoes nothing.
   */
  readonly onWatchdog?: ((event: WatchdogEvent) => boolean | void | Promise<boolean | void>) | undefined;
}

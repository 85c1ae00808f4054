/**
 * Owns when a connection is probed and when it is judged: one turn of the shared wheel per interval, and per pending
 * ping. Refuses to send pings or to decide what a silent peer means; the charts do.
 */
import type { TimerWheel, WheelEntry } from './timer-wheel.js';

/** How heartbeats are done. Milliseconds; an interval of 0 switches them off. */
export interface HeartbeatOptions {
  readonly interval: number;
  /** How long after a ping the peer must have been heard. */
  readonly timeout: number;
  /** `always` pings every interval, `if-idle` only when nothing was received during the last one. */
  readonly mode: 'always' | 'if-idle';
}

/** One side that is kept under watch. */
export interface Heart {
  /** Grows whenever anything is received. */
  heard(): number;
  /** True when there was a time since the last call in which we did not read from it: then silence says nothing. */
  deaf(): boolean;
  /** True while a ping waits for an answer. */
  probing(): boolean;
  send(event: { type: 'heartbeat.due' | 'heartbeat.missed' | 'peer.heard' }): void;
}

/** Watches a heart until the returned entry is cancelled. */
export function watchHeart(heart: Heart, wheel: TimerWheel, options: HeartbeatOptions): WheelEntry {
  if (options.interval <= 0) return { cancel() {} };
  let entry: WheelEntry;
  let lastHeard = heart.heard();
  let cancelled = false;

  const again = (delay: number, call: () => void) => {
    if (!cancelled) entry = wheel.schedule(delay, call);
  };
  const beat = () => {
    const quiet = heart.heard() === lastHeard;
    const deaf = heart.deaf();
    lastHeard = heart.heard();
    if (deaf || (options.mode === 'if-idle' && !quiet)) {
      again(options.interval, beat);
      return;
    }
    heart.send({ type: 'heartbeat.due' });
    again(options.timeout, judge);
  };
  const judge = () => {
    // A peer that we did not read from meanwhile gets a new chance once we do (P9).
    const silent = heart.heard() === lastHeard && !heart.deaf();
    if (silent && heart.probing()) {
      heart.send({ type: 'heartbeat.missed' });
      return;
    }
    if (heart.probing()) heart.send({ type: 'peer.heard' });
    lastHeard = heart.heard();
    again(Math.max(0, options.interval - options.timeout), beat);
  };

  again(options.interval, beat);
  return {
    cancel() {
      cancelled = true;
      entry.cancel();
    },
  };
}

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

/** One side that is kept under watch: a connection or an upstream. */
export interface Beating {
  readonly port: {
    /** Grows whenever anything is received. */
    readonly bytesRead: number;
    /** True when silence since the last call says nothing: we did not read, or the peer was busy reading from us. */
    takeExcuse(): boolean;
    /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
    probe(): void;
  };
  /** True while a ping waits for a sign of life. */
  readonly probing: boolean;
  send(event: { type: 'heartbeat.due' | 'heartbeat.missed' | 'peer.heard' }): void;
}

/** Watches one side until the returned entry is cancelled. */
export function watchHeart(side: Beating, wheel: TimerWheel, options: HeartbeatOptions): WheelEntry {
  if (options.interval <= 0) return { cancel() {} };
  let entry: WheelEntry;
  let lastHeard = side.port.bytesRead;
  let cancelled = false;
  // A peer that was heard is due for its next ping after the interval, however long a silent one is waited for.
  const step = Math.min(options.interval, options.timeout);

  const again = (delay: number, call: () => void) => {
    if (!cancelled) entry = wheel.schedule(delay, call);
  };
  const beat = () => {
    const quiet = side.port.bytesRead === lastHeard;
    const excused = side.port.takeExcuse();
    lastHeard = side.port.bytesRead;
    if (excused) side.port.probe();
    if (excused || (options.mode === 'if-idle' && !quiet)) {
      again(options.interval, beat);
      return;
    }
    side.send({ type: 'heartbeat.due' });
    again(step, () => judge(options.timeout - step));
  };
  const judge = (left: number) => {
    // A peer that we did not read from meanwhile, or that was busy reading, gets a new chance once we do (P9).
    const silent = side.port.bytesRead === lastHeard && !side.port.takeExcuse();
    if (silent && side.probing) {
      if (left > 0) again(Math.min(step, left), () => judge(left - step));
      else side.send({ type: 'heartbeat.missed' });
      return;
    }
    if (side.probing) side.send({ type: 'peer.heard' });
    lastHeard = side.port.bytesRead;
    again(options.interval - step, beat);
  };

  again(options.interval, beat);
  return {
    cancel() {
      cancelled = true;
      entry.cancel();
    },
  };
}

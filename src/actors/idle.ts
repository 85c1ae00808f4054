/** Owns when a connection counts as idle. Refuses to decide what follows; the chart and its receiver do. */
import type { TimerWheel, WheelEntry } from './timer-wheel.js';

/** How finely an idle connection is told from a busy one: a fraction of the idle timeout. */
const LOOKS = 8;

/**
 * Calls `expire` whenever `activity` has not changed for `timeout` milliseconds (up to an eighth more), until the
 * returned entry is cancelled.
 */
export function watchIdle(activity: () => number, expire: () => void, wheel: TimerWheel, timeout: number): WheelEntry {
  let seen = activity();
  let quietLooks = 0;
  let cancelled = false;
  let entry: WheelEntry;
  const look = () => {
    const now = activity();
    quietLooks = now === seen ? quietLooks + 1 : 0;
    seen = now;
    if (quietLooks >= LOOKS) {
      quietLooks = 0;
      expire();
    }
    if (!cancelled) entry = wheel.schedule(timeout / LOOKS, look);
  };
  entry = wheel.schedule(timeout / LOOKS, look);
  return {
    cancel() {
      cancelled = true;
      entry.cancel();
    },
  };
}

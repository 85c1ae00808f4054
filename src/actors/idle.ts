/** Owns when a connection counts as idle. Refuses to decide what follows; the chart and its receiver do. */
import type { DatedEntry, TimerWheel } from './timer-wheel.js';

/** How finely an idle connection is told from a busy one: a fraction of the idle timeout. */
const LOOKS = 8;

/**
 * Calls `expire` whenever `activity` has not changed for `timeout` milliseconds (up to an eighth more), until the
 * returned entry is cancelled. It is due when that is, if nothing changes until then.
 */
export function watchIdle(activity: () => number, expire: () => void, wheel: TimerWheel, timeout: number): DatedEntry {
  let seen = activity();
  let quietLooks = 0;
  let cancelled = false;
  let entry: DatedEntry;
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
    get due() {
      const looksMore = activity() === seen ? LOOKS - 1 - quietLooks : LOOKS;
      return entry.due + looksMore * (timeout / LOOKS);
    },
    cancel() {
      cancelled = true;
      entry.cancel();
    },
  };
}

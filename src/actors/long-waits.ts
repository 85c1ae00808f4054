/** Owns what some connections wait for until they end. Refuses to keep time. */
import type { DatedEntry, WheelEntry } from './timer-wheel.js';

/** The waits that only some connections have. Kept by each of them, and not in a table of all: see {@link Chain}. */
export interface LongWaits {
  idle?: DatedEntry;
  lifetime?: DatedEntry;
  credentials?: WheelEntry | undefined;
}

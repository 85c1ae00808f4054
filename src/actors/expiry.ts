/**
 * Owns when the credentials of an open connection are about to expire, and when they have. Refuses to end it, and to renew them.
 */
import type { TimerWheel, WheelEntry } from './timer-wheel.js';

/** Whose credentials are watched. */
export interface Expiring {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** How long before the end to tell, in milliseconds; 0 does not. */
  readonly warning: number;
  /** They end soon. Called at most once. */
  warn(): void;
  /** They have ended. */
  expire(): void;
}

/** Watches until the returned entry is cancelled. */
export function watchExpiry(watched: Expiring, wheel: TimerWheel): WheelEntry {
  const { expiresAt, warning } = watched;
  let entry: WheelEntry;
  // By the clock on the wall, which may be set meanwhile: looked at again rather than believed.
  const look = (due: number, then: () => void): void => {
    entry = wheel.schedule(Math.max(0, due - Date.now()), () => {
      if (Date.now() < due) look(due, then);
      else then();
    });
  };
  const end = () => look(expiresAt, () => watched.expire());
  const early = expiresAt - warning;
  if (warning <= 0) end();
  else {
    look(Math.max(early, Math.min(Date.now(), expiresAt)), () => {
      end();
      watched.warn();
    });
  }
  return { cancel: () => entry.cancel() };
}

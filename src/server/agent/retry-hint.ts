/** Owns reading when a balancer that closes a channel wants the backend back. Refuses to wait. */

/** What nobody is made to wait longer than, in milliseconds. */
const MOST = 60_000;

/** The time in the reason of a Close frame such as `{"retryAfterMs":1742}`, in milliseconds; undefined where there is none. */
export function retryHint(reason: string): number | undefined {
  try {
    const { retryAfterMs } = Object(JSON.parse(reason)) as { retryAfterMs?: unknown };
    return typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? Math.min(MOST, Math.round(retryAfterMs)) : undefined;
  } catch {
    return undefined;
  }
}

/** Owns how a client is told when to come back: the reason of a Close frame 1012, for machines. */

/**
 * Such as `{"retryAfterMs":1742}`: another time for each, so that not all clients come at once.
 *
 * @param least milliseconds, at least.
 * @param most milliseconds, at most.
 */
export function retryReason(least = 500, most = 2500): string {
  return JSON.stringify({ retryAfterMs: Math.floor(least + Math.random() * Math.max(0, most - least)) });
}

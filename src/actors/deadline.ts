/** Owns the one rule about deadlines that are switched off. */

// The longest delay a Node.js timer takes; a longer one, Infinity too, would fire at once.
const LONGEST = 2 ** 31 - 1;

/** A delay for a chart from an option where 0 means none. */
export function deadline(milliseconds: number): number {
  return milliseconds > 0 ? Math.min(milliseconds, LONGEST) : LONGEST;
}

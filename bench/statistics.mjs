/** Owns the few sums that the benchmark is made of. */

/** @param {readonly number[]} numbers */
export function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/**
 * The ratio of two series that were measured side by side: the median of the ratios within each round, so that a round
 * on a busy machine counts like any other.
 *
 * @param {readonly number[]} ones
 * @param {readonly number[]} others
 */
export function ratioOf(ones, others) {
  return median(ones.slice(0, others.length).map((one, round) => one / others[round]));
}

/** A number with the digits that mean something: 1.55M, 109.4k, 512, 18.2. */
export function short(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(2)}k`;
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

/** 16 B, 1 KiB, 256 KiB. */
export function sizeName(bytes) {
  return bytes >= 1024 && bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

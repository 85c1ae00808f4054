/** Owns the random numbers of fuzzing and soaking: the same from the same seed, everywhere. Refuses to be unpredictable. */

/** A small generator of 32-bit numbers (mulberry32), with the draws that are needed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `bound - 1`; 0 when the bound is 0. */
  below(bound: number): number {
    return bound <= 1 ? 0 : this.next() % bound;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `times`. */
  onceIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

/** Hashes bytes to 32 bits (FNV-1a): draws that depend on nothing but an input. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Cuts an input into pieces at places that depend on nothing but its bytes, so that a corpus file says it all. */
export function piecesOf(input: Buffer, most: number, salt = 0): Buffer[] {
  const random = new Random(hashOf(input) ^ salt);
  const cuts = Array.from({ length: random.below(most) }, () => random.below(input.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...cuts, input.length];
  return edges.slice(1).map((end, index) => input.subarray(edges[index], end));
}

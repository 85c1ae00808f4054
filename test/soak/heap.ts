/** Owns the memory of a soak: measured after a collection, and judged by its trend, since one sample says nothing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Samples before this many are no trend. */
const FEWEST = 9;

/** Bytes and share that the memory may grow from the first third of the samples to the last. */
const TOLERATED_BYTES = 4 * 2 ** 20;
const TOLERATED_SHARE = 0.15;

function collector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc;
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** The memory at the checkpoints of a soak. */
export class HeapTrend {
  readonly samples: number[] = [];
  readonly #collect = collector();

  /** Takes a sample: what is on the heap and what is held outside of it for buffers. */
  sample(): number {
    this.#collect();
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    this.samples.push(heapUsed + external);
    return heapUsed + external;
  }

  /** What is wrong with the trend. */
  fault(): string | undefined {
    // The first ones are of a process that still compiles and fills its caches.
    const samples = this.samples.slice(2);
    if (samples.length < FEWEST) return undefined;
    const third = Math.floor(samples.length / 3);
    const [before, after] = [median(samples.slice(0, third)), median(samples.slice(-third))];
    const tolerated = before + Math.max(TOLERATED_BYTES, before * TOLERATED_SHARE);
    if (after <= tolerated) return undefined;
    return `memory grew from ${mebibytes(before)} to ${mebibytes(after)} over ${samples.length} checkpoints`;
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Writes bytes the way people read them. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/**
 * Owns the end of a run that does not end by itself, also of one that is stuck in a loop: a thread of its own looks at the
 * clock, saves what was at work, and ends the process. Refuses to judge anything else.
 */
import { Worker } from 'node:worker_threads';

/** What a watchdog does, and when. */
export interface WatchdogOptions {
  /** Milliseconds without a step after which the process is ended. */
  readonly within: number;
  /** Said on standard error then. */
  readonly words: string;
  /** Where the input at work is saved then. */
  readonly file?: string;
}

/** The longest input that is kept for saving. */
const MOST_BYTES = 8192;

const PROGRAM = `
  const { workerData: { counters, bytes, within, words, file } } = require('node:worker_threads');
  const { writeFileSync, writeSync } = require('node:fs');
  let last = -1;
  let since = Date.now();
  setInterval(() => {
    const now = Atomics.load(counters, 0);
    if (now !== last) { last = now; since = Date.now(); return; }
    if (Date.now() - since < within) return;
    if (file !== undefined) writeFileSync(file, bytes.slice(0, Atomics.load(counters, 1)));
    writeSync(2, words + (file === undefined ? '' : ': ' + file) + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }, Math.min(500, within));
`;

/** Ends the process unless it is told of steps. */
export class Watchdog {
  readonly #counters = new Int32Array(new SharedArrayBuffer(8));
  readonly #bytes = new Uint8Array(new SharedArrayBuffer(MOST_BYTES));
  readonly #worker: Worker;

  constructor(options: WatchdogOptions) {
    const workerData = { ...options, counters: this.#counters, bytes: this.#bytes };
    this.#worker = new Worker(PROGRAM, { eval: true, workerData });
    this.#worker.unref();
  }

  /** Tells of a step, with the input that is at work now. */
  step(input?: Uint8Array): void {
    if (input !== undefined) {
      const kept = input.subarray(0, MOST_BYTES);
      this.#bytes.set(kept);
      Atomics.store(this.#counters, 1, kept.length);
    }
    Atomics.add(this.#counters, 0, 1);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

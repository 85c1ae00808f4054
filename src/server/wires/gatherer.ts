/**
 * Owns the writes that wait to leave together: small ones are copied, and the last one stays where it lies for as long as the next
 * goes on where it ends. Refuses to write.
 */
import { Buffer } from 'node:buffer';

/** Writes up to this size are copied together: one write of one buffer costs less than one of many. */
export const GATHER_BYTES = 8 * 1024;
/** And this many bytes of them at a time. */
const GATHERED_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** Those that nobody uses at the moment. There are as many as wires were corked at the same time: one or two. */
const spare: Gatherer[] = [];

/** Writes that wait for the next system call. */
export class Gatherer {
  /** What was copied. */
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(GATHERED_BYTES);
  length = 0;
  /** Behind it, `run[runStart, runEnd)`. */
  run: Buffer = NOTHING;
  runStart = 0;
  runEnd = 0;

  /** One that is empty. */
  static get(): Gatherer {
    return spare.pop() ?? new Gatherer();
  }

  /** How many bytes wait. */
  get size(): number {
    return this.length + this.runEnd - this.runStart;
  }

  /** Takes `bytes[start, end)`, which stay as they are meanwhile. False when what is there has to leave before. */
  add(bytes: Buffer, start: number, end: number): boolean {
    // Messages that pass unchanged lie side by side in what was read.
    if (bytes === this.run && start === this.runEnd) {
      this.runEnd = end;
      return true;
    }
    if (!this.copyRun()) return false;
    this.run = bytes;
    this.runStart = start;
    this.runEnd = end;
    return true;
  }

  /** Copies the run behind what was copied; false when it is too large for that. */
  copyRun(): boolean {
    const count = this.runEnd - this.runStart;
    if (count > GATHER_BYTES || this.length + count > GATHERED_BYTES) return false;
    this.run.copy(this.bytes, this.length, this.runStart, this.runEnd);
    this.length += count;
    this.#endRun();
    return true;
  }

  /** What was in it is written or copied. */
  giveBack(): void {
    this.length = 0;
    this.#endRun();
    spare.push(this);
  }

  #endRun(): void {
    this.run = NOTHING;
    this.runStart = 0;
    this.runEnd = 0;
  }
}

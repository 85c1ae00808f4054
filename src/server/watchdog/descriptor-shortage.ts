/**
 * Owns noticing a process that is out of file descriptors and spins over a connection that it cannot accept. Refuses to do
 * anything about it.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { performance } from 'node:perf_hooks';

/** The share of its time above which an event loop does not rest at all. */
const BUSY = 0.98;

/**
 * libuv keeps a descriptor in reserve, with which it takes and closes what it has no room for. Without one (another thread took
 * it, or the limit sank below it) a connection that waits wakes the loop again and again, with no error and no event:
 * then listening is of no use, and costs a whole core. Measured with libuv 1.46.
 */
export class DescriptorShortage {
  #before = performance.eventLoopUtilization();

  /** What is wrong since it was asked last; undefined for nothing. Costs a system call only where the loop never rests. */
  find(): string | undefined {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#before);
    this.#before = now;
    if (utilization < BUSY) return undefined;
    try {
      closeSync(openSync(devNull, 'r'));
      return undefined;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      return code === 'EMFILE' || code === 'ENFILE' ? `the process has no file descriptor left (${code})` : undefined;
    }
  }
}

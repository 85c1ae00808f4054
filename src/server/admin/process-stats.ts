/** Owns the numbers of the process that servers run in, for whoever looks every second. Refuses to keep any. */
import { memoryUsage, pid, uptime, version } from 'node:process';
import { type DelaySnapshot, eventLoopDelay } from '../observation/event-loop-delay.js';
import { packageVersion } from '../package-version.js';

/** The process in numbers. */
export interface ProcessStats {
  readonly pid: number;
  /** Of Tidegate. */
  readonly version: string;
  /** The version of Node.js, such as `v22.1.0`. */
  readonly node: string;
  readonly uptimeMs: number;
  /** Bytes that the process has in memory. */
  readonly rss: number;
  /** Bytes. */
  readonly heapUsed: number;
  readonly eventLoopDelay: DelaySnapshot;
}

/** Reads the numbers of this process; the first time after a while, that takes a moment. */
export async function readProcess(): Promise<ProcessStats> {
  const delay = await eventLoopDelay.read();
  const { rss, heapUsed } = memoryUsage();
  return {
    pid,
    version: packageVersion(),
    node: version,
    uptimeMs: Math.round(uptime() * 1000),
    rss,
    heapUsed,
    eventLoopDelay: delay,
  };
}

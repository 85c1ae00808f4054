/**
 * Owns what a process holds from the operating system, counted from outside: descriptors, active handles, memory.
 * Refuses to know whose they are: a test compares before and after, in a process where nothing else runs.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventually } from './events.js';

/** Open descriptors of this process. */
export interface DescriptorCount {
  readonly total: number;
  readonly sockets: number;
}

/** Counts the entries of /proc/self/fd; undefined where there is no such directory, and the caller skips. */
export function openDescriptors(): DescriptorCount | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fd');
  } catch {
    return undefined;
  }
  let total = 0;
  let sockets = 0;
  for (const name of names) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) sockets += 1;
      total += 1;
    } catch {
      // The descriptor of the listing itself, or one that has just been closed.
    }
  }
  return { total, sockets };
}

/** Counts what keeps the event loop alive, by kind, such as `{ TCPSocketWrap: 2, Timeout: 1 }`. */
function activeHandles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** What a process held at one moment. */
export interface Holdings {
  readonly descriptors: DescriptorCount | undefined;
  readonly handles: Readonly<Record<string, number>>;
}

/** Takes down what the process holds now, for {@link expectQuiet}. */
export function holdings(): Holdings {
  return { descriptors: openDescriptors(), handles: activeHandles() };
}

// They come and go with the asynchronous step at hand (also that of the check itself), and hold nothing.
const PASSING = new Set(['Immediate', 'TickObject', 'FSReqPromise', 'FSReqCallback', 'MicrotaskQueue']);

/**
 * Resolves when the process holds no more than before: descriptors, sockets and each kind of handle. An end takes some
 * turns of the event loop to be complete, so it is looked at again until it is. Work that opens something once for the
 * whole process (a name lookup, a lazy import) belongs before `holdings`.
 *
 * @throws Error that lists what is left.
 */
export async function expectQuiet(before: Holdings, options: { readonly within?: number } = {}): Promise<void> {
  let left: string[] = [];
  await eventually(
    () => {
      left = surplus(before, holdings());
      return left.length === 0;
    },
    'everything that was opened is closed',
    { within: options.within, instead: () => left.join(', ') },
  );
}

function surplus(before: Holdings, now: Holdings): string[] {
  const left: string[] = [];
  const compare = (what: string, count: number, was: number): void => {
    if (count > was) left.push(`${count - was} more ${what} (${was} before)`);
  };
  for (const [kind, count] of Object.entries(now.handles)) {
    // The check waits with a timer of its own, but counts while none is running.
    if (!PASSING.has(kind)) compare(kind, count, before.handles[kind] ?? 0);
  }
  if (now.descriptors !== undefined && before.descriptors !== undefined) {
    compare('descriptors', now.descriptors.total, before.descriptors.total);
    compare('sockets', now.descriptors.sockets, before.descriptors.sockets);
  }
  return left;
}

/** The resident memory of this process in MiB, after a collection where `--expose-gc` allows one. */
export function residentMegabytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}

/** What this process holds in MiB, where `--expose-gc` allows a collection. Not what V8 has set aside for what comes next. */
export async function heldMegabytes(): Promise<number> {
  globalThis.gc?.();
  // What a collection frees outside of the heap is accounted for in the turn after it.
  await nextTurn();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

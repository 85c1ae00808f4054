/** Owns what a process and all that come from it have used, as the kernel counts it. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts the time of processes that ended in ticks of a hundredth of a second, on every Linux there is. */
const TICK = 0.01;
const PAGE_KIB = 4;

/** The process and all its descendants that are alive. */
export function descendants(root) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = fieldsOf(name)?.parent;
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/**
 * CPU-seconds of all threads, and of the children that were waited for. Exact while the processes sleep: the kernel adds
 * up nanoseconds when a thread leaves its core.
 */
export function cpuOf(root) {
  return descendants(root).reduce((sum, pid) => sum + threadSeconds(pid) + (fieldsOf(pid)?.reaped ?? 0), 0);
}

/** Resident memory in bytes. Pages that processes share count for each of them. */
export function memoryOf(root) {
  const pages = descendants(root).reduce((sum, pid) => sum + Number(read(`/proc/${pid}/statm`)?.split(' ')[1] ?? 0), 0);
  return pages * PAGE_KIB * 1024;
}

/** How long some cores were busy so far, with whatever it was. */
export function busySeconds(cores) {
  const lines = read('/proc/stat')?.split('\n') ?? [];
  return [...new Set(cores)].reduce((sum, core) => {
    const [, ...fields] = lines.find((line) => line.startsWith(`cpu${core} `))?.split(' ') ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
    return sum + (user + nice + system + irq + softirq + steal) * TICK;
  }, 0);
}

function threadSeconds(pid) {
  let sum = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0) / 1e9;
    }
  } catch {
    // It ended meanwhile; its parent has its time.
  }
  return sum > 0 ? sum : (fieldsOf(pid)?.own ?? 0);
}

function fieldsOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name in front is in brackets and may itself hold blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system, reapedUser, reapedSystem] = fields.slice(11, 15).map(Number);
  return { parent: Number(fields[1]), own: (user + system) * TICK, reaped: (reapedUser + reapedSystem) * TICK };
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

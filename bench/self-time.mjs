/** Owns reading a CPU profile: where the time itself was spent, callees not counted, by function and by module. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * The functions and the modules with the most time of their own, as percentages of the time that was not idle.
 *
 * @param {string} file
 * @param {number} count
 */
export function selfTimes(file, count) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const functions = new Map();
  const modules = new Map();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const { functionName, url, lineNumber } = frames.get(id);
    if (functionName === '(idle)') continue;
    const name = functionName === '' ? '(anonymous)' : functionName;
    const place = url === '' ? '' : `${url.startsWith('node:') ? url : basename(url)}:${lineNumber + 1}`;
    const time = timeDeltas[index];
    add(functions, `${name.padEnd(28)} ${place}`, time);
    add(modules, moduleOf(url, name), time);
    busy += time;
  }
  return { functions: largest(functions, busy, count), modules: largest(modules, busy, 12) };
}

/** The package, the module of Node.js, or the folder of Tidegate. */
function moduleOf(url, name) {
  if (url === '') return name.startsWith('(') ? name : '(native)';
  const [, dependency] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (dependency !== undefined) return dependency;
  return /\/dist\/(.*)\/[^/]*$/.exec(url)?.[1] ?? url;
}

function add(times, key, time) {
  times.set(key, (times.get(key) ?? 0) + time);
}

function largest(times, busy, count) {
  const sorted = [...times].sort(([, one], [, other]) => other - one).slice(0, count);
  return sorted.map(([name, time]) => ({ name, share: (100 * time) / busy }));
}

/**
 * Owns the metrics of the process, as prom-client brings them: CPU, memory, garbage collection, event loop, descriptors. One set for the
 * whole process, since what measures the event loop cannot be stopped again. Refuses to begin before somebody asks.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { measureOpenFiles } from './open-files.js';

/** They list every socket of the process to count them, and have names that are those of counters. */
const LEFT_OUT = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

let registry: Registry | undefined;

/** The metrics of the process; the first call begins to watch the event loop and the garbage collector. */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
    measureOpenFiles(registry);
    for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  }
  return registry;
}

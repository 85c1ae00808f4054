/** Owns counting connections and upstreams by where their charts are. Refuses to keep a count: it walks over them when asked. */
import type { StateValue } from 'xstate';
import type { SupervisorActor } from '../../actors/supervisor-actor.js';
import { Rationed } from './rationed.js';

/** By state id as in the drawn charts, such as `connection.open.outbound.throttled`; every state above counts, too. */
export type StateCounts = Readonly<Record<string, number>>;

const counters = new WeakMap<SupervisorActor, Rationed<StateCounts>>();

/** Counts the states of every connection and upstream of a server; of thousands, not each time (see {@link Rationed}). */
export function countStates(supervisor: SupervisorActor): StateCounts {
  let counter = counters.get(supervisor);
  if (counter === undefined) {
    counter = new Rationed(() => countNow(supervisor));
    counters.set(supervisor, counter);
  }
  return counter.get();
}

function countNow({ registry, upstreams }: SupervisorActor): StateCounts {
  const counts: Record<string, number> = {};
  addAll(counts, 'connection', registry.all());
  addAll(counts, 'upstream', upstreams);
  return counts;
}

/** The ids of all states that are active in a value, those above first: `connection`, `connection.open`, … */
export function stateIds(chart: string, value: StateValue): string[] {
  const ids = [chart];
  if (typeof value === 'string') return [...ids, `${chart}.${value}`];
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== undefined) ids.push(...stateIds(`${chart}.${name}`, inner));
  }
  return ids;
}

// Actors in the same configuration share the value: it is taken apart once. Most are where the one before them is.
function addAll(
  counts: Record<string, number>,
  chart: string,
  actors: Iterable<{ readonly chartValue: StateValue }>,
): void {
  const byValue = new Map<StateValue, number>();
  let last: StateValue | undefined;
  let run = 0;
  const note = () => last !== undefined && byValue.set(last, (byValue.get(last) ?? 0) + run);
  for (const { chartValue } of actors) {
    if (chartValue !== last) {
      note();
      last = chartValue;
      run = 0;
    }
    run += 1;
  }
  note();
  for (const [value, count] of byValue) {
    for (const id of stateIds(chart, value)) counts[id] = (counts[id] ?? 0) + count;
  }
}

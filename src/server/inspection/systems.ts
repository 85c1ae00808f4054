/** Owns looking at the actors of a running server: what happens to them, and which there are. Refuses to look while nobody asks. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { ObservedParts } from '../observation/onlooker.js';
import type { Watch } from './watch.js';

/** From now on everything that happens to the actors of a server is told. Answers with what ends it. */
export function lookAt({ supervisor, pool }: ObservedParts, tell: (event: InspectionEvent) => void): () => void {
  const roots: AnyActorRef[] = pool === undefined ? [supervisor.ref] : [supervisor.ref, pool.ref];
  const subscriptions = roots.map((root) => root.system.inspect({ next: tell }));
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}

/** Shows a watcher what is there now; of more than it takes the newest. */
export function showAll({ supervisor, pool }: ObservedParts, watch: Watch): void {
  if (watch.connection !== undefined) {
    const connection = supervisor.registry.get(watch.connection);
    if (connection !== undefined) watch.found(connection.chart.self);
    for (const upstream of supervisor.upstreams) {
      if (upstream.connection.id === watch.connection) watch.found(upstream.chart.self);
    }
    return;
  }
  if (supervisor.ref.getSnapshot().status === 'active') watch.found(supervisor.ref);
  if (pool !== undefined) watch.found(pool.ref);
  const backends = newest(pool?.all() ?? [], watch.maxActors / 2);
  for (const backend of backends) watch.found(backend.chart.self);
  // Those that have an upstream or had one are two.
  const pairs = (watch.maxActors - backends.length) / 2 - 1;
  for (const connection of newest([...supervisor.registry.all()], pairs)) watch.found(connection.chart.self);
  for (const upstream of newest([...supervisor.upstreams], pairs)) watch.found(upstream.chart.self);
}

/** How many actors there are that a watcher could be shown. */
export function countActors({ supervisor, pool }: ObservedParts, watch: Watch): number {
  if (watch.connection !== undefined) return watch.shownCount;
  let count = 0;
  if (watch.wants('supervisor')) count += 1;
  if (watch.wants('pool') && pool !== undefined) count += 1;
  if (watch.wants('backend')) count += pool?.size ?? 0;
  if (watch.wants('connection')) count += supervisor.registry.size;
  if (watch.wants('upstream')) count += supervisor.upstreams.size;
  return count;
}

function newest<Actor>(actors: readonly Actor[], most: number): readonly Actor[] {
  return actors.slice(-Math.max(1, Math.floor(most)));
}

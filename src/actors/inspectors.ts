/**
 * Owns knowing whether anybody inspects a system of XState. XState tells only itself, and an inspection event of ours holds a snapshot that
 * takes as long to make as the rest of a step. Refuses to inspect.
 */
import type { AnyActorRef } from 'xstate';

const INSPECTORS = Symbol('inspectors');

type Counted = object & { [INSPECTORS]?: number };

/** From now on the inspectors of the system of this root are counted. To be called before there is one. */
export function countingInspectors<Root extends Pick<AnyActorRef, 'system'>>(root: Root): Root {
  const system = root.system as AnyActorRef['system'] & Counted;
  const inspect = system.inspect.bind(system);
  system[INSPECTORS] = 0;
  system.inspect = (observer) => {
    const subscription = inspect(observer);
    system[INSPECTORS] = (system[INSPECTORS] ?? 0) + 1;
    let isOver = false;
    return {
      unsubscribe: () => {
        if (isOver) return;
        isOver = true;
        system[INSPECTORS] = (system[INSPECTORS] ?? 1) - 1;
        subscription.unsubscribe();
      },
    };
  };
  return root;
}

/** Whether somebody inspects a system, or may: of one whose inspectors are not counted nobody knows. */
export function isInspected(system: object): boolean {
  return (system as Counted)[INSPECTORS] !== 0;
}

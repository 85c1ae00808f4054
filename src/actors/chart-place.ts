/** Owns where an actor is in a chart that runs from a table, and the snapshot that shows it. */
import type { AnyMachineSnapshot } from 'xstate';

/** Where an actor is in its chart: its snapshot but for the context, which all actors in a configuration share, and the context. */
export interface Place {
  readonly template: AnyMachineSnapshot;
  readonly context: unknown;
}

/** The snapshot of an actor at a place. Every property by name: a spread of so many is slow, and makes an object of twice the size. */
export function snapshotAt({ template, context }: Place): AnyMachineSnapshot {
  const { status, output, error, machine, _nodes, value, tags, children, historyValue } = template;
  const { matches, hasTag, can, getMeta, toJSON } = template;
  return {
    status,
    output,
    error,
    machine,
    context,
    _nodes,
    value,
    tags,
    children,
    historyValue,
    matches,
    hasTag,
    can,
    getMeta,
    toJSON,
  } as AnyMachineSnapshot;
}

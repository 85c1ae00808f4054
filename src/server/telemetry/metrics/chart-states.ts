/** Owns which states of a chart there are to count connections in. Refuses to count. */
import type { AnyStateMachine } from 'xstate';

type Node = AnyStateMachine['root'];

/** A state of its own: an actor is in exactly one of them. */
export interface ExclusiveState {
  /** As in the drawn chart, without the name of the chart: `handshaking.deciding`. */
  readonly name: string;
  readonly id: string;
}

/** A state of a region of `open`: an actor that is open is in exactly one of each region. */
export interface RegionState {
  readonly region: string;
  readonly state: string;
  readonly id: string;
}

/** The states that exclude each other: those without regions or states of their own. Those in which an actor ends are left out. */
export function exclusiveStates(machine: AnyStateMachine): ExclusiveState[] {
  const chart = machine.id;
  return leaves(machine.root).map((id) => ({ name: id.slice(chart.length + 1), id }));
}

/** The states of the regions of `open`. */
export function regionStates(machine: AnyStateMachine): RegionState[] {
  const { open } = machine.root.states as Record<string, Node>;
  return Object.values((open?.states ?? {}) as Record<string, Node>).flatMap((region) =>
    Object.values(region.states as Record<string, Node>).map(({ key, id }) => ({ region: region.key, state: key, id })),
  );
}

function leaves(node: Node): string[] {
  if (node.type === 'final') return [];
  if (node.type === 'atomic' || node.type === 'parallel') return [node.id];
  return Object.values(node.states as Record<string, Node>).flatMap(leaves);
}

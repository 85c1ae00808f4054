/**
 * Owns the search for dead parts of a chart, and for waits without a deadline. Refuses to judge what a part does.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { getStateNodes } from 'xstate/graph';
import { type Chart, edges, Replay, shortestWays } from './walk.js';

type AnyStateNode = AnyStateMachine['root'];

function transitionsOf(node: AnyStateNode) {
  return [...node.transitions.values(), node.always ?? []].flat();
}

function namesOf(actions: readonly unknown[]): string[] {
  return actions.map((action) => (typeof action === 'string' ? action : String((action as { type: unknown }).type)));
}

/**
 * Takes every edge once and lists what never came about: states, transitions, named actions, delays, and guards that
 * never held or never failed. Empty for a chart without dead parts, and for a list of events without gaps.
 */
export function neverExercised(chart: Chart): string[] {
  const guardOutcomes = new Set<string>();
  const guards = Object.fromEntries(
    Object.entries(chart.machine.implementations.guards ?? {}).map(([name, guard]) => [
      name,
      (...args: unknown[]) => {
        const outcome: boolean = (guard as (...args: unknown[]) => boolean)(...args);
        guardOutcomes.add(`${name} ${outcome ? 'holds' : 'fails'}`);
        return outcome;
      },
    ]),
  );
  const watched: Chart = { ...chart, machine: chart.machine.provide({ guards }) };
  const { taken, entered, exited } = takeEveryEdge(watched);

  const nodes = [watched.machine.root, ...getStateNodes(watched.machine.root)];
  const used = new Set<string>();
  for (const node of nodes) {
    if (entered.has(node.id)) for (const name of namesOf(node.entry)) used.add(name);
    if (exited.has(node.id)) for (const name of namesOf(node.exit)) used.add(name);
    for (const transition of transitionsOf(node)) {
      if (!taken.has(transition)) continue;
      for (const name of namesOf(transition.actions)) used.add(name);
      const delay = /^xstate\.after\.([^.]+)\./.exec(transition.eventType)?.[1];
      if (delay !== undefined) used.add(delay);
    }
  }
  const { actions, delays } = watched.machine.implementations;
  return [
    ...nodes.filter((node) => !entered.has(node.id)).map((node) => `state ${node.id}`),
    ...nodes.flatMap((node) =>
      transitionsOf(node)
        .filter((transition) => !taken.has(transition))
        .map((transition) => `transition of ${node.id} on ${transition.eventType}`),
    ),
    ...Object.keys(actions ?? {})
      .filter((name) => !used.has(name))
      .map((name) => `action ${name}`),
    ...Object.keys(delays ?? {})
      .filter((name) => !used.has(name))
      .map((name) => `delay ${name}`),
    ...Object.keys(guards).flatMap((name) =>
      [`${name} holds`, `${name} fails`].filter((outcome) => !guardOutcomes.has(outcome)).map((one) => `guard ${one}`),
    ),
  ];
}

function takeEveryEdge(chart: Chart) {
  const taken = new Set<unknown>();
  const entered = new Set<string>();
  const exited = new Set<string>();
  const ways = shortestWays(chart);
  for (const { from, event } of edges(chart)) {
    let current: string[] = [];
    const replay = new Replay(chart, (inspected) => {
      // Microsteps, because a state such as `settled` is left before any snapshot shows it.
      if (inspected.type !== '@xstate.microstep') return;
      for (const transition of inspected._transitions) taken.add(transition);
      const next = (inspected.snapshot as AnyMachineSnapshot)._nodes.map((node) => node.id);
      for (const id of next) entered.add(id);
      for (const id of current) if (!next.includes(id)) exited.add(id);
      current = next;
    });
    // The first states are entered without a microstep that could be watched.
    current = replay.states;
    for (const id of current) entered.add(id);
    for (const one of [...(ways.get(from) ?? []), event]) replay.happen(one);
  }
  return { taken, entered, exited };
}

/** Every state that is not final, with the name of the deadline that bounds the wait in it, or the reason why none does. */
export function waits(chart: Chart, unbounded: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const node of getStateNodes(chart.machine.root)) {
    if (node.type === 'final') continue;
    const deadline = [node, node.parent]
      .flatMap((one) => (one === undefined ? [] : one.after))
      .map((after) => /^xstate\.after\.([^.]+)\./.exec(after.eventType)?.[1])[0];
    const name = node.id.slice(chart.machine.id.length + 1);
    found[name] = deadline ?? unbounded[name] ?? 'WAITS WITHOUT A DEADLINE';
  }
  return found;
}

/**
 * Owns walking a chart: every configuration, edge and simple path of it, found by pure transitions and replayed on a
 * live actor under a simulated clock. Refuses to know any particular chart or what it promises.
 */
import {
  type Actor,
  type AnyActorLogic,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type InspectionEvent,
  SimulatedClock,
  type StateValue,
} from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap, getShortestPaths, getSimplePaths } from 'xstate/graph';
import type { Ending } from '../../src/actors/ending.js';
import { eventInWords as typeInWords } from '../../src/testing/connection-paths.js';
import { type Call, type CallRecorder, callInWords } from '../support/fake-effects.js';

/** A chart with everything that can happen to it. */
export interface Chart {
  readonly machine: AnyStateMachine;
  /** A fresh recording port. */
  readonly newPort: () => CallRecorder;
  /** Every event that may come from outside; what the chart raises itself comes about on its own. */
  readonly events: readonly AnyEventObject[];
  /** The event of every `after`, with the milliseconds the port of this chart gives for it. */
  readonly deadlines: Readonly<Record<string, number>>;
  /** The states whose ending counts as part of the configuration. */
  readonly endings?: readonly string[];
  /** What else of the context does, in words; nothing for a state that needs no more words. */
  readonly details?: (state: string, context: unknown) => string;
}

/** One transition between configurations, in words. */
export interface Edge {
  readonly from: string;
  readonly event: AnyEventObject;
  readonly to: string;
}

/** One step of a live actor. */
export interface Step {
  /** The event in words; `start` for the first step. */
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly calls: readonly Call[];
}

/** A life of an actor. */
export interface Trace {
  readonly steps: readonly Step[];
  /** Every call of every step, in order. */
  readonly calls: readonly Call[];
  /** The configuration at the end. */
  readonly end: string;
}

/** Writes an event in words: `pressure.high`, `decision.accept(none)`, `after closeTimeout`. */
export function eventInWords(event: AnyEventObject): string {
  if ('cause' in event && 'fate' in event) return `${event.type}(${String(event.cause)} ${String(event.fate)})`;
  return 'dial' in event ? `${event.type}(${String(event.dial)})` : typeInWords(event);
}

/** Writes calls in words, `-` when there are none. */
export function callsInWords(calls: readonly Call[]): string {
  return calls.length === 0 ? '-' : calls.map(callInWords).join(', ');
}

/** Writes a trace in words, the way to read a failure. */
export function traceInWords(trace: Trace): string {
  return trace.steps.map((step) => `  ${step.event} -> ${step.to}: ${callsInWords(step.calls)}`).join('\n');
}

function leaves(value: StateValue): string {
  if (typeof value === 'string') return value;
  const entries = Object.entries(value);
  if (entries.length > 1) return entries.map(([, inner]) => leaves(inner ?? '')).join(' ');
  return entries.map(([key, inner]) => `${key}.${leaves(inner ?? '')}`).join('');
}

/** Names the configuration of a snapshot, such as `open(throttled reading alive)` or `closing 1002 PROTOCOL_ERROR`. */
export function configurationOf(chart: Chart, snapshot: AnyMachineSnapshot): string {
  const value: StateValue = snapshot.value;
  if (typeof value === 'string') {
    if (chart.details !== undefined) return value + chart.details(value, snapshot.context);
    if (!chart.endings?.includes(value)) return value;
    const { ending } = snapshot.context as { ending: Ending };
    return `${value} ${ending.code} ${ending.cause}`;
  }
  return Object.entries(value)
    .map(([key, inner]) => {
      const parallel = typeof inner === 'object' && Object.keys(inner).length > 1;
      return parallel ? `${key}(${leaves(inner)})` : `${key}.${leaves(inner ?? '')}`;
    })
    .join(' ');
}

function traversal(chart: Chart) {
  const afters = Object.keys(chart.deadlines).map((type) => ({ type }));
  return {
    input: { port: chart.newPort() },
    events: [...chart.events, ...afters],
    filterEvents: (snapshot: AnyMachineSnapshot, event: AnyEventObject) =>
      snapshot.status === 'active' && snapshot.can(event),
    serializeState: (snapshot: AnyMachineSnapshot) => configurationOf(chart, snapshot),
  };
}

/** Every configuration that can be reached. */
export function configurations(chart: Chart): string[] {
  return Object.keys(getAdjacencyMap(chart.machine, traversal(chart)));
}

/** Every edge between configurations. */
export function edges(chart: Chart): Edge[] {
  return adjacencyMapToArray(getAdjacencyMap(chart.machine, traversal(chart))).map(({ state, event, nextState }) => ({
    from: configurationOf(chart, state),
    event,
    to: configurationOf(chart, nextState),
  }));
}

interface GraphPath {
  readonly state: AnyMachineSnapshot;
  readonly steps: readonly { readonly event: AnyEventObject }[];
}

// The first step of a path is `xstate.init`, which is the start of the actor and no event to send.
function eventsOf(path: GraphPath): AnyEventObject[] {
  return path.steps.slice(1).map((step) => step.event);
}

/** For every configuration the events of a shortest way to it. */
export function shortestWays(chart: Chart): Map<string, AnyEventObject[]> {
  const paths: GraphPath[] = getShortestPaths(chart.machine, traversal(chart));
  return new Map(paths.map((path) => [configurationOf(chart, path.state), eventsOf(path)]));
}

/** The events of every path that visits no configuration twice. */
export function simpleWays(chart: Chart): AnyEventObject[][] {
  const paths: GraphPath[] = getSimplePaths(chart.machine, traversal(chart));
  return paths.map(eventsOf);
}

/** For every configuration the events that do not leave it: answers, notes, repetitions. */
export function loops(chart: Chart): Map<string, AnyEventObject[]> {
  const found = new Map<string, AnyEventObject[]>();
  for (const { from, event, to } of edges(chart)) {
    if (from === to) found.set(from, [...(found.get(from) ?? []), event]);
  }
  return found;
}

/** A live actor of a chart with a recording port. */
export class Replay {
  readonly port: CallRecorder;
  readonly steps: Step[] = [];
  private readonly chart: Chart;
  private readonly clock = new SimulatedClock();
  private readonly actor: Actor<AnyActorLogic>;

  /** @param logic what runs: the machine as XState interprets it, or its table. */
  constructor(chart: Chart, inspect?: (event: InspectionEvent) => void, logic: AnyActorLogic = chart.machine) {
    this.chart = chart;
    this.port = chart.newPort();
    this.actor = createActor(logic, { input: { port: this.port }, clock: this.clock, inspect });
    // With an `error` observer a throw in an action stays inside of `check`, and does not end the test process.
    this.actor.subscribe({ error: () => {} });
    this.actor.start();
    this.check();
    this.steps.push({ event: 'start', from: '', to: this.configuration, calls: [...this.port.calls] });
  }

  /** The configuration the actor is in. */
  get configuration(): string {
    return configurationOf(this.chart, this.actor.getSnapshot());
  }

  /** Whether the actor has not reached its end. */
  get active(): boolean {
    return this.actor.getSnapshot().status === 'active';
  }

  /** Lets an event happen: a deadline by the clock alone, everything else by sending it. */
  happen(event: AnyEventObject): Step {
    const from = this.configuration;
    const before = this.port.calls.length;
    const deadline = this.chart.deadlines[event.type];
    if (deadline === undefined) {
      this.actor.send(event);
    } else {
      this.clock.increment(deadline - 1);
      if (this.port.calls.length > before) throw new Error(`${eventInWords(event)} came a millisecond early`);
      this.clock.increment(1);
    }
    this.check();
    const step = { event: eventInWords(event), from, to: this.configuration, calls: this.port.calls.slice(before) };
    this.steps.push(step);
    return step;
  }

  /** The states the actor is in, by their ids. */
  get states(): string[] {
    return this.actor.getSnapshot()._nodes.map((node: { id: string }) => node.id);
  }

  private check(): void {
    const { status, error } = this.actor.getSnapshot();
    if (status === 'error') throw error;
  }

  /** What happened so far. */
  get trace(): Trace {
    return { steps: this.steps, calls: this.port.calls, end: this.configuration };
  }
}

/**
 * Replays every simple path on a live actor, and once more with every loop of every configuration taken on the way: a
 * simple path alone never takes an edge that comes back to where it began.
 */
export function replayEveryPath(chart: Chart, logic?: AnyActorLogic): Trace[] {
  const around = loops(chart);
  return simpleWays(chart).flatMap((way) => {
    const straight = new Replay(chart, undefined, logic);
    const winding = new Replay(chart, undefined, logic);
    for (const event of way) {
      straight.happen(event);
      for (const loop of around.get(winding.configuration) ?? []) winding.happen(loop);
      winding.happen(event);
    }
    for (const loop of around.get(winding.configuration) ?? []) winding.happen(loop);
    return [straight.trace, winding.trace];
  });
}

/** Finds the first trace that breaks a rule; the rule answers with what is wrong. */
export function firstBreach(traces: readonly Trace[], rule: (trace: Trace) => string | undefined): string | undefined {
  for (const trace of traces) {
    const wrong = rule(trace);
    if (wrong !== undefined) return `${wrong} on this path:\n${traceInWords(trace)}`;
  }
  return undefined;
}

/** One edge of a golden table, with what it asks of the port. */
export interface EdgeCase {
  readonly from: string;
  readonly event: string;
  readonly to: string;
  readonly calls: string;
}

/** Reads a golden table: a configuration on a line of its own, then its edges as `event -> configuration: calls`. */
export function readEdges(table: string): EdgeCase[] {
  let from = '';
  const cases: EdgeCase[] = [];
  for (const line of table.split('\n')) {
    const edge = /^ +(.+?) +-> (.+): (.+)$/.exec(line);
    if (edge) cases.push({ from, event: edge[1]!, to: edge[2]!, calls: edge[3]! });
    else if (line.trim() !== '') from = line;
  }
  return cases;
}

/** Takes one edge: a fresh actor goes the shortest way to where it begins. */
export function takeEdge(chart: Chart, from: string, event: string): EdgeCase {
  const way = shortestWays(chart).get(from);
  const edge = edges(chart).find((one) => one.from === from && eventInWords(one.event) === event);
  if (way === undefined || edge === undefined) throw new Error(`The chart has no edge from ${from} on ${event}`);
  const replay = new Replay(chart);
  for (const one of way) replay.happen(one);
  const step = replay.happen(edge.event);
  return { from: step.from, event: step.event, to: step.to, calls: callsInWords(step.calls) };
}

/** Takes every edge, each with a fresh actor. */
export function takeEveryEdge(chart: Chart): EdgeCase[] {
  const ways = shortestWays(chart);
  return edges(chart).map(({ from, event }) => {
    const replay = new Replay(chart);
    for (const one of ways.get(from) ?? []) replay.happen(one);
    const step = replay.happen(event);
    return { from: step.from, event: step.event, to: step.to, calls: callsInWords(step.calls) };
  });
}

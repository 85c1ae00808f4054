/**
 * Owns running a statechart of XState from a table. What an event does in a configuration is asked of XState once and kept: which
 * guards are asked, which actions run in which order, which timers start and stop, and where it leads. From then on an event
 * costs a lookup and those actions. Refuses to know any chart, and to decide anything that XState has not decided.
 *
 * Not for charts with invocations, spawned children, history states or parameters of actions: ours have none.
 */
import type {
  ActorLogic,
  AnyActorRef,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  SnapshotFrom,
  StateValue,
} from 'xstate';
import { type Place, snapshotAt } from './chart-place.js';
import {
  type AnySystem,
  type Assignment,
  type Callable,
  type Given,
  Recorder,
  type Recording,
  type Scope,
  type Step,
} from './chart-recorder.js';
import { addTimer, takeTimer, timersOf } from './chart-timers.js';

/** Logic for `createActor` that behaves as the machine itself; `table` is what runs it. */
export type CompiledChart<Machine extends AnyStateMachine> = ActorLogic<
  SnapshotFrom<Machine>,
  EventFromLogic<Machine>,
  InputFrom<Machine>,
  AnySystem
> & { readonly config: Machine['config']; readonly definition: Machine['definition']; readonly table: Chart };

/** All that an event makes happen, for one way in which the guards answer. */
interface Trace {
  readonly steps: readonly Step[];
  /** A snapshot in the configuration it leads to, but for context and output. */
  readonly template: AnyMachineSnapshot;
  readonly done: boolean;
  /** The same for other answers, by these in the order in which they are asked for, such as `01`. */
  readonly others: Map<string, Trace>;
}

/** A configuration of the chart: the states that are active together. */
interface Configuration {
  /** A snapshot in this configuration, but for context and output. */
  readonly template: AnyMachineSnapshot;
  /** By event: what happens when every guard says no. */
  readonly traces: Map<string, Trace>;
}

/** Told by the charts that run from a table, with the context of the actor. */
export interface ChartObserver {
  /** An action threw: the actor is in error, and takes no event any more. */
  failed(context: unknown, error: unknown): void;
  /** An event that a timer sent was dealt with; nobody else was there to see it. */
  timerDone(context: unknown): void;
}

type TimerHandle = ReturnType<AnyActorRef['system']['_clock']['setTimeout']>;

/** Whose event it is. */
type Actor = Pick<Scope, 'self' | 'system'>;

/** Who begins: what must wait until it is started is left with it. */
type Beginner = Actor & Pick<Scope, 'defer'>;

/** A step that reaches beyond the chart. */
type Effect = Exclude<Step, { does: 'assign' | 'ask' }>;

const STOP = 'xstate.stop';

/** Makes logic of a machine that runs from a table, which fills itself. */
export function compileChart<Machine extends AnyStateMachine>(
  machine: Machine,
  observer?: ChartObserver,
): CompiledChart<Machine> {
  const chart = new Chart(machine, observer);
  return {
    config: machine.config,
    definition: machine.definition,
    table: chart,
    getInitialSnapshot: (scope, input) =>
      snapshotAt(chart.begin(scope as unknown as Scope, input)) as SnapshotFrom<Machine>,
    transition: (before, event, scope) => {
      const snapshot = before as AnyMachineSnapshot;
      if (event.type === STOP) return chart.stop(snapshot, scope.self) as SnapshotFrom<Machine>;
      const place = { template: snapshot, context: snapshot.context };
      const next = chart.transition(place, event, scope as unknown as Scope);
      return (next === place ? snapshot : snapshotAt(next)) as SnapshotFrom<Machine>;
    },
    getPersistedSnapshot: (snapshot) => machine.getPersistedSnapshot(snapshot as never) as SnapshotFrom<Machine>,
  };
}

/** A chart as a table, shared by all of its actors. */
export class Chart {
  readonly #machine: AnyStateMachine;
  readonly #observer: ChartObserver | undefined;
  readonly #recorder: Recorder;
  /** By the value of a snapshot as JSON. */
  readonly #configurations = new Map<string, Configuration>();
  /** The same by the value itself, which all snapshots of a configuration share. */
  readonly #byValue = new Map<StateValue, Configuration>();
  #beginning: Trace | undefined;
  readonly #events: ReadonlySet<string>;
  readonly #wildcards: readonly string[];

  constructor(machine: AnyStateMachine, observer: ChartObserver | undefined) {
    this.#machine = machine;
    this.#observer = observer;
    this.#recorder = new Recorder(machine);
    this.#events = new Set(machine.events);
    this.#wildcards = machine.events.filter((event) => event.endsWith('*'));
  }

  /** Where an actor begins. The first actions are deferred. */
  begin(scope: Beginner, input: unknown): Place {
    const { context } = this.#machine.config;
    const initial: unknown =
      typeof context === 'function' ? context({ input, self: scope.self, spawn: noSpawn }) : (context ?? {});
    const record = (answers: string): Trace => this.#traceOf(this.#recorder.beginning(answers));
    this.#beginning ??= record('');
    // As with XState, the first actions wait until the actor is started.
    const perform = (step: Effect, given: Given): void =>
      scope.defer(() => {
        try {
          this.#perform(step, given);
        } catch (error) {
          this.#fail(scope.self, given.context, error);
          throw error;
        }
      });
    return this.#run(this.#beginning, record, initial, { type: 'xstate.init', input }, scope, perform);
  }

  /** The actor is stopped from outside. */
  stop(snapshot: AnyMachineSnapshot, self: AnyActorRef): AnyMachineSnapshot {
    this.#stopTimers(self);
    return { ...snapshot, status: 'stopped' } as AnyMachineSnapshot;
  }

  /** Where an event leads; the same place when nothing changed. */
  transition(place: Place, event: AnyEventObject, scope: Actor): Place {
    const key = this.#keyOf(event.type);
    if (key === undefined) return place;
    const { value } = place.template;
    const from = this.#byValue.get(value) ?? this.#configurationOf(value);
    const record = (answers: string): Trace =>
      this.#traceOf(this.#recorder.transition(from.template, event.type, answers));
    let trace = from.traces.get(key);
    if (trace === undefined) {
      trace = record('');
      from.traces.set(key, trace);
    }
    try {
      return this.#run(trace, record, place.context, event, scope, this.#performNow, place);
    } catch (error) {
      this.#fail(scope.self, place.context, error);
      throw error;
    }
  }

  #run(
    first: Trace,
    record: (answers: string) => Trace,
    initial: unknown,
    event: AnyEventObject,
    { self, system }: Actor,
    perform: (step: Effect, given: Given) => void,
    before?: Place,
  ): Place {
    let context = initial;
    let answers = '';
    let trace = first;
    for (let at = 0; at < trace.steps.length; at += 1) {
      const step = trace.steps[at]!;
      const given: Given = { context, event: step.event ?? event, self, system };
      if (step.does === 'assign') {
        context = assigned(step.assignment, given);
      } else if (step.does === 'ask') {
        const answer = Boolean(step.guard(given));
        answers += answer ? '1' : '0';
        // Up to here the other trace has the same steps.
        if (answer !== step.answer) trace = other(first, answers, record);
      } else {
        perform(step, given);
      }
    }
    const { template, done } = trace;
    if (done) {
      const output = this.#output({ context, event, self, system });
      return { template: { ...template, output } as AnyMachineSnapshot, context };
    }
    const same = before !== undefined && context === before.context && template.value === before.template.value;
    return same ? before : { template, context };
  }

  #output(given: Given): unknown {
    return evaluated(this.#machine.config.output, given);
  }

  readonly #performNow = (step: Effect, given: Given): void => this.#perform(step, given);

  #perform(step: Effect, given: Given): void {
    if (step.does === 'act') step.act(given);
    else if (step.does === 'stopTimer') this.#stopTimer(given.self, step.id);
    else this.#startTimer(given.self, step.id, evaluated(step.delay, given) as number);
  }

  /** The actor ends in an error; nothing of it may be left. */
  #fail(self: AnyActorRef, context: unknown, error: unknown): void {
    this.#stopTimers(self);
    this.#observer?.failed(context, error);
  }

  #traceOf({ steps, snapshot }: Recording): Trace {
    const { template } = this.#configurationOf(snapshot.value, snapshot);
    return { steps, template, done: snapshot.status === 'done', others: new Map() };
  }

  #configurationOf(value: StateValue, snapshot?: AnyMachineSnapshot): Configuration {
    const key = JSON.stringify(value);
    let found = this.#configurations.get(key);
    if (found === undefined) {
      const { status } = snapshot ?? { status: 'active' };
      const template = { ...this.#machine.resolveState({ value, context: {} }), status } as AnyMachineSnapshot;
      found = { template, traces: new Map() };
      this.#configurations.set(key, found);
      this.#byValue.set(template.value, found);
    }
    return found;
  }

  /** What an event is known by: its type, the wildcard that matches it, or nothing when no state has a use for it. */
  #keyOf(type: string): string | undefined {
    if (this.#events.has(type)) return type;
    return this.#wildcards.find((wildcard) => type.startsWith(wildcard.slice(0, -1)));
  }

  // XState's own would look at the timers of every other actor whenever one ends.

  #startTimer(self: AnyActorRef, id: string, delay: number): void {
    const { _clock: clock } = self.system;
    const handle = clock.setTimeout(() => {
      takeTimer(self, id);
      self.send({ type: id });
      this.#observer?.timerDone(self.getSnapshot().context);
    }, delay);
    addTimer(self, { id, due: Date.now() + delay, handle });
  }

  #stopTimer(self: AnyActorRef, id: string): void {
    const timer = takeTimer<TimerHandle>(self, id);
    if (timer !== undefined) self.system._clock.clearTimeout(timer.handle);
  }

  #stopTimers(self: AnyActorRef): void {
    for (const { id } of [...timersOf(self)]) this.#stopTimer(self, id);
  }
}

function other(first: Trace, answers: string, record: (answers: string) => Trace): Trace {
  let trace = first.others.get(answers);
  if (trace === undefined) {
    trace = record(answers);
    first.others.set(answers, trace);
  }
  return trace;
}

/** What is assigned is evaluated with the context before all of it. */
function assigned(assignment: Assignment, given: Given): unknown {
  if (typeof assignment === 'function') return Object.assign({}, given.context, assignment(given));
  const context: Record<string, unknown> = Object.assign({}, given.context);
  for (const name in assignment) context[name] = evaluated(assignment[name], given);
  return context;
}

function evaluated(value: unknown, given: Given): unknown {
  return typeof value === 'function' ? (value as Callable)(given) : value;
}

function noSpawn(): never {
  throw new Error('a compiled chart spawns nothing');
}

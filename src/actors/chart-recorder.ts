/**
 * Owns asking XState what an event does in a configuration: it takes the step with actions and guards that only write down that they
 * were due. Refuses to carry anything out.
 */
import type { ActorScope, ActorSystem, AnyActorRef, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';

// biome-ignore lint/suspicious/noExplicitAny: as XState has it, whose name for this is not exported.
export type AnySystem = ActorSystem<any>;

/** What a machine is given to act with, as far as it is used here. */
export type Scope = ActorScope<AnyMachineSnapshot, AnyEventObject>;

/** What an action, a guard, an assigner or a delay is given. */
export interface Given {
  readonly context: unknown;
  readonly event: AnyEventObject;
  readonly self: AnyActorRef;
  readonly system: AnySystem;
}

export type Callable = (given: Given) => unknown;
export type Assignment = Callable | Readonly<Record<string, unknown>>;

/** One thing that an event makes happen. `event` is what it is given, if that is another one than the event that came. */
export type Step = { readonly event?: AnyEventObject } & (
  | { readonly does: 'act'; readonly act: Callable }
  | { readonly does: 'assign'; readonly assignment: Assignment }
  | { readonly does: 'ask'; readonly guard: Callable; readonly answer: boolean }
  | { readonly does: 'startTimer'; readonly id: string; readonly delay: Callable | number }
  | { readonly does: 'stopTimer'; readonly id: string }
);

/** What XState did with one event. */
export interface Recording {
  readonly steps: readonly Step[];
  readonly snapshot: AnyMachineSnapshot;
}

/** Lets XState take a step with actions and guards that do nothing but write down that they were due. */
export class Recorder {
  readonly #machine: AnyStateMachine;
  readonly #stand: AnyStateMachine;
  readonly #delays: readonly string[];
  #steps: Step[] = [];
  #answers = '';
  #asked = 0;
  #type = '';

  constructor(machine: AnyStateMachine) {
    const { actions, guards, delays } = machine.implementations as unknown as Record<string, Record<string, Callable>>;
    this.#machine = machine;
    this.#delays = Object.keys(delays ?? {});
    this.#stand = machine.provide({
      // Raised events are for XState to follow; what is assigned is evaluated anew each time.
      actions: Object.fromEntries(
        Object.entries(actions ?? {}).map(([name, action]) => [name, isAssign(action) ? () => {} : action]),
      ),
      guards: Object.fromEntries(
        Object.entries(guards ?? {}).map(([name, guard]) => [name, ({ event }: Given) => this.#ask(guard, event)]),
      ),
      // Numbers that tell which delay it was.
      delays: Object.fromEntries(this.#delays.map((name, index) => [name, NAMED_DELAYS + index])),
    } as never);
  }

  beginning(answers: string): Recording {
    return this.#record('xstate.init', answers, (scope) => this.#stand.getInitialSnapshot(scope, ANYTHING as never));
  }

  transition(from: AnyMachineSnapshot, type: string, answers: string): Recording {
    return this.#record(type, answers, (scope) => {
      const snapshot = this.#stand.resolveState({ value: from.value, context: ANYTHING });
      return this.#stand.transition(snapshot, { type }, scope);
    });
  }

  #record(type: string, answers: string, take: (scope: Scope) => AnyMachineSnapshot): Recording {
    this.#steps = [];
    this.#answers = answers;
    this.#asked = 0;
    this.#type = type;
    const actionExecutor = (action: RecordedAction): void => this.#note(action);
    const snapshot = take({ ...INERT, actionExecutor } as unknown as Scope);
    return { steps: this.#steps, snapshot };
  }

  #ask(guard: Callable, event: AnyEventObject): boolean {
    const answer = this.#answers[this.#asked] === '1';
    this.#asked += 1;
    this.#steps.push({ does: 'ask', guard, answer, event: this.#other(event) });
    return answer;
  }

  #note({ type, info, params, exec }: RecordedAction): void {
    const event = this.#other(info.event);
    if (type === 'xstate.raise') {
      const { delay, id } = params as { delay?: number; id: string };
      if (delay !== undefined) this.#steps.push({ does: 'startTimer', id, delay: this.#delay(delay), event });
    } else if (type === 'xstate.cancel') {
      this.#steps.push({ does: 'stopTimer', id: (params as { sendId: string }).sendId });
    } else {
      const action = (this.#machine.implementations.actions as Record<string, Callable>)[type] ?? exec;
      if (isAssign(action)) this.#steps.push({ does: 'assign', assignment: action.assignment, event });
      else if (action !== undefined) this.#steps.push({ does: 'act', act: action, event });
    }
  }

  #delay(recorded: number): Callable | number {
    const name = this.#delays[recorded - NAMED_DELAYS];
    if (name === undefined) return recorded;
    return (this.#machine.implementations.delays as Record<string, Callable | number>)[name] ?? recorded;
  }

  #other(event: AnyEventObject): AnyEventObject | undefined {
    return event.type === this.#type ? undefined : event;
  }
}

/** Above every delay in milliseconds that a timer takes. */
const NAMED_DELAYS = 2 ** 40;

interface RecordedAction {
  readonly type: string;
  readonly info: Given;
  readonly params: unknown;
  readonly exec: Callable | undefined;
}

/** A scope in which nothing happens. */
const INERT = {
  id: 'recorder',
  sessionId: 'recorder',
  self: { id: 'recorder', sessionId: 'recorder', send() {} },
  system: { _sendInspectionEvent() {}, _relay() {} },
  logger() {},
  defer() {},
  emit() {},
  stopChild() {},
};

/** Stands for the context while XState is watched: whatever an output makes of it is evaluated anew each time. */
const ANYTHING: unknown = new Proxy(() => {}, { get: () => ANYTHING, apply: () => ANYTHING });

function isAssign(action: unknown): action is Callable & { readonly assignment: Assignment } {
  return typeof action === 'function' && 'assignment' in action;
}

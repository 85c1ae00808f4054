/**
 * Owns running the charts of a recorded connection again, step by step, without any effect: the same events have to lead to the same
 * states. Refuses to touch anything but charts.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, type StateValue, transition } from 'xstate';
import { connectionMachine } from '../../actors/connection.machine.js';
import { upstreamMachine } from '../../actors/upstream.machine.js';
import type { StepLine } from './format.js';
import type { Recording } from './read-recording.js';

/** One step, as it was and as it is when the chart runs again. */
export interface ReplayedStep {
  /** Milliseconds since the recording began. */
  readonly t: number;
  readonly side: 'connection' | 'upstream';
  readonly event: StepLine['event'];
  /** Where the chart was after it. */
  readonly recorded: StateValue;
  /** Where it is now. */
  readonly value: StateValue;
  readonly same: boolean;
}

/** What became of it. */
export interface ReplayedChart {
  readonly steps: readonly ReplayedStep[];
  /** Every step led to the same state, and none is missing in the recording. */
  readonly identical: boolean;
  /** Steps that the recording lost, since its file could not be written as fast as they came. */
  readonly lost: number;
}

/** What a chart asks for while it is walked: deadlines, and its report. Nothing is carried out, and no timer runs. */
const INERT_PORT = { timeouts: { handshake: 0, dial: 0, close: 0, writeStall: 0 }, report: () => undefined };

const MACHINES: Readonly<Record<StepLine['side'], AnyStateMachine>> = {
  connection: connectionMachine,
  upstream: upstreamMachine,
};

/** Runs the charts of a recording again. A recording that begins midway begins where the charts were then. */
export function replayChart({ header, lines }: Recording): ReplayedChart {
  const sides = {
    connection: new Rerun(MACHINES.connection, header.charts.connection),
    upstream: new Rerun(MACHINES.upstream, header.charts.upstream),
  };
  const steps = lines.flatMap((line) => (line.type === 'step' ? [sides[line.side].step(line)] : []));
  const lost = lines.reduce((sum, line) => sum + (line.type === 'lost' ? line.steps : 0), 0);
  return { steps, identical: lost === 0 && steps.every(({ same }) => same), lost };
}

/** One chart that runs again. */
class Rerun {
  readonly #machine: AnyStateMachine;
  #snapshot: AnyMachineSnapshot | undefined;

  constructor(machine: AnyStateMachine, from: StateValue | undefined) {
    this.#machine = machine;
    const [first] = initialTransition(machine, { port: INERT_PORT });
    if (from !== undefined) this.#snapshot = machine.resolveState({ value: from, context: first.context as object });
  }

  step({ t, side, event, value: recorded }: StepLine): ReplayedStep {
    if (event.type === 'xstate.init' || this.#snapshot === undefined) {
      [this.#snapshot] = initialTransition(this.#machine, { port: INERT_PORT });
    }
    if (event.type !== 'xstate.init') [this.#snapshot] = transition(this.#machine, this.#snapshot, event);
    const value = this.#snapshot.value as StateValue;
    return { t, side, event, recorded, value, same: isSame(value, recorded) };
  }
}

function isSame(a: StateValue | undefined, b: StateValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSame(a[name], b[name]));
}

/**
 * Owns reading the frames of the inspection stream, which are those of Stately: which chart they are about, and where it is. Refuses to
 * fetch them.
 */
import type { ChartValue } from './api/contract.js';

/** The charts of one pair. */
export type PairChart = 'connection' | 'upstream';

/** Where a chart is now. */
export interface Moved {
  readonly chart: PairChart;
  readonly value: ChartValue;
}

interface Frame {
  readonly type?: string;
  readonly sessionId?: string;
  readonly name?: string;
  /** The chart as JSON text. */
  readonly definition?: string;
  readonly snapshot?: { readonly value?: ChartValue };
}

/** Reads frame by frame: an actor is told once, then only its steps. */
export class InspectFrames {
  readonly #charts = new Map<string, PairChart>();

  /** What a frame tells; undefined for what is of no matter here, or no frame. */
  read(text: string): Moved | undefined {
    const frame = parse<Frame>(text);
    if (frame?.sessionId === undefined) return undefined;
    if (frame.type === '@xstate.actor') {
      const named = chartOf(parse<{ id?: string }>(frame.definition ?? '')?.id) ?? chartOf(frame.name);
      if (named !== undefined) this.#charts.set(frame.sessionId, named);
    } else if (frame.type !== '@xstate.snapshot') {
      return undefined;
    }
    const chart = this.#charts.get(frame.sessionId);
    const value = frame.snapshot?.value;
    return chart === undefined || value === undefined ? undefined : { chart, value };
  }
}

function chartOf(name: string | undefined): PairChart | undefined {
  if (name === undefined) return undefined;
  if (name.startsWith('connection')) return 'connection';
  return name.startsWith('upstream') ? 'upstream' : undefined;
}

function parse<Value>(text: string): Value | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Value) : undefined;
  } catch {
    return undefined;
  }
}

/** Owns the shape of what is said about one connection. Refuses to say it. */
import type { ChartSide } from '../../actors/history.js';
import type { CloseReport, ConnectionState, ErrorCode } from '../../receivers/index.js';

/** Something that happens by itself at a time, unless something else comes before. */
export interface ExplainedDeadline {
  readonly name: 'handshake' | 'dial' | 'close' | 'writeStall' | 'idle' | 'lifetime' | 'credentials' | 'ping' | 'probe';
  /** Whose chart it is of. */
  readonly side: ChartSide;
  /** The option that sets it, such as `timeouts.close`. */
  readonly option: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What happens then. */
  readonly effect: string;
}

/** Where one region of the two charts is. */
export interface ExplainedState {
  /** Whose chart: `connection` is the client's side, `upstream` the target's. */
  readonly side: ChartSide;
  /** The id as in the drawn charts, such as `connection.open.outbound.throttled`. */
  readonly state: string;
  /** What that means. */
  readonly words: string;
  /** Milliseconds since the epoch; undefined when it is not known. */
  readonly since: number | undefined;
  /** What would make it move on. */
  readonly next: string;
  /** Until when it can last; undefined where nothing ends it by itself. */
  readonly deadline: ExplainedDeadline | undefined;
}

/** One step of the two charts. */
export interface ExplainedStep {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly side: ChartSide;
  readonly event: string;
  /** What happened, in words. */
  readonly text: string;
}

/** What waits to be written to one side. */
export interface ExplainedBuffer {
  readonly bytes: number;
  /** From here on whoever feeds it waits: `limits.highWaterMark`. */
  readonly highWaterMark: number;
}

/** Why a connection is where it is, or why it ended. Every time is in milliseconds since the epoch. */
export interface Explanation {
  readonly id: string;
  /** When it was asked for. */
  readonly at: number;
  readonly state: ConnectionState;
  /** The answer in one sentence. */
  readonly summary: string;
  /** Where each region of the two charts is; of one that is over, where they ended. */
  readonly facts: readonly ExplainedState[];
  /** All deadlines that run, the next one first. */
  readonly deadlines: readonly ExplainedDeadline[];
  /** What holds it up: a side that reads too slowly, or the application; empty when nothing does. */
  readonly slow: readonly ('client' | 'target' | 'application')[];
  readonly buffers: { readonly client: ExplainedBuffer; readonly target: ExplainedBuffer | undefined } | undefined;
  /** What happened last, oldest first. */
  readonly history: readonly ExplainedStep[];
  /** Steps before those that are kept, but for routine. */
  readonly historyDropped: number;
  /** What is not known, and why. */
  readonly unknown: readonly string[];
  /** Of a connection that is over. */
  readonly closeReport?: CloseReport | undefined;
  /** Of a handshake that was refused. */
  readonly refusal?: { readonly status: number; readonly error: ErrorCode; readonly message: string } | undefined;
  /** All of it, for people; several lines, without anything that a terminal would act on. */
  readonly text: string;
}

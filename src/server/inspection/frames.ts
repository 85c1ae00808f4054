/** Owns the shapes of what is told of charts that move: the frames of the Stately inspector, and one of our own. Refuses to make any. */
import type { StateValue } from 'xstate';

/** What all frames of the Stately inspector have in common. */
interface FrameHead {
  /** Whom it is about. */
  readonly sessionId: string;
  /** The supervisor or the pool above that actor, or the actor itself. */
  readonly rootId: string;
  /** Milliseconds since the epoch, as text. */
  readonly createdAt: string;
  readonly id: null;
  /** The version of `@statelyai/inspect` whose frames these are. */
  readonly _version: string;
}

/** An event as it is told: its type, and what is known to be short and of our own. */
export interface PlainEvent {
  readonly type: string;
  readonly [name: string]: unknown;
}

/** Where an actor is, as it is told. */
export interface PlainSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: StateValue;
  /** Short and plain: nothing of requests or messages. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: string | undefined;
}

/** There is an actor. */
export interface ActorFrame extends FrameHead {
  readonly type: '@xstate.actor';
  readonly name: string;
  /** Undefined for a root. */
  readonly parentId?: string | undefined;
  /** The machine's config as JSON text. */
  readonly definition: string;
  readonly snapshot: PlainSnapshot;
}

/** An actor was sent an event. */
export interface EventFrame extends FrameHead {
  readonly type: '@xstate.event';
  /** Who sent it, where that is an actor. */
  readonly sourceId?: string | undefined;
  readonly event: PlainEvent;
}

/** An actor took a step. */
export interface SnapshotFrame extends FrameHead {
  readonly type: '@xstate.snapshot';
  readonly event: PlainEvent;
  readonly snapshot: PlainSnapshot;
}

/** What is not told. Inspectors of Stately pass over it: it has no `_version`. */
export interface NoticeFrame {
  readonly type: '@tidegate.notice';
  readonly createdAt: string;
  /** Actors that are shown and live. */
  readonly shown: number;
  /** Actors that live and are not shown. */
  readonly leftOut: number;
  /** Frames that were not sent since the beginning, since there were too many, or the reader was too slow. */
  readonly dropped: number;
}

/** One frame. */
export type Frame = ActorFrame | EventFrame | SnapshotFrame | NoticeFrame;

/** The charts there are. */
export const CHARTS = ['supervisor', 'pool', 'backend', 'connection', 'upstream'] as const;

/** The chart that an actor runs. */
export type ChartName = (typeof CHARTS)[number];

/** What `_version` says. */
export const FRAME_VERSION = '0.7.2';

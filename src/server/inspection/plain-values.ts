/**
 * Owns what of events and snapshots is told: types, states and endings, and nothing of requests, messages or sockets. Refuses whatever
 * it does not know. What clients can choose (reasons) is bounded text.
 */
import type { AnyEventObject, AnyMachineSnapshot } from 'xstate';
import type { Ending } from '../../actors/ending.js';
import type { CloseReport } from '../../receivers/index.js';
import type { ChartName, PlainEvent, PlainSnapshot } from './frames.js';

/** A reason takes at most 123 bytes on the wire. */
const MAX_TEXT = 128;

/** Words of our own that events may carry. */
const WORDS = ['dial', 'error', 'cause', 'fate'] as const;

/** An event without what is not to be told. */
export function plainEvent(event: AnyEventObject): PlainEvent {
  const plain: Record<string, unknown> & { type: string } = { type: bounded(event.type) };
  for (const word of WORDS) {
    const value: unknown = event[word];
    if (typeof value === 'string') plain[word] = bounded(value);
  }
  if (isEnding(event.ending)) Object.assign(plain, plainEnding(event.ending));
  return plain;
}

/** A snapshot without what is not to be told. */
export function plainSnapshot(chart: ChartName, snapshot: AnyMachineSnapshot): PlainSnapshot {
  const { status, value, output, error } = snapshot;
  return {
    status,
    value,
    context: plainContext(chart, snapshot),
    output: isReport(output) ? plainReport(output) : undefined,
    // Its message may be about anything.
    error: status === 'error' ? bounded(error instanceof Error ? error.name : 'error') : undefined,
  };
}

function plainContext(chart: ChartName, { value, context }: AnyMachineSnapshot): Record<string, unknown> {
  const { dial, ending, cause, fate } = context as Record<string, unknown>;
  const plain: Record<string, unknown> = {};
  // Until it is remembered it says nothing.
  if (chart === 'connection' && typeof dial === 'string' && dial !== 'none') plain.dial = dial;
  if ((value === 'closing' || value === 'closed') && isEnding(ending)) plain.ending = plainEnding(ending);
  if (chart === 'backend' && value === 'draining') Object.assign(plain, { cause, fate });
  return plain;
}

function plainEnding({ initiator, cause, code, reason }: Ending): Record<string, unknown> {
  return { initiator, cause, code, reason: bounded(reason) };
}

function plainReport(report: CloseReport): Record<string, unknown> {
  const { initiator, cause, status, reason } = report;
  return { initiator, cause, status, reason: bounded(reason) };
}

function isEnding(value: unknown): value is Ending {
  return typeof value === 'object' && value !== null && 'initiator' in value && 'code' in value;
}

function isReport(value: unknown): value is CloseReport {
  return typeof value === 'object' && value !== null && 'initiator' in value && 'status' in value;
}

function bounded(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

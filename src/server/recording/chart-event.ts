/** Owns what of an event of a chart is written to a recording: all that the chart itself looks at. Refuses everything else. */
import type { AnyEventObject } from 'xstate';
import type { StepLine } from './format.js';

/** @param blot applied to texts that came from a peer. */
export function recordedEvent(event: AnyEventObject, blot: (text: string) => string): StepLine['event'] {
  const { type, ending, dial, error } = event as AnyEventObject & Partial<StepLine['event']>;
  const recorded: StepLine['event'] = { type };
  if (ending !== undefined) {
    const { initiator, cause, code, reason } = ending;
    recorded.ending = { initiator, cause, code, reason: blot(reason) };
  }
  if (dial !== undefined) recorded.dial = dial;
  if (typeof error === 'string') recorded.error = error;
  return recorded;
}

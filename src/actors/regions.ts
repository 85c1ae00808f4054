/**
 * Owns the two regions that the charts of both sides of a pair have in common: whether a side is read, and whether it is
 * alive. And reading in which state the regions of an open side are. Refuses to act; each chart names its own effects.
 */
import type { StateValue, StateValueMap } from 'xstate';

/** Whether this side is read. Its end, for whatever reason, resumes: a side that is not read never shows its end. */
export const inbound = {
  initial: 'reading',
  states: {
    reading: { on: { 'read.pause': 'paused' } },
    paused: { entry: 'pauseReading', exit: 'resumeReading', on: { 'read.resume': 'reading' } },
  },
} as const;

/** Whether this side is alive. While it is not read its silence says nothing. */
export const liveness = {
  initial: 'alive',
  states: {
    alive: { on: { 'heartbeat.due': 'probing', 'read.pause': 'suspended' } },
    probing: {
      entry: 'sendPing',
      on: {
        'peer.heard': 'alive',
        'read.pause': 'suspended',
        'heartbeat.missed': { actions: 'raiseLost' },
      },
    },
    suspended: { on: { 'read.resume': 'alive' } },
  },
} as const;

/** Where the regions of an open side are; undefined unless it is open. */
export function regionsIn(value: StateValue | undefined): StateValueMap | undefined {
  return typeof value === 'object' && typeof value.open === 'object' ? value.open : undefined;
}

/** Whether a ping of the heartbeat waits for a sign of life. */
export function isProbing(value: StateValue): boolean {
  return regionsIn(value)?.liveness === 'probing';
}

/** Whether what is written to this side waits for it. */
export function isThrottled(value: StateValue | undefined): boolean {
  return regionsIn(value)?.outbound === 'throttled';
}

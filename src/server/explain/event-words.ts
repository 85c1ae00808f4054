/** Owns what each event of the charts `connection` and `upstream` says happened, in words. Refuses to know what followed. */
import type { ConnectionEvent } from '../../actors/connection.machine.js';
import type { ChartSide, HistoryEntry } from '../../actors/history.js';
import type { UpstreamEvent } from '../../actors/upstream.machine.js';
import { causeWords, codeWords } from './ending-words.js';

/** Which sides send Close frames; one that does not ends with a FIN. */
export type Speaking = Readonly<Record<ChartSide, boolean>>;

type Words = (entry: HistoryEntry, speaks: boolean) => string;

/** What a chart makes itself, by the name of the delay or the state. */
type Automatic = 'xstate.init' | `xstate.after.${string}` | `xstate.done.state.${string}`;

/** What both charts have. */
function sharedWords(peer: 'client' | 'target') {
  return {
    'protocol.violated': ({ ending }) => `the ${peer} broke a rule${causeWords(ending)}`,
    'pressure.high': () => `data for the ${peer} began to wait`,
    'pressure.low': () => `the ${peer} caught up`,
    'write.progressed': () => `the ${peer} read some of what waits for it`,
    'read.pause': () => `reading from the ${peer} was paused`,
    'read.resume': () => `reading from the ${peer} went on`,
    'heartbeat.due': () => `a ping to the ${peer} was due`,
    'heartbeat.missed': () => `the ${peer} answered no ping within heartbeat.timeout`,
    'peer.heard': () => `the ${peer} was heard after a ping`,
    'write.stalled': () => `the ${peer} read nothing for timeouts.writeStall`,
    'liveness.lost': () => `the ${peer} is taken to be gone`,
    'peer.closed': ({ ending }, speaks) =>
      speaks ? `the ${peer}'s Close frame arrived${codeWords(ending)}` : `the ${peer} ended its direction (FIN)`,
    'xstate.after.closeTimeout': () => 'timeouts.close was over',
    'xstate.after.writeStallTimeout': () => `the ${peer} read nothing for timeouts.writeStall`,
  } satisfies Record<string, Words>;
}

const CONNECTION_WORDS: Readonly<Record<ConnectionEvent['type'] | Automatic, Words>> = {
  ...sharedWords('client'),
  'xstate.init': () => 'the handshake of the client was complete',
  'decision.accept': () => 'the handshake was accepted',
  'decision.reject': () => 'the handshake was refused',
  'upstream.ready': () => 'the target was connected',
  'upstream.failed': ({ error }) => `the target could not be used${error === undefined ? '' : `: ${error}`}`,
  'receiver.failed': () => 'a callback of the application failed',
  'close.request': ({ ending, value }) => {
    if (ending?.initiator === 'upstream' && ending.cause === 'closed') {
      return `the target's end was passed on to the client${codeWords(ending)}`;
    }
    const what = value === 'rejected' ? 'the handshake was given up' : 'it was to be closed';
    return `${what}${causeWords(ending)}${codeWords(ending)}`;
  },
  'terminate.request': ({ ending }) => `it was cut${causeWords(ending)}`,
  'idle.expired': () => 'nothing was carried for timeouts.idle',
  'lifetime.expired': () => 'it had lived for timeouts.lifetime',
  'transport.closed': ({ value }) =>
    value === 'rejected' ? 'the client left before its handshake was answered' : "the client's TCP connection ended",
  'xstate.after.handshakeTimeout': () => 'timeouts.handshake was over',
  'xstate.done.state.connection.handshaking': () => 'the handshake was decided',
};

const UPSTREAM_WORDS: Readonly<Record<UpstreamEvent['type'] | Automatic, Words>> = {
  ...sharedWords('target'),
  'xstate.init': () => 'the dial of the target began',
  'dial.succeeded': () => 'the target answered the dial',
  'dial.failed': () => 'the dial of the target failed',
  'close.request': ({ ending, value }, speaks) => {
    if (value === 'unreachable') return `the dial was given up${causeWords(ending)}`;
    const told = speaks ? `the target was told of the end${codeWords(ending)}` : 'the target was told of the end (FIN)';
    return ending?.initiator === 'downstream' ? `${told}, as the client said` : `${told}${causeWords(ending)}`;
  },
  'terminate.request': ({ ending }) => `the connection to the target was cut${causeWords(ending)}`,
  'transport.closed': () => "the target's TCP connection ended",
  'xstate.after.dialTimeout': () => 'timeouts.dial was over',
};

/** The key of an event in the tables: of a delay its name, without the state it belongs to. */
function keyOf(event: string): string {
  return /^xstate\.after\.[^.]+/.exec(event)?.[0] ?? event;
}

/** Whether there are words for an event. */
export function hasWords(side: ChartSide, event: string): boolean {
  return Object.hasOwn(side === 'connection' ? CONNECTION_WORDS : UPSTREAM_WORDS, keyOf(event));
}

/** What a step says happened. */
export function wordsOfStep(entry: HistoryEntry, speaking: Speaking): string {
  const { side, event } = entry;
  const table: Readonly<Record<string, Words | undefined>> = side === 'connection' ? CONNECTION_WORDS : UPSTREAM_WORDS;
  return table[keyOf(event)]?.(entry, speaking[side]) ?? event;
}

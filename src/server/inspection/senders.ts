/** Owns who sent an event to a connection or an upstream, where XState was not told. Refuses to guess. */
import type { AnyActorRef, AnyEventObject } from 'xstate';
import type { ChartName } from './frames.js';
import { counterpartOf, parentOf } from './inspected-actor.js';

/** The shared wheel of the supervisor. */
const OF_THE_WHEEL: ReadonlySet<string> = new Set([
  'heartbeat.due',
  'heartbeat.missed',
  'peer.heard',
  'idle.expired',
  'lifetime.expired',
]);

/** What one side of a pair tells the other, by the chart that gets it. */
const OF_THE_PAIR: Readonly<Partial<Record<ChartName, ReadonlySet<string>>>> = {
  connection: new Set(['upstream.ready', 'upstream.failed']),
  upstream: new Set(['close.request', 'read.pause', 'read.resume']),
};

/** The actor that sent an event; undefined for what comes from the data path, from the application or from outside. */
export function senderOf(ref: AnyActorRef, chart: ChartName, event: AnyEventObject): AnyActorRef | undefined {
  const { type } = event;
  if (type === 'pool.closed' || OF_THE_WHEEL.has(type)) return parentOf(ref);
  if (OF_THE_PAIR[chart]?.has(type)) return counterpartOf(ref, chart);
  if (chart !== 'connection' || (type !== 'close.request' && type !== 'terminate.request')) return undefined;
  const { initiator } = event.ending as { readonly initiator: string };
  if (initiator === 'operator') return parentOf(ref);
  return initiator === 'upstream' ? counterpartOf(ref, chart) : undefined;
}

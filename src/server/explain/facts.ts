/** Owns what is said about where a connection is: each region of its two charts, since when, and what it waits for. Refuses to word history. */

import type { StateValue } from 'xstate';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { ChartRegion, ChartSide, History } from '../../actors/history.js';
import { isThrottled } from '../../actors/regions.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import { causeWords, codeWords, refusalWords } from './ending-words.js';
import type { ExplainedDeadline, ExplainedState } from './explanation.js';
import { wordsOfState } from './state-words.js';

/** A connection that is looked at. */
export interface Looked {
  readonly connection: ConnectionActor;
  readonly upstream: UpstreamActor | undefined;
  readonly deadlines: readonly ExplainedDeadline[];
  readonly timeouts: Readonly<Record<'handshake' | 'dial' | 'close', number>>;
}

const REGIONS: readonly ChartRegion[] = ['outbound', 'inbound', 'liveness'];

/** Which deadline ends a state, by its last step. */
const ENDS: Readonly<Record<string, ExplainedDeadline['name']>> = {
  deciding: 'handshake',
  dialling: 'handshake',
  throttled: 'writeStall',
  probing: 'probe',
  alive: 'ping',
  closing: 'close',
};

/** Where a connection and its upstream are. */
export function factsOf(looked: Looked): ExplainedState[] {
  const { connection, upstream } = looked;
  const facts = sideFacts('connection', connection.chartValue, looked);
  return upstream === undefined ? facts : [...facts, ...sideFacts('upstream', upstream.chartValue, looked)];
}

/** The ids of the states of one chart that say where it is: its life, then its regions. */
export function placesIn(side: ChartSide, value: StateValue): { readonly id: string; readonly region: ChartRegion }[] {
  if (typeof value === 'string') return [{ id: `${side}.${value}`, region: 'life' }];
  const { open, handshaking } = value;
  if (typeof open !== 'object') return [{ id: `${side}.handshaking.${String(handshaking)}`, region: 'life' }];
  return [
    { id: `${side}.open`, region: 'life' },
    ...REGIONS.map((region) => ({ id: `${side}.open.${region}.${String(open[region])}`, region })),
  ];
}

function sideFacts(side: ChartSide, value: StateValue, looked: Looked): ExplainedState[] {
  return placesIn(side, value).map(({ id, region }) => {
    const { is, next } = wordsOfState(id);
    const more = detailOf(id, looked);
    const words = more.is ?? is;
    return {
      side,
      state: id,
      words: more.add === undefined ? words : `${words} ${more.add}`,
      since: sinceOf(side, region, id, looked),
      next: more.next ?? next,
      deadline: deadlineOf(side, id, looked.deadlines),
    };
  });
}

function deadlineOf(
  side: ChartSide,
  id: string,
  deadlines: readonly ExplainedDeadline[],
): ExplainedDeadline | undefined {
  const last = id.split('.').at(-1) ?? '';
  const name = side === 'upstream' && last === 'dialling' ? 'dial' : ENDS[last];
  return deadlines.find((deadline) => deadline.side === side && deadline.name === name);
}

/** From the history; without one, what running deadlines and the opening tell. */
function sinceOf(side: ChartSide, region: ChartRegion, id: string, looked: Looked): number | undefined {
  const { connection, deadlines, timeouts } = looked;
  const history: History | undefined = connection.history;
  if (history !== undefined) return history.since(side, region);
  if (id === 'connection.open') return connection.openedAt;
  const name = id === 'upstream.dialling' ? 'dial' : id.endsWith('.closing') ? 'close' : 'handshake';
  // That of the handshake is one for deciding and dialling together.
  if (name === 'handshake' && id !== 'connection.handshaking.deciding') return undefined;
  const deadline = deadlines.find((one) => one.side === side && one.name === name);
  const span = side === 'connection' && name !== 'dial' ? connection.timeouts[name] : timeouts[name];
  return deadline === undefined ? undefined : deadline.at - span;
}

interface Detail {
  /** In place of what is said about everybody in that state. */
  readonly is?: string;
  readonly add?: string;
  readonly next?: string;
}

/** What only this connection can tell about a state it is in. */
function detailOf(id: string, looked: Looked): Detail {
  return DETAILS[id]?.(looked) ?? {};
}

const DETAILS: Readonly<Record<string, (looked: Looked) => Detail>> = {
  'connection.handshaking.deciding': ({ connection: { deciding } }) =>
    deciding?.admitting === true
      ? { add: 'Authentication and admission were asked.', next: 'they answer' }
      : { add: 'The receiver was asked (onUpgradeRequest).', next: 'it answers' },
  'connection.handshaking.dialling': ({ connection }) => ({ add: targetOf(connection) }),
  'connection.open': ({ connection }) => ({
    add: connection.gate ? undefined : 'No message passes any more.',
  }),
  'connection.open.outbound.throttled': ({ connection: { port } }) => ({ add: `${port.bufferedBytes} bytes wait.` }),
  'connection.open.inbound.reading': ({ upstream }) => ({
    add: isThrottled(upstream?.chartValue) ? 'The target is slow, so the client waits, too.' : undefined,
  }),
  'connection.open.inbound.paused': ({ connection }) => pauseOf(connection),
  'connection.open.liveness.probing': ({ connection }) => probeOf('client', connection),
  'connection.closing': closingOf,
  'connection.rejected': ({ connection: { deciding } }) => ({
    is: deciding?.refusal === undefined ? undefined : refusalWords(deciding.refusal),
  }),
  'upstream.dialling': ({ connection }) => ({ add: targetOf(connection) }),
  'upstream.open.outbound.throttled': ({ upstream }) => ({ add: `${upstream?.port.bufferedBytes ?? 0} bytes wait.` }),
  'upstream.open.inbound.reading': ({ connection }) => ({
    add: isThrottled(connection.chartValue) ? 'The client is slow, so the target waits, too.' : undefined,
  }),
  'upstream.open.inbound.paused': () => ({
    add: 'Callbacks of the application are behind.',
    next: 'half of the callbacks that wait are done',
  }),
  'upstream.open.liveness.probing': ({ upstream }) => (upstream === undefined ? {} : probeOf('target', upstream)),
  'upstream.closing': ({ upstream }) => ({
    is: `${upstream?.closeReceived === true ? 'The target ended' : 'The target was told of the end'}${codeWords(upstream?.chart.context.ending)}.`,
    next:
      upstream?.closeReceived === true
        ? 'the client answers, so that its answer can be passed on, and TCP has ended'
        : 'the target answers, and TCP has ended',
  }),
  'upstream.unreachable': ({ upstream }) => ({ add: upstream?.refusal && `${upstream.refusal.error}.` }),
};

function targetOf({ port }: ConnectionActor): string {
  return port.target === undefined ? 'It is not chosen yet.' : `It is ${port.target}.`;
}

const PAUSES = {
  application: { is: 'the application paused it', next: 'the application calls resume()' },
  backlog: { is: 'callbacks of the application are behind', next: 'half of the callbacks that wait are done' },
  dialling: { is: 'the target is not connected yet', next: 'the target is connected' },
} as const;

function pauseOf({ reading }: ConnectionActor): Detail {
  const reasons = reading.reasons.map((reason) => PAUSES[reason]);
  if (reasons.length === 0) return {};
  return {
    is: `The client is not read: ${reasons.map(({ is }) => is).join('; ')}.`,
    next: reasons.map(({ next }) => next).join(', and '),
  };
}

function probeOf(peer: 'client' | 'target', { heart }: ConnectionActor | UpstreamActor): Detail {
  if (heart?.heard !== true) return {};
  return { is: `A ping was sent to the ${peer}, and something came from it since.`, next: 'that is noted' };
}

/** Who began the closing handshake, and what is missing. */
function closingOf({ connection: { chart, closing, request, counterpart } }: Looked): Detail {
  const { ending } = chart.context;
  const is = `It is being closed${causeWords(ending)}${codeWords(ending)}.`;
  if (request.transport === 'tcp') return { is, next: 'everything is written, and the client has ended its side' };
  if (closing.codeSent === undefined) {
    const waits =
      counterpart?.answersClose === true
        ? 'the target answers the Close frame of the client'
        : 'our Close frame is sent';
    return { is, next: waits };
  }
  if (closing.received === undefined) return { is, next: 'the client answers our Close frame' };
  return { is, next: 'TCP has ended: both Close frames were exchanged' };
}

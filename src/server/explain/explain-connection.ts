/** Owns the explanation of a connection that there is. Refuses to change anything about it. */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import type { Watches } from '../../actors/watches.js';
import { time } from './amounts.js';
import { deadlinesOf, type ExplainedOptions } from './deadlines.js';
import { type Speaking, wordsOfStep } from './event-words.js';
import type { ExplainedState, Explanation } from './explanation.js';
import { factsOf } from './facts.js';
import { textOf } from './text.js';

/** Explains a connection as it is at this moment. */
export function explainConnection(
  connection: ConnectionActor,
  watches: Watches,
  options: ExplainedOptions,
): Explanation {
  const now = Date.now();
  const { id, port, history, counterpart, state } = connection;
  const upstream = counterpart instanceof UpstreamActor ? counterpart : undefined;
  const deadlines = deadlinesOf(connection, upstream, watches, options);
  const facts = factsOf({ connection, upstream, deadlines, timeouts: options.timeouts });
  const { highWaterMark } = options.limits;
  const explanation = {
    id,
    at: now,
    state,
    summary: summaryOf(facts, now),
    facts,
    deadlines,
    slow: slowOf(connection, facts),
    buffers: {
      client: { bytes: port.bufferedBytes, highWaterMark },
      target: upstream === undefined ? undefined : { bytes: upstream.port.bufferedBytes, highWaterMark },
    },
    history: (history?.entries() ?? []).map((entry) => ({
      at: entry.at,
      side: entry.side,
      event: entry.event,
      text: wordsOfStep(entry, speakingOf(connection, upstream)),
    })),
    historyDropped: history?.dropped ?? 0,
    unknown: history === undefined ? [NO_HISTORY] : [],
  };
  return { ...explanation, text: textOf(explanation, whoIs(connection)) };
}

const NO_HISTORY =
  'What happened before, and since when it is in each state, is not known: no steps are kept where inspection.history is 0, or there was no admin API when the server started.';

/** Which sides of a pair send Close frames. */
export function speakingOf({ request }: ConnectionActor, upstream: UpstreamActor | undefined): Speaking {
  return { connection: request.transport === 'websocket', upstream: upstream?.port.speaksWebSocket ?? true };
}

/** Who the two sides are. */
export function whoIs({ request, principal, port }: ConnectionActor) {
  const { remoteAddress, remotePort, path } = request;
  return { remoteAddress, remotePort, path, user: principal?.name, target: port.target, dataPath: port.dataPath };
}

/** The state that says most about why nothing goes on; the worst comes first. */
const TELLING = [
  'connection.rejected',
  'connection.closed',
  'connection.closing',
  'connection.handshaking.deciding',
  'connection.handshaking.dialling',
  'connection.open.outbound.throttled',
  'upstream.open.outbound.throttled',
  'connection.open.inbound.paused',
  'upstream.dialling',
  'upstream.closing',
];

function summaryOf(facts: readonly ExplainedState[], now: number): string {
  const telling = TELLING.map((id) => facts.find(({ state }) => state === id)).find((fact) => fact !== undefined);
  if (telling !== undefined) return `${telling.words}${untilOf(telling, now)}`;
  const silent = facts.find(({ state, next }) => state.endsWith('.probing') && next !== 'that is noted');
  return silent === undefined
    ? 'It is open, and nothing holds it up.'
    : `It is open. ${silent.words}${untilOf(silent, now)}`;
}

function untilOf({ next, deadline }: ExplainedState, now: number): string {
  if (deadline === undefined) return ` It moves on when ${next}.`;
  return ` It moves on when ${next}; at ${time(deadline.at, now)} (${deadline.option}) ${deadline.effect}.`;
}

function slowOf({ reading }: ConnectionActor, facts: readonly ExplainedState[]): Explanation['slow'] {
  const has = (id: string) => facts.some(({ state }) => state === id);
  return [
    ...(has('connection.open.outbound.throttled') ? ['client' as const] : []),
    ...(has('upstream.open.outbound.throttled') ? ['target' as const] : []),
    ...(reading.reasons.includes('backlog') ? ['application' as const] : []),
  ];
}

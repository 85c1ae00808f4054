/** Owns which deadlines of a connection run, by their names and options. Refuses to keep time: charts and watches do. */
import type { AnyActorRef } from 'xstate';
import { type ChartTimer, timersOf } from '../../actors/chart-timers.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { ChartSide } from '../../actors/history.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import type { Watches } from '../../actors/watches.js';
import type { ProxyConfig } from '../config/options.js';
import type { ExplainedDeadline } from './explanation.js';

/** The options that an explanation names. */
export type ExplainedOptions = Pick<ProxyConfig, 'timeouts' | 'heartbeat' | 'limits' | 'inspection'>;

type Chart = 'handshakeTimeout' | 'dialTimeout' | 'closeTimeout' | 'writeStallTimeout';

const TIMEOUTS: Readonly<Record<Chart, 'handshake' | 'dial' | 'close' | 'writeStall'>> = {
  handshakeTimeout: 'handshake',
  dialTimeout: 'dial',
  closeTimeout: 'close',
  writeStallTimeout: 'writeStall',
};

const THEN: Readonly<Record<ChartSide, Readonly<Record<string, string>>>> = {
  connection: {
    handshake: 'the client is refused with 503 or 504',
    close: 'it is cut',
    writeStall: 'the client is closed with 1008',
  },
  upstream: {
    dial: 'the dial is given up, and the client gets 504, or 1014 when it is open already',
    close: 'the connection to the target is cut',
    writeStall: 'the connection to the target is cut, and the client is closed with 1013',
  },
};

/** The deadlines of a connection and its upstream, the next one first. */
export function deadlinesOf(
  connection: ConnectionActor,
  upstream: UpstreamActor | undefined,
  watches: Watches,
  options: ExplainedOptions,
): ExplainedDeadline[] {
  const own = chartDeadlines('connection', connection.chart, options);
  const other = upstream === undefined ? [] : chartDeadlines('upstream', upstream.chart, options);
  const watched = connection.gate ? watchDeadlines(connection, watches) : [];
  const beats = [...beatOf('connection', connection), ...(upstream === undefined ? [] : beatOf('upstream', upstream))];
  return [...own, ...other, ...watched, ...beats].sort((one, another) => one.at - another.at);
}

function chartDeadlines(side: ChartSide, chart: object, { timeouts }: ExplainedOptions): ExplainedDeadline[] {
  return timersOf(chart as AnyActorRef).flatMap(({ id, due }: ChartTimer) => {
    const name = TIMEOUTS[/^xstate\.after\.([^.]+)/.exec(id)?.[1] as Chart];
    // 0 is no deadline: the chart waits for as long as a timer can.
    if (name === undefined || timeouts[name] === 0) return [];
    return { name, side, option: `timeouts.${name}`, at: due, effect: THEN[side][name] ?? '' };
  });
}

function watchDeadlines(connection: ConnectionActor, watches: Watches): ExplainedDeadline[] {
  const { idle, lifetime, credentials } = watches.timesOf(connection);
  const side = 'connection';
  const found: ExplainedDeadline[] = [];
  if (idle !== undefined) {
    const effect = 'it is closed with 1001, unless something is carried before';
    found.push({ name: 'idle', side, option: 'timeouts.idle', at: idle, effect });
  }
  if (lifetime !== undefined) {
    found.push({ name: 'lifetime', side, option: 'timeouts.lifetime', at: lifetime, effect: 'it is closed with 1001' });
  }
  if (credentials !== undefined) {
    const effect = "the client's credentials expire, and it is closed with 1008, unless they are renewed";
    found.push({ name: 'credentials', side, option: 'authentication', at: credentials, effect });
  }
  return found;
}

/** Of the heartbeat: when the next ping is due, or until when one is waited for. */
function beatOf(side: ChartSide, { heart, probing, chartValue }: ConnectionActor | UpstreamActor): ExplainedDeadline[] {
  const isOpen = typeof chartValue === 'object' && 'open' in chartValue;
  if (heart === undefined || !isOpen) return [];
  const peer = side === 'connection' ? 'client' : 'target';
  if (!probing) {
    return [
      { name: 'ping', side, option: 'heartbeat.interval', at: heart.due, effect: `a ping to the ${peer} is due` },
    ];
  }
  const effect = heart.heard
    ? `that the ${peer} was heard is noted`
    : `the ${peer} is taken to be gone, and the connection is cut and reported as 1006, unless something comes from it`;
  return [{ name: 'probe', side, option: 'heartbeat.timeout', at: heart.due, effect }];
}

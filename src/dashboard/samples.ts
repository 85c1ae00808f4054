/** Owns the numbers of the last minutes, one sample for each look, as they are plotted: counts, and rates from what two looks differ by. */
import type { CloseCount, Stats } from './api/contract.js';

/** How many looks are kept: five minutes of one a second. */
const KEPT = 300;

/** A gap of more milliseconds is shown as one: nobody looked meanwhile. */
const GAP = 5000;

/** What is kept of each look. Rates are for a second. */
export const SERIES = [
  'connections',
  'messagesIn',
  'messagesOut',
  'bytesIn',
  'bytesOut',
  'slowClients',
  'slowTargets',
  'paused',
  'stalled',
  'closesClean',
  'closesOther',
  'delayMean',
  'delayP99',
] as const;

/** The name of a series. */
export type SeriesName = (typeof SERIES)[number];

/** A value, or null where there is none. */
export type Point = number | null;

/** Causes that are no fault of anybody: a close that was said, or asked for. */
const CLEAN: ReadonlySet<string> = new Set(['closed', 'disconnected']);

/** The cause of a connection that was cut because nothing could be written to it for too long. */
export const STALLED = 'WRITE_STALLED';

/** The samples of one server. */
export class Samples {
  /** Seconds since the epoch. */
  readonly times: number[] = [];
  readonly series = Object.fromEntries(SERIES.map((name) => [name, [] as Point[]])) as Record<SeriesName, Point[]>;
  #last: Stats | undefined;

  add(stats: Stats): void {
    const last = this.#last;
    this.#last = stats;
    if (last !== undefined && stats.at <= last.at) return;
    if (last !== undefined && stats.at - last.at > GAP) this.#push(last.at + 1, {});
    const perSecond = (count: (of: Stats) => number): Point => {
      // A server that was made anew counts from nought.
      if (last === undefined || stats.at - last.at > GAP || count(stats) < count(last)) return null;
      return ((count(stats) - count(last)) * 1000) / (stats.at - last.at);
    };
    const { states, process } = stats;
    this.#push(stats.at, {
      connections: stats.connections,
      messagesIn: perSecond(({ received }) => received.messages),
      messagesOut: perSecond(({ sent }) => sent.messages),
      bytesIn: perSecond(({ received }) => received.bytes),
      bytesOut: perSecond(({ sent }) => sent.bytes),
      slowClients: states['connection.open.outbound.throttled'] ?? 0,
      slowTargets: states['upstream.open.outbound.throttled'] ?? 0,
      paused: states['connection.open.inbound.paused'] ?? 0,
      stalled: perSecond(({ closes }) => sumOf(closes, ({ cause }) => cause === STALLED)),
      closesClean: perSecond(({ closes }) => sumOf(closes, ({ cause }) => CLEAN.has(cause))),
      closesOther: perSecond(({ closes }) => sumOf(closes, ({ cause }) => !CLEAN.has(cause))),
      delayMean: process?.eventLoopDelay?.mean ?? null,
      delayP99: process?.eventLoopDelay?.p99 ?? null,
    });
  }

  /** The last value of a series; null for none. */
  last(name: SeriesName): Point {
    return this.series[name].at(-1) ?? null;
  }

  #push(at: number, values: Partial<Record<SeriesName, Point>>): void {
    this.times.push(at / 1000);
    for (const name of SERIES) this.series[name].push(values[name] ?? null);
    if (this.times.length <= KEPT) return;
    this.times.shift();
    for (const name of SERIES) this.series[name].shift();
  }
}

/** How many ended for the reasons that are meant. */
export function sumOf(closes: readonly CloseCount[], isMeant: (close: CloseCount) => boolean): number {
  return closes.reduce((sum, close) => sum + (isMeant(close) ? close.count : 0), 0);
}

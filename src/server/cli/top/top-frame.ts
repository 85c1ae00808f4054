/** Owns how a look of `tidegate top` is drawn as lines of text. Refuses to write them, and to pass on what a terminal would act on. */
import { printable } from '../../telemetry/printable.js';
import { fitted, size } from './text-width.js';
import type { Rate, TopRow, TopSample, TopSort } from './top-sample.js';

/** What is drawn beside the look itself. */
export interface TopFrame {
  readonly sample: TopSample;
  readonly url: string;
  readonly sort: TopSort;
  /** The row that is chosen; undefined for none. */
  readonly selected?: number | undefined;
  /** In place of what would be known, such as that nobody answers any more. */
  readonly problem?: string | undefined;
}

interface Column {
  readonly title: string;
  readonly width: number;
  /** Grows when there is room. */
  readonly grows?: boolean;
  readonly right?: boolean;
  readonly sort?: TopSort;
  text(row: TopRow, rate: Rate | undefined, now: number): string;
}

const UNKNOWN = '-';

const COLUMNS: readonly Column[] = [
  { title: 'ID', width: 12, text: ({ id }) => id },
  { title: 'USER', width: 8, grows: true, text: ({ user = UNKNOWN }) => user },
  { title: 'ADDRESS', width: 21, text: addressOf },
  { title: 'TARGET', width: 16, grows: true, text: ({ target = UNKNOWN }) => target },
  { title: 'STATE', width: 11, text: stateOf },
  { title: 'IN/s', width: 9, right: true, sort: 'bytes', text: (_, rate) => speed(rate?.received.bytes) },
  { title: 'OUT/s', width: 9, right: true, sort: 'bytes', text: (_, rate) => speed(rate?.sent.bytes) },
  {
    title: 'MESSAGES',
    width: 9,
    right: true,
    sort: 'messages',
    text: (row) => count(row.received.messages + row.sent.messages),
  },
  {
    title: 'BUFFERED',
    width: 9,
    right: true,
    sort: 'bufferedBytes',
    text: ({ bufferedBytes = 0 }) => size(bufferedBytes),
  },
  { title: 'RTT', width: 8, right: true, sort: 'roundTripMs', text: ({ roundTripMs }) => milliseconds(roundTripMs) },
  { title: 'AGE', width: 6, right: true, sort: 'openedAt', text: ({ openedAt }, _, now) => age(openedAt, now) },
];

/** How many lines stand before the rows. */
export const HEAD_LINES = 6;

/** Draws a frame of at most so many columns. */
export function topLines(frame: TopFrame, columns: number): string[] {
  const { sample, problem } = frame;
  const widths = widthsOf(columns);
  const line = (texts: readonly string[]) => {
    const cells = texts.map((text, index) => fitted(text, widths[index]!, COLUMNS[index]!.right === true));
    return cells.slice(0, cells.length).join(' ').trimEnd();
  };
  const titles = COLUMNS.map(({ title, sort }) => (sort === frame.sort ? `${title}*` : title));
  const rows = sample.rows.map(({ row, rate }) =>
    COLUMNS.map((column) => printable(column.text(row, rate, sample.at))),
  );
  const head = problem === undefined ? headLines(frame) : [printable(problem), ...headLines(frame).slice(1)];
  const lines = [...head, '', line(titles), ...rows.map(line)];
  return lines.map((text) => fitted(text, columns).trimEnd());
}

function headLines({ sample: { stats, rate, matched, at, rows }, url, sort }: TopFrame): string[] {
  const { kind, state, connections, opened, closed, heldBytes, process } = stats;
  const shown = rows.length < matched ? `, ${rows.length} of ${matched} shown` : '';
  const delay = process?.eventLoopDelay?.p99;
  const more = [
    process?.rss === undefined ? '' : `, memory ${size(process.rss)}`,
    delay === undefined ? '' : `, event loop p99 ${milliseconds(delay)}`,
  ];
  return [
    `tidegate top  ${url}  ${kind} ${state}  ${new Date(at).toISOString().slice(11, 19)} UTC  by ${sort}`,
    `connections ${connections} (opened ${opened}, closed ${closed}${shown}), held ${size(heldBytes)}${more.join('')}`,
    `in ${flow(rate?.received)}, out ${flow(rate?.sent)}; in all ${flowed(stats.received)} in, ${flowed(stats.sent)} out`,
    statesLine(stats.states),
  ].map(printable);
}

/** The states that say something, those of the target behind them. */
const STATES: readonly (readonly [label: string, id: string])[] = [
  ['handshaking', 'connection.handshaking'],
  ['open', 'connection.open'],
  ['throttled', 'connection.open.outbound.throttled'],
  ['paused', 'connection.open.inbound.paused'],
  ['probing', 'connection.open.liveness.probing'],
  ['closing', 'connection.closing'],
  ['target dialling', 'upstream.dialling'],
  ['target throttled', 'upstream.open.outbound.throttled'],
  ['target closing', 'upstream.closing'],
];

function statesLine(states: TopSample['stats']['states']): string {
  return STATES.map(([label, id]) => `${label} ${states[id] ?? 0}`).join('  ');
}

/** In one word, the worst first. */
function stateOf({ state, chart, upstream }: TopRow): string {
  const own = JSON.stringify(chart) ?? '';
  const other = JSON.stringify(upstream?.chart) ?? '';
  if (state !== 'open') return own.includes('dialling') ? 'dialling' : state;
  if (own.includes('throttled')) return 'throttled';
  if (other.includes('throttled')) return 'slow target';
  if (own.includes('paused')) return 'paused';
  return other === '"dialling"' ? 'dialling' : state;
}

function addressOf({ remoteAddress, remotePort }: TopRow): string {
  if (remoteAddress === undefined) return UNKNOWN;
  return `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort ?? 0}`;
}

/** What is left goes to the columns that grow; where there is too little, they give up some. */
function widthsOf(columns: number): number[] {
  const fixed = COLUMNS.reduce((sum, { width }) => sum + width + 1, -1);
  const growing = COLUMNS.filter(({ grows }) => grows).length;
  const share = Math.floor((columns - fixed) / growing);
  return COLUMNS.map(({ width, grows }) => (grows === true ? Math.max(4, width + share) : width));
}

function count(value: number): string {
  return value < 1e6 ? String(value) : `${(value / 1e6).toFixed(1)}M`;
}

function speed(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : size(bytes);
}

function milliseconds(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return value < 10 ? `${value.toFixed(1)}ms` : `${Math.round(value)}ms`;
}

function flow(rate: { messages: number; bytes: number } | undefined): string {
  return rate === undefined ? UNKNOWN : `${count(Math.round(rate.messages))} msg/s ${size(rate.bytes)}/s`;
}

function flowed({ messages, bytes }: { messages: number; bytes: number }): string {
  return `${count(messages)} msg ${size(bytes)}`;
}

function age(openedAt: string | undefined, now: number): string {
  const seconds = Math.floor((now - Date.parse(openedAt ?? '')) / 1000);
  if (!Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 100) return `${Math.max(0, seconds)}s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

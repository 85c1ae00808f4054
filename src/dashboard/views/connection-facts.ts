/** Owns the facts about one connection in words. Refuses to show them. */
import type { CloseReport, ConnectionDetail, Explanation, Refusal, Traffic } from '../api/contract.js';
import { valueText } from '../chart-value.js';
import type { Fact } from '../facts.js';
import { bytes, clockTime, count, duration, printable } from '../words.js';

/** Longer texts of clients are cut where everything else is shown. */
const LONG = 1000;

/** What is known of a connection, in the order it is shown. */
export function factsOf(detail: ConnectionDetail): Fact[] {
  const { openedAt, waterMarks, subprotocol, upstream } = detail;
  const facts: (readonly [name: string, value: string | undefined])[] = [
    ['State', valueText(detail.chart ?? detail.state)],
    ['State of the target', upstream?.chart && valueText(upstream.chart)],
    ['What it is', detail.control ? 'the control channel of a backend' : undefined],
    ['Client', text(detail.remoteAddress && `${detail.remoteAddress} port ${detail.remotePort}`)],
    ['User', text(detail.user)],
    ['Path', text(detail.path)],
    ['Target', text(detail.target)],
    ['Subprotocol', subprotocol === '' ? 'none' : text(subprotocol)],
    ['Data path', text(detail.dataPath)],
    ['Tags', listed(detail.tags)],
    ['Channels', listed(detail.channels)],
    ['Opened', openedAt && `${clockTime(Date.parse(openedAt))}, ${duration(Date.now() - Date.parse(openedAt))} ago`],
    ['From the client', trafficText(detail.received)],
    ['To the client', trafficText(detail.sent)],
    ['Waits for the client', size(detail.bufferedBytes)],
    ['Waits for the target', size(upstream?.bufferedBytes)],
    ['Water marks', waterMarks && `${bytes(waterMarks.low)} and ${bytes(waterMarks.high)}`],
    ['Round-trip time', milliseconds(detail.roundTripMs)],
    ['Round trip to the target', milliseconds(detail.upstreamRoundTripMs)],
    ...flattened('Rates', detail.rates),
  ];
  return facts.filter((fact): fact is Fact => fact[1] !== undefined && fact[1] !== '');
}

/** How a connection ended. */
export function endOf(report: CloseReport): Fact[] {
  const code = (value: number | undefined) => (typeof value === 'number' ? String(value) : 'none');
  return [
    ['Ended by', printable(report.initiator)],
    ['Cause', printable(report.cause)],
    ['Status', String(report.status)],
    ['Reason', report.reason === '' ? 'none' : printable(report.reason, LONG)],
    ['Code sent', code(report.codeSent)],
    ['Code received', code(report.codeReceived)],
    ['From the client', trafficText(report.received) ?? ''],
    ['To the client', trafficText(report.sent) ?? ''],
    ['Lasted', duration(report.durationMs)],
    ['Not delivered', bytes(report.undeliveredBytes)],
  ];
}

/** How a handshake was refused. */
export function refusalOf({ status, error, message }: Refusal): Fact[] {
  return [
    ['Answered with', String(status)],
    ['Cause', printable(error)],
    ['Message', printable(message, LONG)],
  ];
}

/** Why it is where it is: a sentence about all of it, then some for each region. */
export function explanationOf({ at, summary, facts }: Explanation, isOver: boolean): string[] {
  const lines = facts.map(({ state, words, since, next, deadline }) => {
    const parts = [`${state}${since === undefined ? '' : `, for ${duration(at - since)}`}: ${sentence(words)}`];
    if (!isOver) parts.push(`Moves on when: ${sentence(next)}`);
    if (!isOver && deadline !== undefined) {
      parts.push(`Otherwise in ${duration(deadline.at - at)} (${deadline.option}): ${sentence(deadline.effect)}`);
    }
    return parts.join(' ');
  });
  return [summary, ...lines].map((line) => printable(line, LONG));
}

/** What an explanation says in full, line by line. */
export function fullText({ text: whole }: Explanation): string {
  const lines = whole.slice(0, 20 * LONG).split('\n');
  return lines.map((line) => printable(line, LONG)).join('\n');
}

function sentence(words: string): string {
  return words.endsWith('.') ? words : `${words}.`;
}

function text(value: string | undefined): string | undefined {
  return value && printable(value, LONG);
}

function size(value: number | undefined): string | undefined {
  return value === undefined ? undefined : bytes(value);
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : duration(value);
}

function trafficText(traffic: Traffic | undefined): string | undefined {
  return traffic && `${count(traffic.messages)} messages, ${bytes(traffic.bytes)}`;
}

function listed(texts: readonly string[] | undefined): string | undefined {
  return texts?.length ? printable(texts.join(', '), LONG) : undefined;
}

/** What has values by name, maybe one in another, as a fact for each of those. */
function flattened(name: string, value: unknown): Fact[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'number') return [[name, value === 0 ? 'none' : `${count(value)} bit/s`]];
  if (typeof value !== 'object') return [[name, printable(String(value))]];
  return Object.entries(value).flatMap(([key, inner]) => flattened(`${name}, ${printable(key)}`, inner));
}

/** Owns how an outcome is written down, and whether it contradicts what the RFC says has to come of a case. */
import { isDeepStrictEqual } from 'node:util';
import { isWebSocket, type WayName } from '../fault/way.js';
import { describeFrame } from '../support/frames.js';
import { Opcode } from '../support/raw-client.js';
import type { ConformanceCase, Verdict } from './cases/case.js';
import { type Sender, verdictOn } from './cases/table.js';
import type { SeenClose } from './polite-end.js';
import { showArrived, showBytes } from './received.js';
import type { Outcome } from './run-case.js';

/** Writes an outcome in one line. */
export function showOutcome(outcome: Outcome): string {
  const { stands, arrived, bytes, back, closed, told, end, reported, misframed } = outcome;
  const got = bytes === undefined ? arrived.map(showArrived) : bytes.length > 0 ? [`bytes ${showBytes(bytes)}`] : [];
  const answers = back.map(
    ({ opcode, payload }) => `${opcode === Opcode.Ping ? 'ping' : 'pong'} ${showBytes(payload)}`,
  );
  return [
    stands ? 'stands' : `closed ${closed?.code ?? 'without a Close'}`,
    `other side: ${[...shortened(got), typeof told === 'string' ? told : `close ${told.code}`].join(', ')}`,
    ...(answers.length > 0 ? [`back: ${shortened(answers).join(', ')}`] : []),
    end,
    `onClosed ${reported}`,
    ...(misframed === undefined ? [] : [`MISFRAMED ${misframed}`]),
  ].join(' | ');
}

function shortened(list: readonly string[]): string[] {
  return list.length <= 12 ? [...list] : [...list.slice(0, 3), `… ${list.length - 6} more …`, ...list.slice(-3)];
}

/** Says in which points an outcome contradicts the verdict of a case on that way; empty when in none. */
export function contradictions(one: ConformanceCase, way: WayName, sender: Sender, outcome: Outcome): string[] {
  const verdict = verdictOn(way, one);
  const wrong: string[] = [];
  const compare = (what: string, got: unknown, wanted: unknown): void => {
    if (!isDeepStrictEqual(got, wanted)) wrong.push(`${what}: got ${shown(got)}, the case says ${shown(wanted)}`);
  };
  compare('wrongly masked', outcome.misframed, undefined);
  compare('stands', outcome.stands, verdict.kind === 'pass');
  compare('close code', outcome.closed?.code, codeOf(verdict));
  compare('end of the connection', outcome.end, 'fin');
  compare('onClosed', outcome.reported, reportedFor(verdict, sender));
  compare('the other side was told', outcome.told, toldFor(verdict, way, sender, outcome.told));
  if (verdict.kind === 'close') compare('reason', outcome.closed?.reason, verdict.reason);
  if (verdict.kind === 'pass') compare('answers to pings', answersOf(outcome), pingsOf(one));
  if (outcome.bytes === undefined) compare('messages', messagesOf(outcome), verdict.messages.map(plain));
  else compareBytes(compare, verdict, way, outcome.bytes);
  return wrong;
}

function codeOf(verdict: Verdict): number {
  return verdict.kind === 'pass' ? 1000 : verdict.code;
}

/** A target that breaks a rule is, to the client, a fault behind us: 1011. */
function reportedFor(verdict: Verdict, sender: Sender): number {
  return verdict.kind === 'fail' && sender === 'target' ? 1011 : codeOf(verdict);
}

function toldFor(verdict: Verdict, way: WayName, sender: Sender, told: SeenClose | string): SeenClose | string {
  if (!isWebSocket(way)) return way === 'messages alone' ? 'nobody' : 'fin';
  // How a violation is worded is free.
  const free = typeof told === 'string' ? '' : told.reason;
  const reason = { pass: '', fail: free, close: verdict.kind === 'close' ? verdict.reason : '' }[verdict.kind];
  return { code: reportedFor(verdict, sender), reason };
}

function messagesOf({ arrived }: Outcome): string[] {
  return arrived.filter(({ kind, complete }) => complete && (kind === 'text' || kind === 'binary')).map(plain);
}

function compareBytes(
  compare: (what: string, got: unknown, wanted: unknown) => void,
  verdict: Verdict,
  way: WayName,
  bytes: Buffer,
): void {
  const wanted = Buffer.concat(verdict.messages.map(({ data }) => data));
  // On the path `stream` the beginning of a message that is never complete has been passed on already.
  const streamed = way === 'stream' && verdict.kind !== 'pass';
  compare('bytes', showBytes(streamed ? bytes.subarray(0, wanted.length) : bytes), showBytes(wanted));
}

function plain({ kind, data }: { readonly kind: string; readonly data: Buffer }): string {
  return `${kind} ${showBytes(data)}`;
}

function answersOf({ back }: Outcome): string[] {
  return back.map((frame) => (frame.opcode === Opcode.Pong ? showBytes(frame.payload) : describeFrame(frame)));
}

function pingsOf({ frames }: ConformanceCase): string[] {
  const pings = frames.filter(({ opcode }) => opcode === Opcode.Ping);
  return pings.map(({ payload = '' }) => showBytes(Buffer.from(payload as string)));
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'undefined';
  return json.length > 300 ? `${json.slice(0, 300)}…` : json;
}

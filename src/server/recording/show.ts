/**
 * Owns how a recording is shown to people, a line for each thing that happened. Refuses to show what a terminal would take for more than
 * text.
 */
import { stateIds } from '../observation/state-counts.js';
import type { BodyLine, HeaderLine } from './format.js';
import type { Recording } from './read-recording.js';
import { flawOf, payloadOfLine } from './recorded-messages.js';

/** How much of a payload is shown. */
const SHOWN = 160;

const OPCODES: Readonly<Record<number, string>> = {
  0: 'continuation',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

const ARROWS = { client: '->', server: '<-' } as const;

/** Shows a recording, line by line, each without its end. */
export function* showRecording(recording: Recording): Generator<string, void> {
  for (const line of headLines(recording.header)) yield printable(line);
  let before: Readonly<Record<string, readonly string[]>> = {};
  for (const line of recording.lines) {
    yield printable(`${seconds(line.t)}  ${bodyText(line, before)}`);
    if (line.type === 'step') before = { ...before, [line.side]: stateIds(line.side, line.value) };
  }
  if (recording.end === undefined) yield '            the file ends here: it is still written, or was cut off';
}

/** A text in which every character that a terminal could take for a command, or that turns the direction, is written out. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (mark) => {
    return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function headLines(header: HeaderLine): string[] {
  const { id, began, part, midway, transport, request, response, target, user, dataPath, subprotocol } = header;
  const lines = [
    `connection  ${id}, ${transport}, recorded from ${began}${part > 1 ? `, part ${part}` : ''}${midway ? ', midway' : ''}`,
    `client      ${request.remoteAddress}:${request.remotePort}${user === undefined ? '' : `, user ${user}`}`,
  ];
  if (transport === 'websocket') lines.push(`request     ${request.method} ${request.url}`);
  for (const [name, value] of request.headers) lines.push(`            ${name}: ${value}`);
  if (response !== undefined) lines.push(`response    ${response.status} ${response.statusText}`);
  for (const [name, value] of response?.headers ?? []) lines.push(`            ${name}: ${value}`);
  const path = dataPath === undefined ? '' : `, path ${dataPath}`;
  lines.push(`target      ${target ?? 'none'}${path}${subprotocol === '' ? '' : `, subprotocol ${subprotocol}`}`);
  return lines;
}

function bodyText(line: BodyLine, before: Readonly<Record<string, readonly string[]>>): string {
  switch (line.type) {
    case 'step':
      return stepText(line, before[line.side] ?? []);
    case 'frame': {
      const { opcode, fin, rsv, bytes, frames } = line;
      const notes = [
        fin ? '' : 'not final',
        rsv === undefined ? '' : `rsv ${rsv}`,
        frames === undefined ? '' : `${frames} frames`,
        flawOf(line) ?? '',
      ].filter((note) => note !== '');
      const about = [`${bytes} bytes`, ...notes].join(', ');
      return `${ARROWS[line.from]} ${OPCODES[opcode] ?? `opcode ${opcode}`} (${about}) ${payloadText(line)}`;
    }
    case 'bytes':
      return `${ARROWS[line.from]} bytes (${[`${line.bytes} bytes`, flawOf(line) ?? []].flat().join(', ')}) ${payloadText(line)}`;
    case 'lost':
      return `lost: ${line.frames} frames with ${line.bytes} bytes, ${line.steps} steps`;
    default:
      return line.report === undefined
        ? `end: ${line.why}`
        : `end: ${line.why}, ${line.report.status} ${line.report.cause}, began by ${line.report.initiator}`;
  }
}

/** What changed, and not all of where the chart is. */
function stepText({ side, event, value }: Extract<BodyLine, { type: 'step' }>, before: readonly string[]): string {
  const now = stateIds(side, value);
  const entered = now.filter((id) => !before.includes(id) && !now.some((other) => other.startsWith(`${id}.`)));
  const { ending, error } = event;
  const why =
    ending === undefined ? (error ?? '') : `${ending.code} ${ending.cause} by ${ending.initiator} ${ending.reason}`;
  return `** ${event.type}${why === '' ? '' : ` (${why.trim()})`}: ${entered.length > 0 ? entered.join(', ') : `${side} stays`}`;
}

function payloadText(line: Extract<BodyLine, { type: 'frame' | 'bytes' }>): string {
  const data = payloadOfLine(line);
  if (data.length === 0) return '';
  if (line.type === 'frame' && line.opcode === 8 && data.length >= 2) {
    return `${data.readUInt16BE(0)} ${JSON.stringify(data.toString('utf8', 2))}`;
  }
  const isText = line.text !== undefined;
  const shown = data.subarray(0, SHOWN);
  const more = data.length > SHOWN ? '…' : '';
  return isText ? `${JSON.stringify(shown.toString())}${more}` : `${shown.toString('hex')}${more}`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(6).padStart(10);
}

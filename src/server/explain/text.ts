/** Owns how an explanation reads as text. Refuses to pass on a character that a terminal would act on. */
import { printable, shortened } from '../telemetry/printable.js';
import { distance, duration, time } from './amounts.js';
import type { Explanation } from './explanation.js';

/** Who the two sides of a connection are. */
export interface Sides {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly path: string;
  readonly user: string | undefined;
  readonly target: string | undefined;
  readonly dataPath: string | undefined;
}

/** Room for what a client wrote. */
const MAX_WORD = 200;

/** States in which all is well, and about which less is said. */
const CALM = /\.(?:open|flowing|reading|alive)$/;

/** Writes an explanation as lines. Times are in UTC. */
export function textOf(explanation: Omit<Explanation, 'text'>, sides: Sides, more: readonly string[] = []): string {
  const { id, at, state, summary } = explanation;
  const sections = [
    [`${id} is ${state}. ${summary}`, `  ${whoAre(sides)}`, ...more.map((line) => `  ${line}`)],
    factLines(explanation),
    deadlineLines(explanation),
    bufferLines(explanation),
    historyLines(explanation),
    explanation.unknown.length === 0 ? [] : ['Not known:', ...explanation.unknown.map((line) => `  ${line}`)],
    [`As of ${new Date(at).toISOString()}; times are in UTC.`],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.map(printable).join('\n'));
  return `${text.join('\n\n')}\n`;
}

function whoAre({ remoteAddress, remotePort, path, user, target, dataPath }: Sides): string {
  const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  const words = [`client ${host}:${remotePort}`];
  if (user !== undefined) words.push(`user ${shortened(user, MAX_WORD)}`);
  if (path !== '') words.push(`path ${shortened(path, MAX_WORD)}`);
  words.push(target === undefined ? 'no target' : `target ${shortened(target, MAX_WORD)}`);
  if (dataPath !== undefined) words.push(`data path ${dataPath}`);
  return words.join(', ');
}

function factLines({ facts, at, state }: Omit<Explanation, 'text'>): string[] {
  if (facts.length === 0) return [];
  const isOver = state === 'closed' || state === 'rejected';
  const lines = facts.flatMap(({ state: id, words, since, next, deadline }) => {
    const when = since === undefined ? 'since when is not known' : `since ${time(since, at)}, ${duration(at - since)}`;
    if (isOver || CALM.test(id)) return [`  ${id}  (${when}): ${words}`];
    const rows = [`  ${id}  (${when})`, `      ${words}`, `      Moves on when: ${next}.`];
    return deadline === undefined ? rows : [...rows, `      Until: ${until(deadline, at)}.`];
  });
  return [isOver ? 'Where it ended' : 'Where it is', ...lines];
}

function deadlineLines({ deadlines, at }: Omit<Explanation, 'text'>): string[] {
  return deadlines.length === 0 ? [] : ['Deadlines', ...deadlines.map((deadline) => `  ${until(deadline, at)}`)];
}

function until({ at, option, effect }: Explanation['deadlines'][number], now: number): string {
  return `${time(at, now)} (${distance(at, now)}, ${option}): ${effect}`;
}

function bufferLines({ buffers, slow }: Omit<Explanation, 'text'>): string[] {
  if (buffers === undefined) return [];
  const { client, target } = buffers;
  const waits = (who: string, { bytes, highWaterMark }: typeof client) =>
    `  for the ${who}: ${bytes} bytes (high water mark ${highWaterMark})`;
  const who = slow.length === 0 ? 'Nobody is slow. What waits:' : `Slow: the ${slow.join(', the ')}. What waits:`;
  return [who, waits('client', client), ...(target === undefined ? [] : [waits('target', target)])];
}

function historyLines({ history, historyDropped, at }: Omit<Explanation, 'text'>): string[] {
  if (history.length === 0) return [];
  const lines = history.map((step) => `  ${time(step.at, at)}  ${step.text}`);
  const before = historyDropped === 0 ? [] : [`  (${historyDropped} steps before are not kept: inspection.history)`];
  return ['What happened last', ...before, ...lines];
}

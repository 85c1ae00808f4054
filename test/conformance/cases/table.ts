/** Owns the whole table of cases, and which of them go on which way. */
import type { WayName } from '../../fault/way.js';
import type { ConformanceCase, Verdict } from './case.js';
import { CLOSING } from './closing.js';
import { DEFLATE } from './deflate.js';
import { FRAMING } from './framing.js';
import { LIMITS } from './limits.js';
import { MESSAGES } from './messages.js';
import { UTF8 } from './utf8.js';

/** Who sends the frames of a case: toward a client we are the server, toward a target the client. */
export type Sender = 'client' | 'target';

export const ALL_CASES: readonly ConformanceCase[] = [
  ...FRAMING,
  ...MESSAGES,
  ...UTF8,
  ...CLOSING,
  ...LIMITS,
  ...DEFLATE,
];

/** The cases that this side may send on that way. On the path `stream` no compression is agreed on. */
export function casesOn(way: WayName, sender: Sender): readonly ConformanceCase[] {
  return ALL_CASES.filter(
    ({ only = sender, setup = 'plain' }) =>
      only === sender && (way !== 'stream' || setup === 'plain' || setup === 'limits'),
  );
}

/** Who may send a case. */
export function sendersOf({ only }: ConformanceCase): readonly Sender[] {
  return only === undefined ? ['client', 'target'] : [only];
}

/** What has to come of a case on that way: the verdict of the RFC, or that of a deliberate deviation. */
export function verdictOn(way: WayName, { verdict, deviation }: ConformanceCase): Verdict {
  if (deviation === undefined) return verdict;
  const deviates = {
    everywhere: true,
    unread: way === 'frames' || way === 'stream',
    compressed: way === 'frames',
  }[deviation.on];
  return deviates ? deviation.verdict : verdict;
}

/** Holds that every state and every event of the charts of a pair has words, and how these read. */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { connectionMachine } from '../../src/actors/connection.machine.js';
import { closedBy, operatorCut, operatorEnding } from '../../src/actors/ending.js';
import type { HistoryEntry } from '../../src/actors/history.js';
import { upstreamMachine } from '../../src/actors/upstream.machine.js';
import { distance, duration, time } from '../../src/server/explain/amounts.js';
import { hasWords, wordsOfStep } from '../../src/server/explain/event-words.js';
import { STATE_WORDS } from '../../src/server/explain/state-words.js';
import { isPrintable, printable } from '../../src/server/telemetry/printable.js';

const CHARTS = { connection: connectionMachine, upstream: upstreamMachine } as const;

function nodesOf(machine: AnyStateMachine): AnyStateNode[] {
  const walk = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(walk)];
  return walk(machine.root);
}

describe.each(['connection', 'upstream'] as const)('the chart %s', (side) => {
  const nodes = nodesOf(CHARTS[side]);

  it('has words for each of its states, and none for others', () => {
    const ids = nodes.map(({ id }) => id).sort();
    expect(ids.length).toBeGreaterThan(10);
    expect(
      Object.keys(STATE_WORDS)
        .filter((id) => id.split('.')[0] === side)
        .sort(),
    ).toEqual(ids);
  });

  it('has words for each of its events, those of its own deadlines included', () => {
    const events = new Set(['xstate.init', ...nodes.flatMap(({ transitions }) => [...transitions.keys()])]);
    expect([...events].filter((event) => event.startsWith('xstate.after.')).length).toBeGreaterThan(2);
    expect([...events].filter((event) => !hasWords(side, event))).toEqual([]);
  });
});

describe('a step', () => {
  const speaking = { connection: true, upstream: false };
  const step = (more: Partial<HistoryEntry>): string =>
    wordsOfStep({ at: 0, side: 'connection', event: 'peer.closed', value: 'closing', ...more }, speaking);

  it('tells who closed, with which code and why', () => {
    expect(step({ ending: closedBy('downstream', 1001, 'away') })).toBe(
      'the client\'s Close frame arrived: 1001 "away"',
    );
    expect(step({ ending: closedBy('downstream', 1005, '') })).toBe("the client's Close frame arrived, without a code");
    expect(step({ side: 'upstream', ending: closedBy('upstream', 1000, '') })).toBe(
      'the target ended its direction (FIN)',
    );
    expect(step({ event: 'close.request', ending: operatorEnding(1001, 'maintenance') })).toBe(
      'it was to be closed by the operator (disconnected): 1001 "maintenance"',
    );
    expect(step({ event: 'terminate.request', ending: operatorCut })).toBe('it was cut by the operator (terminated)');
    expect(step({ event: 'upstream.failed', error: 'UPSTREAM_REFUSED' })).toBe(
      'the target could not be used: UPSTREAM_REFUSED',
    );
  });

  it('shows what a client said without what a terminal would act on', () => {
    const text = step({ ending: closedBy('downstream', 1000, '\x1b]0;owned\x07\u009b2J\u202e') });
    expect(text).toBe('the client\'s Close frame arrived: 1000 "\\x1b]0;owned\\x07\\x9b2J\\u202e"');
    expect(isPrintable(text)).toBe(true);
  });
});

describe('what people read', () => {
  it('has spans in the two units that matter', () => {
    const spans = [0, 999, 1000, 9999, 10_000, 59_999, 125_000, 11_520_000, 187_200_000];
    expect(spans.map(duration)).toEqual([
      '0 ms',
      '999 ms',
      '1.0 s',
      '9.9 s',
      '10 s',
      '59 s',
      '2 min 5 s',
      '3 h 12 min',
      '2 d 4 h',
    ]);
    expect(distance(5000, 2000)).toBe('in 3.0 s');
    expect(distance(2000, 5000)).toBe('3.0 s ago');
  });

  it('has times of the day, and the day where it is another one', () => {
    const now = Date.UTC(2030, 0, 2, 0, 0, 1);
    expect(time(now, now)).toBe('00:00:01.000');
    expect(time(now - 2000, now)).toBe('2030-01-01 23:59:59.000');
  });

  it('is every letter of every language, and no control character', () => {
    expect(printable('Zoë 日本 👍 naïve')).toBe('Zoë 日本 👍 naïve');
    expect(printable('a\nb\tc\u2028d\u200f')).toBe('a\\x0ab\\x09c\\u2028d\\u200f');
  });
});

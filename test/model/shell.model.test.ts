/**
 * Owns that a real server follows the `connection` chart: every edge that sockets can bring about is taken by a real
 * connection, and the chart is the oracle for each step. Refuses to test bytes; other tests do.
 */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type AnyEventObject, initialTransition, type StateValue, transition } from 'xstate';
import { connectionMachine } from '../../src/actors/connection.machine.js';
import type { Ending } from '../../src/actors/ending.js';
import { eventually } from '../support/events.js';
import { FakeConnectionEffects } from '../support/fake-effects.js';
import { connection } from './charts.js';
import { RealConnection } from './real-connection.js';
import { edges, eventInWords, shortestWays } from './walk.js';

/** Why sockets cannot bring an event about in a configuration; undefined when they can. */
function impossible(from: string, event: string): string | undefined {
  const nothingRead = 'nothing is read there, so that nothing is heard from the client';
  if (event === 'write.progressed') return 'how much a system takes at a time is its own business';
  if (from === 'handshaking.deciding' && event.startsWith('upstream.')) return 'there is no upstream yet';
  if (from === 'handshaking.dialling') {
    if (event.startsWith('decision.')) return 'the decision was made';
    if (event === 'receiver.failed') return 'no callback is called there';
  }
  if (from.startsWith('open(') && event === 'upstream.failed' && from !== 'open(flowing paused suspended)') {
    return 'the target is there';
  }
  if (from.includes('paused') && ['peer.closed', 'protocol.violated'].includes(event)) return nothingRead;
  if (['closing 1000 closed', 'closing 1002 PROTOCOL_ERROR'].includes(from)) {
    if (['peer.closed', 'protocol.violated'].includes(event)) return nothingRead;
  }
  return undefined;
}

interface Life {
  readonly name: string;
  readonly way: readonly AnyEventObject[];
  readonly reason: string | undefined;
}

const ways = shortestWays(connection);
const lives: Life[] = edges(connection).map(({ from, event, to }) => ({
  name: `${from}: ${eventInWords(event)} leads to ${to}`,
  way: withTarget([...(ways.get(from) ?? []), event]),
  reason: impossible(from, eventInWords(event)),
}));

/** A target can only fail while the connection is open when it is dialled after the 101. */
function withTarget(way: readonly AnyEventObject[]): AnyEventObject[] {
  const fails = way.some(({ type }) => type === 'upstream.failed');
  return way.map((event) => (fails && event.dial === 'none' ? { ...event, dial: 'after-accept' } : event));
}

/** Every value of the chart along a way, and the ending at its end. */
function oracle(way: readonly AnyEventObject[]): { values: StateValue[]; ending: Ending } {
  let [snapshot] = initialTransition(connectionMachine, { port: new FakeConnectionEffects() });
  const values: StateValue[] = [];
  for (const event of way) {
    [snapshot] = transition(connectionMachine, snapshot, event as Parameters<typeof transition>[2] as never);
    values.push(snapshot.value);
  }
  return { values, ending: snapshot.context.ending };
}

describe('a real connection follows the chart', () => {
  const possible = lives.filter(({ reason }) => reason === undefined);

  it.each(possible.map(({ name, way }) => [name, way] as const))('%s', async (_, way) => {
    const { values, ending } = oracle(way);
    const real = await RealConnection.begin(way);
    for (const [index, event] of way.entries()) {
      await real.happen(event);
      await eventually(() => isDeepStrictEqual(real.chart, values[index]), `${eventInWords(event)} was followed`, {
        within: 3000,
        instead: () => JSON.stringify(real.chart),
      });
    }
    if (values.at(-1) !== 'closed') return;
    await eventually(() => real.report !== undefined, 'the end was reported');
    expect(real.report?.cause).toBe(ending.cause);
  });

  it('cannot be brought everywhere by sockets, but almost', () => {
    const without = lives.filter(({ reason }) => reason !== undefined);
    expect(without.length / lives.length).toBeLessThan(0.25);
  });
});

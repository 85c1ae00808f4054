/**
 * Owns the exhaustive walk of the `pool` chart: every edge, every simple path, and the promises that hold on all of them. Refuses to test
 * an effect itself; the port only writes down what it is asked for.
 */
import { describe, expect, it } from 'vitest';
import { pool } from './charts.js';
import { neverExercised, waits } from './coverage.js';
import { poolEdges } from './golden-backend-edges.js';
import {
  configurations,
  edges,
  eventInWords,
  firstBreach,
  readEdges,
  replayEveryPath,
  simpleWays,
  takeEdge,
} from './walk.js';

const golden = readEdges(poolEdges);

describe('the shape of the pool chart', () => {
  it('has these configurations and no other', () => {
    expect(configurations(pool).sort()).toEqual(['available', 'closed', 'empty', 'full', 'unavailable']);
  });

  it('has this many edges and simple paths', () => {
    expect({ edges: edges(pool).length, simplePaths: simpleWays(pool).length }).toEqual({ edges: 16, simplePaths: 32 });
  });

  it('has exactly the edges of the golden table', () => {
    const actual = edges(pool).map(({ from, event, to }) => `${from} | ${eventInWords(event)} | ${to}`);
    expect(actual.sort()).toEqual(golden.map(({ from, event, to }) => `${from} | ${event} | ${to}`).sort());
  });

  it('has no state, transition, action, guard or delay that nothing exercises', () => {
    expect(neverExercised(pool)).toEqual([]);
  });

  it('waits without a deadline only for backends, of which each has its own (P8)', () => {
    const unbounded = {
      empty: 'until a backend comes; nobody waits for it',
      unavailable: 'until a backend is ready and well; nobody waits for it',
      full: 'until there is room; whoever waits has a deadline of its own',
      available: 'waits for nothing',
    };
    expect(waits(pool, unbounded)).toEqual(unbounded);
  });
});

describe('every edge of the pool chart', () => {
  it.each(golden.map((edge) => [`${edge.from}: ${edge.event} leads to ${edge.to}`, edge] as const))('%s', (_, edge) => {
    expect(takeEdge(pool, edge.from, edge.event)).toEqual(edge);
  });
});

describe('every simple path of the pool chart', () => {
  const traces = replayEveryPath(pool);

  it('serves those who wait whenever there is room, refuses them whenever there is nothing to wait for, and else lets them wait', () => {
    const asked: Record<string, string> = {
      available: 'serveWaiting',
      full: '',
      empty: 'refuseWaiting',
      unavailable: 'refuseWaiting',
      closed: 'refuseWaiting',
    };
    const breach = firstBreach(traces, (trace) => {
      for (const { to, calls } of trace.steps) {
        const effects = calls.map(({ effect }) => effect).join();
        if (effects !== asked[to]) return `it asked for [${effects}] on the way to ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('is where the last event says, whatever came before: it only repeats the summary of its backends', () => {
    const breach = firstBreach(traces, (trace) => {
      for (const { event, to } of trace.steps.slice(1)) {
        const said = event === 'backends.none' ? 'empty' : event.replace(/^(backends|pool)\./, '');
        if (to !== said) return `${event} led to ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });
});

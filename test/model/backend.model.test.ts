/**
 * Owns the exhaustive walk of the `backend` chart: every edge, every simple path of its life, and the promises that hold on all of them.
 * Refuses to test an effect itself; the port only writes down what it is asked for.
 */
import { describe, expect, it } from 'vitest';
import type { PairsFate } from '../../src/actors/backend.js';
import { backend, backendLife } from './charts.js';
import { neverExercised, waits } from './coverage.js';
import { backendEdges } from './golden-backend-edges.js';
import {
  configurations,
  edges,
  eventInWords,
  firstBreach,
  readEdges,
  replayEveryPath,
  simpleWays,
  type Trace,
  takeEdge,
  takeEveryEdge,
} from './walk.js';

const golden = readEdges(backendEdges);

describe('the shape of the backend chart', () => {
  it('has these configurations and no other: a drain with each cause and each fate, and a health with and without room', () => {
    const fates = ['keep', 'drain', 'close'];
    const causes = ['backend', 'lost', 'operator', 'operator lost', 'operator unannounced', 'removed'];
    const healths = ['healthy', 'unhealthy', 'ejected', 'trial.trying', 'trial.proving'];
    const expected = [
      'registering',
      'gone',
      ...causes.flatMap((cause) => fates.map((fate) => `draining(${cause} ${fate})`)),
      ...healths.flatMap((health) => ['available', 'saturated'].map((load) => `ready(${load} ${health})`)),
    ];
    expect(configurations(backend).sort()).toEqual(expected.sort());
  });

  it('has this many configurations, edges and simple paths', () => {
    expect({ configurations: configurations(backend).length, edges: edges(backend).length }).toEqual({
      configurations: 30,
      edges: 464,
    });
    expect({ edges: edges(backendLife).length, simplePaths: simpleWays(backendLife).length }).toEqual({
      edges: 91,
      simplePaths: 1305,
    });
  });

  it('has exactly the edges of the golden table', () => {
    const actual = edges(backendLife).map(({ from, event, to }) => `${from} | ${eventInWords(event)} | ${to}`);
    expect(actual.sort()).toEqual(golden.map(({ from, event, to }) => `${from} | ${event} | ${to}`).sort());
  });

  it('has no state, transition, action, guard or delay that nothing exercises', () => {
    expect(neverExercised(backend)).toEqual([]);
  });

  it('bounds every state that waits by a deadline with a name (P8)', () => {
    const serving = 'as long as it serves';
    const unbounded = {
      registering: 'until it is announced; whoever brought it has a lease on it',
      ready: serving,
      'ready.load': serving,
      'ready.load.available': serving,
      'ready.load.saturated': 'until one of its connections ends',
      'ready.health': serving,
      'ready.health.healthy': serving,
      'ready.health.unhealthy': 'until a check passes; checks have a deadline of their own',
      'ready.health.trial': 'as long as its parts',
      'ready.health.trial.trying': 'until clients come; each of their dials has a deadline',
    };
    expect(waits(backend, unbounded)).toEqual({
      ...unbounded,
      'ready.health.ejected': 'ejectionTime',
      'ready.health.trial.proving': 'provingTime',
      draining: 'drainTimeout',
    });
  });
});

describe('every edge of the life of a backend', () => {
  it.each(golden.map((edge) => [`${edge.from}: ${edge.event} leads to ${edge.to}`, edge] as const))('%s', (_, edge) => {
    expect(takeEdge(backendLife, edge.from, edge.event)).toEqual(edge);
  });
});

describe('every edge beside the golden table', () => {
  const HARSHNESS: Record<PairsFate, number> = { keep: 0, drain: 1, close: 2 };
  const all = takeEveryEdge(backend);
  const fateIn = (words: string) => /(keep|drain|close)\)$/.exec(words)?.[1] as PairsFate | undefined;

  it('does with another fate, and without room, what the table says', () => {
    const known = new Set(golden.map(({ from, event, to }) => `${from} | ${event} | ${to}`));
    const plain = (words: string) =>
      words.replace(/(keep|drain|close)\)$/, 'drain)').replace('ready(saturated', 'ready(available');
    const unlike = all
      .filter(({ event, calls }) => !event.startsWith('room.') && !(event === 'after drainTimeout' && calls === '-'))
      .map(({ from, event, to }) => `${plain(from)} | ${plain(event)} | ${plain(to)}`)
      .filter((edge) => !known.has(edge));
    expect(unlike).toEqual([]);
  });

  it('has the pairs meet the fate that is asked for, and another one only when that is harsher', () => {
    for (const { from, event, to, calls } of all) {
      const fate = fateIn(event);
      if (fate === undefined || !to.startsWith('draining')) continue;
      const before = fateIn(from);
      const harshest = before === undefined || HARSHNESS[fate] > HARSHNESS[before] ? fate : before;
      expect(fateIn(to)).toBe(harshest);
      expect(calls).toContain(harshest === before ? 'lookForPairs' : `meetFate(${fate})`);
    }
  });

  it('cuts pairs that take too long, but never those that are kept', () => {
    const late = all.filter(({ event }) => event === 'after drainTimeout');
    expect(late).toHaveLength(18);
    for (const { from, calls } of late) expect(calls).toBe(fateIn(from) === 'keep' ? '-' : 'terminatePairs');
  });

  it('has room or none whatever its health is, and a health whether it has room or none', () => {
    const load = (words: string) => /^ready\((available|saturated) /.exec(words)?.[1];
    const health = (words: string) => /^ready\(\w+ (.+)\)$/.exec(words)?.[1];
    for (const { from, event, to } of all) {
      if (load(from) === undefined || load(to) === undefined) continue;
      if (event.startsWith('room.')) expect(health(to)).toBe(health(from));
      else expect(load(to)).toBe(load(from));
    }
  });
});

function count(trace: Trace, effect: string): number {
  return trace.calls.filter((call) => call.effect === effect).length;
}

describe('every simple path of the life of a backend, straight and with every loop on the way', () => {
  const traces = replayEveryPath(backendLife);

  it('announces its end exactly once, and as the last thing it does', () => {
    const breach = firstBreach(traces, (trace) => {
      const ended = trace.end === 'gone';
      if (count(trace, 'announceGone') !== (ended ? 1 : 0)) return 'its end was not announced once';
      if (ended && trace.calls.at(-1)?.effect !== 'announceGone') return 'something came after its end';
    });
    expect(breach).toBeUndefined();
  });

  it('is picked only between announceReady and announceDraining, which come in turn', () => {
    const breach = firstBreach(traces, (trace) => {
      let ready = false;
      for (const { to, calls } of trace.steps) {
        for (const { effect } of calls) {
          if (effect === 'announceReady' && ready) return 'it was announced ready twice';
          if (effect === 'announceReady') ready = true;
          if (effect === 'announceDraining') ready = false;
        }
        if (to !== 'gone' && ready !== to.startsWith('ready')) return `it is ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('is never ready before it said so itself', () => {
    const breach = firstBreach(traces, (trace) => {
      const said = trace.steps.findIndex(({ event }) => event === 'ready.announced');
      const ready = trace.steps.findIndex(({ to }) => to.startsWith('ready'));
      if (ready >= 0 && (said < 0 || ready < said)) return 'it was ready too soon';
    });
    expect(breach).toBeUndefined();
  });

  it('stays out when an operator took it out, through losses and registrations, until an operator says otherwise', () => {
    const breach = firstBreach(traces, (trace) => {
      let isOut = false;
      for (const { event, to } of trace.steps) {
        if (event.startsWith('drain.request(operator') && to.startsWith('draining')) isOut = true;
        if (event === 'resume.request') isOut = false;
        if (isOut && to.startsWith('ready')) return `${event} put it back in`;
        if (
          isOut &&
          to === 'gone' &&
          event !== 'pool.closed' &&
          !trace.steps.some((step) => step.event.includes('removed'))
        ) {
          return `it was forgotten with ${event}`;
        }
      }
    });
    expect(breach).toBeUndefined();
  });

  it('never comes back when it was removed', () => {
    const breach = firstBreach(traces, (trace) => {
      const removed = trace.steps.findIndex(
        ({ event, from }) => event.startsWith('drain.request(removed') && from !== 'gone',
      );
      if (removed < 0) return undefined;
      const wrong = trace.steps.slice(removed).find(({ to }) => to !== 'gone' && !to.startsWith('draining(removed'));
      if (wrong !== undefined) return `it came to ${wrong.to}`;
    });
    expect(breach).toBeUndefined();
  });

  it('comes back from a loss with its next registration, when nobody else took it out', () => {
    const breach = firstBreach(traces, (trace) => {
      for (const { from, event, to } of trace.steps) {
        if (from.startsWith('draining(lost') && event === 'ready.announced' && to !== 'ready(available healthy)') {
          return `it came to ${to}`;
        }
      }
    });
    expect(breach).toBeUndefined();
  });

  it('looks for pairs whenever it begins to leave, so that one without any does not wait for the last', () => {
    const leaving = (configuration: string) => /^draining\((lost|removed)/.test(configuration);
    const breach = firstBreach(traces, (trace) => {
      for (const { from, to, calls } of trace.steps) {
        if (!leaving(to) || leaving(from)) continue;
        if (!calls.some(({ effect }) => effect === 'meetFate' || effect === 'lookForPairs')) return `it waits in ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('is well again by a check, by a trial that lasted, or when the pool cannot do without it; by nothing else', () => {
    const causes: Record<string, readonly string[]> = {
      unhealthy: ['check.up'],
      ejected: ['ejection.lifted'],
      'trial.trying': ['ejection.lifted'],
      'trial.proving': ['ejection.lifted', 'after provingTime'],
    };
    const breach = firstBreach(traces, (trace) => {
      for (const { from, event, to, calls } of trace.steps) {
        const isWell = calls.some(({ effect }) => effect === 'announceHealthy');
        const before = /^ready\(\w+ (.+)\)$/.exec(from)?.[1] ?? '';
        const recovered = to === 'ready(available healthy)' && from !== to && before !== '';
        if (isWell !== recovered) return `${event} in ${from} announced ${isWell ? 'health' : 'nothing'}`;
        if (recovered && !causes[before]?.includes(event)) return `${event} made it well`;
      }
    });
    expect(breach).toBeUndefined();
  });
});

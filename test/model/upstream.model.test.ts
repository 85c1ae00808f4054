/**
 * Owns the exhaustive walk of the `upstream` chart: every edge, every simple path, and the promises that hold on all of
 * them. Refuses to test an effect itself; the port only writes down what it is asked for.
 */
import { describe, expect, it } from 'vitest';
import { upstream } from './charts.js';
import { neverExercised, waits } from './coverage.js';
import { upstreamEdges } from './golden-edges.js';
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
} from './walk.js';

const golden = readEdges(upstreamEdges);

describe('the shape of the upstream chart', () => {
  it('has these configurations and no other', () => {
    expect(configurations(upstream).sort()).toMatchInlineSnapshot(`
      [
        "closed 1000 closed",
        "closed 1001 closed",
        "closed 1002 PROTOCOL_ERROR",
        "closed 1006 HEARTBEAT_LOST",
        "closed 1006 UPSTREAM_LOST",
        "closed 1006 terminated",
        "closed 1013 WRITE_STALLED",
        "closing 1000 closed",
        "closing 1001 closed",
        "closing 1002 PROTOCOL_ERROR",
        "dialling",
        "open(flowing paused suspended)",
        "open(flowing reading alive)",
        "open(flowing reading probing)",
        "open(throttled paused suspended)",
        "open(throttled reading alive)",
        "open(throttled reading probing)",
        "unreachable",
      ]
    `);
  });

  it('has this many configurations, edges and simple paths', () => {
    const counts = {
      configurations: configurations(upstream).length,
      edges: edges(upstream).length,
      simplePaths: simpleWays(upstream).length,
    };
    expect(counts).toMatchInlineSnapshot(`
      {
        "configurations": 18,
        "edges": 77,
        "simplePaths": 514,
      }
    `);
  });

  it('has exactly the edges of the golden table', () => {
    const actual = edges(upstream).map(({ from, event, to }) => `${from} | ${eventInWords(event)} | ${to}`);
    expect(actual.sort()).toEqual(golden.map(({ from, event, to }) => `${from} | ${event} | ${to}`).sort());
  });

  it('has no state, transition, action, guard or delay that nothing exercises', () => {
    expect(neverExercised(upstream)).toEqual([]);
  });

  it('bounds every state that waits by a deadline with a name (P8)', () => {
    const open = 'as long as the connection it is paired with';
    const resting = 'waits for nothing';
    const unbounded = {
      open,
      'open.outbound': open,
      'open.inbound': open,
      'open.liveness': open,
      'open.outbound.flowing': resting,
      'open.inbound.reading': resting,
      'open.inbound.paused': 'bounded by the write stall of the connection it is paused for',
      'open.liveness.alive': resting,
      'open.liveness.probing': 'until the next tick of the heartbeat, which is heard or missed',
      'open.liveness.suspended': 'as long as inbound is paused',
    };
    expect(waits(upstream, unbounded)).toEqual({
      dialling: 'dialTimeout',
      ...unbounded,
      'open.outbound.throttled': 'writeStallTimeout',
      closing: 'closeTimeout',
    });
  });
});

describe('every edge of the upstream chart', () => {
  it.each(golden.map((edge) => [`${edge.from}: ${edge.event} leads to ${edge.to}`, edge] as const))('%s', (_, edge) => {
    expect(takeEdge(upstream, edge.from, edge.event)).toEqual(edge);
  });
});

function count(trace: Trace, effect: string): number {
  return trace.calls.filter((call) => call.effect === effect).length;
}

describe('every simple path of the upstream chart, straight and with every loop on the way', () => {
  const traces = replayEveryPath(upstream);

  it('dials exactly once', () => {
    expect(
      firstBreach(traces, (trace) => (count(trace, 'dial') === 1 ? undefined : 'it dialled again')),
    ).toBeUndefined();
  });

  it('announces its end exactly once, and as the last thing it does (P1)', () => {
    const breach = firstBreach(traces, (trace) => {
      const effects = trace.calls.map((call) => call.effect);
      const announced = effects.filter((effect) => effect.startsWith('announce'));
      const expected =
        trace.end === 'unreachable'
          ? ['announceUnreachable']
          : trace.end.startsWith('closed')
            ? ['announceClosed']
            : [];
      if (announced.join() !== expected.join()) return `it announced [${announced.join()}]`;
      if (announced.length > 0 && effects.at(-1) !== announced[0]) return `${effects.at(-1)} came after the end`;
    });
    expect(breach).toBeUndefined();
  });

  it('announces the ending that the Close frame was sent with (P4)', () => {
    const breach = firstBreach(traces, (trace) => {
      const sent = trace.calls.find((call) => call.effect === 'sendClose')?.ending;
      const told = trace.calls.find((call) => call.effect === 'announceClosed')?.ending;
      if (sent !== undefined && told !== undefined && sent !== told) return 'the first ending was lost';
    });
    expect(breach).toBeUndefined();
  });

  it('gives up a dial that is under way when it is no longer wanted or takes too long (P7, P8)', () => {
    const breach = firstBreach(traces, (trace) => {
      const last = trace.steps.at(-1);
      const abandoned = trace.end === 'unreachable' && last?.event !== 'dial.failed';
      if (count(trace, 'abortDial') !== (abandoned ? 1 : 0))
        return 'a dial was left behind, or aborted when it was over';
    });
    expect(breach).toBeUndefined();
  });

  it('alternates pauseReading and resumeReading, and reads again whenever it is not open and paused', () => {
    const breach = firstBreach(traces, (trace) => {
      let paused = false;
      for (const { to, calls } of trace.steps) {
        for (const { effect } of calls) {
          if (effect !== 'pauseReading' && effect !== 'resumeReading') continue;
          if (paused === (effect === 'pauseReading')) return `${effect} came twice`;
          paused = effect === 'pauseReading';
        }
        if (paused !== to.includes('paused')) return `reading is ${paused ? 'paused' : 'resumed'} in ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('comes to closed by terminate or by the end of the transport, exactly one of them', () => {
    const breach = firstBreach(traces, (trace) => {
      if (!trace.end.startsWith('closed')) return undefined;
      const ends = count(trace, 'terminate') + (trace.steps.at(-1)?.event === 'transport.closed' ? 1 : 0);
      if (ends !== 1) return `the transport was ended ${ends} times`;
      const closing = trace.steps.filter(
        (step) => step.from.startsWith('open') && step.to.startsWith('closing'),
      ).length;
      if (count(trace, 'sendClose') !== closing || closing > 1) return 'sendClose and closing do not go together';
    });
    expect(breach).toBeUndefined();
  });

  it('suspends liveness whenever inbound is paused, and only then: a paused target is never probed or lost (P9)', () => {
    const breach = firstBreach(traces, (trace) => {
      for (const { from, to, calls } of trace.steps) {
        if (to.includes('paused') !== to.includes('suspended')) return `liveness goes on in ${to}`;
        if (to.includes('paused') && calls.some((call) => call.effect === 'sendPing'))
          return `a ping was sent in ${to}`;
        if (from.includes('paused') && to.includes('HEARTBEAT_LOST')) return `it was judged dead in ${from}`;
      }
    });
    expect(breach).toBeUndefined();
  });
});

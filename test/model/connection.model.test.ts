/**
 * Owns the exhaustive walk of the `connection` chart: every edge, every simple path, and the promises that hold on all
 * of them. Refuses to test an effect itself; the port only writes down what it is asked for.
 */
import { describe, expect, it } from 'vitest';
import { connection } from './charts.js';
import { neverExercised, waits } from './coverage.js';
import { connectionEdges } from './golden-edges.js';
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

const golden = readEdges(connectionEdges);

describe('the shape of the connection chart', () => {
  it('has these configurations and no other', () => {
    expect(configurations(connection).sort()).toMatchInlineSnapshot(`
      [
        "closed 1000 closed",
        "closed 1001 IDLE_TIMEOUT",
        "closed 1001 LIFETIME_EXCEEDED",
        "closed 1001 disconnected",
        "closed 1002 PROTOCOL_ERROR",
        "closed 1006 CONNECTION_RESET",
        "closed 1006 HEARTBEAT_LOST",
        "closed 1006 terminated",
        "closed 1008 WRITE_STALLED",
        "closed 1011 RECEIVER_FAILED",
        "closed 1014 UPSTREAM_REFUSED",
        "closing 1000 closed",
        "closing 1001 IDLE_TIMEOUT",
        "closing 1001 LIFETIME_EXCEEDED",
        "closing 1001 disconnected",
        "closing 1002 PROTOCOL_ERROR",
        "closing 1008 WRITE_STALLED",
        "closing 1011 RECEIVER_FAILED",
        "closing 1014 UPSTREAM_REFUSED",
        "handshaking.deciding",
        "handshaking.dialling",
        "open(flowing paused suspended)",
        "open(flowing reading alive)",
        "open(flowing reading probing)",
        "open(throttled paused suspended)",
        "open(throttled reading alive)",
        "open(throttled reading probing)",
        "rejected",
      ]
    `);
  });

  it('has this many configurations, edges and simple paths', () => {
    const counts = {
      configurations: configurations(connection).length,
      edges: edges(connection).length,
      simplePaths: simpleWays(connection).length,
    };
    expect(counts).toMatchInlineSnapshot(`
      {
        "configurations": 28,
        "edges": 144,
        "simplePaths": 3113,
      }
    `);
  });

  it('has exactly the edges of the golden table', () => {
    const actual = edges(connection).map(({ from, event, to }) => `${from} | ${eventInWords(event)} | ${to}`);
    expect(actual.sort()).toEqual(golden.map(({ from, event, to }) => `${from} | ${event} | ${to}`).sort());
  });

  it('has no state, transition, action, guard or delay that nothing exercises', () => {
    expect(neverExercised(connection)).toEqual([]);
  });

  it('bounds every state that waits by a deadline with a name (P8)', () => {
    const open = 'bounded by the idle check and the lifetime of the server, not by the chart';
    const resting = 'waits for nothing';
    const unbounded = {
      open,
      'open.outbound': open,
      'open.inbound': open,
      'open.liveness': open,
      'open.outbound.flowing': resting,
      'open.inbound.reading': resting,
      'open.inbound.paused': 'as long as who asked for it wants; its pressure has the deadline of the other side',
      'open.liveness.alive': resting,
      'open.liveness.probing': 'until the next tick of the heartbeat, which is heard or missed',
      'open.liveness.suspended': 'as long as inbound is paused',
    };
    expect(waits(connection, unbounded)).toEqual({
      handshaking: 'handshakeTimeout',
      'handshaking.deciding': 'handshakeTimeout',
      'handshaking.dialling': 'handshakeTimeout',
      ...unbounded,
      'open.outbound.throttled': 'writeStallTimeout',
      closing: 'closeTimeout',
    });
  });
});

describe('every edge of the connection chart', () => {
  it.each(golden.map((edge) => [`${edge.from}: ${edge.event} leads to ${edge.to}`, edge] as const))('%s', (_, edge) => {
    expect(takeEdge(connection, edge.from, edge.event)).toEqual(edge);
  });
});

function count(trace: Trace, effect: string): number {
  return trace.calls.filter((call) => call.effect === effect).length;
}

function indexOf(trace: Trace, effect: string): number {
  return trace.calls.findIndex((call) => call.effect === effect);
}

function isOpen(configuration: string): boolean {
  return configuration.startsWith('open');
}

/** The calls of these effects must come in turn, the first one first. */
function alternates(trace: Trace, first: string, second: string): boolean {
  const turns = trace.calls.map((call) => call.effect).filter((effect) => effect === first || effect === second);
  return turns.every((effect, index) => effect === (index % 2 === 0 ? first : second));
}

describe('every simple path of the connection chart, straight and with every loop on the way', () => {
  const traces = replayEveryPath(connection);

  it('delivers onOpen at most once, and onClosed exactly once if and only if it did (P1)', () => {
    const breach = firstBreach(traces, (trace) => {
      const opened = count(trace, 'deliverOpen');
      const closed = count(trace, 'deliverClosed');
      if (opened > 1) return 'onOpen came twice';
      if (closed > opened) return 'onClosed came without an onOpen of its own';
      if (trace.end.startsWith('closed') && closed !== 1) return 'it is closed and onClosed did not come';
      if (!trace.end.startsWith('closed') && closed > 0) return 'onClosed came before it was closed';
    });
    expect(breach).toBeUndefined();
  });

  it('asks for nothing after deliverClosed, and delivers nothing before deliverOpen (P1)', () => {
    const breach = firstBreach(traces, (trace) => {
      const effects = trace.calls.map((call) => call.effect);
      const closed = effects.indexOf('deliverClosed');
      if (closed >= 0 && closed !== effects.length - 1) return `${effects[closed + 1]} came after deliverClosed`;
      const delivered = effects.find((effect) => effect.startsWith('deliver'));
      if (delivered !== undefined && delivered !== 'deliverOpen') return `${delivered} came before deliverOpen`;
    });
    expect(breach).toBeUndefined();
  });

  it('refuses a handshake exactly once, and delivers neither onOpen nor onClosed for it (P1)', () => {
    const breach = firstBreach(traces, (trace) => {
      const refused = count(trace, 'refuse');
      if (refused !== (trace.end === 'rejected' ? 1 : 0)) return `refuse was asked for ${refused} times`;
      if (refused === 0) return undefined;
      const wrong = trace.calls.find((call) => call.effect.startsWith('deliver') || call.effect === 'acceptUpgrade');
      if (wrong !== undefined) return `${wrong.effect} came for a refused handshake`;
    });
    expect(breach).toBeUndefined();
  });

  it('tells onClosed the ending that the Close frame was sent with, or the one that cut it (P1, P4)', () => {
    const breach = firstBreach(traces, (trace) => {
      const sent = trace.calls.find((call) => call.effect === 'sendClose')?.ending;
      const told = trace.calls.find((call) => call.effect === 'deliverClosed')?.ending;
      if (sent !== undefined && told !== undefined && sent !== told) return 'the first ending was lost';
    });
    expect(breach).toBeUndefined();
  });

  it('alternates throttled and unthrottled, beginning with throttled, and only while it is open', () => {
    const breach = firstBreach(traces, (trace) => {
      if (!alternates(trace, 'deliverThrottled', 'deliverUnthrottled'))
        return 'throttled and unthrottled do not alternate';
      for (const step of trace.steps) {
        if (!step.calls.some((call) => call.effect.endsWith('hrottled'))) continue;
        if (!isOpen(step.from) || !isOpen(step.to)) return `pressure was delivered on ${step.event}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('opens the gate when open is entered, after the 101 and before onOpen, and shuts it exactly when open is left', () => {
    const breach = firstBreach(traces, (trace) => {
      for (const { from, to, event, calls } of trace.steps) {
        const effects = calls.map((call) => call.effect);
        if (effects.includes('openGate') !== (!isOpen(from) && isOpen(to))) return `the gate is wrong after ${event}`;
        if (effects.includes('shutGate') !== (isOpen(from) && !isOpen(to))) return `the gate is wrong after ${event}`;
      }
      if (indexOf(trace, 'acceptUpgrade') > indexOf(trace, 'openGate')) return 'the gate is open before the 101';
      if (indexOf(trace, 'openGate') > indexOf(trace, 'deliverOpen')) return 'onOpen runs behind a shut gate';
    });
    expect(breach).toBeUndefined();
  });

  it('shuts the gate before it sends Close, terminates or delivers onClosed', () => {
    const breach = firstBreach(traces, (trace) => {
      const shut = indexOf(trace, 'shutGate');
      for (const effect of ['sendClose', 'terminate', 'deliverClosed']) {
        const at = indexOf(trace, effect);
        if (at >= 0 && (shut < 0 || at < shut)) return `${effect} came through an open gate`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('alternates pauseReading and resumeReading, and reads again whenever it is not open and paused', () => {
    const breach = firstBreach(traces, (trace) => {
      if (!alternates(trace, 'pauseReading', 'resumeReading')) return 'pause and resume do not alternate';
      let paused = false;
      for (const { to, calls } of trace.steps) {
        for (const { effect } of calls) {
          if (effect === 'pauseReading') paused = true;
          if (effect === 'resumeReading') paused = false;
        }
        if (paused !== to.includes('paused')) return `reading is ${paused ? 'paused' : 'resumed'} in ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('comes to closed by a Close frame, by terminate or by the end of the transport, and by no second of them', () => {
    const breach = firstBreach(traces, (trace) => {
      if (!trace.end.startsWith('closed')) return undefined;
      const last = trace.steps.at(-1);
      const ends = count(trace, 'terminate') + (last?.event === 'transport.closed' ? 1 : 0);
      if (ends !== 1) return `the transport was ended ${ends} times`;
      const closing = trace.steps.filter((step) => isOpen(step.from) && step.to.startsWith('closing')).length;
      if (count(trace, 'sendClose') !== closing) return 'sendClose and closing do not go together';
      if (closing > 1) return 'it began to close twice';
    });
    expect(breach).toBeUndefined();
  });

  it('suspends liveness whenever inbound is paused, and only then: a paused peer is never probed or lost (P9)', () => {
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

  it('judges a peer dead only after a ping went out, and then terminates it (P9)', () => {
    const breach = firstBreach(traces, (trace) => {
      const lost = trace.steps.find((step) => step.to.includes('HEARTBEAT_LOST'));
      if (lost === undefined) return undefined;
      if (!lost.from.includes('probing')) return `it was judged dead in ${lost.from}`;
      if (!lost.calls.some((call) => call.effect === 'terminate')) return 'the transport was left alone';
    });
    expect(breach).toBeUndefined();
  });
});

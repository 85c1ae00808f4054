/**
 * Owns the exhaustive walk of the `supervisor` chart: every edge, every simple path, and the promises that hold on all
 * of them. Refuses to test an effect itself; the port only writes down what it is asked for.
 */
import { describe, expect, it } from 'vitest';
import { createActor, SimulatedClock, setup } from 'xstate';
import { supervisorMachine } from '../../src/actors/supervisor.machine.js';
import { FakeSupervisorEffects } from '../support/fake-effects.js';
import { supervisor } from './charts.js';
import { neverExercised, waits } from './coverage.js';
import { supervisorEdges } from './golden-edges.js';
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

const golden = readEdges(supervisorEdges);

describe('the shape of the supervisor chart', () => {
  it('has these configurations and no other', () => {
    expect(configurations(supervisor).sort()).toMatchInlineSnapshot(`
      [
        "draining",
        "failed",
        "running(accepting beating)",
        "running(full beating)",
        "starting",
        "stopped",
      ]
    `);
  });

  it('has this many configurations, edges and simple paths', () => {
    const counts = {
      configurations: configurations(supervisor).length,
      edges: edges(supervisor).length,
      simplePaths: simpleWays(supervisor).length,
    };
    expect(counts).toMatchInlineSnapshot(`
      {
        "configurations": 6,
        "edges": 17,
        "simplePaths": 8,
      }
    `);
  });

  it('has exactly the edges of the golden table', () => {
    const actual = edges(supervisor).map(({ from, event, to }) => `${from} | ${eventInWords(event)} | ${to}`);
    expect(actual.sort()).toEqual(golden.map(({ from, event, to }) => `${from} | ${event} | ${to}`).sort());
  });

  it('has no state, transition, action, guard or delay that nothing exercises', () => {
    expect(neverExercised(supervisor)).toEqual([]);
  });

  it('bounds every state that waits by a deadline with a name (P8)', () => {
    const running = 'until someone stops the server';
    const unbounded = {
      starting: 'the operating system answers a bind at once',
      running,
      'running.admission': running,
      'running.admission.accepting': running,
      'running.admission.full': running,
      'running.heartbeat': running,
      'running.heartbeat.beating': running,
    };
    expect(waits(supervisor, unbounded)).toEqual({ ...unbounded, draining: 'drainTimeout' });
  });
});

describe('every edge of the supervisor chart', () => {
  it.each(golden.map((edge) => [`${edge.from}: ${edge.event} leads to ${edge.to}`, edge] as const))('%s', (_, edge) => {
    expect(takeEdge(supervisor, edge.from, edge.event)).toEqual(edge);
  });
});

describe('every simple path of the supervisor chart, straight and with every loop on the way', () => {
  const traces = replayEveryPath(supervisor);

  it('goes on listening and beating through disconnect.all (P7)', () => {
    const breach = firstBreach(traces, (trace) => {
      for (const { event, from, to, calls } of trace.steps) {
        if (event !== 'disconnect.all') continue;
        if (from !== to) return `disconnect.all led to ${to}`;
        if (calls.map((call) => call.effect).join() !== 'disconnectAll') return 'disconnect.all did something else too';
      }
    });
    expect(breach).toBeUndefined();
  });

  it('stays where it is when a connection fails (P5)', () => {
    const breach = firstBreach(traces, (trace) => {
      for (const { event, from, to, calls } of trace.steps) {
        if (!event.startsWith('xstate.error.actor.')) continue;
        if (from !== to) return `the failure of a connection led to ${to}`;
        if (calls.map((call) => call.effect).join() !== 'noteFailure') return 'the failure was not noted';
      }
    });
    expect(breach).toBeUndefined();
  });

  it('closes its listeners exactly once, and before it drains (P7)', () => {
    const breach = firstBreach(traces, (trace) => {
      const effects = trace.calls.map((call) => call.effect);
      const closed = effects.filter((effect) => effect === 'closeListeners').length;
      if (closed !== (/^(draining|stopped|failed)/.test(trace.end) ? 1 : 0)) return `listeners closed ${closed} times`;
      const drained = effects.indexOf('drainConnections');
      if (drained >= 0 && drained < effects.indexOf('closeListeners')) return 'it drains while it still admits';
    });
    expect(breach).toBeUndefined();
  });

  it('beats the heartbeat exactly while it is running, so that no timer is left (P7)', () => {
    const breach = firstBreach(traces, (trace) => {
      let beating = false;
      for (const { to, calls } of trace.steps) {
        for (const { effect } of calls) {
          if (effect !== 'startHeartbeat' && effect !== 'stopHeartbeat') continue;
          if (beating === (effect === 'startHeartbeat')) return `${effect} came twice`;
          beating = effect === 'startHeartbeat';
        }
        if (beating !== to.startsWith('running')) return `the heartbeat is wrong in ${to}`;
      }
    });
    expect(breach).toBeUndefined();
  });

  it('announces each outcome once, and nothing after the last', () => {
    const announcements: Record<string, string> = {
      starting: '',
      running: 'announceStarted',
      draining: 'announceStarted',
      stopped: 'announceStarted,announceStopped',
      failed: 'announceFailed',
    };
    const breach = firstBreach(traces, (trace) => {
      const announced = trace.calls.map((call) => call.effect).filter((effect) => effect.startsWith('announce'));
      const state = trace.end.replace(/\(.*/, '');
      if (announced.join() !== announcements[state]) return `it announced [${announced.join()}]`;
    });
    expect(breach).toBeUndefined();
  });
});

describe('a connection actor that fails', () => {
  const failing = setup({
    types: { events: {} as { type: 'fail' } },
    actions: {
      fail: () => {
        throw new Error('a defect of ours');
      },
    },
  }).createMachine({ initial: 'waiting', states: { waiting: { on: { fail: { actions: 'fail' } } } } });

  it('leaves the supervisor running and is noted (P5)', () => {
    const port = new FakeSupervisorEffects();
    const parent = createActor(supervisorMachine, { input: { port }, clock: new SimulatedClock() }).start();
    parent.send({ type: 'listeners.bound' });
    const child = createActor(failing, { parent, id: 'conn-1' });
    child.subscribe({ error: () => {} });
    child.start();
    child.send({ type: 'fail' });

    expect(child.getSnapshot().status).toBe('error');
    expect(parent.getSnapshot().status).toBe('active');
    expect(parent.getSnapshot().value).toEqual({ running: { admission: 'accepting', heartbeat: 'beating' } });
    expect(port.failures).toEqual([new Error('a defect of ours')]);
    parent.stop();
  });
});

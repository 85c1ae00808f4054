/**
 * Owns that a chart run from its table is the chart: every path and every event that has no effect, against XState's own
 * interpretation. Refuses to judge the charts.
 */

import { describe, expect, it } from 'vitest';
import { assign, createActor, raise, SimulatedClock, setup } from 'xstate';
import { compileChart } from '../../src/actors/compiled-chart.js';
import { backendLife, connection, pool, supervisor, upstream } from './charts.js';
import { Replay, replayEveryPath, shortestWays } from './walk.js';

describe.each([connection, upstream, supervisor, backendLife, pool])('the compiled chart $machine.id', (chart) => {
  const logic = compileChart(chart.machine);

  it('lives every simple path, with every loop on the way, as XState does', () => {
    const interpreted = replayEveryPath(chart);
    expect(interpreted.length).toBeGreaterThan(0);
    expect(replayEveryPath(chart, logic)).toEqual(interpreted);
  });

  it('ignores in every configuration what XState ignores, and does nothing for it', () => {
    for (const way of shortestWays(chart).values()) {
      for (const event of [...chart.events, { type: 'xstate.done.actor.x' }, { type: 'unheard.of' }]) {
        const lives = [chart.machine, logic].map((one) => {
          const replay = new Replay(chart, undefined, one);
          for (const before of way) replay.happen(before);
          if (replay.active) replay.happen(event);
          return replay.trace;
        });
        expect(lives[1]).toEqual(lives[0]);
      }
    }
  });

  it('shows snapshots like those of XState', () => {
    const snapshots = [chart.machine, logic].map((one) => {
      const actor = createActor(one, { input: { port: chart.newPort() }, clock: new SimulatedClock() }).start();
      return actor.getSnapshot();
    });
    const [interpreted, compiled] = snapshots;
    expect(Object.keys(compiled!).sort()).toEqual(Object.keys(interpreted!).sort());
    expect(compiled!.value).toEqual(interpreted!.value);
    for (const event of chart.events) expect(compiled!.can(event)).toBe(interpreted!.can(event));
  });
});

describe('a compiled chart', () => {
  const machine = setup({
    types: { context: {} as { count: number; seen: string[] }, events: {} as { type: 'go' | 'add'; by?: number } },
    actions: {
      add: assign({ count: ({ context, event }) => context.count + (event.by ?? 1) }),
      replace: assign(({ context }) => ({ seen: [...context.seen, `count ${context.count}`] })),
      again: raise({ type: 'add', by: 10 }),
      fail: () => {
        throw new Error('an action failed');
      },
    },
    guards: { many: ({ context }) => context.count > 2, few: ({ context }) => context.count < 2 },
    delays: { soon: ({ context }) => 100 * context.count },
  }).createMachine({
    id: 'sample',
    context: { count: 0, seen: [] },
    initial: 'idle',
    states: {
      idle: {
        on: {
          add: { actions: ['add', 'replace'] },
          go: [{ guard: 'many', target: 'waiting' }, { guard: 'few', actions: 'again' }, { target: 'failing' }],
        },
      },
      waiting: { after: { soon: 'late' } },
      failing: { entry: 'fail', after: { soon: 'late' } },
      late: {},
    },
  });

  const start = () => {
    const clock = new SimulatedClock();
    const actor = createActor(compileChart(machine), { clock });
    const errors: unknown[] = [];
    actor.subscribe({ error: (error) => errors.push(error) });
    return { actor: actor.start(), clock, errors };
  };

  it('asks its guards each time, in the order of the chart, about the context of that moment', () => {
    const { actor } = start();
    actor.send({ type: 'go' });
    expect(actor.getSnapshot().context).toEqual({ count: 10, seen: ['count 10'] });
    actor.send({ type: 'go' });
    expect(actor.getSnapshot().value).toBe('waiting');
  });

  it('gives an action the raised event, and not the one that came', () => {
    const { actor } = start();
    actor.send({ type: 'go', by: 5 });
    expect(actor.getSnapshot().context.count).toBe(10);
  });

  it('evaluates a delay when the state is entered', () => {
    const { actor, clock } = start();
    actor.send({ type: 'add', by: 7 });
    actor.send({ type: 'go' });
    clock.increment(699);
    expect(actor.getSnapshot().value).toBe('waiting');
    clock.increment(1);
    expect(actor.getSnapshot().value).toBe('late');
  });

  it('keeps two actors of one chart apart', () => {
    const [one, other] = [start(), start()];
    one.actor.send({ type: 'add', by: 3 });
    expect(other.actor.getSnapshot().context).toEqual({ count: 0, seen: [] });
    one.actor.send({ type: 'go' });
    expect([one.actor.getSnapshot().value, other.actor.getSnapshot().value]).toEqual(['waiting', 'idle']);
  });

  it('ends in an error when an action throws, and leaves no timer', () => {
    const { actor, clock, errors } = start();
    actor.send({ type: 'add', by: 2 });
    actor.send({ type: 'go' });
    expect(errors).toEqual([new Error('an action failed')]);
    clock.increment(1000);
    expect(actor.getSnapshot().status).toBe('error');
  });

  it('stops with its timers', () => {
    const { actor, clock } = start();
    actor.send({ type: 'add', by: 3 });
    actor.send({ type: 'go' });
    actor.stop();
    clock.increment(1000);
    expect(actor.getSnapshot()).toMatchObject({ status: 'stopped', value: 'waiting' });
  });
});

/**
 * Owns that the actor of a compiled chart is to its parent, its inspector and its subscribers what XState's own is. Refuses to judge
 * the charts.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  createActor,
  createMachine,
  type InspectionEvent,
  SimulatedClock,
  setup,
} from 'xstate';
import { ChartActor } from '../../src/actors/chart-actor.js';
import { compileChart } from '../../src/actors/compiled-chart.js';
import { backendLife, connection, upstream } from './charts.js';
import { simpleWays } from './walk.js';

/** What an actor says of itself, in plain values. */
const facesOf = ({ id, _parent }: AnyActorRef): string => `${_parent?.id} > ${id}`;

/** What is told of one actor, and what its parent is sent. */
function family() {
  const clock = new SimulatedClock();
  const told: unknown[] = [];
  const inspect = (event: InspectionEvent): void => {
    if (!('actorRef' in event) || event.type === '@xstate.microstep') return;
    const snapshot = 'snapshot' in event ? (event.snapshot as AnyMachineSnapshot) : undefined;
    told.push({
      type: event.type,
      actor: facesOf(event.actorRef as AnyActorRef),
      source: 'sourceRef' in event && event.sourceRef !== undefined ? facesOf(event.sourceRef as AnyActorRef) : '',
      // The input is the port, which is another one in each life.
      event: 'event' in event ? { ...event.event, input: undefined } : undefined,
      snapshot: snapshot && { status: snapshot.status, value: snapshot.value, error: snapshot.error },
    });
  };
  const parent = createActor(createMachine({ on: { '*': {} } }), { id: 'parent', clock, inspect }).start();
  return { parent, clock, told };
}

describe.each([connection, upstream, backendLife])('an actor of the compiled chart $machine.id', (chart) => {
  const logic = compileChart(chart.machine);

  const live = (way: readonly AnyEventObject[], make: (port: object, parent: AnyActorRef) => AnyActorRef) => {
    const { parent, clock, told } = family();
    const port = Object.assign(chart.newPort(), { id: 'child' });
    const actor = make(port, parent);
    actor.subscribe({ next: ({ value }) => told.push({ seen: value }), complete: () => told.push('complete') });
    actor.start();
    for (const event of way) {
      const deadline = chart.deadlines[event.type];
      if (deadline === undefined) actor.send(event);
      else clock.increment(deadline);
    }
    return { told, value: actor.getSnapshot().value };
  };

  it('tells its inspector, parent and subscribers the same as an actor of XState, on every simple path', () => {
    const ways = simpleWays(chart);
    expect(ways.length).toBeGreaterThan(0);
    for (const way of ways) {
      const own = live(way, (port, parent) => createActor(logic, { id: 'child', input: { port }, parent } as never));
      const light = live(way, (port, parent) => new ChartActor(logic, port as never, parent) as unknown as AnyActorRef);
      expect(light).toEqual(own);
    }
  });
});

describe('an actor of a compiled chart', () => {
  interface Port {
    readonly id: string;
    act(this: void): void;
  }

  const machine = setup({
    types: { context: {} as { port: Port }, events: {} as { type: 'go' | 'end' }, input: {} as { port: Port } },
    actions: { act: ({ context }) => context.port.act() },
  }).createMachine({
    id: 'sample',
    context: ({ input }) => ({ port: input.port }),
    initial: 'one',
    states: {
      one: { entry: 'act', on: { go: { target: 'two', actions: 'act' } } },
      two: { on: { go: 'one', end: 'last' } },
      last: { type: 'final' },
    },
  });
  const logic = compileChart(machine);
  const fail = () => {
    throw new Error('an action failed');
  };

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('takes what is sent from inside an action behind it', () => {
    const { parent } = family();
    const values: unknown[] = [];
    const actor = new ChartActor(logic, { id: 'child', act: () => actor.send({ type: 'go' }) } as Port, parent);
    actor.subscribe(({ value }) => {
      values.push(value);
      if (values.length === 3) actor.send({ type: 'end' });
    });
    actor.start();
    expect(values).toEqual(['one', 'two', 'one', 'two', 'last']);
  });

  it('keeps what is sent before it is started', () => {
    const { parent } = family();
    const actor = new ChartActor(logic, { id: 'child', act() {} } as Port, parent);
    actor.send({ type: 'go' });
    expect(actor.value).toBe('one');
    expect(actor.start().value).toBe('two');
  });

  it.each(['its first action', 'a later one'])(
    'is in error when %s throws, tells its parent, and takes nothing more',
    (which) => {
      const { parent, told } = family();
      const port = { id: 'child', act: which === 'its first action' ? fail : () => {} };
      const actor = new ChartActor(logic, port as Port, parent);
      const errors: unknown[] = [];
      actor.subscribe({ error: (error) => errors.push(error) });
      actor.start();
      port.act = fail;
      actor.send({ type: 'go' });
      expect(actor.getSnapshot()).toMatchObject({
        status: 'error',
        value: 'one',
        error: new Error('an action failed'),
      });
      expect(actor.active).toBe(false);
      expect(errors).toEqual([new Error('an action failed')]);
      expect(told).toContainEqual(
        expect.objectContaining({
          actor: 'undefined > parent',
          event: expect.objectContaining({ type: 'xstate.error.actor.child' }),
        }),
      );
      actor.send({ type: 'go' });
      expect(actor.value).toBe('one');
    },
  );

  it('tells whoever subscribes after its end that it ended', () => {
    const { parent } = family();
    const actor = new ChartActor(logic, { id: 'child', act() {} } as Port, parent).start();
    actor.send({ type: 'go' });
    actor.send({ type: 'end' });
    const complete = vi.fn();
    actor.subscribe({ complete });
    expect(complete).toHaveBeenCalledOnce();
  });

  it('tells nobody who unsubscribed', () => {
    const { parent } = family();
    const actor = new ChartActor(logic, { id: 'child', act() {} } as Port, parent).start();
    const next = vi.fn();
    actor.subscribe(next).unsubscribe();
    actor.send({ type: 'go' });
    expect(next).not.toHaveBeenCalled();
  });

  it('goes on when a subscriber throws, which is an error of its own', () => {
    const { parent } = family();
    const actor = new ChartActor(logic, { id: 'child', act() {} } as Port, parent).start();
    actor.subscribe(fail);
    actor.send({ type: 'go' });
    expect(actor.value).toBe('two');
    expect(() => vi.runAllTimers()).toThrow('an action failed');
  });
});

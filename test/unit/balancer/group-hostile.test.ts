/** Owns what a member of a group that does not keep to the rules can do to the others: nothing. */
import { describe, expect, it } from 'vitest';
import type { GroupCommand, GroupResult } from '../../../src/protocol/control/messages.js';
import { SeenCommands } from '../../../src/server/group/seen-commands.js';
import { createWorld, type Line, type Node, saying } from './group-world.js';

function commandOf(parts: Partial<GroupCommand> = {}): GroupCommand {
  const action = saying('hi');
  return { type: 'command', id: 'x1', origin: 'b1', epoch: 'e9', sequence: 1, hops: 1, waitMs: 1000, action, ...parts };
}

/** What `lb` says to a backend from now on. */
function lineTo({ lb }: { lb: Node }, id: string): Line {
  return lb.lines.get(id)!;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('a backend', () => {
  it.each<[what: string, parts: Partial<GroupCommand>, problem: string]>([
    ['in the name of another one', { origin: 'b2' }, 'a command of "b2" from "b1"'],
    ['in the name of the balancer', { origin: 'lb' }, 'a command of "lb" from "b1"'],
    [
      'with a message that is too large',
      { action: saying('x'.repeat(1001)) },
      'a message for a group of 1001 bytes; at most 1000 fit',
    ],
    [
      'with a ping that is too large',
      { action: { verb: 'ping', payload: 'é'.repeat(63) } },
      'a ping payload of 126 bytes; at most 125 fit',
    ],
  ])('cannot command %s', async (_, parts, problem) => {
    const world = createWorld(2);
    expect(world.lb.member.receive(lineTo(world, 'b1'), commandOf(parts))).toBe(problem);
    await settled();
    expect([...world.lb.clients.got, ...world.b2.clients.got]).toEqual([]);
  });

  it('that sends a command again is answered, and nobody gets it again', async () => {
    const world = createWorld(2);
    for (const sequence of [7, 7, 6]) world.lb.member.receive(lineTo(world, 'b1'), commandOf({ sequence }));
    await settled();
    expect(world.b2.clients.got).toEqual(['c1 hi', 'c2 hi']);
    expect(lineTo(world, 'b1').sent).toMatchObject([
      { type: 'result', matched: 0, reached: [], lost: [] },
      { type: 'result', matched: 0, reached: [], lost: [] },
      { type: 'result', matched: 4, reached: ['lb', 'b2'], lost: [] },
    ]);
  });

  it('cannot have a command handed on that has no hops left', async () => {
    const world = createWorld(2);
    world.lb.member.receive(lineTo(world, 'b1'), commandOf({ hops: 0 }));
    await settled();
    expect(world.lb.clients.got).toHaveLength(2);
    expect(world.b2.clients.got).toEqual([]);
  });

  it('gets a command with one hop less, however many it asked for, and never hands one on', async () => {
    const world = createWorld(2);
    world.lb.member.receive(lineTo(world, 'b1'), commandOf({ hops: 16 }));
    await settled();
    expect(lineTo(world, 'b2').sent).toMatchObject([{ type: 'command', hops: 0, origin: 'b1' }]);
    const [up] = world.b2.lines.values();
    world.b2.member.receive(up!, commandOf({ origin: 'b7', hops: 16 }));
    await settled();
    expect(up!.sent.every(({ type }) => type === 'result')).toBe(true);
  });

  it('cannot answer for others, nor what it was not asked, nor twice', async () => {
    const world = createWorld(3);
    const { lb, b1 } = world;
    for (const line of lb.lines.values()) line.hold();
    const report = lb.member.run(saying('hi'));
    const { id } = lineTo(world, 'b1').sent[0] as GroupCommand;
    const lie: GroupResult = {
      type: 'result',
      id,
      matched: 5,
      accepted: 5,
      queued: 0,
      dropped: 0,
      closed: 0,
      reached: ['b1', 'b2', 'x'],
      lost: ['b3', 'lb', 'y'],
    };
    lb.member.answered(lineTo(world, 'b1'), { ...lie, id: 'g99' });
    lb.member.answered(lineTo(world, 'b1'), lie);
    lb.member.answered(lineTo(world, 'b1'), lie);
    for (const id of ['b2', 'b3']) lineTo(world, id).release();
    expect(await report).toMatchObject({ matched: 2 + 5 + 2 + 2, reached: ['lb', 'b1', 'b2', 'b3'], lost: [] });
    expect(b1.clients.got).toEqual([]);
  });

  it('that has more commands wait than may gets the oldest back unfinished; each is carried out', async () => {
    const world = createWorld(3);
    const { lb, b2, b3 } = world;
    lineTo(world, 'b2').hold();
    for (let sequence = 1; sequence <= 300; sequence += 1) {
      lb.member.receive(lineTo(world, 'b1'), commandOf({ id: `x${sequence}`, sequence }));
    }
    await settled();
    const results = lineTo(world, 'b1').sent as GroupResult[];
    expect(results.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, n) => `x${n + 1}`));
    expect(results[0]).toMatchObject({ lost: ['b2', 'b3'] });
    expect([lb, b3].map(({ clients }) => clients.got.length)).toEqual([600, 600]);
    lineTo(world, 'b2').release();
    await settled();
    expect(b2.clients.got).toHaveLength(600);
    expect(results).toHaveLength(300);
    expect(results.at(-1)).toMatchObject({ id: 'x300', matched: 6, reached: ['lb', 'b3', 'b2'], lost: [] });
  });
});

describe('a balancer', () => {
  it('that asks for what cannot be done is told that it was not, at once', async () => {
    const { b1 } = createWorld(1);
    const [up] = b1.lines.values();
    const action = { verb: 'ping', payload: 'x'.repeat(126) } as const;
    expect(b1.member.receive(up!, commandOf({ id: 'g7', origin: 'lb', action }))).toContain('126 bytes');
    await settled();
    expect(up!.sent).toMatchObject([{ type: 'result', id: 'g7', matched: 0, reached: [], lost: ['b1'] }]);
    expect(b1.clients.got).toEqual([]);
  });
});

describe('an application', () => {
  it('that has more than a thousand commands wait gets the oldest back unfinished', async () => {
    const { lb, b1 } = createWorld(1);
    lb.lines.get('b1')!.hold();
    const reports = Array.from({ length: 1010 }, () => lb.member.run({ verb: 'ping' }));
    for (const report of reports.slice(0, 10)) expect(await report).toMatchObject({ lost: ['b1'], complete: false });
    lb.lines.get('b1')!.release();
    for (const report of reports.slice(10)) expect(await report).toMatchObject({ matched: 4, complete: true });
    expect(b1.clients.got).toHaveLength(1010);
  });

  it('whose clients cannot be told has it reported, and the others are told', async () => {
    const { lb, b1, b2 } = createWorld(2);
    b1.clients.broadcast = () => {
      throw new Error('no');
    };
    expect(await lb.member.run(saying('hi'))).toMatchObject({ matched: 4, lost: ['b1'], complete: false });
    expect(b1.exceptions).toEqual([new Error('no')]);
    expect(b2.clients.got).toHaveLength(2);
  });
});

describe('what was seen', () => {
  it('is remembered for the last four starts of an origin', () => {
    const seen = new SeenCommands();
    const take = (epoch: string, sequence: number) => seen.take({ origin: 'b1', epoch, sequence });
    for (const epoch of ['a', 'b', 'c', 'd']) expect(take(epoch, 5)).toBe(true);
    expect(take('a', 5)).toBe(false);
    expect(take('a', 6)).toBe(true);
    expect(take('e', 5)).toBe(true);
    expect(['a', 'c', 'd', 'e'].map((epoch) => take(epoch, 5))).toEqual([false, false, false, false]);
    expect(take('b', 5)).toBe(true);
  });

  it('is bounded, and what one origin does makes nothing of another one forgotten', () => {
    const seen = new SeenCommands();
    seen.take({ origin: 'b1', epoch: 'a', sequence: 1 });
    for (let n = 0; n < 50_000; n += 1) seen.take({ origin: 'b2', epoch: `${n}`, sequence: 1 });
    expect(seen.take({ origin: 'b1', epoch: 'a', sequence: 1 })).toBe(false);
    for (let n = 0; n < 10_000; n += 1) seen.take({ origin: `o${n}`, epoch: 'a', sequence: 1 });
    expect(seen.take({ origin: 'b1', epoch: 'a', sequence: 1 })).toBe(true);
  });
});

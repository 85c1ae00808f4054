/** Owns what the members of a group say to each other: each client once, in order, and what is told of those that are lost. */
import { describe, expect, it, vi } from 'vitest';
import { connect, createNode, createWorld, type Node, saying } from './group-world.js';

const BOTH = (text: string) => [`c1 ${text}`, `c2 ${text}`];

function expectEverybodyOnce(text: string, ...nodes: Node[]): void {
  for (const { member, clients } of nodes) expect(clients.got, member.id).toEqual(BOTH(text));
}

describe('a broadcast', () => {
  it('of the balancer reaches its clients and those of all backends, once', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    const report = await lb.member.run(saying('hi'));
    expect(report).toEqual({
      matched: 8,
      accepted: 8,
      queued: 0,
      dropped: 0,
      closed: 0,
      reached: ['lb', 'b1', 'b2', 'b3'],
      lost: [],
      complete: true,
    });
    expectEverybodyOnce('hi', lb, b1, b2, b3);
  });

  it('of a backend does so, too, and it gets nothing of its own back', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    const report = await b2.member.run(saying('hi'));
    expect(report).toMatchObject({ matched: 8, accepted: 8, lost: [], complete: true });
    expect([...report.reached].sort()).toEqual(['b1', 'b2', 'b3', 'lb']);
    expectEverybodyOnce('hi', lb, b1, b2, b3);
    expect(lb.lines.get('b2')!.sent.map(({ type }) => type)).toEqual(['result']);
  });

  it('does not reach the excluded ones, wherever they are', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    const report = await b1.member.run(saying('hi', { exclude: ['b1/c1', 'b2/c2', 'lb/c1', 'nobody/c1'] }));
    expect(report.matched).toBe(5);
    expect([lb, b1, b2, b3].map(({ clients }) => clients.got)).toEqual([['c2 hi'], ['c2 hi'], ['c1 hi'], BOTH('hi')]);
  });

  it('reaches the included ones only, and asks nobody else', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    const report = await b1.member.run(saying('hi', { include: ['b3/c1', 'b1/c2'] }));
    expect(report).toMatchObject({ matched: 2, reached: ['b1', 'b3'], complete: true });
    expect([lb, b1, b2, b3].map(({ clients }) => clients.got)).toEqual([[], ['c2 hi'], [], ['c1 hi']]);
    expect(lb.lines.get('b2')!.sent).toEqual([]);
  });

  it('for clients of its own only leaves the backend by no line', async () => {
    const { b1 } = createWorld();
    expect(await b1.member.run(saying('hi', { include: ['b1/c1'] }))).toMatchObject({ matched: 1, complete: true });
    expect(b1.lines.get('lb')!.sent).toEqual([]);
  });

  it('with an empty list of included ones reaches everybody', async () => {
    const { lb } = createWorld();
    expect((await lb.member.run(saying('hi', { include: [] }))).matched).toBe(8);
  });
});

describe('the other verbs', () => {
  it('send a message to the client with an address, from anywhere', async () => {
    const { lb, b1, b2 } = createWorld();
    const from = [lb, b1, b2];
    for (const { member } of from) {
      const report = await member.run({ verb: 'send', to: 'b2/c1', message: { base64: 'aGk=' } });
      expect(report).toMatchObject({ matched: 1, accepted: 1, complete: true });
    }
    expect(b2.clients.got).toEqual(from.map(() => 'c1 hi'));
    expect([...lb.clients.got, ...b1.clients.got]).toEqual([]);
  });

  it('find nobody at an address that does not exist', async () => {
    const { lb, b1 } = createWorld();
    for (const to of ['b2/c9', 'b9/c1', 'lb/c9']) {
      for (const { member } of [lb, b1]) {
        const report = await member.run({ verb: 'send', to, message: { text: 'hi' } });
        expect(report).toMatchObject({ matched: 0, complete: true });
      }
    }
  });

  it('ping and disconnect everybody', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    expect(await b1.member.run({ verb: 'ping', payload: 'x' })).toMatchObject({ matched: 8, accepted: 8 });
    expect(await b1.member.run({ verb: 'disconnectAll' })).toMatchObject({ matched: 8, accepted: 8 });
    for (const { clients } of [lb, b1, b2, b3]) expect(clients.got).toEqual(['ping x', 'disconnected']);
  });
});

describe('the order', () => {
  it('of what is begun at one place is the same everywhere', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    const texts = Array.from({ length: 50 }, (_, n) => `${n}`);
    await Promise.all(texts.map((text) => b1.member.run(saying(text))));
    for (const { clients } of [lb, b1, b2, b3]) expect(clients.got).toEqual(texts.flatMap(BOTH));
  });

  it('puts what a callback says behind what it was called for', async () => {
    const { lb, b1, b2, b3 } = createWorld();
    const echoed: Array<Promise<unknown>> = [];
    b1.clients.onMessage = (text) => {
      if (text === 'first' && echoed.length === 0) echoed.push(b1.member.run(saying('second')));
    };
    await b1.member.run(saying('first'));
    await Promise.all(echoed);
    for (const { clients } of [lb, b1, b2, b3]) expect(clients.got).toEqual([...BOTH('first'), ...BOTH('second')]);
  });
});

describe('a member that is lost', () => {
  it('midway is told of in the result, without waiting for the deadline', async () => {
    const { lb, b1, b2 } = createWorld();
    const line = lb.lines.get('b3')!;
    line.hold();
    const report = b1.member.run(saying('hi'));
    await vi.waitFor(() => expect(b2.clients.got).toHaveLength(2));
    lb.member.gone(line);
    expect(await report).toMatchObject({ matched: 6, lost: ['b3'], complete: false });
  });

  it('because its line takes nothing is not waited for at all', async () => {
    const { lb } = createWorld();
    lb.lines.get('b2')!.full = true;
    expect(await lb.member.run(saying('hi'))).toMatchObject({ matched: 6, lost: ['b2'], complete: false });
  });

  it('since before is told of as well', async () => {
    const { lb, b1 } = createWorld(2);
    lb.absent.push('b7');
    expect(await b1.member.run(saying('hi'))).toMatchObject({ matched: 6, lost: ['b7'], complete: false });
  });

  it('by its silence is told of at the deadline, by the balancer before the backend gives it up, and its late result changes nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { lb, b1, b3 } = createWorld();
      lb.lines.get('b3')!.hold();
      const report = b1.member.run(saying('hi'));
      await vi.advanceTimersByTimeAsync(4500);
      expect(await report).toMatchObject({ matched: 6, reached: ['b1', 'lb', 'b2'], lost: ['b3'], complete: false });
      lb.lines.get('b3')!.release();
      await vi.advanceTimersByTimeAsync(0);
      expect(b3.clients.got).toEqual(BOTH('hi'));
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is the balancer, for a backend that is cut off from it', async () => {
    const { b1 } = createWorld();
    const line = b1.lines.get('lb')!;
    line.hold();
    const report = b1.member.run(saying('hi'));
    b1.member.gone(line);
    expect(await report).toMatchObject({ matched: 2, reached: ['b1'], lost: ['lb'], complete: false });
  });

  it('is everybody when it stops waiting', async () => {
    const { lb } = createWorld(2);
    for (const line of lb.lines.values()) line.hold();
    const report = lb.member.run(saying('hi'));
    lb.member.close();
    expect(await report).toMatchObject({ matched: 2, lost: ['b1', 'b2'], complete: false });
  });
});

describe('a backend with two balancers', () => {
  /** `b1` and `b2` are with both, `b3` is with the second one. */
  function createTwo() {
    const [one, two] = [createNode('lb1', 'balancer'), createNode('lb2', 'balancer')];
    const [b1, b2, b3] = [1, 2, 3].map((n) => createNode(`b${n}`, 'backend')) as [Node, Node, Node];
    for (const backend of [b1, b2]) connect(one, backend);
    for (const backend of [b1, b2, b3]) connect(two, backend);
    return { one, two, b1, b2, b3 };
  }

  it('reaches everybody once through both', async () => {
    const { one, two, b1, b2, b3 } = createTwo();
    const report = await b1.member.run(saying('hi'));
    expect(report).toMatchObject({ matched: 10, complete: true });
    expect([...report.reached].sort()).toEqual(['b1', 'b2', 'b3', 'lb1', 'lb2']);
    expectEverybodyOnce('hi', one, two, b1, b2, b3);
  });

  it('reaches who is cut off from one of them through the other', async () => {
    const { one, b1, b2 } = createTwo();
    one.lines.get('b2')!.full = true;
    expect(await b1.member.run(saying('hi'))).toMatchObject({ matched: 10, lost: [], complete: true });
    expectEverybodyOnce('hi', b2);
  });

  it('does not carry out what comes late behind a later one, and does not say that it did', async () => {
    const { one, two, b1, b2 } = createTwo();
    const [slow, full] = [one.lines.get('b2')!, two.lines.get('b2')!];
    slow.hold();
    full.full = true;
    const first = b1.member.run(saying('first'));
    await vi.waitFor(() => expect(one.clients.got).toEqual(BOTH('first')));
    full.full = false;
    const second = b1.member.run(saying('second'));
    await vi.waitFor(() => expect(b2.clients.got).toEqual(BOTH('second')));
    slow.release();
    expect(await first).toMatchObject({ lost: ['b2'], complete: false });
    expect(await second).toMatchObject({ lost: [], complete: true });
    expect(b2.clients.got).toEqual(BOTH('second'));
  });

  it('that starts again counts from the beginning again', async () => {
    const { one, b1, b2 } = createTwo();
    await b1.member.run(saying('before'));
    await b1.member.run(saying('again'));
    b2.clients.got.length = 0;
    const again = createNode('b1', 'backend', { epoch: 'e2' });
    connect(one, again);
    expect(await again.member.run(saying('after'))).toMatchObject({ complete: true });
    expectEverybodyOnce('after', b2);
  });
});

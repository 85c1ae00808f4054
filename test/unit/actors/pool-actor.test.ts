/** Owns what a pool does with its backends and those who wait for one, beyond its chart. Refuses sockets. */
import { describe, expect, it } from 'vitest';
import type { Pairing } from '../../../src/actors/pairing.js';
import type { PickFailure, PoolActor } from '../../../src/actors/pool-actor.js';
import { createPolicy } from '../../../src/actors/selection/create-policy.js';
import { settled } from '../../../src/testing/simulated-clock.js';
import { FakeClient, makePool } from '../../support/pool.js';

const never = new AbortController().signal;
const idOf = (picked: Pairing | PickFailure) => (typeof picked === 'string' ? picked : picked.backend.id);

describe('a pick', () => {
  it('counts from the moment it is made: a burst is spread before anything is connected', () => {
    const { pool, add } = makePool();
    for (const id of ['a', 'b', 'c']) add(id);
    for (let pick = 0; pick < 20; pick += 1) pool.pick();
    expect(
      pool
        .info()
        .map(({ load }) => load)
        .sort(),
    ).toEqual([6, 7, 7]);
  });

  it('goes to the backend that is preferred, to others when that is not available, and to no other when it must not', () => {
    const { pool, add } = makePool();
    add('a', { capacity: 1 });
    add('b');
    expect(idOf(pool.pick({ prefer: 'a' }))).toBe('a');
    expect(idOf(pool.pick({ prefer: 'a' }))).toBe('b');
    expect(idOf(pool.pick({ prefer: 'a', onlyPreferred: true }))).toBe('full');
    expect(idOf(pool.pick({ prefer: 'x', onlyPreferred: true }))).toBe('unavailable');
    expect(idOf(pool.pick({ prefer: 'x' }))).toBe('b');
  });

  it('says why there is none', () => {
    const { pool, add } = makePool();
    expect(pool.pick()).toBe('empty');
    const a = add('a', { capacity: 1 });
    pool.pick();
    expect(pool.pick()).toBe('full');
    expect(pool.pick({ avoid: ['a'] })).toBe('unavailable');
    a.send({ type: 'check.down' });
    expect(pool.pick()).toBe('unavailable');
  });

  it('never goes to one that was tried in vain, not even a preferred one', () => {
    const { pool, add } = makePool();
    add('a');
    add('b');
    expect(idOf(pool.pick({ prefer: 'a', avoid: ['a'] }))).toBe('b');
  });
});

describe("a policy of the user's own", () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['answers with nonsense', () => 'a'],
    ['answers with a promise', () => Promise.resolve({ id: 'a' })],
    ['answers with a backend that is none of the candidates', () => ({ id: 'full' })],
    ['answers with null', () => null],
  ])('that %s harms one pick, and is told as an exception', (_, select) => {
    const { pool, add, exceptions } = makePool({ policy: createPolicy(select as never) });
    add('a');
    add('full', { capacity: 1 });
    pool.pick({ prefer: 'full' });
    expect(pool.pick()).toBe('unavailable');
    expect(exceptions).toHaveLength(1);
    expect(pool.get('a')!.load).toBe(0);
  });

  it('may pick nobody without that being an exception, and may answer with a copy', () => {
    const answers: unknown[] = [undefined, { id: 'a' }];
    const { pool, add, exceptions } = makePool({ policy: createPolicy(() => answers.shift() as never) });
    add('a');
    expect([pool.pick(), idOf(pool.pick())]).toEqual(['unavailable', 'a']);
    expect(exceptions).toEqual([]);
  });

  it('may take the backend out that it picks: then there is none', () => {
    const { pool, add } = makePool({
      policy: createPolicy(([first]) => {
        pool.get('a')!.send({ type: 'drain.request', cause: 'operator', fate: 'keep' });
        return first;
      }),
    });
    add('a');
    expect(pool.pick()).toBe('unavailable');
  });

  it('is shown what it may know and nothing it could do harm with', () => {
    let seen: object | undefined;
    const { pool, add } = makePool({
      policy: createPolicy(([first]) => {
        seen = first;
        return first;
      }),
    });
    add('a', { weight: 3, tags: ['eu'] });
    pool.pick();
    expect(seen).toMatchObject({ id: 'a', weight: 3, load: 1, tags: ['eu'] });
    expect(seen).not.toHaveProperty('send');
  });

  it.each([5, {}, null])('is refused when it is none: %j', (policy) => {
    expect(() => createPolicy(policy as never)).toThrow(/INVALID_OPTION|expected a function/);
  });
});

describe('a slow start', () => {
  it('lets the weight of a backend grow from a tenth to all of it, anew each time that it becomes ready or well', async () => {
    const { add, clock } = makePool({ slowStart: 1000 });
    const a = add('a', { weight: 10 });
    const weights = [a.candidate.weight];
    for (let step = 0; step < 3; step += 1) {
      await clock.advance(500);
      weights.push(a.candidate.weight);
    }
    expect(weights).toEqual([1, 5.5, 10, 10]);
    a.send({ type: 'check.down' });
    a.send({ type: 'check.up' });
    expect(a.candidate.weight).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it('keeps a newcomer from getting every client until it has as many as the others', async () => {
    const { add, connect, clock, pool } = makePool({ slowStart: 10_000 });
    add('old');
    await clock.advance(10_000);
    for (let client = 0; client < 100; client += 1) connect();
    const fresh = add('new');
    for (let client = 0; client < 20; client += 1) connect();
    expect(fresh.load).toBeLessThanOrEqual(12);
    await clock.advance(10_000);
    for (let client = 0; client < 200; client += 1) connect();
    expect(Math.abs(fresh.load - pool.get('old')!.load)).toBeLessThanOrEqual(1);
  });
});

describe('the queue', () => {
  const queue = { max: 2, timeout: 5000 };

  it('holds clients while all is full, and serves them in order before anyone new', async () => {
    const { pool, add, connect } = makePool({ queue });
    add('a', { capacity: 1 });
    const { pairing } = connect();
    const order: string[] = [];
    for (const name of ['first', 'second']) {
      void Promise.resolve(pool.pickOrWait({}, never)).then((picked) => order.push(`${name} ${idOf(picked)}`));
    }
    expect(pool.pickOrWait({}, never)).toBe('full');
    expect(pool.waiting).toBe(2);
    pairing.release('ended');
    expect(pool.pick()).toBe('full');
    await settled();
    expect(order).toEqual(['first a']);
    pool.get('a')!.update({ ...pool.get('a')!.spec, capacity: 2 });
    await settled();
    expect(order).toEqual(['first a', 'second a']);
  });

  it('comes before a new client also in the moment in which a timer makes room', async () => {
    const { pool, add, connect, clock } = makePool({ queue, outliers: { maxFailures: 1 } });
    const a = add('a');
    add('b', { capacity: 1 });
    connect({ prefer: 'b' });
    const late: (Pairing | PickFailure)[] = [];
    const { setTimeout } = clock;
    clock.setTimeout = (call, delay) => {
      const then = () => {
        call();
        late.push(pool.pick());
      };
      return setTimeout.call(clock, delay === 10_000 ? then : call, delay);
    };
    (pool.pick({ prefer: 'a' }) as Pairing).release('failed');
    expect(a.health).toBe('ejected');
    await clock.advance(9000);
    const waiting = pool.pickOrWait({}, never);
    await clock.advance(1000);
    expect(late).toEqual(['full']);
    expect(idOf(await waiting)).toBe('a');
  });

  it('refuses a client when its time is over, and when it leaves', async () => {
    const { pool, add, connect, clock } = makePool({ queue });
    add('a', { capacity: 1 });
    connect();
    const client = new AbortController();
    const late = pool.pickOrWait({}, never);
    const gone = pool.pickOrWait({}, client.signal);
    client.abort();
    expect(pool.waiting).toBe(1);
    await clock.advance(5000);
    expect(await Promise.all([late, gone])).toEqual(['full', 'full']);
    expect(clock.timers).toBe(0);
    expect(pool.get('a')!.load).toBe(1);
  });

  it.each([
    ['becomes unavailable', (pool: PoolActor) => pool.get('a')!.send({ type: 'check.down' })],
    ['is closed', (pool: PoolActor) => pool.close()],
  ] as const)('refuses all at once when the pool %s', async (_, happen) => {
    const { pool, add, clock } = makePool({ queue });
    add('a', { capacity: 1 });
    pool.pick();
    const waiting = [pool.pickOrWait({}, never), pool.pickOrWait({}, never)];
    happen(pool);
    expect(await Promise.all(waiting)).toEqual(['unavailable', 'unavailable']);
    expect(pool.waiting).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('does not have a client wait for a backend that cannot serve it any more, nor others wait for that client', async () => {
    const { pool, add, connect } = makePool({ queue });
    const a = add('a', { capacity: 1 });
    add('b', { capacity: 1 });
    const onA = connect({ prefer: 'a' });
    const onB = connect({ prefer: 'b' });
    const onlyA = pool.pickOrWait({ prefer: 'a', onlyPreferred: true }, never);
    const any = pool.pickOrWait({}, never);
    onB.pairing.release('ended');
    expect(idOf(await any)).toBe('b');
    a.send({ type: 'check.down' });
    expect(await onlyA).toBe('unavailable');
    expect(onA.client.told).toEqual(['close 1012']);
  });
});

describe('a defect of ours in one backend', () => {
  it('costs that backend and no other, is told, and takes no place with it', async () => {
    const { pool, add, connect, exceptions, told, clock } = makePool();
    const a = add('a');
    add('b');
    const { pairing } = connect({ prefer: 'a' });
    a.meetFate = () => {
      throw new Error('a defect');
    };
    a.send({ type: 'drain.request', cause: 'operator', fate: 'drain' });
    await clock.advance(0);
    expect(exceptions).toEqual([new Error('a defect')]);
    expect(told).toContain('a gone');
    expect(pool.chartValue).toBe('available');
    pairing.release('ended');
    expect(idOf(pool.pick({ prefer: 'a' }))).toBe('b');
    expect(add('a').isAvailable).toBe(true);
  });
});

describe('a closed pool', () => {
  it('has no timer left, picks nobody, and takes back what comes late', async () => {
    const { pool, add, connect, clock, told } = makePool({ queue: { max: 5, timeout: 100 }, drainsPerSecond: 1 });
    const a = add('a');
    const b = add('b');
    const pairs = [connect(), connect(), connect()];
    const late = pool.pick() as Pairing;
    a.send({ type: 'outlier.found' });
    b.send({ type: 'drain.request', cause: 'operator', fate: 'drain' });
    const before = told.length;
    pool.close();
    await clock.advance(50);
    expect(clock.timers).toBe(0);
    expect(pool.pick()).toBe('unavailable');
    for (const { pairing } of pairs) pairing.release('ended');
    late.paired(new FakeClient());
    late.release('ended');
    expect(pool.all()).toEqual([]);
    expect(told).toHaveLength(before);
  });
});

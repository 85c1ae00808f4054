/** Owns what a backend does beyond its chart: places that count once, traffic that tells of its health, and clients that are sent away. */
import { describe, expect, it } from 'vitest';
import type { Pairing } from '../../../src/actors/pairing.js';
import { FakeClient, makePool } from '../../support/pool.js';

const pick = ({ pool }: ReturnType<typeof makePool>) => {
  const picked = pool.pick();
  if (typeof picked === 'string') throw new Error(picked);
  return picked;
};

describe('a place', () => {
  it('counts once and is given back once, in whatever order it is told', () => {
    const stage = makePool();
    const a = stage.add('a');
    const counts: number[] = [];
    const client = new FakeClient(false);
    const early = pick(stage);
    early.release('unused');
    early.release('failed');
    early.paired(client);
    counts.push(a.load, a.pairs.size);
    const usual = pick(stage);
    usual.paired(client);
    usual.paired(client);
    counts.push(a.load, a.pairs.size);
    usual.release('ended');
    usual.release('lost');
    counts.push(a.load, a.pairs.size);
    expect(counts).toEqual([0, 0, 1, 1, 0, 0]);
  });

  it('is given back once when whoever is told gives it back again', () => {
    const stage = makePool();
    const a = stage.add('a', { capacity: 1 });
    const pairing = pick(stage);
    // The pool tells of the room that is freed, and here that comes back to the place.
    const released = a.released.bind(a);
    a.released = (again, end) => {
      again.release('lost');
      released(again, end);
      again.release('lost');
    };
    pairing.release('ended');
    expect([a.load, a.pairs.size]).toEqual([0, 0]);
  });
});

describe('what a backend reports', () => {
  it('counts only as far as it is beyond the pairs that are known here', () => {
    const { add, connect } = makePool();
    const a = add('a');
    const pairings = [connect(), connect(), connect()].map(({ pairing }) => pairing);
    a.report(5);
    expect(a.load).toBe(5);
    // Its next report is late: what is known here is not.
    pairings[0]!.release('ended');
    expect(a.load).toBe(4);
    a.report(2);
    expect(a.load).toBe(2);
    a.report(0);
    expect(a.load).toBe(2);
  });

  it('is forgotten when its control channel is lost, and when it registers anew', () => {
    const { add } = makePool();
    const a = add('a', { capacity: 10 });
    a.report(10);
    expect(a.isAvailable).toBe(false);
    a.lost(1, 'keep');
    const b = add('b', { capacity: 10 });
    b.report(10);
    b.renew(b.spec);
    expect([b.load, b.isAvailable]).toEqual([0, true]);
  });

  it('takes the place of clients that were sent there, who count until then, or for ten seconds', async () => {
    const stage = makePool();
    const a = stage.add('a');
    for (let client = 0; client < 3; client += 1) pick(stage).release('redirected');
    expect(a.load).toBe(3);
    a.report(2);
    expect(a.load).toBe(2);
    pick(stage).release('redirected');
    expect(a.load).toBe(3);
    await stage.clock.advance(9999);
    expect(a.load).toBe(3);
    await stage.clock.advance(1);
    expect(a.load).toBe(2);
    expect(stage.clock.timers).toBe(0);
  });

  it('spreads a burst of clients that are sent away before anything is reported', () => {
    const stage = makePool();
    const all = ['a', 'b', 'c'].map((id) => stage.add(id));
    for (let client = 0; client < 30; client += 1) pick(stage).release('redirected');
    expect(all.map(({ load }) => load)).toEqual([10, 10, 10]);
  });
});

describe('a backend that fails', () => {
  const fail = (stage: ReturnType<typeof makePool>, id: string, times: number) => {
    for (let time = 0; time < times; time += 1) {
      const picked = stage.pool.pick({ prefer: id, onlyPreferred: true });
      if (typeof picked !== 'string') picked.release('failed');
    }
  };

  it('is ejected after so many failures in a row, tried after a while, and well when the trial lasts', async () => {
    const stage = makePool();
    const a = stage.add('a');
    stage.add('b');
    fail(stage, 'a', 3);
    expect(a.info()).toMatchObject({ health: 'ejected', available: false, failures: 3, ejections: 1 });
    expect(a.info().ejectedUntil! - Date.now()).toBeGreaterThan(9000);
    await stage.clock.advance(10_000);
    expect(a.info()).toMatchObject({ health: 'trial', available: true, ejectedUntil: undefined });
    const { pairing } = stage.connect({ prefer: 'a' });
    // The only connection of the trial is made: nobody else comes before it has lasted.
    expect(stage.pool.pick({ prefer: 'a', onlyPreferred: true })).toBe('full');
    await stage.clock.advance(999);
    expect(a.health).toBe('trial');
    await stage.clock.advance(1);
    expect(a.info()).toMatchObject({ health: 'healthy', available: true, failures: 0 });
    pairing.release('ended');
    expect(stage.told).toEqual(['a ready', 'b ready', 'a ejected', 'a trial', 'a healthy']);
  });

  it('is ejected for twice as long when its trial fails: at the dial, or early', async () => {
    const stage = makePool();
    const a = stage.add('a');
    stage.add('b');
    fail(stage, 'a', 3);
    await stage.clock.advance(10_000);
    fail(stage, 'a', 1);
    expect(a.health).toBe('ejected');
    await stage.clock.advance(19_999);
    expect(a.health).toBe('ejected');
    await stage.clock.advance(1);
    const { pairing } = stage.connect({ prefer: 'a' });
    await stage.clock.advance(500);
    pairing.release('lost');
    expect(a.health).toBe('ejected');
    await stage.clock.advance(40_000);
    expect(a.health).toBe('trial');
  });

  it('gets so many connections in a trial at a time, and one more for each that was not needed', async () => {
    const stage = makePool({ outliers: { trials: 2 } });
    const a = stage.add('a');
    stage.add('b');
    fail(stage, 'a', 3);
    await stage.clock.advance(10_000);
    const query = { prefer: 'a', onlyPreferred: true };
    const [one, two] = [stage.pool.pick(query) as Pairing, stage.pool.pick(query) as Pairing];
    expect(stage.pool.pick(query)).toBe('full');
    one.release('unused');
    const three = stage.pool.pick(query) as Pairing;
    expect(stage.pool.pick(query)).toBe('full');
    two.paired(new FakeClient());
    // It was reached, and turned its client down.
    three.release('ended');
    expect(a.chartValue).toEqual({ ready: { load: 'available', health: { trial: 'proving' } } });
    await stage.clock.advance(1000);
    expect(a.health).toBe('healthy');
  });

  it('is not judged in a trial by connections that were picked before it', async () => {
    const stage = makePool();
    const a = stage.add('a');
    stage.add('b');
    const slow = stage.pool.pick({ prefer: 'a' }) as Pairing;
    fail(stage, 'a', 3);
    await stage.clock.advance(10_000);
    slow.release('failed');
    expect(a.health).toBe('trial');
  });

  it('has failures in a row only when nothing did well between them', async () => {
    const stage = makePool();
    const a = stage.add('a');
    stage.add('b');
    fail(stage, 'a', 2);
    stage.connect({ prefer: 'a' });
    fail(stage, 'a', 1);
    expect(a.health).toBe('ejected');

    const other = makePool();
    const c = other.add('c');
    other.add('d');
    fail(other, 'c', 2);
    const { pairing } = other.connect({ prefer: 'c' });
    // It lasted: that it broke later is no failure, and what came before is forgiven.
    await other.clock.advance(1000);
    fail(other, 'c', 2);
    pairing.release('lost');
    expect(c.info()).toMatchObject({ health: 'healthy', failures: 2 });
  });

  it('is forgiven failures by a connection that lasted, and by none that did not', async () => {
    for (const lasts of [true, false]) {
      const stage = makePool();
      const a = stage.add('a');
      stage.add('b');
      const { pairing } = stage.connect({ prefer: 'a' });
      if (lasts) stage.connect({ prefer: 'a' });
      pairing.release('unused');
      fail(stage, 'a', 2);
      await stage.clock.advance(1000);
      fail(stage, 'a', 1);
      expect(a.info()).toMatchObject(lasts ? { health: 'healthy', failures: 1 } : { health: 'ejected', failures: 3 });
    }
  });

  it('is never ejected alone, and no more are than the part of the pool that may be', () => {
    const alone = makePool();
    const only = alone.add('only');
    fail(alone, 'only', 10);
    expect(only.health).toBe('healthy');
    expect(alone.told).toEqual(['only ready']);

    const stage = makePool({ outliers: { maxEjected: 0.5 } });
    const all = ['a', 'b', 'c', 'd', 'e'].map((id) => stage.add(id));
    for (const { id } of all) fail(stage, id, 5);
    expect(all.map(({ health }) => health)).toEqual(['ejected', 'ejected', 'healthy', 'healthy', 'healthy']);
  });

  it('is let back in when the pool gets too small to do without it: the one whose time is over first', async () => {
    const stage = makePool({ outliers: { maxEjected: 0.5 } });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => stage.add(id)) as [never, never, never, never];
    const healths = () => [a, b, c, d].map(({ health }: { health: string }) => health);
    fail(stage, 'a', 3);
    await stage.clock.advance(1000);
    fail(stage, 'b', 3);
    expect(healths()).toEqual(['ejected', 'ejected', 'healthy', 'healthy']);
    stage.pool.get('c')!.send({ type: 'drain.request', cause: 'operator', fate: 'keep' });
    expect(healths()).toEqual(['healthy', 'ejected', undefined, 'healthy']);
  });
});

describe('a backend that goes', () => {
  it('sends its clients away at a pace, tells those that come late too, and is gone with the last', async () => {
    const stage = makePool({ drainsPerSecond: 100 });
    const a = stage.add('a');
    const clients = Array.from({ length: 5 }, () => stage.connect().client);
    const late = pick(stage);
    a.send({ type: 'drain.request', cause: 'removed', fate: 'drain' });
    await stage.clock.advance(0);
    const away = () => clients.filter(({ told }) => told.length > 0).length;
    // Two in each 20 ms.
    expect(away()).toBe(2);
    await stage.clock.advance(20);
    expect(away()).toBe(4);
    await stage.clock.advance(20);
    expect(away()).toBe(5);
    expect(a.state).toBe('draining');
    const client = new FakeClient();
    client.pairing = late;
    late.paired(client);
    await stage.clock.advance(0);
    expect(client.told).toEqual(['close 1012']);
    expect(stage.told).toEqual(['a ready', 'a draining', 'a gone']);
    expect(stage.clock.timers).toBe(0);
  });

  it('cuts those that do not go in time', async () => {
    const stage = makePool({ drainTimeout: 1000 });
    const a = stage.add('a');
    const stubborn = stage.connect({}, new FakeClient(false)).client;
    a.send({ type: 'drain.request', cause: 'operator', fate: 'close' });
    // Asked once more, it does not begin again.
    await stage.clock.advance(900);
    a.send({ type: 'drain.request', cause: 'operator', fate: 'close' });
    await stage.clock.advance(100);
    expect(stubborn.told).toEqual(['close 1012', 'terminate']);
    expect(a.info()).toMatchObject({ state: 'draining', draining: 'operator', load: 0 });
  });

  it('keeps those that it has not sent away yet when it comes back', async () => {
    const stage = makePool({ drainsPerSecond: 50 });
    const a = stage.add('a');
    const clients = Array.from({ length: 5 }, () => stage.connect().client);
    a.lost(1, 'drain');
    await stage.clock.advance(0);
    a.send({ type: 'ready.announced' });
    await stage.clock.advance(1000);
    expect(clients.map(({ told }) => told.length)).toEqual([1, 0, 0, 0, 0]);
    expect(a.info()).toMatchObject({ state: 'ready', pairs: 4, load: 4, draining: undefined });
    expect(stage.told).toEqual(['a ready', 'a draining', 'a ready']);
  });

  it('goes on sending them away when it gets lost meanwhile, even if clients of a lost one are kept', async () => {
    const stage = makePool({ drainsPerSecond: 50, whenUnhealthy: 'drain' });
    const a = stage.add('a');
    const clients = Array.from({ length: 4 }, () => stage.connect().client);
    a.send({ type: 'check.down' });
    await stage.clock.advance(0);
    a.lost(1, 'keep');
    await stage.clock.advance(1000);
    expect(clients.map(({ told }) => told.length)).toEqual([1, 1, 1, 1]);
    expect(stage.pool.get('a')).toBeUndefined();
  });

  it('is not lost with a registration that is older than its newest', () => {
    const stage = makePool();
    const a = stage.add('a');
    expect(a.renew({ ...a.spec, weight: 2 })).toBe(2);
    a.lost(1, 'close');
    expect(a.info()).toMatchObject({ state: 'ready', generation: 2, weight: 2 });
    a.lost(2, 'close');
    expect(stage.told).toEqual(['a ready', 'a draining', 'a gone']);
  });

  it('stays out when an operator took it out, though it is lost and comes back, and is known as long as that', () => {
    const stage = makePool();
    const a = stage.add('a');
    a.send({ type: 'drain.request', cause: 'operator', fate: 'drain' });
    a.lost(1, 'keep');
    a.send({ type: 'ready.announced' });
    expect(a.info()).toMatchObject({ state: 'draining', draining: 'operator' });
    a.send({ type: 'resume.request' });
    expect(a.state).toBe('ready');
    a.send({ type: 'drain.request', cause: 'operator', fate: 'drain' });
    a.lost(1, 'keep');
    expect(stage.pool.get('a')).toBe(a);
    a.send({ type: 'resume.request' });
    expect(stage.pool.get('a')).toBeUndefined();
  });

  it('is what it was when it is ready again: still unhealthy by its checks, still full', async () => {
    const stage = makePool();
    const a = stage.add('a', { capacity: 1 });
    const { client } = stage.connect({}, new FakeClient(false));
    a.send({ type: 'drain.request', cause: 'operator', fate: 'keep' });
    a.send({ type: 'check.down' });
    a.send({ type: 'resume.request' });
    expect(a.chartValue).toEqual({ ready: { load: 'saturated', health: 'unhealthy' } });
    await stage.clock.advance(0);
    expect(client.told).toEqual(['close 1012']);
    a.send({ type: 'check.up' });
    expect(a.info()).toMatchObject({ health: 'healthy', available: false });
    expect(stage.pool.chartValue).toBe('full');
  });
});

describe('whoever is told about a backend', () => {
  it('finds the pool without it when it goes, even while it is being told', () => {
    const stage = makePool();
    const a = stage.add('a');
    stage.add('b');
    const picked: string[] = [];
    stage.told.push = (line: string) => {
      if (line === 'a draining') picked.push(...Array.from({ length: 20 }, () => pick(stage).backend.id));
      return 0;
    };
    a.send({ type: 'drain.request', cause: 'operator', fate: 'keep' });
    expect(new Set(picked)).toEqual(new Set(['b']));
  });

  it('may put a backend back in whose checks fail: nobody who waits gets it for a moment', async () => {
    const stage = makePool({ queue: { max: 1, timeout: 5000 } });
    const a = stage.add('a');
    stage.add('b', { capacity: 1 });
    stage.connect({ prefer: 'b' });
    a.send({ type: 'check.down' });
    const waiting = stage.pool.pickOrWait({}, new AbortController().signal);
    stage.told.push = (line: string) => {
      if (line === 'a draining') a.send({ type: 'resume.request' });
      return 0;
    };
    a.send({ type: 'drain.request', cause: 'operator', fate: 'keep' });
    expect(a.info()).toMatchObject({ health: 'unhealthy', load: 0 });
    expect(stage.pool.waiting).toBe(1);
    await stage.clock.advance(5000);
    expect(await waiting).toBe('full');
  });

  it('may put a backend back in that is being taken out', () => {
    const stage = makePool();
    const a = stage.add('a');
    stage.told.push = () => {
      a.send({ type: 'resume.request' });
      return 0;
    };
    a.send({ type: 'drain.request', cause: 'operator', fate: 'keep' });
    expect(a.state).toBe('ready');
    expect(stage.pool.chartValue).toBe('available');
  });
});

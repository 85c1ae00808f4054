/** Owns that the way of a client to a backend gives back every place that it took, and tells the backend how it went. Refuses to dial. */
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../../src/actors/connection.effects.js';
import { noAffinity } from '../../../src/server/balancer/affinity/affinity.js';
import { createRoutes } from '../../../src/server/balancer/backend-route.js';
import { RetryBudget } from '../../../src/server/balancer/retry-budget.js';
import { DialAbort } from '../../../src/server/dial/dial-signal.js';
import { FakeClient, makePool } from '../../support/pool.js';

const refusal = (error: Refusal['error'], status: number): Refusal => ({ status, error, message: error });

function route(stage: ReturnType<typeof makePool>) {
  const ending = { initiator: 'upstream', cause: 'UPSTREAM_LOST', code: 1012, reason: '' } as const;
  const routes = createRoutes({
    speaks: 'websocket',
    pool: stage.pool,
    affinity: noAffinity,
    budget: new RetryBudget(1),
    attempts: 3,
    attemptTimeout: 0,
    retryAfter: 5000,
    lossEnding: () => ending,
    paired() {},
    unpaired() {},
  });
  const occupant = Object.assign(new FakeClient(false), { id: 'conn-1' });
  return routes.routeFor({ url: '/', headers: {}, remoteAddress: '127.0.0.1', tls: undefined } as never, occupant);
}

describe('the way of a client', () => {
  it('gives its place back when the client left between its turn and the news of it', async () => {
    const stage = makePool({ queue: { max: 1, timeout: 1000 } });
    const a = stage.add('a', { capacity: 1 });
    const { pairing } = stage.connect();
    const way = route(stage);
    const target = way.next(new DialAbort());
    pairing.release('ended');
    expect(a.load).toBe(1);
    way.over(undefined);
    await target;
    expect(a.load).toBe(0);
  });

  it('counts a dial that failed against the backend, and tries another one', async () => {
    const stage = makePool();
    const [a, b] = [stage.add('a'), stage.add('b')];
    const way = route(stage);
    const tried = [await way.next(new DialAbort())];
    expect(way.failed(refusal('UPSTREAM_REFUSED', 502))).toBe(true);
    tried.push(await way.next(new DialAbort()));
    expect(tried.map((one) => 'href' in one && one.href).sort()).toEqual([a.spec.url, b.spec.url]);
    expect(a.info().failures + b.info().failures).toBe(1);
    way.connected();
    way.over(undefined);
    expect([a.load, b.load]).toEqual([0, 0]);
  });

  it('counts it for the backend that it turned a client down: it is there', async () => {
    const stage = makePool();
    const a = stage.add('a');
    (stage.pool.pick() as Exclude<ReturnType<typeof stage.pool.pick>, string>).release('failed');
    const way = route(stage);
    await way.next(new DialAbort());
    expect(way.failed(refusal('UPSTREAM_REJECTED', 403))).toBe(false);
    expect(a.info()).toMatchObject({ failures: 0, load: 0 });
  });

  it('counts it against the backend that it did not answer before the deadline of all attempts; not that the client left', async () => {
    for (const [why, failures] of [
      [refusal('UPSTREAM_TIMEOUT', 504), 1],
      [refusal('DOWNSTREAM_GONE', 503), 0],
      [undefined, 0],
    ] as const) {
      const stage = makePool();
      const a = stage.add('a');
      const way = route(stage);
      await way.next(new DialAbort());
      way.over(undefined, why);
      expect(a.info()).toMatchObject({ failures, load: 0 });
    }
  });

  it('says why there is no backend', () => {
    const stage = makePool();
    expect(() => route(stage).next(new DialAbort())).toThrow(expect.objectContaining({ code: 'NO_BACKEND' }));
    stage.add('a', { capacity: 1 });
    stage.connect();
    expect(() => route(stage).next(new DialAbort())).toThrow(expect.objectContaining({ code: 'BACKENDS_FULL' }));
  });
});

/** Owns when connections are dialled ahead of need, how long they are kept, and what is handed on with one. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DialSignal } from '../../../src/server/dial/dial-signal.js';
import { parseTarget } from '../../../src/server/dial/target.js';
import { WarmPool, type WarmPoolOptions } from '../../../src/server/dial/warm-pool.js';
import { type Deferred, deferred } from '../../support/events.js';
import { FakeWire } from '../paths/fake-wire.js';

beforeEach(() => {
  vi.useFakeTimers();
  // Neither waits nor ages are shortened.
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const target = parseTarget('tcp://10.0.0.1:5900');

/** A wire that tells its end, and shows what was given back to it. */
class PooledWire extends FakeWire {
  readonly given: Buffer[] = [];

  override unread(bytes: Buffer): void {
    this.given.push(bytes);
  }

  override terminate(): void {
    if (this.closed) return;
    this.closed = true;
    queueMicrotask(() => this.reader?.onClosed(undefined));
  }

  hears(text: string): void {
    this.reader?.onBytes(Buffer.from(text));
  }
}

interface Dial extends Deferred<PooledWire> {
  readonly at: number;
  readonly signal: DialSignal;
}

/** A pool, and its dials in the order in which they began. They wait for the test unless `answer` settles them. */
function create(options: Partial<WarmPoolOptions> = {}, answer: (dial: Dial) => void = () => {}) {
  const dials: Dial[] = [];
  const began = performance.now();
  const pool = new WarmPool({
    href: target.href,
    size: 2,
    highWaterMark: 10,
    dialTimeout: 5000,
    dial: (signal) => {
      const dial = { ...deferred<PooledWire>(), at: performance.now() - began, signal };
      signal.addEventListener('abort', () => dial.reject(signal.reason));
      dials.push(dial);
      answer(dial);
      return dial.promise;
    },
    ...options,
  });
  pool.start();
  return { pool, dials, times: () => dials.map(({ at }) => at) };
}

/** A pool whose target takes every connection. */
async function connected(options: Partial<WarmPoolOptions> = {}) {
  const wires: PooledWire[] = [];
  const created = create(options, (dial) => {
    const wire = new PooledWire();
    wires.push(wire);
    dial.resolve(wire);
  });
  await vi.advanceTimersByTimeAsync(0);
  return { ...created, wires };
}

const refuse = (dial: Dial): void => dial.reject(new Error('refused'));

describe('a target that refuses', () => {
  it('is tried again after 100 ms, twice as long each time, up to 10 s, with one dial at a time', async () => {
    const { pool, times } = create({ size: 3 }, refuse);
    await vi.advanceTimersByTimeAsync(33_000);
    expect(times()).toEqual([0, 0, 0, 100, 300, 700, 1500, 3100, 6300, 12_700, 22_700, 32_700]);
    expect(pool.take(target)).toBe(undefined);
  });

  it('is tried again at moments that differ', async () => {
    vi.mocked(Math.random).mockReturnValue(0);
    const { times } = create({ size: 1 }, refuse);
    await vi.advanceTimersByTimeAsync(400);
    expect(times()).toEqual([0, 50, 150, 350]);
  });

  it('gets one dial after the other when it takes connections again, and several at a time once one was of use', async () => {
    let down = true;
    const { pool, dials, times } = create({ size: 3 }, (dial) => down && refuse(dial));
    await vi.advanceTimersByTimeAsync(50);
    down = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(times()).toEqual([0, 0, 0, 100]);
    dials[3]?.resolve(new PooledWire());
    await vi.advanceTimersByTimeAsync(0);
    expect(times()).toEqual([0, 0, 0, 100, 1050]);
    expect(pool.take(target)).toBeDefined();
    expect(dials).toHaveLength(7);
  });
});

describe('a target that is slow to answer', () => {
  it('has as long as any dial may take', async () => {
    const { dials } = create({ size: 1, dialTimeout: 700 });
    await vi.advanceTimersByTimeAsync(699);
    expect(dials[0]?.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(dials[0]?.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    expect(dials).toHaveLength(2);
  });

  it('is not asked for everything at once', () => {
    expect(create({ size: 1000 }).dials).toHaveLength(16);
  });
});

describe('a connection that nobody took yet', () => {
  it('is taken once, the oldest first, and each is replaced', async () => {
    const { pool, wires } = await connected();
    expect(wires).toHaveLength(2);
    expect(pool.take(target)).toBe(wires[0]);
    expect(pool.take(target)).toBe(wires[1]);
    expect(pool.take(target)).toBe(undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(wires).toHaveLength(4);
    expect(pool.take(target)).toBe(wires[2]);
  });

  it('is not for another target', async () => {
    const { pool } = await connected();
    expect(pool.take(parseTarget('tls://10.0.0.1:5900'))).toBe(undefined);
    expect(pool.take(parseTarget('tcp://10.0.0.1:5901'))).toBe(undefined);
    expect(pool.take(parseTarget('tcp://10.0.0.1:5900/'))).toBeDefined();
  });

  it('keeps what its target sends, and is read no further above the high water mark', async () => {
    const { pool, wires } = await connected({ size: 1 });
    wires[0]?.hears('SSH-');
    wires[0]?.hears('2.0');
    expect(wires[0]?.reading).toBe(true);
    wires[0]?.hears('-x\r\n');
    expect(wires[0]?.reading).toBe(false);
    pool.take(target);
    expect(Buffer.concat(wires[0]?.given ?? []).toString()).toBe('SSH-2.0-x\r\n');
  });

  it('has a copy of what was sent: the memory belongs to the wire', async () => {
    const { pool, wires } = await connected({ size: 1 });
    const shared = Buffer.from('abc');
    wires[0]?.reader?.onBytes(shared);
    shared.fill('x');
    pool.take(target);
    expect(wires[0]?.given.join('')).toBe('abc');
  });

  it('is not read once it is taken', async () => {
    const { pool, wires } = await connected({ size: 1 });
    expect(wires[0]?.reading).toBe(true);
    pool.take(target);
    expect(wires[0]?.reading).toBe(false);
  });

  it('is passed over when its target turns out to have reset it', async () => {
    const { pool, wires } = await connected();
    vi.spyOn(wires[0]!, 'probe').mockImplementation(() => wires[0]?.terminate());
    expect(pool.take(target)).toBe(wires[1]);
  });

  it('is dropped when its target ends it, even behind some bytes, and replaced after a wait', async () => {
    const { pool, wires } = await connected({ size: 1 });
    wires[0]?.hears('too many');
    wires[0]?.reader?.onEnd();
    expect(wires[0]?.closed).toBe(true);
    expect(pool.take(target)).toBe(undefined);
    await vi.advanceTimersByTimeAsync(99);
    expect(wires).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(pool.take(target)).toBe(wires[1]);
  });

  it('is replaced ever less often when its target ends each one at once', async () => {
    const { times } = create({ size: 2 }, (dial) => {
      const wire = new PooledWire();
      wire.read = () => wire.reader?.onEnd();
      dial.resolve(wire);
    });
    await vi.advanceTimersByTimeAsync(3000);
    expect(times()).toEqual([0, 0, 100, 300, 700, 1500]);
  });

  it('was of use when its target kept it for 10 s: the waits begin anew', async () => {
    const { wires } = await connected({ size: 1 });
    for (const [kept, wait] of [
      [5000, 100],
      [5000, 200],
      [10_000, 100],
    ] as const) {
      const before = wires.length;
      await vi.advanceTimersByTimeAsync(kept);
      wires.at(-1)?.terminate();
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(wires).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(wires).toHaveLength(before + 1);
    }
  });

  it('is replaced within a minute, and not in the same moment as the others', async () => {
    vi.mocked(Math.random).mockReturnValueOnce(0.5).mockReturnValueOnce(0);
    const { pool, wires } = await connected();
    await vi.advanceTimersByTimeAsync(52_499);
    expect(wires.map(({ closed }) => closed)).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(wires.map(({ closed }) => closed)).toEqual([true, false, false]);
    await vi.advanceTimersByTimeAsync(7500);
    expect(wires.map(({ closed }) => closed)).toEqual([true, true, false, false]);
    expect(pool.take(target)).toBe(wires[2]);
  });

  it('was closed while it was dialled, and is none', async () => {
    const { pool, dials } = create({ size: 1 }, (dial) => {
      const wire = new PooledWire();
      wire.terminate();
      dial.resolve(wire);
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(pool.take(target)).toBe(undefined);
    await vi.advanceTimersByTimeAsync(100);
    expect(dials).toHaveLength(2);
  });
});

describe('closing', () => {
  it('closes what nobody took, leaves what was taken, and dials no more', async () => {
    const { pool, wires } = await connected();
    const taken = pool.take(target);
    await vi.advanceTimersByTimeAsync(0);
    await pool.close();
    expect(wires.map((wire) => wire.closed || wire === taken)).toEqual([true, true, true]);
    expect(taken?.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(wires).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
    expect(pool.take(target)).toBe(undefined);
  });

  it('ends dials that are under way, and waits for them', async () => {
    const { pool, dials } = create();
    await pool.close();
    expect(dials.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends the wait for the next dial', async () => {
    const { pool, dials } = create({}, refuse);
    await vi.advanceTimersByTimeAsync(0);
    await Promise.all([pool.close(), pool.close()]);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(dials).toHaveLength(2);
  });

  it('closes a connection that came too late to be called off, and waits for it', async () => {
    const late = new PooledWire();
    const { pool } = create({ size: 1 }, (dial) => dial.resolve(late));
    await pool.close();
    expect(late.closed).toBe(true);
  });

  it('before the start leaves nothing to start', async () => {
    const { pool, dials } = create({ size: 0 });
    await pool.close();
    pool.start();
    expect(dials).toEqual([]);
  });
});

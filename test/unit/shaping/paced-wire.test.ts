/** Owns that rates are kept, to the byte and on simulated time: the bucket, and a wire that is paced in both directions. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PacedWire, type PaceOwner } from '../../../src/server/shaping/paced-wire.js';
import { Pacer } from '../../../src/server/shaping/pacer.js';
import { TokenBucket } from '../../../src/server/shaping/token-bucket.js';
import { Incoming } from '../../../src/server/wires/incoming.js';
import type { Wire, WireReader } from '../../../src/server/wires/wire.js';
import { FakeWire } from '../paths/fake-wire.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const RATE = 80_000;
const BYTES_PER_SECOND = RATE / 8;

describe('a token bucket', () => {
  it('lets a burst pass, then as much as its rate', () => {
    const bucket = new TokenBucket(1000, 50, 0);
    expect(bucket.level(0)).toBe(50);
    bucket.spend(50);
    expect(bucket.level(20)).toBe(20);
    expect(bucket.level(1000)).toBe(50);
  });

  it('takes a debt, which is paid first', () => {
    const bucket = new TokenBucket(1000, 50, 0);
    bucket.spend(150);
    expect([bucket.level(50), bucket.level(100), bucket.level(130)]).toEqual([-50, 0, 30]);
  });

  it('gives who waited all of the time that it waited, also when it is asked late', () => {
    const bucket = new TokenBucket(1000, 50, 0);
    bucket.spend(50);
    expect(bucket.level(400, true)).toBe(400);
    expect(bucket.level(5000, true)).toBe(1000);
  });

  it('keeps its debt when the rate changes, and nothing beyond the new burst', () => {
    const bucket = new TokenBucket(1000, 50, 0);
    bucket.spend(60);
    bucket.change(10_000, 500, 0);
    expect([bucket.level(1), bucket.level(1000)]).toEqual([0, 500]);
    bucket.change(100, 5, 1000);
    expect(bucket.level(1000)).toBe(5);
  });
});

/** A wire whose peer sends without end, in chunks of one size; every byte is one more than the one before. */
class Endless extends Incoming {
  readonly closed = false;
  readonly #chunk: number;
  #next = 0;

  constructor(chunk: number) {
    super();
    this.#chunk = chunk;
  }

  stopReading(): void {
    this.reading = false;
  }

  watch(): void {
    this.reading = false;
  }

  protected readSocket(): void {
    while (this.reading) this.came(Buffer.from(Array.from({ length: this.#chunk }, () => this.#next++ & 0xff)));
  }
}

class Told implements PaceOwner, WireReader {
  readonly lines: string[] = [];
  bytes = 0;
  largest = 0;
  inOrder = true;

  onBytes(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += 1) this.inOrder &&= chunk[at] === ((this.bytes + at) & 0xff);
    this.bytes += chunk.length;
    this.largest = Math.max(this.largest, chunk.length);
  }

  onEnd = () => void this.lines.push('end');
  onDrain: () => void = () => void this.lines.push('drain');
  onClosed = () => void this.lines.push('closed');
  onFull = () => void this.lines.push('full');
  onTaken = () => void this.lines.push('taken');
  onHeld = () => {};
  onPaced = () => void this.lines.push('paced');
}

function pace(wire: Wire) {
  const pacer = new Pacer();
  const told = new Told();
  const now = { reading: false, full: false };
  return { pacer, told, paced: new PacedWire({ wire, reader: told, owner: told, pacer, now }) };
}

describe('a paced wire that is read', () => {
  it.each([10, 1000, 200_000])('hands on what comes in chunks of %i bytes at the rate, in order', (chunk) => {
    const { told, paced, pacer } = pace(new Endless(chunk) as unknown as Wire);
    paced.limit({ read: RATE });
    paced.read();
    vi.advanceTimersByTime(10_000);
    expect(told.bytes / (10 * BYTES_PER_SECOND)).toBeGreaterThan(0.99);
    expect(told.bytes / (10 * BYTES_PER_SECOND)).toBeLessThan(1.05);
    expect(told.inOrder).toBe(true);
    pacer.stop();
  });

  it('goes on at another rate at once, and as fast as it goes without one', () => {
    const { told, paced } = pace(new Endless(50_000) as unknown as Wire);
    paced.limit({ read: 800 });
    paced.read();
    vi.advanceTimersByTime(1000);
    const slow = told.bytes;
    expect(slow).toBeLessThan(2000);
    paced.limit({ read: 10 * RATE });
    vi.advanceTimersByTime(1000);
    expect(told.bytes - slow).toBeGreaterThan(9 * BYTES_PER_SECOND);
    paced.stopReading();
    paced.limit({ read: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says that it waited, so that silence is excused, and has one timer only while it waits', () => {
    const { told, paced, pacer } = pace(new Endless(50_000) as unknown as Wire);
    paced.limit({ read: RATE });
    expect([paced.takeWait(), vi.getTimerCount()]).toEqual([false, 0]);
    paced.read();
    expect([paced.takeWait(), vi.getTimerCount(), pacer.size]).toEqual([true, 1, 1]);
    paced.stopReading();
    vi.advanceTimersByTime(1000);
    const { bytes } = told;
    expect([paced.takeWait(), paced.takeWait(), vi.getTimerCount()]).toEqual([true, false, 0]);
    vi.advanceTimersByTime(1000);
    expect(told.bytes).toBe(bytes);
  });
});

describe('a paced wire that is written', () => {
  it.each([10, 1000, 200_000])(
    'takes writes of %i bytes at the rate, in order, and says when more may follow',
    (size) => {
      const wire = new FakeWire();
      const { told, paced } = pace(wire);
      paced.limit({ write: RATE });
      const message = Buffer.alloc(size, 7);
      const fill = () => {
        while (paced.write(message)) {
          // As long as there is room.
        }
      };
      told.onDrain = fill;
      fill();
      vi.advanceTimersByTime(10_000);
      expect(wire.bytesWritten / (10 * BYTES_PER_SECOND)).toBeGreaterThan(0.99);
      expect(wire.bytesWritten / (10 * BYTES_PER_SECOND)).toBeLessThan(1.05);
      // Nothing is cut finer than a packet, or than what may pass in a tick.
      if (size > 1460) expect(wire.writes.every((part) => part.length >= 800)).toBe(true);
      expect(told.lines).not.toContain('full');
    },
  );

  it('lets control frames pass that have nothing before them, and others behind what must not be cut', () => {
    const wire = new FakeWire();
    const { paced } = pace(wire);
    paced.limit({ write: 8000 });
    expect(paced.write(Buffer.alloc(1000, 1))).toBe(false);
    paced.writeControl(Buffer.from('first'));
    expect(wire.written.subarray(1000).toString()).toBe('first');
    paced.write(Buffer.alloc(100, 2));
    paced.writeControl(Buffer.from('second'));
    expect([wire.bytesWritten, paced.holdsControl, paced.bufferedBytes]).toEqual([1005, true, 106]);
    vi.advanceTimersByTime(2000);
    expect(wire.written.subarray(1105).toString()).toBe('second');
    expect([paced.holdsControl, paced.bufferedBytes]).toEqual([false, 0]);
  });

  it('tells a peer that takes nothing from its own pace', () => {
    const wire = new FakeWire();
    const { told, paced } = pace(wire);
    paced.limit({ write: 8000 });
    paced.write(Buffer.alloc(1400));
    expect(told.lines).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(told.lines).toEqual(['drain']);
    wire.roomy = false;
    expect(paced.write(Buffer.alloc(50))).toBe(false);
    expect(told.lines).toEqual(['drain', 'full']);
    paced.write(Buffer.alloc(50));
    vi.advanceTimersByTime(5000);
    expect([wire.bytesWritten, vi.getTimerCount()]).toEqual([1450, 0]);
    wire.roomy = true;
    wire.reader?.onDrain();
    expect(told.lines).toEqual(['drain', 'full', 'taken', 'paced', 'drain']);
  });

  it('lets go of everything when it is lifted, when it ends, and of its timer when it is closed', () => {
    for (const way of ['lift', 'end'] as const) {
      const wire = new FakeWire();
      const { paced, told } = pace(wire);
      paced.limit({ write: 800, read: 800 });
      paced.write(Buffer.alloc(50_000));
      paced[way]();
      expect([wire.bytesWritten, paced.bufferedBytes, vi.getTimerCount()]).toEqual([50_000, 0, 0]);
      paced.limit({ write: 800 });
      expect(paced.write(Buffer.alloc(50_000))).toBe(true);
      expect([wire.ended, told.lines.includes('drain')]).toEqual([way === 'end', true]);
    }
    const { paced } = pace(new FakeWire());
    paced.limit({ write: 800 });
    paced.write(Buffer.alloc(50_000));
    expect(vi.getTimerCount()).toBe(1);
    paced.onClosed(undefined);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Owns what a gatherer copies, and what it leaves where it lies. */
import { describe, expect, it } from 'vitest';
import { GATHER_BYTES, Gatherer } from '../../../src/server/wires/gatherer.js';

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) & 0xff));

/** What waits, in the order in which it leaves. */
function contents({ bytes: copied, length, run, runStart, runEnd }: Gatherer): Buffer {
  return Buffer.concat([copied.subarray(0, length), run.subarray(runStart, runEnd)]);
}

describe('a gatherer', () => {
  it('copies nothing of parts that follow one another in one buffer, however large', () => {
    const gatherer = new Gatherer();
    for (const [start, end] of [
      [10, 20],
      [20, 50_000],
      [50_000, 50_000],
      [50_000, 90_000],
    ] as const) {
      expect(gatherer.add(bytes, start, end)).toBe(true);
    }
    expect([gatherer.length, gatherer.run === bytes, gatherer.size]).toEqual([0, true, 89_990]);
    expect(contents(gatherer).equals(bytes.subarray(10, 90_000))).toBe(true);
  });

  it('copies a small part when another follows that lies elsewhere', () => {
    const gatherer = new Gatherer();
    const other = Buffer.from('other');
    expect([
      gatherer.add(bytes, 0, 4),
      gatherer.add(bytes, 4, 8),
      gatherer.add(other, 0, 5),
      gatherer.add(bytes, 5, 9),
    ]).toEqual([true, true, true, true]);
    expect([gatherer.length, gatherer.size]).toEqual([13, 17]);
    expect(contents(gatherer).equals(Buffer.concat([bytes.subarray(0, 8), other, bytes.subarray(5, 9)]))).toBe(true);
  });

  it('takes nothing behind a part that is too large to be copied, and keeps what it has', () => {
    const gatherer = new Gatherer();
    gatherer.add(bytes, 0, GATHER_BYTES + 1);
    expect([gatherer.add(bytes, 0, 1), gatherer.copyRun()]).toEqual([false, false]);
    expect(contents(gatherer).equals(bytes.subarray(0, GATHER_BYTES + 1))).toBe(true);
  });

  it('takes nothing more when it is full', () => {
    const gatherer = new Gatherer();
    let taken = 0;
    while (gatherer.add(bytes, 0, GATHER_BYTES)) taken += GATHER_BYTES;
    expect(taken).toBe(gatherer.bytes.length + GATHER_BYTES);
    expect(gatherer.size).toBe(taken);
  });

  it('holds nothing once it was given back, and is handed out again', () => {
    const gatherer = Gatherer.get();
    gatherer.add(bytes, 0, 4);
    gatherer.add(bytes, 8, 9);
    gatherer.giveBack();
    expect(Gatherer.get()).toBe(gatherer);
    expect([gatherer.size, gatherer.run.length]).toEqual([0, 0]);
  });
});

/** Owns that a wire whose bytes take long to pass on lets others have their turn, and that one whose bytes do not reads as much as it can. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { SMALL_READ, shareOf } from '../../../src/server/wires/fair-share.js';
import { chooseLayer } from '../../../src/server/wires/wire-layer.js';
import { marked, settled, wirePair } from '../../support/wires.js';

const SIZE = 1_500_000;

/** Reads what is there already, busy for so long with each KiB. Answers with the chunks, by the turn of the event loop in which they came. */
async function turnsOf(millisecondsPerKibibyte: number): Promise<number[][]> {
  const { wire, record, peer } = await wirePair({ layer: chooseLayer('fast'), over: 'tcp' });
  const bytes = marked(3, SIZE);
  peer.write(bytes);
  await settled({ wire, peer });
  const turns: number[][] = [[]];
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const turn = (): void => {
    turns.push([]);
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  record.onChunk = (chunk) => {
    turns.at(-1)?.push(chunk.length);
    const until = performance.now() + (millisecondsPerKibibyte * chunk.length) / 1024;
    while (performance.now() < until);
  };
  wire.read();
  expect((await record.received(SIZE)).equals(bytes)).toBe(true);
  isOver = true;
  return turns.filter((chunks) => chunks.length > 0);
}

describe('a wire on a handle', () => {
  it('whose bytes take long reads little, and once in a turn', async () => {
    const turns = await turnsOf(0.04);
    expect(turns.length).toBeGreaterThan(10);
    // Beside the reads before it was found out, which may be any number of short ones and one that was not.
    for (const chunks of turns.slice(turns.findIndex((one) => one.some((chunk) => chunk > SMALL_READ.length)) + 1)) {
      expect(chunks.length).toBe(1);
      expect(chunks[0]).toBeLessThanOrEqual(SMALL_READ.length);
    }
  });

  it('goes on within a turn otherwise', async () => {
    const turns = await turnsOf(0);
    expect(Math.max(...turns.flat())).toBeGreaterThan(SMALL_READ.length);
  });
});

it('a share grows again when what was read takes no time any more', () => {
  expect(shareOf(7, 0.1, false)).toEqual({ little: false, yields: false });
  expect(shareOf(7, 2, false)).toEqual({ little: true, yields: true });
  expect(shareOf(7, 0.1, true)).toEqual({ little: true, yields: false });
  expect(shareOf(7, 0.001, true)).toEqual({ little: false, yields: false });
});

it('reads that are short each are a long one together, unless others come between them', () => {
  expect([1, 2, 3].map(() => shareOf(8, 0.2, false).yields)).toEqual([false, false, true]);
  expect([9, 8, 9, 8].map((descriptor) => shareOf(descriptor, 0.2, false).yields)).not.toContain(true);
});

it('a wire that is stopped while others have their turn stays stopped', async () => {
  const { wire, record, peer } = await wirePair({ layer: chooseLayer('fast'), over: 'tcp' });
  peer.write(marked(4, SIZE));
  await settled({ wire, peer });
  const reads: number[] = [];
  record.onChunk = (chunk) => {
    reads.push(chunk.length);
    const until = performance.now() + 2;
    while (performance.now() < until);
    queueMicrotask(() => wire.stopReading());
  };
  wire.read();
  await record.received(1);
  await settled({ wire, peer });
  expect(reads.length).toBe(1);
});

/**
 * Owns that memory for writes is kept as long as a stream may look at it, and not longer, however its wire goes on or ends.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SHARED_MEMORY } from '../../../src/server/wires/read-buffer.js';
import { WriteBuffer } from '../../../src/server/wires/write-buffer.js';
import { Random } from '../../fuzz/random.js';
import { settled, TRANSPORTS, type Transport, wirePair } from '../../support/wires.js';

/** All that one has room for. */
const ALL = 320 * 1024;

function copied(bytes: Buffer): { memory: WriteBuffer; view: Buffer } {
  const memory = WriteBuffer.for(bytes.length)!;
  memory.add(bytes, 0, bytes.length);
  return { memory, view: memory.take() };
}

describe('memory for writes', () => {
  it('is the same for one write after the other, as long as each is done when it returns', () => {
    const first = copied(Buffer.from('first'));
    const second = copied(Buffer.from('second'));
    expect([second.memory === first.memory, second.view.toString()]).toEqual([true, 'second']);
    expect(second.view.byteOffset).toBe(first.view.byteOffset);
  });

  it('takes parts of several buffers behind one another', () => {
    const memory = WriteBuffer.for(10)!;
    memory.add(Buffer.from('0123456789'), 2, 5);
    memory.add(Buffer.from('abc'), 0, 3);
    expect(memory.take().toString()).toBe('234abc');
  });

  it('is not there for more than one read and what was gathered before it', () => {
    expect(WriteBuffer.for(ALL + 1)).toBe(undefined);
  });

  it('stays as it is while it is pinned, whatever is written meanwhile', () => {
    const random = new Random(1);
    const pinned: Array<{ memory: WriteBuffer; view: Buffer; bytes: Buffer }> = [];
    for (let n = 0; n < 3000; n += 1) {
      const size = random.below(10) === 0 ? random.below(ALL) : random.below(6000);
      const bytes = Buffer.alloc(size + 1, n % 251);
      const { memory, view } = copied(bytes);
      expect(view.equals(bytes)).toBe(true);
      if (random.below(3) > 0) {
        memory.pin(bytes.length);
        pinned.push({ memory, view, bytes });
      }
      if (pinned.length > random.below(12)) {
        const [done] = pinned.splice(random.below(pinned.length), 1);
        expect(done!.view.equals(done!.bytes)).toBe(true);
        done!.memory.unpin();
      }
    }
    for (const { memory, view, bytes } of pinned) {
      expect(view.equals(bytes)).toBe(true);
      memory.unpin();
    }
  });
});

const PORTABLE = TRANSPORTS.filter(({ layer, chunks }) => layer.kind === 'portable' && !chunks);

describe.each(PORTABLE.map((one) => [one.over, one] as const))('a portable wire over %s', (...row) => {
  const transport: Transport = row[1];

  it.each(['is read on by its peer', 'is cut', 'is ended and cut', 'is reset by its peer'])(
    'gives the memory of what waited back when it %s',
    async (how) => {
      const made = vi.spyOn(Buffer, 'allocUnsafeSlow');
      onTestFinished(() => made.mockRestore());
      const bytes = SHARED_MEMORY.subarray(0, 300_000);
      for (let round = 0; round < 20; round += 1) {
        const pair = await wirePair(transport);
        const { wire, record, peer } = pair;
        await settled(pair);
        peer.pauseReading();
        let length = bytes.length;
        while (wire.write(bytes)) length += bytes.length;
        expect(wire.bufferedBytes).toBeGreaterThan(0);
        if (how === 'is read on by its peer') {
          peer.resumeReading();
          await peer.read(length);
          await record.saw('drain');
        } else {
          if (how === 'is ended and cut') wire.end();
          if (how !== 'is reset by its peer') wire.terminate();
          else {
            wire.read();
            peer.reset();
          }
          await record.saw('closed');
        }
      }
      expect(made.mock.calls.filter(([size]) => size === ALL).length).toBeLessThan(5);
    },
  );
});

/** Owns how a wire is written, over every transport: waiting, gathering, what is buffered, and that nothing is lost or reordered. */
import { describe, expect, it } from 'vitest';
import { marked, settled, TRANSPORTS, type Transport, type WirePair, wirePair } from '../../support/wires.js';

const MEBIBYTE = 2 ** 20;

/** Writes marked bytes until the wire says "wait", to a peer that does not read; answers how many. */
function fill({ wire, peer }: WirePair, piece = 256 * 1024): number {
  peer.pauseReading();
  let length = 0;
  while (wire.write(marked(1, piece, length))) {
    length += piece;
    if (length > 64 * MEBIBYTE) throw new Error('it never said "wait"');
  }
  return length + piece;
}

describe.each(TRANSPORTS.map((one) => [one.layer.kind, one.over, one] as const))('a %s wire over %s', (...row) => {
  const transport: Transport = row[2];
  const pair = () => wirePair(transport);

  it('says "wait" when the peer does not read, and tells when more may follow', async () => {
    const { wire, record, peer, ...rest } = await pair();
    const length = fill({ wire, record, peer, ...rest });
    expect(record.told).toEqual([]);
    peer.resumeReading();
    await record.saw('drain');
    expect(wire.bufferedBytes).toBe(0);
    expect((await peer.read(length)).equals(marked(1, length))).toBe(true);
    expect(record.told).toEqual(['drain']);
    expect(wire.write(Buffer.from('more'))).toBe(true);
    expect((await peer.read(4)).toString()).toBe('more');
  });

  it('loses and reorders nothing when it is written on meanwhile', async () => {
    const all = await pair();
    const { wire, record, peer } = all;
    let length = fill(all);
    for (let n = 1; n <= 200; n += 1) {
      const bytes = marked(1, 4 * n, length);
      if (n % 3 === 0) wire.cork();
      wire.write(bytes, 0, 4);
      wire.write(bytes, 4);
      if (n % 3 === 0) wire.uncork();
      length += bytes.length;
    }
    peer.resumeReading();
    expect((await peer.read(length)).equals(marked(1, length))).toBe(true);
    await record.saw('drain');
    expect(wire.bufferedBytes).toBe(0);
  });

  it('tells that more may follow as often as it said "wait"', async () => {
    const all = await pair();
    const { wire, record, peer } = all;
    for (let round = 1; round <= 3; round += 1) {
      const length = fill(all);
      peer.resumeReading();
      await peer.read(length);
      await record.saw('drain');
      await settled({ wire, peer });
      expect(record.told.splice(0)).toEqual(['drain']);
    }
  });

  it('takes more within the callback that tells so', async () => {
    const all = await pair();
    const { wire, peer } = all;
    let length = fill(all);
    const total = length + 4 * MEBIBYTE;
    wire.attach({
      onBytes() {},
      onEnd() {},
      onClosed() {},
      onDrain: () => {
        let room = true;
        while (room && length < total) {
          room = wire.write(marked(1, 64 * 1024, length));
          length += 64 * 1024;
        }
      },
    });
    peer.resumeReading();
    expect((await peer.read(total)).equals(marked(1, total))).toBe(true);
  });

  it('counts what the system has not taken yet', async () => {
    const all = await pair();
    const { wire, record, peer } = all;
    expect(wire.bufferedBytes).toBe(0);
    const length = fill(all);
    const before = wire.bufferedBytes;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThanOrEqual(length + 1024 * 1024);
    wire.write(Buffer.alloc(1000));
    expect(wire.bufferedBytes - before).toBeGreaterThanOrEqual(1000);
    peer.resumeReading();
    await peer.read(length + 1000);
    if (wire.bufferedBytes > 0) await record.saw('drain');
    expect(wire.bufferedBytes).toBe(0);
  });

  it('writes the part of a buffer that is named', async () => {
    const { wire, peer } = await pair();
    const bytes = Buffer.from('0123456789');
    wire.write(bytes, 2, 5);
    wire.write(bytes, 8);
    wire.write(bytes, 4, 4);
    wire.cork();
    wire.write(bytes, 0, 1);
    wire.write(bytes, 9, 10);
    wire.uncork();
    wire.end();
    expect((await peer.readAll()).toString()).toBe('2348909');
  });

  it('sends nothing of what is corked before it is uncorked', async () => {
    const { wire, peer } = await pair();
    wire.cork();
    for (const part of ['a', 'bc', 'def']) expect(wire.write(Buffer.from(part))).toBe(true);
    expect(wire.bufferedBytes).toBe(6);
    wire.cork();
    wire.write(Buffer.from('g'));
    wire.uncork();
    expect([wire.bufferedBytes, peer.bytesReceived]).toEqual([7, 0]);
    wire.uncork();
    expect((await peer.read(7)).toString()).toBe('abcdefg');
    expect(wire.bufferedBytes).toBe(0);
  });

  it('keeps the order of large and small writes while it is corked, nested or not', async () => {
    const { wire, peer } = await pair();
    const sizes = [4, 40, 4096, 4100, 8, 8192, 8196, 16, 70_000, 4, 300_000, 12];
    let length = 0;
    for (let round = 0; round < 20; round += 1) {
      wire.cork();
      for (const [n, size] of sizes.entries()) {
        if (n % 4 === 1) wire.cork();
        wire.write(marked(7, size, length));
        length += size;
        if (n % 4 === 3) wire.uncork();
      }
      wire.uncork();
    }
    expect((await peer.read(length)).equals(marked(7, length))).toBe(true);
  });

  it('gathers more than fits together at once', async () => {
    const { wire, peer } = await pair();
    const length = 3 * MEBIBYTE;
    wire.cork();
    for (let at = 0; at < length; at += 1024) wire.write(marked(8, 1024, at));
    wire.uncork();
    expect((await peer.read(length)).equals(marked(8, length))).toBe(true);
  });

  it.each([
    ['small', [4000]],
    ['large', [20_000]],
    ['mixed', [8, 4000, 20_000, 16, 100_000]],
  ])('tells that more may follow if it said "wait" to %s writes while it was corked', async (_, sizes) => {
    const { wire, record, peer } = await pair();
    let length = 0;
    for (let round = 1; round <= 40; round += 1) {
      let room = true;
      wire.cork();
      for (let n = 0; n < 40 && room; n += 1) {
        const size = sizes[n % sizes.length]!;
        room = wire.write(marked(9, size, length));
        length += size;
      }
      wire.uncork();
      if (!room) await record.saw('drain');
      record.told.length = 0;
    }
    expect((await peer.read(length)).equals(marked(9, length))).toBe(true);
    expect(wire.bufferedBytes).toBe(0);
  });

  it('says "wait" while it is corked and the peer does not read, and tells when more may follow', async () => {
    const { wire, record, peer } = await pair();
    peer.pauseReading();
    let length = 0;
    for (let room = true; room; ) {
      wire.cork();
      for (let n = 0; n < 40 && room; n += 1, length += 4000) room = wire.write(marked(9, 4000, length));
      wire.uncork();
      if (length > 64 * MEBIBYTE) throw new Error('it never said "wait"');
    }
    peer.resumeReading();
    await record.saw('drain');
    expect((await peer.read(length)).equals(marked(9, length))).toBe(true);
  });

  it('keeps small writes apart that it and others could not finish', async () => {
    const pairs: Array<Awaited<ReturnType<typeof pair>>> = [];
    const lengths: number[] = [];
    for (let number = 1; number <= 4; number += 1) {
      const all = await pair();
      pairs.push(all);
      all.peer.pauseReading();
      let length = 0;
      // Of several sizes, so that some of them fit in part.
      for (let room = true; room; length += 1000 + 4 * number) {
        room = all.wire.write(marked(number, 1000 + 4 * number, length));
      }
      lengths.push(length);
    }
    for (const [at, { peer }] of pairs.entries()) {
      peer.resumeReading();
      expect((await peer.read(lengths[at]!)).equals(marked(at + 1, lengths[at]!))).toBe(true);
    }
  });

  it('says "wait" when it is uncorked, if what it put off until then does not fit', async () => {
    const { wire, record, peer } = await pair();
    peer.pauseReading();
    const bytes = marked(11, 64 * MEBIBYTE);
    wire.cork();
    wire.cork();
    wire.write(bytes);
    wire.uncork();
    expect(wire.uncork()).toBe(false);
    peer.resumeReading();
    await record.saw('drain');
    expect((await peer.read(bytes.length)).equals(bytes)).toBe(true);
    wire.cork();
    expect(wire.uncork()).toBe(true);
    wire.cork();
    wire.terminate();
    expect(wire.uncork()).toBe(true);
  });

  it('lets the memory of bytes that were handed on be used again at once', async () => {
    const { wire, peer, record } = await pair();
    let length = 0;
    record.onChunk = (chunk) => {
      wire.cork();
      wire.write(chunk);
      wire.uncork();
      length += chunk.length;
    };
    wire.read();
    const bytes = marked(10, 8 * MEBIBYTE);
    peer.pauseReading();
    peer.write(bytes);
    await record.received(MEBIBYTE);
    peer.resumeReading();
    expect((await peer.read(bytes.length)).equals(bytes)).toBe(true);
    expect(length).toBe(bytes.length);
  });

  it('writes 16 MiB whole', async () => {
    const { wire, peer } = await pair();
    const bytes = marked(11, 16 * MEBIBYTE);
    wire.write(bytes);
    wire.end();
    expect((await peer.readAll()).equals(bytes)).toBe(true);
  });
});

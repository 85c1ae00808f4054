/**
 * Owns that wires which read into the same memory do not damage each other's bytes: many at once, forwarding to peers that read
 * slowly, with writers that are blocked while others read.
 */
import { describe, expect, it } from 'vitest';
import type { Wire } from '../../../src/server/wires/wire.js';
import { eventually } from '../../support/events.js';
import { marked, TRANSPORTS, type Transport, wirePair } from '../../support/wires.js';

/** Every way to forward, which are twelve, once. */
const PAIRS = 12;
const PIECE = 64 * 1024;

/** What a forwarder does to its bytes on the way, in place, as unmasking does. */
const KEY = 0x5a;

function changed(bytes: Buffer): Buffer {
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = bytes[at]! ^ KEY;
  return bytes;
}

interface Forwarder {
  readonly number: number;
  waits: number;
  /** Bytes that arrived at the slow peer, all of them right. */
  verified: number;
  wrong: string | undefined;
  resume(): void;
}

/** Forwards what comes by one wire to another one. Some go on for a while after they were told to wait, as our own frames do. */
function forward(from: Wire, to: Wire, number: number, forwarder: Forwarder): void {
  let patience = 0;
  from.attach({
    onBytes: (chunk) => {
      if (number % 2 === 1) changed(chunk);
      let room = true;
      if (number % 3 === 0) {
        to.cork();
        const middle = Math.min(chunk.length, 1000);
        to.write(chunk, 0, middle);
        room = to.write(chunk, middle);
        to.uncork();
      } else {
        room = to.write(chunk);
      }
      if (room) return;
      forwarder.waits += 1;
      patience += 1;
      if (patience > number % 4) from.stopReading();
    },
    onEnd: () => to.end(),
    onDrain() {},
    onClosed() {},
  });
  to.attach({
    onBytes() {},
    onEnd() {},
    onDrain: () => {
      patience = 0;
      from.read();
    },
    onClosed() {},
  });
}

/** Two connections with a forwarder between them: bytes go in at the first one's peer and come out at the second one's. */
async function startForwarder(way: Way, number: number, length: number): Promise<Forwarder> {
  const [inlet, outlet] = [await wirePair(way.from), await wirePair(way.to)];
  const forwarder: Forwarder = {
    number,
    waits: 0,
    verified: 0,
    wrong: undefined,
    resume: () => outlet.peer.resumeReading(),
  };
  outlet.peer.pauseReading();
  outlet.peer.deliverTo((chunk) => {
    const bytes = number % 2 === 1 ? changed(Buffer.from(chunk)) : chunk;
    // From the border of a word on, which is where the marks are.
    const skip = forwarder.verified % 4;
    const expected = marked(number, chunk.length + skip + 4, forwarder.verified - skip).subarray(
      skip,
      skip + chunk.length,
    );
    if (!expected.equals(bytes)) forwarder.wrong ??= `pair ${number} from byte ${forwarder.verified} on`;
    forwarder.verified += chunk.length;
  });
  forward(inlet.wire, outlet.wire, number, forwarder);
  inlet.wire.read();
  for (let at = 0; at < length; at += PIECE) inlet.peer.write(marked(number, PIECE, at));
  inlet.peer.end();
  return forwarder;
}

interface Way {
  readonly from: Transport;
  readonly to: Transport;
}

const named = ({ layer, over, chunks }: Transport): string => `${layer.kind} ${over}${chunks ? ' by chunks' : ''}`;
const [, , fastTcp, fastUnix, tls] = TRANSPORTS as readonly [Transport, Transport, Transport, Transport, Transport];

/** Each transport to itself, and those that read into shared memory to those that keep what they are given. */
const WAYS: readonly Way[] = [
  ...TRANSPORTS.map((one) => ({ from: one, to: one })),
  { from: fastTcp, to: tls },
  { from: tls, to: fastTcp },
  { from: fastUnix, to: fastTcp },
];

describe.each(WAYS.map((way) => [named(way.from), named(way.to), way] as const))('wires from %s to %s', (...row) => {
  const way = row[2];
  const length = (way.to.over === 'unix' ? 2 : 8) * 2 ** 20;

  it('forward every byte unchanged while others of them wait and read', async () => {
    const forwarders: Forwarder[] = [];
    for (let number = 1; number <= PAIRS; number += 1) forwarders.push(await startForwarder(way, number, length));
    await eventually(() => forwarders.every(({ waits }) => waits > 0), 'every writer has to wait', {
      instead: () => forwarders.map(({ waits }) => waits).join(),
    });
    // One after the other begins to read, so that the others are blocked meanwhile.
    for (const forwarder of forwarders) {
      forwarder.resume();
      await eventually(() => forwarder.verified >= length || forwarder.wrong !== undefined, 'it caught up', {
        instead: () => `${forwarder.verified} of ${length} bytes`,
      });
    }
    expect(forwarders.map(({ wrong }) => wrong).filter((wrong) => wrong !== undefined)).toEqual([]);
    expect(forwarders.map(({ verified }) => verified)).toEqual(forwarders.map(() => length));
  });

  it('forward every byte unchanged while all of them read at the same time', async () => {
    const forwarders: Forwarder[] = [];
    for (let number = 1; number <= PAIRS; number += 1) {
      forwarders.push(await startForwarder(way, number, length / 4));
    }
    for (const forwarder of forwarders) forwarder.resume();
    await eventually(() => forwarders.every(({ verified }) => verified >= length / 4), 'all caught up');
    expect(forwarders.map(({ wrong }) => wrong).filter((wrong) => wrong !== undefined)).toEqual([]);
  });
});

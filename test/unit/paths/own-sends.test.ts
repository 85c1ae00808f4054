/** Owns which of the sends that wait leaves first, and which are dropped when too much waits, with compression and without. */
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PerMessageDeflate } from '../../../src/server/handshake/ws-exports.js';
import { WebSocketLink } from '../../../src/server/paths/links.js';
import type { OutboundOptions } from '../../../src/server/paths/own-sends.js';
import { eventually } from '../../support/events.js';
import { Opcode, type ReceivedFrame } from '../../support/frames.js';
import { FakeWire, OwnerRecord, services } from './fake-wire.js';

const EQUAL = { text: 1, binary: 1, ping: 0 };

function create(compressed: boolean, outbound: OutboundOptions, maxQueuedBytes = 10_000) {
  const wire = new FakeWire();
  const owner = new OwnerRecord();
  // With context, so that each message can be inflated only in the order in which all were deflated.
  const engine = new PerMessageDeflate({ threshold: 0, isServer: true });
  engine.accept([{}]);
  const deflate = compressed ? { engine, threshold: 10 } : undefined;
  const link = new WebSocketLink(wire, 'server', owner, { ...services({ maxQueuedBytes }), outbound }, deflate);
  return { wire, owner, link };
}

/** Makes the wire take everything, and answers with what it was given, in words. */
async function release({ wire, link }: ReturnType<typeof create>, count: number): Promise<string[]> {
  wire.roomy = true;
  link.outlet.drained();
  await eventually(() => wire.frames.length === count, `${count} frames`);
  return inWords(wire.frames);
}

function inWords(frames: ReceivedFrame[]): string[] {
  const deflated: Buffer[] = [];
  let before = 0;
  return frames.map(({ opcode, rsv1, payload }) => {
    if (opcode === Opcode.Ping) return `ping ${payload}`;
    if (!rsv1) return payload.toString();
    deflated.push(payload, Buffer.from([0, 0, 0xff, 0xff]));
    const all = inflateRawSync(Buffer.concat(deflated), { finishFlush: 2 }).toString();
    const one = all.slice(before);
    before = all.length;
    return one;
  });
}

const long = (text: string) => text.padEnd(40, '.');

describe.each([false, true])('sends that wait, compressed: %s', (compressed) => {
  it('leave in the order in which they were sent, unless told otherwise; pings go before them', async () => {
    const stage = create(compressed, { priorities: EQUAL, overflow: 'reject' });
    const { wire, link } = stage;
    wire.roomy = false;
    link.send('first');
    const sends = [long('a'), Buffer.from(long('b')), 'c', long('d'), Buffer.from('e')];
    expect(sends.map((message) => link.send(message))).toEqual(sends.map(() => 'queued'));
    link.ping('p');
    expect(await release(stage, 7)).toEqual(['first', 'ping p', long('a'), long('b'), 'c', long('d'), 'e']);
    expect(link.bufferedBytes).toBe(0);
  });

  it('leave by their level, and in order within one', async () => {
    const stage = create(compressed, { priorities: { text: 3, binary: 1, ping: 2 }, overflow: 'reject' });
    const { wire, link } = stage;
    wire.roomy = false;
    link.send(Buffer.from('first'));
    link.send(long('text 1'));
    expect(link.ping('p1')).toBe('queued');
    link.send(Buffer.from(long('binary 1')));
    link.send('text 2');
    link.send(Buffer.from('binary 2'));
    link.ping('p2');
    expect(await release(stage, 7)).toEqual([
      'first',
      long('binary 1'),
      'binary 2',
      'ping p1',
      'ping p2',
      long('text 1'),
      'text 2',
    ]);
  });

  it('do not overtake what is passed on', async () => {
    const stage = create(compressed, { priorities: { text: 0, binary: 5, ping: 5 }, overflow: 'drop-oldest' }, 100);
    const { wire, link } = stage;
    wire.roomy = false;
    link.send('first');
    link.writer.message('binary', Buffer.from(long('passed 1')));
    link.send(long('text'));
    link.writer.message('text', Buffer.from(long('passed 2')));
    link.send(Buffer.from(long('no room, and nothing to drop for it')));
    expect(await release(stage, 4)).toEqual(['first', long('passed 1'), long('text'), long('passed 2')]);
  });

  it('are dropped when cleared, but not what has begun or is passed on', async () => {
    const stage = create(compressed, { priorities: EQUAL, overflow: 'reject' });
    const { wire, link } = stage;
    wire.roomy = false;
    link.send('first');
    link.send(long('a'));
    link.writer.message('text', Buffer.from(long('passed')));
    link.send('b');
    expect(link.sent).toMatchObject({ messages: 3, bytes: 46 });
    expect(link.sends.clear()).toBe(2);
    expect([link.sent, link.dropped]).toMatchObject([
      { messages: 1, bytes: 5 },
      { messages: 2, bytes: 41 },
    ]);
    expect(link.sends.clear()).toBe(0);
    expect(await release(stage, 2)).toEqual(['first', long('passed')]);
  });
});

describe.each([false, true])('too many sends, compressed: %s', (compressed) => {
  /** Sends until beyond what may wait, and then one more of each kind. */
  function overflow(overflowing: OutboundOptions['overflow'], priorities = EQUAL) {
    const stage = create(compressed, { priorities, overflow: overflowing }, 100);
    const { wire, link } = stage;
    wire.roomy = false;
    link.send('first');
    for (const name of ['a', 'b', 'c']) expect(link.send(long(name))).toBe('queued');
    return stage;
  }

  it('are refused, and said to be', async () => {
    const stage = overflow('reject');
    expect(stage.link.send(long('d'))).toBe('dropped');
    expect(stage.link.dropped).toMatchObject({ messages: 1, bytes: 40 });
    expect(stage.link.sent).toMatchObject({ messages: 4, bytes: 125 });
    expect(await release(stage, 4)).toEqual(['first', long('a'), long('b'), long('c')]);
  });

  it('drop the oldest with drop-oldest', async () => {
    const stage = overflow('drop-oldest');
    expect(stage.link.send(long('d'))).toBe('queued');
    expect(stage.link.dropped).toMatchObject({ messages: 1, bytes: 40 });
    expect(stage.link.sent).toMatchObject({ messages: 4, bytes: 125 });
    expect(await release(stage, 4)).toEqual(['first', long('b'), long('c'), long('d')]);
  });

  it('drop nothing that is more important with drop-oldest', () => {
    const { link } = overflow('drop-oldest', { text: 1, binary: 2, ping: 0 });
    expect(link.send(Buffer.from(long('less important')))).toBe('dropped');
  });

  it('drop the newest of what is less important with drop-newest', async () => {
    const stage = overflow('drop-newest', { text: 2, binary: 1, ping: 0 });
    expect(stage.link.send(long('d'))).toBe('dropped');
    expect(stage.link.send(Buffer.from(long('more important')))).toBe('queued');
    expect(stage.link.dropped).toMatchObject({ messages: 2, bytes: 80 });
    expect(await release(stage, 4)).toEqual(['first', long('more important'), long('a'), long('b')]);
  });

  it('end the connection with close', () => {
    const { link, owner } = overflow('close');
    expect(link.send(long('d'))).toBe('closed');
    expect(owner.lines).toContain('overflow');
  });
});

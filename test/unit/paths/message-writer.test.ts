/** Owns how messages become frames, in the order they were given although compression is asynchronous. */
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PerMessageDeflate } from '../../../src/server/handshake/ws-exports.js';
import { WebSocketLink } from '../../../src/server/paths/links.js';
import { deferred, eventually } from '../../support/events.js';
import { Opcode, type ReceivedFrame } from '../../support/frames.js';
import { FakeWire, OwnerRecord, services } from './fake-wire.js';

/** A link toward a client, with permessage-deflate from `threshold` bytes on; without context, so that each inflates alone. */
function create(threshold?: number) {
  const wire = new FakeWire();
  const owner = new OwnerRecord();
  const engine = new PerMessageDeflate({ threshold: 0, isServer: true, serverNoContextTakeover: true });
  engine.accept([{}]);
  const deflate = threshold === undefined ? undefined : { engine, threshold };
  const link = new WebSocketLink(wire, 'server', owner, services(), deflate);
  return { wire, owner, link, writer: link.writer };
}

function payloadOf({ payload, rsv1 }: ReceivedFrame): string {
  if (!rsv1) return payload.toString();
  return inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: 2 }).toString();
}

describe('without compression', () => {
  it('writes each message at once, as one frame', () => {
    const { wire, writer } = create();
    expect(writer.message('text', Buffer.from('one'))).toBe('accepted');
    expect(writer.message('binary', Buffer.alloc(0))).toBe('accepted');
    expect(wire.frames).toMatchObject([
      { opcode: Opcode.Text, fin: true, rsv1: false, masked: false, payload: Buffer.from('one') },
      { opcode: Opcode.Binary, fin: true, payload: Buffer.alloc(0) },
    ]);
    expect(writer.blocked).toBe(false);
  });

  it('answers queued when the wire is full', () => {
    const { wire, writer } = create();
    wire.roomy = false;
    expect(writer.message('text', Buffer.from('one'))).toBe('queued');
    expect(writer.blocked).toBe(true);
  });

  it('writes the frames of a message as they are given', () => {
    const { wire, writer } = create();
    writer.frame(Opcode.Text, Buffer.from('a'), false);
    writer.frame(Opcode.Continuation, Buffer.from('b'), true);
    expect(wire.frames.map(({ opcode, fin }) => [opcode, fin])).toEqual([
      [Opcode.Text, false],
      [Opcode.Continuation, true],
    ]);
  });

  it('is closed behind its Close frame', () => {
    const { wire, writer } = create();
    writer.message('text', Buffer.from('one'));
    writer.close(4000, 'bye');
    writer.close(1000, 'a second time');
    expect(writer.message('text', Buffer.from('late'))).toBe('closed');
    expect(wire.frames.map(({ opcode }) => opcode)).toEqual([Opcode.Text, Opcode.Close]);
  });
});

describe('with compression', () => {
  it('keeps the order of long, short and long messages, and the Close frame behind them (P2)', async () => {
    const { wire, link, writer } = create(100);
    const messages = Array.from({ length: 20 }, (_, n) => `${n}`.repeat(n % 3 === 0 ? 500 : 1));
    for (const message of messages) writer.message('text', Buffer.from(message));
    writer.close(1000, '');
    const closed = deferred();
    link.outlet.whenClosed(() => closed.resolve());
    await closed.promise;
    const frames = wire.frames;
    expect(frames.map(({ opcode }) => opcode)).toEqual([...messages.map(() => Opcode.Text), Opcode.Close]);
    expect(frames.slice(0, -1).map(payloadOf)).toEqual(messages);
    expect(frames.slice(0, -1).map(({ rsv1 }) => rsv1)).toEqual(messages.map(({ length }) => length >= 100));
  });

  it('counts what waits for it as buffered, and is blocked meanwhile', async () => {
    const { owner, link, writer } = create(0);
    expect(writer.message('text', Buffer.alloc(5000, 'a'))).toBe('queued');
    expect(writer.message('text', Buffer.alloc(3000, 'b'))).toBe('queued');
    expect(link.bufferedBytes).toBe(8000);
    expect(writer.blocked).toBe(true);
    await eventually(() => owner.lines.includes('drained'), 'whoever feeds it may go on');
    expect(link.bufferedBytes).toBe(0);
    expect(writer.blocked).toBe(false);
  });

  it('compresses a message in fragments as a whole: RSV1 on its first frame only (RFC 7692 section 6.1)', async () => {
    const { wire, owner, writer } = create(10);
    writer.frame(Opcode.Text, Buffer.from('long enough to compress '), false);
    writer.frame(Opcode.Continuation, Buffer.from('tail'), true);
    await eventually(() => wire.frames.length === 2 && owner.lines.length > 0, 'both are written');
    expect(wire.frames.map(({ rsv1 }) => rsv1)).toEqual([true, false]);
    const whole = Buffer.concat(wire.frames.map(({ payload }) => payload));
    const tail = Buffer.from([0, 0, 0xff, 0xff]);
    expect(inflateRawSync(Buffer.concat([whole, tail]), { finishFlush: 2 }).toString()).toBe(
      'long enough to compress tail',
    );
  });

  it('writes nothing more once the wire is gone', async () => {
    const { wire, link, writer } = create(0);
    for (let n = 0; n < 3; n += 1) writer.message('text', Buffer.alloc(2000, 'a'));
    link.onClosed();
    const other = create(0);
    other.writer.message('text', Buffer.alloc(2000, 'a'));
    await eventually(() => other.wire.frames.length === 1, 'a later one was compressed');
    expect(wire.writes).toEqual([]);
    expect(writer.message('text', Buffer.from('late'))).toBe('closed');
  });
});

/** Owns what the frames path takes out of a stream and what it leaves as it is: Close frames, its own pongs, everything else. */
import { describe, expect, it } from 'vitest';
import type { ForwarderOptions } from '../../../src/server/paths/frame-forwarder.js';
import { closePayload, encodeFrame, type FrameSpec, Opcode } from '../../support/frames.js';
import { fakeLink, TestForwarder } from './fake-wire.js';

/** The direction from a client to a target. */
function fromClient(options: Partial<Pick<ForwarderOptions, 'compression' | 'limits'>> = {}) {
  const from = fakeLink('server');
  const to = fakeLink('client');
  const forwarder = new TestForwarder(
    {
      masked: true,
      compression: false,
      limits: { maxMessageBytes: 0, maxFragments: 0 },
      from: from.link,
      traffic: from.link.received,
      ...options,
    },
    to.link,
  );
  return { from, to, forwarder, told: forwarder.told };
}

const masked = (spec: FrameSpec) => encodeFrame({ masked: true, ...spec });
const text = (payload: string, fin = true) => masked({ opcode: Opcode.Text, payload, fin });

describe('frames', () => {
  it('pass verbatim, mask and all, however they are cut (P2)', () => {
    const bytes = Buffer.concat([
      text('one', false),
      masked({ opcode: Opcode.Ping, payload: 'end to end' }),
      masked({ opcode: Opcode.Continuation, payload: 'two' }),
      masked({ opcode: Opcode.Pong, payload: 'not ours' }),
      masked({ opcode: Opcode.Binary, payload: Buffer.alloc(70_000, 1) }),
    ]);
    for (const size of [1, 3, 1000, bytes.length]) {
      const { forwarder, to, told } = fromClient();
      for (let at = 0; at < bytes.length; at += size) forwarder.forward(Buffer.from(bytes.subarray(at, at + size)));
      expect(to.wire.written.equals(bytes)).toBe(true);
      expect(told).toEqual([]);
    }
  });

  it('are counted: whole messages, and the bytes of their payloads as they pass', () => {
    const { forwarder, from } = fromClient();
    forwarder.forward(Buffer.concat([text('one', false), masked({ opcode: Opcode.Ping, payload: 'uncounted' })]));
    expect(from.link.received).toMatchObject({ messages: 0, bytes: 3 });
    forwarder.forward(Buffer.concat([masked({ opcode: Opcode.Continuation, payload: 'two' }), text('')]));
    expect(from.link.received).toMatchObject({ messages: 2, bytes: 6 });
  });

  it('in one read leave with one write', () => {
    const { forwarder, to } = fromClient();
    forwarder.forward(Buffer.concat([text('one'), text('two'), text('three').subarray(0, 8)]));
    expect(to.wire.writes).toHaveLength(1);
  });

  it('stop their source when the other side is full', () => {
    const { forwarder, from, to } = fromClient();
    from.link.intake.allow();
    to.wire.roomy = false;
    forwarder.forward(text('one'));
    expect(from.wire.reading).toBe(false);
    from.link.intake.unblock();
    expect(from.wire.reading).toBe(true);
    to.link.onClosed();
  });
});

describe('a pong', () => {
  it('of our own heartbeat is taken out, and no other', () => {
    const { forwarder, from, to } = fromClient();
    from.link.sendHeartbeat();
    const ping = from.wire.frames[0]!;
    const rest = Buffer.concat([text('one'), text('two')]);
    const pong = masked({ opcode: Opcode.Pong, payload: ping.payload });
    forwarder.forward(Buffer.concat([rest.subarray(0, 9), pong, rest.subarray(9)]));
    forwarder.forward(masked({ opcode: Opcode.Pong, payload: ping.payload.subarray(1) }));
    expect(to.wire.frames.map(({ opcode, payload }) => [opcode, payload.length])).toEqual([
      [Opcode.Text, 3],
      [Opcode.Text, 3],
      [Opcode.Pong, ping.payload.length - 1],
    ]);
  });
});

describe('a Close frame', () => {
  it('is told behind everything before it, and neither it nor what follows is forwarded (P4)', () => {
    const { forwarder, from, to, told } = fromClient();
    const close = masked({ opcode: Opcode.Close, payload: closePayload(4000, 'bye') });
    forwarder.forward(Buffer.concat([text('one'), close, text('late')]));
    forwarder.forward(text('later'));
    expect(told).toEqual(['close 4000 bye']);
    expect(to.wire.frames.map(({ payload }) => payload.toString())).toEqual(['one']);
    expect(from.link.closeReceived).toBe(true);
  });

  it('without a code is told as 1005', () => {
    const { forwarder, told } = fromClient();
    forwarder.forward(masked({ opcode: Opcode.Close }));
    expect(told).toEqual(['close 1005 ']);
  });

  it.each([1004, 1005, 1006, 1015, 999, 2999, 5000])('with %d, which may not be sent, breaks a rule', (code) => {
    const { forwarder, to, told } = fromClient();
    forwarder.forward(masked({ opcode: Opcode.Close, payload: closePayload(code) }));
    expect(told).toEqual(['PROTOCOL_ERROR']);
    expect(to.wire.writes).toEqual([]);
  });
});

describe('what breaks a rule', () => {
  it.each<[what: string, error: string, bad: Buffer]>([
    ['a reserved opcode', 'PROTOCOL_ERROR', masked({ opcode: 3 })],
    ['a frame without mask', 'PROTOCOL_ERROR', encodeFrame({ opcode: Opcode.Text, payload: 'x' })],
    ['RSV1 without compression', 'PROTOCOL_ERROR', masked({ opcode: Opcode.Text, payload: 'x', rsv1: true })],
    ['an announced size over the limit', 'MESSAGE_TOO_BIG', masked({ opcode: Opcode.Text, lengthOverride: 2n ** 40n })],
    ['a continuation of nothing', 'PROTOCOL_ERROR', masked({ opcode: Opcode.Continuation, payload: 'x' })],
  ])('(%s) is told, and no byte of it is forwarded', (_, error, bad) => {
    for (const cut of [0, 1, bad.length]) {
      const { forwarder, to, told } = fromClient({ limits: { maxMessageBytes: 1000, maxFragments: 0 } });
      forwarder.forward(Buffer.concat([text('good'), bad.subarray(0, cut)]));
      forwarder.forward(Buffer.from(bad.subarray(cut)));
      expect(told).toEqual([error]);
      expect(to.wire.frames.map(({ payload }) => payload.toString())).toEqual(['good']);
      expect(to.wire.written.length).toBe(text('good').length);
    }
  });

  it('is not RSV1 where compression was agreed on end to end', () => {
    const { forwarder, to, told } = fromClient({ compression: true });
    forwarder.forward(masked({ opcode: Opcode.Text, payload: 'x', rsv1: true }));
    expect(told).toEqual([]);
    expect(to.wire.frames).toMatchObject([{ rsv1: true }]);
  });
});

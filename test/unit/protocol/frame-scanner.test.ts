import { describe, expect, it } from 'vitest';
import { encodeFrame, Opcode } from '../../../src/protocol/frame.js';
import { FrameScanner } from '../../../src/protocol/frame-scanner.js';
import { cutToBytes, type Limits, scanAll } from './scan-record.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const text = (payload: string, options?: { final?: boolean; compressed?: boolean; maskKey?: number }) =>
  encodeFrame(Opcode.Text, Buffer.from(payload), options);
const more = (payload: string, final: boolean) => encodeFrame(Opcode.Continuation, Buffer.from(payload), { final });
const ping = encodeFrame(Opcode.Ping, Buffer.from('beat'));

/** A scanner that writes down the names of the callbacks and does `act` in each. */
function traced(act: (name: string, scanner: FrameScanner) => void, limits: Limits = {}) {
  const calls: string[] = [];
  const call = (name: string) => {
    calls.push(name);
    act(name, scanner);
  };
  const scanner: FrameScanner = new FrameScanner({
    masked: false,
    compression: false,
    maxFrameBytes: 0,
    maxMessageBytes: 0,
    maxFragments: 0,
    ...limits,
    handler: {
      onFrameStart: () => call('start'),
      onPayload: () => call('payload'),
      onFrameEnd: () => call('end'),
      onControl: () => call('control'),
    },
  });
  return { scanner, calls };
}

describe('frames', () => {
  it('tells of a data frame as start, payload and end, with its facts', () => {
    const { frames, held, atBoundary } = scanAll([text('Hello', { maskKey: 0xdeadbeef })], { masked: true });
    expect(frames).toEqual([
      {
        kind: 'data',
        opcode: 1,
        final: true,
        compressed: false,
        length: 5,
        maskKey: 0xdeadbeef,
        messageOpcode: 1,
        messageCompressed: false,
        fragmentIndex: 0,
        payload: '48656c6c6f',
        ended: true,
      },
    ]);
    expect([held, atBoundary]).toEqual([0, true]);
  });

  it('counts fragments and remembers the kind of the message across a ping in between', () => {
    const { frames } = scanAll([text('a', { final: false }), ping, more('', false), more('b', true), text('c')]);
    expect(
      frames.map((frame) => (frame.kind === 'data' ? [frame.messageOpcode, frame.fragmentIndex] : 'ping')),
    ).toEqual([[1, 0], 'ping', [1, 1], [1, 2], [1, 0]]);
  });

  it('remembers that a message is compressed, though its continuation frames have no RSV1', () => {
    const { frames } = scanAll([text('a', { final: false, compressed: true }), more('b', true), text('c')], {
      compression: true,
    });
    expect(frames.map((frame) => frame.kind === 'data' && [frame.compressed, frame.messageCompressed])).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ]);
  });

  it('tells of an empty frame without a payload part', () => {
    const { scanner, calls } = traced(() => {});
    scanner.scan(text(''));
    expect(calls).toEqual(['start', 'end']);
  });

  it('streams the payload of a frame as it arrives', () => {
    const { scanner, calls } = traced(() => {});
    const frame = text('Hello');
    scanner.scan(frame.subarray(0, 4));
    expect(calls).toEqual(['start', 'payload']);
    expect([scanner.atBoundary, scanner.consumed, scanner.heldBytes]).toEqual([false, 4, 0]);
    scanner.scan(frame.subarray(4));
    expect(calls).toEqual(['start', 'payload', 'payload', 'end']);
    expect(scanner.atBoundary).toBe(true);
  });

  it('accepts a length in more bytes than it needs', () => {
    const { frames, violation } = scanAll([hex('81 7e 0002 6869'), hex('81 7f 0000000000000002 6869')]);
    expect(violation).toBeNull();
    expect(frames.map((frame) => frame.payload)).toEqual(['6869', '6869']);
  });

  it('takes a frame of 2^53 - 1 bytes as announced', () => {
    const { frames, violation, inMessage } = scanAll([hex('82 7f 001fffffffffffff 00')]);
    expect(violation).toBeNull();
    expect(frames).toMatchObject([{ length: Number.MAX_SAFE_INTEGER, payload: '00', ended: false }]);
    expect(inMessage).toBe(true);
  });

  it('says that a message is half way between its fragments, where only a control frame may be put in', () => {
    expect(scanAll([text('a', { final: false })])).toMatchObject({ atBoundary: true, inMessage: true });
    expect(scanAll([text('a')])).toMatchObject({ atBoundary: true, inMessage: false });
  });
});

describe('holding back', () => {
  it('holds an incomplete header, and the bytes before it are done with', () => {
    const { scanner } = traced(() => {});
    const bytes = Buffer.concat([text('Hello'), hex('82 7e 01')]);
    scanner.scan(bytes);
    expect([scanner.consumed, scanner.heldBytes, scanner.atBoundary]).toEqual([7, 3, true]);
    expect(scanner.bytes).toBe(bytes);
  });

  it('puts held bytes before the next chunk', () => {
    const { scanner } = traced(() => {});
    scanner.scan(ping.subarray(0, 5));
    expect([scanner.consumed, scanner.heldBytes]).toEqual([0, 5]);
    scanner.scan(ping.subarray(5));
    expect(scanner.bytes.equals(ping)).toBe(true);
    expect([scanner.consumed, scanner.heldBytes]).toEqual([6, 0]);
  });

  it('holds a control frame of 125 bytes until its last byte is there', () => {
    const pong = encodeFrame(Opcode.Pong, Buffer.alloc(125, 'x'), { maskKey: 0x01020304 });
    const chunks = cutToBytes(pong);
    expect(scanAll(chunks.slice(0, -1), { masked: true })).toMatchObject({ frames: [], held: 130 });
    const { frames, held } = scanAll(chunks, { masked: true });
    expect(frames).toMatchObject([{ kind: 'control', opcode: 10, payload: '78'.repeat(125) }]);
    expect(held).toBe(0);
  });

  it('does not mind an empty chunk', () => {
    const empty = Buffer.alloc(0);
    expect(scanAll([empty, ping.subarray(0, 3), empty, ping.subarray(3), empty]).frames).toHaveLength(1);
  });
});

describe('stopping', () => {
  const stream = Buffer.concat([text('Hello'), ping, text('')]);

  it.each([
    ['start', ['start'], 2],
    ['payload', ['start', 'payload'], 7],
    ['end', ['start', 'payload', 'end'], 7],
    ['control', ['start', 'payload', 'end', 'control'], 13],
  ])('ends scanning right after %s when asked there', (at, expected, consumed) => {
    const { scanner, calls } = traced((name, it) => name === at && it.stop());
    scanner.scan(stream);
    expect(calls).toEqual(expected);
    expect([scanner.consumed, scanner.heldBytes, scanner.stopped, scanner.violation]).toEqual([
      consumed,
      0,
      true,
      null,
    ]);
  });

  it('does not even end an empty frame when asked at its start', () => {
    const { scanner, calls } = traced((_, it) => it.stop());
    scanner.scan(text(''));
    expect(calls).toEqual(['start']);
  });

  it('ignores later chunks, none of which counts as scanned', () => {
    const { scanner, calls } = traced((_, it) => it.stop());
    scanner.scan(ping);
    scanner.scan(stream);
    expect(calls).toEqual(['control']);
    expect([scanner.consumed, scanner.heldBytes]).toEqual([0, 0]);
  });

  it('forgets what was held when it is stopped between two chunks', () => {
    const { scanner, calls } = traced(() => {});
    scanner.scan(ping.subarray(0, 4));
    scanner.stop();
    expect(scanner.heldBytes).toBe(0);
    scanner.scan(ping.subarray(4));
    expect(scanner.bytes.equals(ping.subarray(4))).toBe(true);
    expect([calls, scanner.consumed]).toEqual([[], 0]);
  });

  it('shows each callback how far the stream is scanned', () => {
    const seen: number[] = [];
    const { scanner } = traced((_, it) => seen.push(it.consumed));
    scanner.scan(stream);
    expect(seen).toEqual([2, 7, 7, 13, 15, 15]);
  });
});

describe('violations', () => {
  const good = text('Hello');
  const opened = text('He', { final: false });

  it.each<[string, Buffer, string, Limits]>([
    ['RSV1 without compression', hex('c1 00'), 'RSV1 must be 0', {}],
    ['RSV1 on a continuation frame', Buffer.concat([opened, hex('c0 00')]), 'RSV1 belongs', { compression: true }],
    ['RSV1 on a control frame', hex('c9 00'), 'RSV1 belongs', { compression: true }],
    ['RSV2', hex('a1 00'), 'RSV2', { compression: true }],
    ['RSV3', hex('91 00'), 'RSV3', { compression: true }],
    ['a fragmented control frame', hex('09 00'), 'must not be fragmented', {}],
    ['a control frame of 126 bytes', hex('89 7e 007e'), 'at most 125', {}],
    ['a control frame with a 64-bit length', hex('88 7f'), 'at most 125', {}],
    ['a continuation frame out of nowhere', hex('80 00'), 'outside a fragmented message', {}],
    ['a new message inside another', Buffer.concat([opened, hex('82 00')]), 'inside a fragmented one', {}],
    ['an unmasked frame from a client', hex('81 00'), 'client must mask', { masked: true }],
    ['a masked frame from a server', hex('81 80 00000000'), 'server must not mask', {}],
    ['a length with the top bit set', hex('82 7f 8000000000000000'), 'top bit', {}],
  ])('%s is a protocol error', (_, bytes, message, limits) => {
    const { violation } = scanAll([bytes], limits);
    expect(violation).toMatchObject({ code: 1002, error: 'PROTOCOL_ERROR' });
    expect(violation?.message).toContain(message);
    expect(violation?.message).toMatch(/RFC \d+ section \d/);
  });

  it.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])('opcode %d is reserved', (opcode) => {
    const { violation } = scanAll([Buffer.from([0x80 | opcode, 0])]);
    expect(violation).toMatchObject({ code: 1002, message: expect.stringContaining(`opcode ${opcode} is reserved`) });
  });

  it('refuses a length above 2^53 - 1, as it could not be counted', () => {
    const { violation } = scanAll([hex('82 7f 0020000000000000')]);
    expect(violation).toMatchObject({ code: 1009, error: 'MESSAGE_TOO_BIG' });
  });

  it('refuses a frame above the limit before any of its payload came, and takes one at the limit', () => {
    const limits = { maxFrameBytes: 5 };
    expect(scanAll([text('12345')], limits).violation).toBeNull();
    const { violation, frames } = scanAll([text('123456').subarray(0, 2)], limits);
    expect(violation).toEqual({
      code: 1009,
      error: 'MESSAGE_TOO_BIG',
      message: 'a frame of 6 bytes was announced, the limit is 5',
    });
    expect(frames).toEqual([]);
  });

  it('refuses a message whose fragments are too large together, and counts anew for the next', () => {
    const limits = { maxMessageBytes: 5 };
    const full = [text('123', { final: false }), more('45', true)];
    expect(scanAll([...full, ...full, text('12345')], limits).violation).toBeNull();
    const { violation, frames } = scanAll([text('123', { final: false }), more('456', true)], limits);
    expect(violation).toMatchObject({ code: 1009, error: 'MESSAGE_TOO_BIG' });
    expect(frames).toHaveLength(1);
  });

  it('adds up all fragments of a message, not only the last two', () => {
    const three = [text('12', { final: false }), more('34', false), more('56', true)];
    expect(scanAll(three, { maxMessageBytes: 6 }).violation).toBeNull();
    const { violation, frames } = scanAll(three, { maxMessageBytes: 5 });
    expect(violation?.message).toBe('a frame of 2 bytes was announced after 4 bytes of its message, the limit is 5');
    expect(frames).toHaveLength(2);
  });

  it('refuses more fragments than allowed, empty ones included', () => {
    const limits = { maxFragments: 3 };
    const three = [text('', { final: false }), more('', false), more('', true)];
    expect(scanAll([...three, ...three], limits).violation).toBeNull();
    const { violation, frames } = scanAll([three[0]!, three[1]!, three[1]!, three[1]!], limits);
    expect(violation).toMatchObject({ code: 1008, error: 'TOO_MANY_FRAGMENTS' });
    expect(frames).toHaveLength(3);
  });

  it('does not count control frames against any limit', () => {
    const limits = { maxFrameBytes: 1, maxMessageBytes: 1, maxFragments: 1 };
    expect(scanAll([ping, ping, text('a'), ping], limits)).toMatchObject({ violation: null, frames: { length: 4 } });
  });

  it('leaves the stream at the start of the offending frame, after telling of the good ones', () => {
    const stream = Buffer.concat([good, ping, hex('83 00'), good]);
    for (const chunks of [[stream], cutToBytes(stream)]) {
      const { frames, consumed, violation, held, atBoundary } = scanAll(chunks);
      expect(frames).toHaveLength(2);
      expect(consumed.equals(Buffer.concat([good, ping]))).toBe(true);
      expect(violation?.code).toBe(1002);
      expect([held, atBoundary]).toEqual([0, true]);
    }
  });

  it('finds a wrong first byte without waiting for a second', () => {
    expect(scanAll([hex('83')]).violation?.code).toBe(1002);
  });
});

it('lets what a handler throws through to the caller of scan', () => {
  const { scanner } = traced(() => {
    throw new Error('no more');
  });
  expect(() => scanner.scan(ping)).toThrow('no more');
});

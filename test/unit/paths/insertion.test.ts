/** Owns where frames of our own go in among frames that are forwarded verbatim: legal for every cut and every moment, and nothing is lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, Opcode, type ReceivedFrame } from '../../support/frames.js';
import { fakeLink, TestForwarder } from './fake-wire.js';

/** A direction of the frames path whose frames come from the test. */
function direction(masked: boolean) {
  const from = fakeLink(masked ? 'server' : 'client');
  const to = fakeLink(masked ? 'client' : 'server');
  const forwarder = new TestForwarder(
    {
      masked,
      compression: false,
      limits: { maxMessageBytes: 0, maxFragments: 0 },
      from: from.link,
      traffic: from.link.received,
    },
    to.link,
  );
  const { outlet } = to.link;
  return { from, to, outlet, forwarder, told: forwarder.told, frames: () => to.wire.frames };
}

/** A frame in a word: what it is, and its payload. */
function inWords({ opcode, fin, payload }: ReceivedFrame): string {
  const name = ['continuation', 'text', 'binary'][opcode] ?? { 8: 'close', 9: 'ping', 10: 'pong' }[opcode];
  return `${name}${fin ? '' : '…'} ${opcode === Opcode.Close ? payload.readUInt16BE(0) : payload}`;
}

const frame = (opcode: number, payload: string, fin = true) => encodeFrame({ opcode, payload, fin });

describe('into what is forwarded', () => {
  it('a message goes at the end of the message that is under way, and not before', () => {
    const { forwarder, outlet, frames } = direction(false);
    forwarder.forward(frame(Opcode.Text, 'one ', false));
    expect(outlet.message(outlet.encode(Opcode.Text, Buffer.from('own')))).toBe('queued');
    expect(frames().map(inWords)).toEqual(['text… one ']);
    forwarder.forward(Buffer.concat([frame(Opcode.Continuation, 'two'), frame(Opcode.Text, 'next', false)]));
    expect(frames().map(inWords)).toEqual(['text… one ', 'continuation two', 'text own', 'text… next']);
  });

  it('a message goes at once between two messages', () => {
    const { forwarder, outlet, frames } = direction(false);
    forwarder.forward(frame(Opcode.Text, 'one'));
    expect(outlet.message(outlet.encode(Opcode.Text, Buffer.from('own')))).toBe('accepted');
    expect(frames().map(inWords)).toEqual(['text one', 'text own']);
  });

  it('a ping goes between two frames of a message, but never into a frame', () => {
    const { forwarder, outlet, frames } = direction(false);
    const first = frame(Opcode.Binary, 'one', false);
    forwarder.forward(first.subarray(0, 3));
    expect(outlet.control(Opcode.Ping, Buffer.from('?'))).toBe('queued');
    forwarder.forward(Buffer.concat([first.subarray(3), frame(Opcode.Continuation, 'two', false).subarray(0, 4)]));
    expect(frames().map(inWords)).toEqual(['binary… one', 'ping ?']);
    expect(outlet.bufferedBytes).toBe(0);
  });

  it('a Close frame goes at the end of the frame, and nothing follows it', () => {
    const { forwarder, outlet, frames } = direction(false);
    const first = frame(Opcode.Binary, 'one', false);
    forwarder.forward(first.subarray(0, 3));
    let closed = false;
    outlet.close(1001, '');
    outlet.whenClosed(() => {
      closed = true;
    });
    expect([closed, outlet.closing]).toEqual([false, true]);
    forwarder.forward(Buffer.concat([first.subarray(3), frame(Opcode.Continuation, 'two')]));
    forwarder.forward(frame(Opcode.Text, 'never'));
    expect(closed).toBe(true);
    const words = frames().map(inWords);
    expect(words.at(-1)).toBe('close 1001');
    expect(words[0]).toBe('binary… one');
    expect(words).not.toContain('text never');
    expect(outlet.message(outlet.encode(Opcode.Text, Buffer.from('late')))).toBe('closed');
    expect(outlet.control(Opcode.Ping, Buffer.alloc(0))).toBe('closed');
  });

  it('a Close frame waits behind our own messages, which wait for the end of a message', () => {
    const { forwarder, outlet, frames } = direction(false);
    forwarder.forward(frame(Opcode.Text, 'one', false));
    outlet.message(outlet.encode(Opcode.Text, Buffer.from('own')));
    outlet.close(1000, '');
    forwarder.forward(frame(Opcode.Continuation, 'two', false));
    expect(frames()).toHaveLength(2);
    forwarder.forward(frame(Opcode.Continuation, 'three'));
    expect(frames().map(inWords)).toEqual([
      'text… one',
      'continuation… two',
      'continuation three',
      'text own',
      'close 1000',
    ]);
  });
});

/** One frame of a stream that is forwarded, by its place in a message. */
const part = fc.record({ payload: fc.string({ maxLength: 6 }), ping: fc.boolean() });
const stream = fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { maxLength: 5 });

/** What happens, in order: some bytes of the stream come, or something of our own is sent. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('bytes' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('message', 'ping') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const) }) },
);

/** The frames of a stream. Their payloads begin with `<`, those of our own with `>`. */
function framesOf(
  messages: ReadonlyArray<ReadonlyArray<{ payload: string; ping: boolean }>>,
  masked: boolean,
): Buffer[] {
  return messages.flatMap((parts) =>
    parts.flatMap(({ payload, ping }, index) => [
      ...(ping ? [encodeFrame({ opcode: Opcode.Ping, payload: `<${payload}`, masked })] : []),
      encodeFrame({
        opcode: index === 0 ? Opcode.Text : Opcode.Continuation,
        payload: `<${payload}`,
        fin: index === parts.length - 1,
        masked,
      }),
    ]),
  );
}

/** Says what is wrong with a sequence of frames (RFC 6455 section 5.4), if something is. */
function illegal(frames: readonly ReceivedFrame[], masked: boolean): string | undefined {
  let inside = '';
  for (const [index, one] of frames.entries()) {
    if (one.masked !== masked) return `frame ${index} is ${one.masked ? '' : 'not '}masked`;
    if (one.opcode === Opcode.Close && index < frames.length - 1) return 'something follows the Close frame';
    if (one.opcode >= Opcode.Close) continue;
    const side = String(one.payload)[0]!;
    if ((one.opcode === Opcode.Continuation) !== (inside !== '')) return `frame ${index} is out of order`;
    if (inside !== '' && inside !== side) return `frame ${index} is inside of a message of the other side`;
    inside = one.fin ? '' : side;
  }
  return undefined;
}

describe.each([
  ['from a target to a client', false],
  ['from a client to a target', true],
])('%s, with any cut and any moment of our own frames', (_, masked) => {
  it('the sequence is legal, in order and complete (P2)', () => {
    fc.assert(
      fc.property(stream, fc.array(step, { maxLength: 25 }), (messages, steps) => {
        const { forwarder, outlet, frames, to } = direction(masked);
        const sent = framesOf(messages, masked);
        let rest = Buffer.concat(sent);
        const own: string[] = [];
        let closed = false;
        const feed = (count: number) => {
          forwarder.forward(Buffer.from(rest.subarray(0, count)));
          rest = rest.subarray(count);
        };
        for (const [index, one] of steps.entries()) {
          if (one.type === 'bytes') feed(one.count);
          else if (one.type === 'close') {
            outlet.close(1000, '');
            closed = true;
          } else {
            const result =
              one.type === 'ping'
                ? outlet.control(Opcode.Ping, Buffer.from(`>${index}`))
                : outlet.message(outlet.encode(Opcode.Text, Buffer.from(`>${index}`)));
            expect(result === 'closed').toBe(closed);
            if (!closed) own.push(`${one.type === 'ping' ? 'ping' : 'text'} >${index}`);
          }
        }
        feed(rest.length);
        const got = frames();
        expect(illegal(got, masked)).toBeUndefined();
        const words = got.map(inWords);
        // Nothing of ours is lost; messages and pings are each in the order they were sent.
        for (const kind of ['text', 'ping']) {
          const ofKind = (word: string) => word.startsWith(`${kind} >`);
          expect(words.filter(ofKind)).toEqual(own.filter(ofKind));
        }
        expect(words.filter((word) => word.startsWith('close')).length).toBe(closed ? 1 : 0);
        expect(outlet.bufferedBytes).toBe(0);
        expect(to.wire.corked).toBe(0);
        // What is forwarded is the stream, byte for byte, up to where the Close frame went in.
        const forwarded = words.filter((word) => word.includes(' <'));
        const all = sent.map((bytes) => inWords(parse(bytes)));
        expect(forwarded).toEqual(closed ? all.slice(0, forwarded.length) : all);
      }),
      { numRuns: 400 },
    );
  });
});

function parse(bytes: Buffer): ReceivedFrame {
  const wire = fakeLink('server').wire;
  wire.write(bytes);
  return wire.frames[0]!;
}

/** Owns how frames become messages: for every cut, in every mode, and in order although inflation is asynchronous. */
import { constants } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PerMessageDeflate } from '../../../src/server/handshake/ws-exports.js';
import { MessageReader, type MessageReaderOptions } from '../../../src/server/paths/message-reader.js';
import { textViolation } from '../../../src/server/paths/message-violations.js';
import type { AgreedDeflate } from '../../../src/server/paths/message-writer.js';
import { eventually } from '../../support/events.js';
import { closePayload, encodeFrame, type FrameSpec, Opcode } from '../../support/frames.js';

type Options = Partial<Omit<MessageReaderOptions, 'sink'>>;

/** A reader whose sink writes everything down. */
function create(options: Options = {}) {
  const lines: string[] = [];
  const reader = new MessageReader({
    masked: true,
    maxMessageBytes: 0,
    maxFragments: 0,
    fragments: 'buffer',
    deflate: undefined,
    traffic: { fragments: 0, controls: 0 },
    ...options,
    sink: {
      onMessage: (kind, data) => lines.push(`${kind} ${data}`),
      onFragment: ({ kind, index, first, final, data }) =>
        lines.push(`${kind}[${index}${first ? ' first' : ''}${final ? ' final' : ''}] ${data.toString('latin1')}`),
      onPing: (payload) => lines.push(`ping ${payload}`),
      onPong: (payload) => lines.push(`pong ${payload}`),
      onClose: (code, reason) => lines.push(`close ${code} ${reason}`),
      onViolation: ({ error }) => lines.push(error),
      onBehind: () => lines.push('behind'),
      onCaughtUp: () => lines.push('caught up'),
    },
  });
  return { reader, lines };
}

const masked = (spec: FrameSpec) => encodeFrame({ masked: true, ...spec });
const text = (payload: string | Buffer, fin = true) => masked({ opcode: Opcode.Text, payload, fin });
const more = (payload: string | Buffer, fin = true) => masked({ opcode: Opcode.Continuation, payload, fin });

const CONVERSATION = Buffer.concat([
  text('whole'),
  masked({ opcode: Opcode.Binary, payload: 'é', fin: false }),
  masked({ opcode: Opcode.Ping, payload: 'between' }),
  more('', false),
  more('€'),
  text(''),
  masked({ opcode: Opcode.Pong, payload: '' }),
  text('x'.repeat(200)),
  masked({ opcode: Opcode.Close, payload: closePayload(4000, 'bye') }),
]);

const STORY = [
  'text whole',
  'ping between',
  'binary é€',
  'text ',
  'pong ',
  `text ${'x'.repeat(200)}`,
  'close 4000 bye',
];

describe('messages', () => {
  it('are told whole and in order, with control frames where they came', () => {
    const { reader, lines } = create();
    reader.read(Buffer.from(CONVERSATION));
    expect(lines).toEqual(STORY);
  });

  it('are the same for every place where the stream is cut in two (P2)', () => {
    for (let at = 0; at <= CONVERSATION.length; at += 1) {
      const { reader, lines } = create();
      reader.read(Buffer.from(CONVERSATION.subarray(0, at)));
      reader.read(Buffer.from(CONVERSATION.subarray(at)));
      expect(lines).toEqual(STORY);
    }
  });

  it('are the same for any cut into many parts, from a buffer that is used again each time (P2)', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(CONVERSATION.length), { maxLength: 30 }), (places) => {
        const { reader, lines } = create();
        const shared = Buffer.alloc(CONVERSATION.length);
        const cuts = [0, ...places.sort((a, b) => a - b), CONVERSATION.length];
        for (const [index, end] of cuts.slice(1).entries()) {
          const length = CONVERSATION.copy(shared, 0, cuts[index], end);
          reader.read(shared.subarray(0, length));
          shared.fill(0xee);
        }
        expect(lines).toEqual(STORY);
      }),
    );
  });

  it('end with a Close frame: nothing is told of what follows', () => {
    const { reader, lines } = create();
    reader.read(Buffer.concat([masked({ opcode: Opcode.Close }), text('late')]));
    reader.read(text('later'));
    expect(lines).toEqual(['close 1005 ']);
  });

  it('end with a text that is not UTF-8: no ping behind it is told of, though it came in the same chunk', () => {
    const { reader, lines } = create();
    reader.read(
      Buffer.concat([text('good'), text(Buffer.from([0xff])), masked({ opcode: Opcode.Ping, payload: 'p' })]),
    );
    expect(lines).toEqual(['text good', 'INVALID_UTF8']);
  });

  it('end when the reader is stopped, also from inside of what it tells', () => {
    const { reader, lines } = create();
    reader.read(text('one'));
    reader.stop();
    reader.read(text('two'));
    expect(lines).toEqual(['text one']);
  });
});

describe('what breaks a rule', () => {
  it.each<[what: string, error: string, bytes: Buffer, options: Options]>([
    ['an unmasked frame', 'PROTOCOL_ERROR', encodeFrame({ opcode: Opcode.Text, payload: 'x' }), {}],
    ['a message that is no text', 'INVALID_UTF8', text(Buffer.from([0x61, 0xff])), {}],
    [
      'a text that is cut inside of a character at its end',
      'INVALID_UTF8',
      Buffer.concat([text('a', false), more(Buffer.from([0xe2, 0x82]))]),
      {},
    ],
    ['a message over the limit', 'MESSAGE_TOO_BIG', text('12345678901'), { maxMessageBytes: 10 }],
    [
      'fragments over the limit together',
      'MESSAGE_TOO_BIG',
      Buffer.concat([text('123456', false), more('78901')]),
      { maxMessageBytes: 10 },
    ],
    [
      'too many fragments',
      'TOO_MANY_FRAGMENTS',
      Buffer.concat([text('', false), more('', false), more('')]),
      { maxFragments: 2 },
    ],
    [
      'a Close frame with a reserved code',
      'PROTOCOL_ERROR',
      masked({ opcode: Opcode.Close, payload: closePayload(1005) }),
      {},
    ],
    [
      'a compressed frame that was not agreed on',
      'PROTOCOL_ERROR',
      masked({ opcode: Opcode.Text, payload: 'x', rsv1: true }),
      {},
    ],
  ])('(%s) is told once, as %s, behind every good message', (_, error, bytes, options) => {
    const { reader, lines } = create(options);
    reader.read(Buffer.concat([text('good'), bytes, text('never')]));
    reader.read(text('never'));
    expect(lines).toEqual(['text good', error]);
  });
});

describe('fragments', () => {
  const fragmented = () => Buffer.concat([text('one', false), more('', false), more('two'), text('alone')]);
  const pieces = ['text[0 first] one', 'text[1] ', 'text[2 final] two'];

  it('are not told of with buffer', () => {
    const { reader, lines } = create();
    reader.read(fragmented());
    expect(lines).toEqual(['text onetwo', 'text alone']);
  });

  it('are all that is told of with fragments', () => {
    const { reader, lines } = create({ fragments: 'fragments' });
    reader.read(fragmented());
    expect(lines).toEqual([...pieces, 'text[0 first final] alone']);
  });

  it('are told of before their message with both', () => {
    const { reader, lines } = create({ fragments: 'both' });
    reader.read(fragmented());
    expect(lines).toEqual([...pieces, 'text onetwo', 'text[0 first final] alone', 'text alone']);
  });

  it('may cut a code point, and are checked to be text at their end', () => {
    const { reader, lines } = create({ fragments: 'fragments' });
    reader.read(Buffer.concat([text(Buffer.from([0xe2]), false), more(Buffer.from([0x82, 0xac]))]));
    reader.read(Buffer.concat([text(Buffer.from([0xe2]), false), more('')]));
    expect(lines).toEqual(['text[0 first] \xe2', 'text[1 final] \x82\xac', 'text[0 first] \xe2', 'INVALID_UTF8']);
  });
});

describe('compressed messages', () => {
  /** Both ends of an agreed permessage-deflate, and messages compressed by the client's. */
  async function agree(maxPayload = 0) {
    const client = new PerMessageDeflate({ threshold: 0 });
    const engine = new PerMessageDeflate({ threshold: 0, isServer: true, maxPayload });
    engine.accept([{}]);
    client.accept([{}]);
    const deflate: AgreedDeflate = { engine, threshold: 0 };
    const compressed = (payload: string, fin = true) =>
      new Promise<Buffer>((resolve, reject) => {
        client.compress(payload, fin, (error, data) => (data === undefined ? reject(error) : resolve(data)));
      });
    return { deflate, compressed };
  }

  it('are inflated once, in order with plain ones and behind them the Close frame (P2)', async () => {
    const { deflate, compressed } = await agree();
    const stream = Buffer.concat([
      masked({ opcode: Opcode.Text, payload: await compressed('one '.repeat(50)), rsv1: true }),
      text('plain'),
      masked({ opcode: Opcode.Text, payload: await compressed('two '.repeat(50), false), rsv1: true, fin: false }),
      masked({ opcode: Opcode.Ping, payload: '!' }),
      more(await compressed('three')),
      masked({ opcode: Opcode.Close, payload: closePayload(1000) }),
    ]);
    for (const size of [1, 7, stream.length]) {
      const fresh = size === 1 ? deflate : (await agree()).deflate;
      const { reader, lines } = create({ deflate: fresh });
      for (let at = 0; at < stream.length; at += size) reader.read(Buffer.from(stream.subarray(at, at + size)));
      await eventually(() => lines.includes('close 1000 '), 'the Close frame is told');
      expect(lines.filter((line) => !/^(behind|caught up|ping)/.test(line))).toEqual([
        `text ${'one '.repeat(50)}`,
        'text plain',
        `text ${'two '.repeat(50)}three`,
        'close 1000 ',
      ]);
    }
  });

  it('tell when inflation is behind, and when it has caught up', async () => {
    const { deflate, compressed } = await agree();
    const { reader, lines } = create({ deflate });
    reader.read(masked({ opcode: Opcode.Text, payload: await compressed('one'), rsv1: true }));
    expect(lines).toEqual(['behind']);
    await eventually(() => lines.length === 3, 'inflation is done');
    expect(lines).toEqual(['behind', 'text one', 'caught up']);
  });

  it('that inflate to more than the limit are too big, however small they are on the wire', async () => {
    const { deflate, compressed } = await agree(1000);
    const { reader, lines } = create({ deflate, maxMessageBytes: 1000 });
    const bomb = await compressed('0'.repeat(100_000));
    expect(bomb.length).toBeLessThan(1000);
    reader.read(masked({ opcode: Opcode.Text, payload: bomb, rsv1: true }));
    await eventually(() => lines.length > 1, 'the violation is told');
    expect(lines).toEqual(['behind', 'MESSAGE_TOO_BIG', 'caught up']);
  });

  it('that do not inflate are told as such', async () => {
    const { deflate } = await agree();
    const { reader, lines } = create({ deflate });
    reader.read(masked({ opcode: Opcode.Text, payload: Buffer.from('no deflate at all'), rsv1: true }));
    await eventually(() => lines.length > 1, 'the violation is told');
    expect(lines).toEqual(['behind', 'INVALID_DEFLATE', 'caught up']);
  });

  it('are not told of once the reader is stopped', async () => {
    const { deflate, compressed } = await agree();
    const { reader, lines } = create({ deflate });
    reader.read(masked({ opcode: Opcode.Text, payload: await compressed('one'), rsv1: true }));
    reader.stop();
    await compressed('a turn of zlib later');
    await compressed('and another one');
    expect(lines).toEqual(['behind']);
  });
});

describe('a text without a limit', () => {
  it('P5: is a violation when it is longer than any string, and not an error while it is decoded', () => {
    // Fresh zeros, which take no memory until somebody looks at them.
    expect(textViolation(Buffer.alloc(constants.MAX_STRING_LENGTH + 1))).toMatchObject({ error: 'MESSAGE_TOO_BIG' });
    expect(textViolation(Buffer.from([0xff]))).toMatchObject({ error: 'INVALID_UTF8' });
    expect(textViolation(Buffer.from('text'))).toBeUndefined();
  });
});

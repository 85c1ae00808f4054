/** Owns the cases about messages of several frames and the control frames between them (RFC 6455 sections 5.4 to 5.6). */
import { type FrameSpec, Opcode } from '../../support/frames.js';
import { binary, CONTROLS, type ConformanceCase, DATA, fail, fragments, message, nameOf, pass, text } from './case.js';

const begun: FrameSpec = { opcode: Opcode.Text, payload: 'x', fin: false };

const fragmented = DATA.flatMap((opcode): ConformanceCase[] => {
  const name = nameOf(opcode);
  const parts = (slug: string, title: string, pieces: readonly (string | Buffer)[]): ConformanceCase => ({
    id: `6455-5.4/${slug}-${name}`,
    title: `a ${name} message ${title} passes`,
    frames: fragments(opcode, pieces),
    verdict: pass(message(opcode, Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))))),
  });
  return [
    parts('two-fragments', 'of two fragments', ['one', 'two']),
    parts('empty-first', 'whose first fragment is empty', ['', 'one']),
    parts('empty-middle', 'whose middle fragment is empty', ['one', '', 'two']),
    parts('empty-last', 'whose last fragment is empty', ['one', '']),
    parts('empty-everywhere', 'with empty fragments at its start, in its middle and at its end', [
      '',
      'a',
      '',
      'b',
      '',
    ]),
    parts('only-empty', 'of nothing but empty fragments', ['', '', '']),
    parts('sizes', 'of fragments in every length encoding', [
      Buffer.alloc(125, 'a'),
      Buffer.alloc(126, 'b'),
      Buffer.alloc(65_536, 'c'),
    ]),
    {
      id: `6455-5.4/new-${name}-inside`,
      title: `a ${name} frame inside a fragmented message is a violation`,
      frames: [begun, { opcode, payload: 'y' }],
      verdict: fail(1002),
    },
    {
      id: `6455-5.4/new-${name}-inside-not-final`,
      title: `a ${name} frame that is not final inside a fragmented message is a violation`,
      frames: [begun, { opcode, payload: 'y', fin: false }],
      verdict: fail(1002),
    },
    {
      id: `6455-5.4/new-${name}-after-continuation`,
      title: `a ${name} frame behind the second fragment of a message is a violation`,
      frames: [begun, { opcode: Opcode.Continuation, fin: false, payload: 'y' }, { opcode, payload: 'z' }],
      verdict: fail(1002),
    },
  ];
});

const order: ConformanceCase[] = [
  ...[true, false].map(
    (fin): ConformanceCase => ({
      id: `6455-5.4/continuation-first${fin ? '' : '-not-final'}`,
      title: `a continuation ${fin ? '' : 'that is not final '}outside a message is a violation`,
      frames: [{ opcode: Opcode.Continuation, payload: 'x', fin }],
      verdict: fail(1002),
    }),
  ),
  {
    id: '6455-5.4/continuation-first-empty',
    title: 'an empty continuation outside a message is a violation',
    frames: [{ opcode: Opcode.Continuation }],
    verdict: fail(1002),
  },
  {
    id: '6455-5.4/continuation-after-last',
    title: 'a continuation behind the last one of a message is a violation',
    frames: [...fragments(Opcode.Text, ['a', 'b']), { opcode: Opcode.Continuation, payload: 'c' }],
    verdict: fail(1002, text('ab')),
  },
  {
    id: '6455-5.4/continuation-after-ping',
    title: 'a continuation behind a ping is a violation outside a message',
    frames: [{ opcode: Opcode.Ping }, { opcode: Opcode.Continuation, payload: 'c' }],
    verdict: fail(1002),
  },
  {
    id: '6455-5.4/many-fragments',
    title: 'a message of 500 fragments passes',
    frames: fragments(Opcode.Text, Array<string>(500).fill('ab')),
    verdict: pass(text('ab'.repeat(500))),
  },
  {
    id: '6455-5.4/many-fragments-in-pieces',
    title: 'a message of 60 fragments that comes in pieces of 5 passes',
    frames: fragments(Opcode.Text, Array<string>(60).fill('ab')),
    pieces: 5,
    verdict: pass(text('ab'.repeat(60))),
  },
  {
    id: '6455-5.4/one-after-the-other',
    title: 'two fragmented messages one after the other pass as two',
    frames: [...fragments(Opcode.Text, ['a', 'b']), ...fragments(Opcode.Binary, ['c', 'd', 'e'])],
    verdict: pass(text('ab'), binary('cde')),
  },
  {
    id: '6455-5.4/whole-between-fragmented',
    title: 'whole and fragmented messages pass in their order',
    frames: [
      { opcode: Opcode.Binary, payload: 'a' },
      ...fragments(Opcode.Text, ['b', 'c']),
      { opcode: Opcode.Text, payload: 'd' },
      ...fragments(Opcode.Binary, ['', 'e']),
    ],
    verdict: pass(binary('a'), text('bc'), text('d'), binary('e')),
  },
  {
    id: '6455-5.6/many-messages',
    title: '200 messages in one write pass in their order',
    frames: Array.from({ length: 200 }, (_, index) => ({ opcode: Opcode.Text, payload: `${index}` })),
    verdict: pass(...Array.from({ length: 200 }, (_, index) => text(`${index}`))),
  },
];

const wrongControls = CONTROLS.flatMap((opcode): ConformanceCase[] => {
  const wrong = (slug: string, title: string, ...frames: readonly FrameSpec[]): ConformanceCase => ({
    id: `6455-5.5/${nameOf(opcode)}-${slug}`,
    title: `a ${nameOf(opcode)} frame ${title} is a violation`,
    frames,
    verdict: fail(1002),
  });
  const payload = Buffer.of(3, 0xe8);
  return [
    wrong('not-final', 'that is not final', { opcode, fin: false }),
    wrong('not-final-between-fragments', 'that is not final between fragments', begun, { opcode, fin: false }),
    wrong('of-126', 'of 126 bytes', { opcode, payload: Buffer.alloc(126, 3) }),
    wrong('of-65536', 'of 65 536 bytes', { opcode, payload: Buffer.alloc(65_536, 3) }),
    wrong('announcing-126', 'that only announces 126 bytes', { opcode, lengthOverride: 126 }),
    wrong('in-16-bits', 'whose length of 2 is written in 16 bits', { opcode, payload, lengthEncoding: 16 }),
    wrong('in-64-bits', 'whose length of 2 is written in 64 bits', { opcode, payload, lengthEncoding: 64 }),
  ];
});

const PAYLOADS = [
  ['empty', Buffer.alloc(0)],
  ['one-byte', Buffer.of(0xff)],
  ['text', Buffer.from('are you there?')],
  ['no-text', Buffer.of(0xff, 0x00, 0x80)],
  ['124-bytes', Buffer.alloc(124, 0x7f)],
  ['125-bytes', Buffer.alloc(125, 0x80)],
] as const;

const pings = PAYLOADS.flatMap(([slug, payload]): ConformanceCase[] => [
  {
    id: `6455-5.5.2/ping-${slug}`,
    title: `a ping with the payload "${slug}" is answered with it`,
    frames: [{ opcode: Opcode.Ping, payload }],
    verdict: pass(),
  },
  {
    id: `6455-5.5.2/ping-${slug}-in-pieces`,
    title: `a ping with the payload "${slug}" that comes byte by byte is answered with it`,
    frames: [{ opcode: Opcode.Ping, payload }],
    pieces: 1,
    verdict: pass(),
  },
  {
    id: `6455-5.5.3/pong-${slug}`,
    title: `a pong with the payload "${slug}" that nobody asked for is no violation`,
    frames: [{ opcode: Opcode.Pong, payload }],
    verdict: pass(),
  },
  {
    id: `6455-5.5.2/ping-${slug}-between-fragments`,
    title: `a ping with the payload "${slug}" between fragments is answered, and the message passes`,
    frames: [begun, { opcode: Opcode.Ping, payload }, { opcode: Opcode.Continuation, payload: 'y' }],
    verdict: pass(text('xy')),
  },
]);

const manyControls: ConformanceCase[] = [
  {
    id: '6455-5.5.2/ten-pings',
    title: 'ten pings in a row are answered in their order',
    frames: Array.from({ length: 10 }, (_, index) => ({ opcode: Opcode.Ping, payload: `${index}` })),
    verdict: pass(),
  },
  {
    id: '6455-5.5.2/pings-between-all-fragments',
    title: 'pings before, between and behind the fragments of a message are answered, and the message passes',
    frames: [
      { opcode: Opcode.Ping, payload: '1' },
      begun,
      { opcode: Opcode.Ping, payload: '2' },
      { opcode: Opcode.Ping, payload: '3' },
      { opcode: Opcode.Continuation, payload: '', fin: false },
      { opcode: Opcode.Ping, payload: '4' },
      { opcode: Opcode.Continuation, payload: 'y' },
      { opcode: Opcode.Ping, payload: '5' },
    ],
    verdict: pass(text('xy')),
  },
  {
    id: '6455-5.5.3/pongs-everywhere',
    title: 'pongs that answer nothing are no violation, also between fragments',
    frames: [
      { opcode: Opcode.Pong },
      begun,
      { opcode: Opcode.Pong, payload: 'unasked' },
      { opcode: Opcode.Continuation, payload: 'y' },
      { opcode: Opcode.Pong, payload: Buffer.alloc(125, 'p') },
    ],
    verdict: pass(text('xy')),
  },
  {
    id: '6455-5.5/controls-in-pieces',
    title: 'pings and pongs between fragments that come byte by byte pass',
    frames: [
      begun,
      { opcode: Opcode.Ping, payload: 'one' },
      { opcode: Opcode.Continuation, payload: 'y', fin: false },
      { opcode: Opcode.Pong, payload: Buffer.alloc(125, 'p') },
      { opcode: Opcode.Continuation, payload: 'z' },
    ],
    pieces: 1,
    verdict: pass(text('xyz')),
  },
];

export const MESSAGES: readonly ConformanceCase[] = [
  ...fragmented,
  ...order,
  ...wrongControls,
  ...pings,
  ...manyControls,
];

/**
 * Owns the table of what one side may send after the handshake and what has to come of it (RFC 6455 sections 5 and 8).
 * Plain data: refuses to know who sends it and on which way it goes.
 */
import { type FrameSpec, Opcode } from '../support/frames.js';

/** A message as the other side has to get it. */
export interface Delivered {
  readonly kind: 'text' | 'binary';
  readonly data: Buffer;
}

/** A message to be compared: large ones are compared much faster as a string than byte by byte. */
export function shown({ kind, data }: Delivered): string {
  return `${kind} ${data.toString('latin1')}`;
}

/** What has to come of the frames of a case: the messages they carry, or the code of our Close frame to their sender. */
export type Outcome = { readonly delivers: readonly Delivered[] } | { readonly close: number };

/** One row of the table. */
export interface FrameCase {
  readonly title: string;
  readonly frames: readonly FrameSpec[];
  readonly outcome: Outcome;
  /** What is delivered before a violation; default nothing. */
  readonly good?: readonly Delivered[];
  /** The outcome on ways that do not look into payloads (`frames` and `stream`), where it is another one by design. */
  readonly unseen?: Outcome;
}

const OPCODES = Object.entries(Opcode);
const CONTROLS = [Opcode.Close, Opcode.Ping, Opcode.Pong] as const;
const DATA = [Opcode.Text, Opcode.Binary] as const;
const broken = { close: 1002 } as const;

function nameOf(opcode: number): string {
  return OPCODES.find(([, code]) => code === opcode)?.[0] ?? `opcode ${opcode}`;
}

function text(data: string | Buffer): Delivered {
  return { kind: 'text', data: Buffer.from(data) };
}

function binary(data: Uint8Array): Delivered {
  return { kind: 'binary', data: Buffer.from(data) };
}

function kindOf(opcode: number): Delivered['kind'] {
  return opcode === Opcode.Text ? 'text' : 'binary';
}

/** A fragmented message, a frame for each part. */
function fragments(opcode: number, parts: readonly (string | Buffer)[]): FrameSpec[] {
  return parts.map((payload, index) => ({
    opcode: index === 0 ? opcode : Opcode.Continuation,
    fin: index === parts.length - 1,
    payload,
  }));
}

const lengths: FrameCase[] = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537].flatMap((size) =>
  DATA.map((opcode) => {
    const payload = Buffer.alloc(size, 'tide');
    return {
      title: `a ${nameOf(opcode)} frame of ${size} bytes passes`,
      frames: [{ opcode, payload }],
      outcome: { delivers: [{ kind: kindOf(opcode), data: payload }] },
    };
  }),
);

const longLengths: FrameCase[] = [
  { size: 0, lengthEncoding: 16 },
  { size: 5, lengthEncoding: 16 },
  { size: 125, lengthEncoding: 64 },
  { size: 126, lengthEncoding: 64 },
  { size: 65_535, lengthEncoding: 64 },
].map(({ size, lengthEncoding }) => {
  const payload = Buffer.alloc(size, 'x');
  return {
    title: `a length of ${size} written in ${lengthEncoding} bits, more than it needs, passes`,
    frames: [{ opcode: Opcode.Binary, payload, lengthEncoding: lengthEncoding as 16 | 64 }],
    outcome: { delivers: [binary(payload)] },
  };
});

const impossibleLengths: FrameCase[] = [
  { title: 'a 64-bit length with its top bit set is a violation', length: 1n << 63n, close: 1002 },
  { title: 'a 64-bit length of all ones is a violation', length: (1n << 64n) - 1n, close: 1002 },
  { title: 'a length beyond 2^53 is too big', length: 1n << 53n, close: 1009 },
  { title: 'the largest length the format has is too big', length: (1n << 63n) - 1n, close: 1009 },
].map(({ title, length, close }) => ({
  title,
  frames: [{ opcode: Opcode.Binary, lengthOverride: length }],
  outcome: { close },
}));

const reservedBits: FrameCase[] = (['rsv1', 'rsv2', 'rsv3'] as const).flatMap((bit) => [
  ...[...DATA, ...CONTROLS].map((opcode) => ({
    title: `${bit.toUpperCase()} on a ${nameOf(opcode)} frame is a violation where no extension was agreed on`,
    frames: [{ opcode, payload: opcode === Opcode.Close ? Buffer.from([0x03, 0xe8]) : 'x', [bit]: true }],
    outcome: broken,
  })),
  {
    title: `${bit.toUpperCase()} on a Continuation frame is a violation`,
    frames: [
      { opcode: Opcode.Text, payload: 'x', fin: false },
      { opcode: Opcode.Continuation, payload: 'y', [bit]: true },
    ],
    outcome: broken,
  },
]);

const reservedOpcodes: FrameCase[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  { title: `the reserved opcode ${opcode} is a violation`, frames: [{ opcode, payload: 'x' }], outcome: broken },
  { title: `the reserved opcode ${opcode} is one without payload too`, frames: [{ opcode }], outcome: broken },
]);

const controlFrames: FrameCase[] = CONTROLS.flatMap((opcode) => [
  {
    title: `a ${nameOf(opcode)} frame that is not final is a violation`,
    frames: [{ opcode, fin: false }],
    outcome: broken,
  },
  {
    title: `a ${nameOf(opcode)} frame of 126 bytes is a violation`,
    frames: [{ opcode, payload: Buffer.alloc(126, 3) }],
    outcome: broken,
  },
  {
    title: `a ${nameOf(opcode)} frame of 70 000 bytes is a violation`,
    frames: [{ opcode, payload: Buffer.alloc(70_000, 3) }],
    outcome: broken,
  },
  {
    title: `a ${nameOf(opcode)} frame whose short length is written in 16 bits is a violation`,
    frames: [{ opcode, payload: Buffer.from([0x03, 0xe8]), lengthEncoding: 16 as const }],
    outcome: broken,
  },
]);

const fragmentation: FrameCase[] = [
  ...DATA.flatMap((opcode): FrameCase[] => [
    {
      title: `a ${nameOf(opcode)} message of two fragments passes`,
      frames: fragments(opcode, ['one', 'two']),
      outcome: { delivers: [{ kind: kindOf(opcode), data: Buffer.from('onetwo') }] },
    },
    {
      title: `empty fragments of a ${nameOf(opcode)} message pass, at its start, in its middle and at its end`,
      frames: fragments(opcode, ['', 'one', '', 'two', '']),
      outcome: { delivers: [{ kind: kindOf(opcode), data: Buffer.from('onetwo') }] },
    },
    {
      title: `a ${nameOf(opcode)} message of nothing but empty fragments passes`,
      frames: fragments(opcode, ['', '', '']),
      outcome: { delivers: [{ kind: kindOf(opcode), data: Buffer.alloc(0) }] },
    },
    {
      title: `a ${nameOf(opcode)} frame inside a fragmented message is a violation`,
      frames: [
        { opcode: Opcode.Text, payload: 'x', fin: false },
        { opcode, payload: 'y' },
      ],
      outcome: broken,
    },
  ]),
  {
    title: 'a message of 500 fragments passes',
    frames: fragments(Opcode.Text, Array<string>(500).fill('ab')),
    outcome: { delivers: [text('ab'.repeat(500))] },
  },
  {
    title: 'two fragmented messages one after the other pass as two',
    frames: [...fragments(Opcode.Text, ['a', 'b']), ...fragments(Opcode.Binary, ['c', 'd', 'e'])],
    outcome: { delivers: [text('ab'), binary(Buffer.from('cde'))] },
  },
  {
    title: 'pongs that answer nothing are no violation, also between fragments',
    frames: [
      { opcode: Opcode.Pong },
      { opcode: Opcode.Text, payload: 'x', fin: false },
      { opcode: Opcode.Pong, payload: 'unasked' },
      { opcode: Opcode.Continuation, payload: 'y' },
      { opcode: Opcode.Pong, payload: Buffer.alloc(125, 'p') },
    ],
    outcome: { delivers: [text('xy')] },
  },
  ...[true, false].map((fin) => ({
    title: `a Continuation frame outside a message is a violation${fin ? '' : ', final or not'}`,
    frames: [{ opcode: Opcode.Continuation, payload: 'x', fin }],
    outcome: broken,
  })),
  {
    title: 'a Continuation frame after the last one of a message is a violation',
    frames: [...fragments(Opcode.Text, ['a', 'b']), { opcode: Opcode.Continuation, payload: 'c' }],
    good: [text('ab')],
    outcome: broken,
  },
];

const validTexts: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['code points of one to four bytes', Buffer.from('a\u00e4\u20ac\u{1f30a}')],
  ['U+0000', Buffer.from('\u0000')],
  ['the smallest code points of two, three and four bytes', Buffer.from('\u0080\u0800\u{10000}')],
  ['the largest code points of one, two and three bytes', Buffer.from('\u007f\u07ff\uffff')],
  ['the largest code point of all', Buffer.from('\u{10ffff}')],
  ['the code points beside the surrogates', Buffer.from('\ud7ff\ue000')],
  ['a byte order mark', Buffer.from('\ufeffx')],
];

const invalidTexts: readonly (readonly [what: string, hex: string])[] = [
  ['a continuation byte alone', '80'],
  ['a last continuation byte alone', 'bf'],
  ['a lead byte of two without its second', 'c3'],
  ['a lead byte of three without its third', 'e282'],
  ['a lead byte of four without its fourth', 'f09f8c'],
  ['a lead byte followed by a letter', 'c341'],
  ['an overlong slash in two bytes', 'c0af'],
  ['an overlong U+007F in two bytes', 'c1bf'],
  ['an overlong slash in three bytes', 'e080af'],
  ['an overlong slash in four bytes', 'f08080af'],
  ['the first surrogate', 'eda080'],
  ['the last surrogate', 'edbfbf'],
  ['a pair of surrogates', 'eda08cedbe8a'],
  ['a code point above U+10FFFF', 'f4908080'],
  ['a lead byte of no code point', 'f5808080'],
  ['the byte fe', 'fe'],
  ['the byte ff', 'ff'],
];

const utf8: FrameCase[] = [
  ...validTexts.map(([what, bytes]) => ({
    title: `text of ${what} passes`,
    frames: [{ opcode: Opcode.Text, payload: bytes }],
    outcome: { delivers: [text(bytes)] },
  })),
  ...validTexts.map(([what, bytes]) => ({
    title: `text of ${what} passes when every byte is a fragment`,
    frames: fragments(
      Opcode.Text,
      [...bytes].map((byte) => Buffer.from([byte])),
    ),
    outcome: { delivers: [text(bytes)] },
  })),
  ...invalidTexts.flatMap(([what, hex]): FrameCase[] => {
    const bytes = Buffer.concat([Buffer.from('ok '), Buffer.from(hex, 'hex')]);
    return [
      {
        title: `text with ${what} is refused with 1007`,
        frames: [{ opcode: Opcode.Text, payload: bytes }],
        outcome: { close: 1007 },
        unseen: { delivers: [text(bytes)] },
      },
      {
        title: `text with ${what} is refused with 1007 when every byte is a fragment`,
        frames: fragments(
          Opcode.Text,
          [...bytes].map((byte) => Buffer.from([byte])),
        ),
        outcome: { close: 1007 },
        unseen: { delivers: [text(bytes)] },
      },
      {
        title: `a binary message with ${what} passes`,
        frames: [{ opcode: Opcode.Binary, payload: bytes }],
        outcome: { delivers: [binary(bytes)] },
      },
    ];
  }),
  {
    title: 'a code point that is begun in one message does not go on in the next',
    frames: [
      { opcode: Opcode.Text, payload: Buffer.from([0xe2, 0x82]) },
      { opcode: Opcode.Text, payload: Buffer.from([0xac]) },
    ],
    outcome: { close: 1007 },
    unseen: { delivers: [text(Buffer.from([0xe2, 0x82])), text(Buffer.from([0xac]))] },
  },
];

/** The cases that go for either sender, masked or not as it has to be. */
export const FRAME_CASES: readonly FrameCase[] = [
  ...lengths,
  ...longLengths,
  ...impossibleLengths,
  ...reservedBits,
  ...reservedOpcodes,
  ...controlFrames,
  ...fragmentation,
  ...utf8,
];

/** The cases about the mask bit: what `masked` says is wrong for its sender. */
export function maskCases(masked: boolean): readonly FrameCase[] {
  return [...DATA, ...CONTROLS].flatMap((opcode) =>
    ['', 'x'].map((payload) => ({
      title: `a ${nameOf(opcode)} frame ${payload === '' ? 'without payload ' : ''}that is ${masked ? '' : 'not '}masked is a violation`,
      frames: [{ opcode, payload: payload && (opcode === Opcode.Close ? '\u0003\u0003' : payload), masked }],
      outcome: broken,
    })),
  );
}

/** Owns the cases about the frame itself: masking, lengths, reserved bits and opcodes (RFC 6455 sections 5.1 to 5.3). */
import { type FrameSpec, Opcode } from '../../support/frames.js';
import { binary, CONTROLS, type ConformanceCase, DATA, fail, message, nameOf, pass, text } from './case.js';

const LENGTHS = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, 131_072, 1_000_003];

const lengths = LENGTHS.flatMap((size) =>
  DATA.map((opcode): ConformanceCase => {
    const payload = Buffer.alloc(size, 'tide');
    return {
      id: `6455-5.2/length-${size}-${nameOf(opcode)}`,
      title: `a ${nameOf(opcode)} frame of ${size} bytes passes`,
      frames: [{ opcode, payload }],
      verdict: pass(message(opcode, payload)),
    };
  }),
);

const CUTS = [
  [0, 1],
  [1, 1],
  [125, 1],
  [126, 1],
  [127, 3],
  [300, 7],
  [65_535, 4093],
  [65_536, 4093],
  [65_536, 65_521],
  [200_000, 8191],
] as const;

const cutLengths = CUTS.map(([size, pieces]): ConformanceCase => {
  const payload = Buffer.alloc(size, 'tide');
  return {
    id: `6455-5.2/length-${size}-in-pieces-of-${pieces}`,
    title: `a frame of ${size} bytes that comes in pieces of ${pieces} passes`,
    frames: [{ opcode: Opcode.Binary, payload }],
    pieces,
    verdict: pass(binary(payload)),
  };
});

const overlong = (
  [
    [0, 16],
    [5, 16],
    [125, 16],
    [0, 64],
    [125, 64],
    [126, 64],
    [65_535, 64],
  ] as const
).map(([size, lengthEncoding]): ConformanceCase => {
  const payload = Buffer.alloc(size, 'x');
  return {
    id: `6455-5.2/overlong-length-${size}-in-${lengthEncoding}-bits`,
    title: `a length of ${size} written in ${lengthEncoding} bits is more than it needs`,
    frames: [{ opcode: Opcode.Binary, payload, lengthEncoding }],
    verdict: fail(1002),
    deviation: { on: 'everywhere', verdict: pass(binary(payload)), reason: 'overlong-lengths' },
  };
});

const impossibleLengths = (
  [
    ['2^63', 1n << 63n, 1002],
    ['2^63-and-1', (1n << 63n) + 1n, 1002],
    ['2^64-1', (1n << 64n) - 1n, 1002],
    ['2^63-1', (1n << 63n) - 1n, 1009],
    ['2^53', 1n << 53n, 1009],
    ['2^53-1', (1n << 53n) - 1n, 1009],
    ['2^32', 1n << 32n, 1009],
  ] as const
).flatMap(([name, lengthOverride, code]): ConformanceCase[] => {
  const length = name.replace('-and-', ' + ');
  const is = code === 1002 ? 'no length' : 'too big';
  return [
    {
      id: `6455-5.2/length-${name}`,
      title: `an announced length of ${length} is ${is}`,
      frames: [{ opcode: Opcode.Binary, lengthOverride }],
      verdict: fail(code),
    },
    {
      id: `6455-5.2/length-${name}-continued`,
      title: `an announced length of ${length} in a continuation is ${is}`,
      frames: [
        { opcode: Opcode.Text, payload: 'x', fin: false },
        { opcode: Opcode.Continuation, lengthOverride },
      ],
      verdict: fail(code),
    },
  ];
});

const BITS = ['rsv1', 'rsv2', 'rsv3'] as const;
const GROUPS = [['rsv1'], ['rsv2'], ['rsv3'], ['rsv1', 'rsv2'], ['rsv2', 'rsv3'], BITS] as const;

const reservedBits = GROUPS.flatMap((bits): ConformanceCase[] => {
  const name = bits.join('-');
  const set = Object.fromEntries(bits.map((bit) => [bit, true]));
  const wrong = (where: string, frames: readonly FrameSpec[]): ConformanceCase => ({
    id: `6455-5.2/${name}-on-${where}`,
    title: `${bits.join(' and ').toUpperCase()} on a ${where} frame is a violation where no extension was agreed on`,
    frames,
    verdict: fail(1002),
  });
  return [
    ...[...DATA, ...CONTROLS].map((opcode) =>
      wrong(nameOf(opcode), [{ opcode, payload: opcode === Opcode.Close ? Buffer.of(3, 0xe8) : 'x', ...set }]),
    ),
    wrong('empty-text', [{ opcode: Opcode.Text, ...set }]),
    wrong('continuation', [
      { opcode: Opcode.Text, payload: 'x', fin: false },
      { opcode: Opcode.Continuation, payload: 'y', ...set },
    ]),
    wrong('ping-between-fragments', [
      { opcode: Opcode.Text, payload: 'x', fin: false },
      { opcode: Opcode.Ping, payload: 'y', ...set },
      { opcode: Opcode.Continuation, payload: 'z' },
    ]),
  ];
});

const reservedOpcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): ConformanceCase[] => {
  const wrong = (how: string, title: string, frames: readonly FrameSpec[]): ConformanceCase => ({
    id: `6455-5.2/opcode-${opcode}${how}`,
    title: `the reserved opcode ${opcode} ${title}`,
    frames,
    verdict: fail(1002),
  });
  return [
    wrong('', 'is a violation', [{ opcode, payload: 'x' }]),
    wrong('-empty', 'without payload is a violation', [{ opcode }]),
    wrong('-not-final', 'in a frame that is not final is a violation', [{ opcode, payload: 'x', fin: false }]),
    wrong('-in-message', 'inside a fragmented message is a violation', [
      { opcode: Opcode.Text, payload: 'x', fin: false },
      { opcode, payload: 'y' },
      { opcode: Opcode.Continuation, payload: 'z' },
    ]),
  ];
});

/** Keys that show a wrong rotation, a wrong sign and a mask that is left out. */
const KEYS = ['00000000', 'ffffffff', '80000000', '00000080', '12345678', 'fedcba98'];

const maskKeys = KEYS.flatMap((key) =>
  [1, 2, 3, 4, 5, 7, 8, 71, 72, 73, 74, 75, 125, 126, 1000].map((size): ConformanceCase => {
    const payload = Buffer.from(Array.from({ length: size }, (_, at) => (at * 37 + 11) & 0xff));
    return {
      id: `6455-5.3/key-${key}-size-${size}`,
      title: `${size} bytes masked with the key ${key} come out as they were`,
      frames: [{ opcode: Opcode.Binary, payload, maskKey: Buffer.from(key, 'hex') }],
      only: 'client',
      verdict: pass(binary(payload)),
    };
  }),
);

const keyPerFragment: ConformanceCase = {
  id: '6455-5.3/key-per-fragment',
  title: 'every fragment is unmasked with its own key, from its first byte',
  frames: KEYS.map((key, index) => ({
    opcode: index === 0 ? Opcode.Text : Opcode.Continuation,
    fin: index === KEYS.length - 1,
    payload: 'tide and '.slice(0, index + 4),
    maskKey: Buffer.from(key, 'hex'),
  })),
  only: 'client',
  verdict: pass(text(KEYS.map((_, index) => 'tide and '.slice(0, index + 4)).join(''))),
};

function wrongMasks(only: 'client' | 'target'): ConformanceCase[] {
  const masked = only === 'target';
  const what = masked ? 'masked' : 'unmasked';
  const wrong = (slug: string, frames: readonly FrameSpec[]): ConformanceCase => ({
    id: `6455-5.1/${what}-${slug}`,
    title: `a frame of a ${only} that is ${what} is a violation: ${slug.replaceAll('-', ' ')}`,
    frames,
    only,
    verdict: fail(1002),
  });
  return [
    ...[...DATA, ...CONTROLS].flatMap((opcode) => [
      wrong(`empty-${nameOf(opcode)}`, [{ opcode, masked }]),
      wrong(nameOf(opcode), [{ opcode, payload: opcode === Opcode.Close ? Buffer.of(3, 0xe8) : 'x', masked }]),
    ]),
    wrong('continuation', [
      { opcode: Opcode.Text, payload: 'x', fin: false },
      { opcode: Opcode.Continuation, payload: 'y', masked },
    ]),
    wrong('frame-of-100000-bytes', [{ opcode: Opcode.Binary, payload: Buffer.alloc(100_000), masked }]),
  ];
}

export const FRAMING: readonly ConformanceCase[] = [
  ...wrongMasks('client'),
  ...wrongMasks('target'),
  ...lengths,
  ...cutLengths,
  ...overlong,
  ...impossibleLengths,
  ...reservedBits,
  ...reservedOpcodes,
  ...maskKeys,
  keyPerFragment,
];

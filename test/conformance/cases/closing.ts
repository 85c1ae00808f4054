/** Owns the cases about Close frames (RFC 6455 sections 5.5.1, 7.1 and 7.4). Every single code is in close-codes.test.ts. */
import { closePayload, Opcode } from '../../support/frames.js';
import { type ConformanceCase, closes, fail, text } from './case.js';

/** RFC 6455 section 7.4.1 with the IANA registry, and samples of section 7.4.2. */
const SENDABLE = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4404, 4998, 4999,
];
const FORBIDDEN = [
  0, 1, 2, 255, 256, 998, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2998, 2999, 5000, 5001, 9999,
  32_768, 65_535,
];

/** Reasons that are not UTF-8. */
const BAD_REASONS = [
  ['a-byte-of-no-code-point', 'ff'],
  ['a-lone-continuation', '80'],
  ['a-cut-code-point', 'e282'],
  ['a-surrogate', 'eda080'],
  ['an-overlong-slash', 'c0af'],
  ['a-code-point-too-high', 'f4908080'],
] as const;

const GOOD_REASONS = [
  ['one-byte', 'x'],
  ['122-bytes', 'r'.repeat(122)],
  ['123-bytes', 'r'.repeat(123)],
  ['123-bytes-of-long-code-points', '\u20ac'.repeat(41)],
  ['all-lengths-of-code-points', 'a\u00e4\u20ac\u{1f30a}'],
  ['a-zero-byte', 'a\u0000b'],
  ['a-byte-order-mark', '\ufeffx'],
] as const;

function close(payload: Uint8Array) {
  return { opcode: Opcode.Close, payload };
}

const codes: ConformanceCase[] = [
  ...SENDABLE.map(
    (code): ConformanceCase => ({
      id: `6455-7.4/code-${code}`,
      title: `a Close frame with the code ${code} is passed on and answered`,
      frames: [close(closePayload(code, 'because'))],
      verdict: closes(code, 'because'),
    }),
  ),
  ...FORBIDDEN.map(
    (code): ConformanceCase => ({
      id: `6455-7.4/code-${code}`,
      title: `a Close frame with the code ${code} is a violation`,
      frames: [close(closePayload(code, 'no'))],
      verdict: fail(1002),
    }),
  ),
];

const payloads: ConformanceCase[] = [
  {
    id: '6455-5.5.1/empty',
    title: 'a Close frame without payload is answered with one, and reported as 1005',
    frames: [close(closePayload())],
    verdict: closes(1005),
  },
  ...[0, 3, 255].map(
    (byte): ConformanceCase => ({
      id: `6455-5.5.1/one-byte-${byte}`,
      title: `a Close frame with half a code, the byte ${byte}, is a violation`,
      frames: [close(Buffer.of(byte))],
      verdict: fail(1002),
    }),
  ),
  {
    id: '6455-5.5.1/two-bytes',
    title: 'a Close frame with a code and no reason is answered',
    frames: [close(closePayload(1000))],
    verdict: closes(1000),
  },
  {
    id: '6455-5.5.1/in-pieces',
    title: 'a Close frame that comes byte by byte is answered',
    frames: [close(closePayload(1000, 'bye'))],
    pieces: 1,
    verdict: closes(1000, 'bye'),
  },
  ...GOOD_REASONS.map(
    ([slug, reason]): ConformanceCase => ({
      id: `6455-5.5.1/reason-${slug}`,
      title: `a Close frame whose reason has ${slug.replaceAll('-', ' ')} crosses whole`,
      frames: [close(closePayload(4000, reason))],
      verdict: closes(4000, reason),
    }),
  ),
  ...BAD_REASONS.map(
    ([slug, hex]): ConformanceCase => ({
      id: `6455-8.1/reason-with-${slug}`,
      title: `a Close frame whose reason has ${slug.replaceAll('-', ' ')} is a violation`,
      frames: [close(Buffer.concat([closePayload(1000, 'ok'), Buffer.from(hex, 'hex')]))],
      verdict: fail(1007),
    }),
  ),
  {
    id: '6455-8.1/reason-beside-a-wrong-code',
    title: 'of a wrong code and a reason that is not UTF-8 the code counts',
    frames: [close(Buffer.concat([closePayload(1005), Buffer.of(0xff)]))],
    verdict: fail(1002),
  },
];

const around: ConformanceCase[] = [
  {
    id: '6455-5.5.1/two-closes',
    title: 'of two Close frames the first counts',
    frames: [close(closePayload(4001, 'first')), close(closePayload(4002, 'second'))],
    verdict: closes(4001, 'first'),
  },
  {
    id: '6455-5.5.1/wrong-close-after-close',
    title: 'a Close frame that would be a violation is ignored behind another one',
    frames: [close(closePayload(4001, 'first')), close(Buffer.of(3))],
    verdict: closes(4001, 'first'),
  },
  {
    id: '6455-5.5.1/data-after-close',
    title: 'data, pings and rubbish behind a Close frame are ignored',
    frames: [
      { opcode: Opcode.Text, payload: 'good' },
      close(closePayload(4001, 'first')),
      { opcode: Opcode.Text, payload: 'late' },
      { opcode: Opcode.Ping, payload: 'late' },
      { opcode: 15, payload: 'late', rsv2: true },
    ],
    verdict: closes(4001, 'first', text('good')),
  },
  {
    id: '6455-5.5.1/between-fragments',
    title: 'a Close frame inside a fragmented message ends the connection, and the message is given up',
    frames: [{ opcode: Opcode.Text, payload: 'half', fin: false }, close(closePayload(1000))],
    verdict: closes(1000),
  },
  {
    id: '6455-5.5.1/wrong-between-fragments',
    title: 'a Close frame with a forbidden code inside a fragmented message is a violation',
    frames: [{ opcode: Opcode.Text, payload: 'half', fin: false }, close(closePayload(1006))],
    verdict: fail(1002),
  },
  {
    id: '6455-5.5.1/after-messages',
    title: 'every message before a Close frame arrives',
    frames: [
      { opcode: Opcode.Text, payload: 'one' },
      { opcode: Opcode.Text, payload: 'two' },
      close(closePayload(1001, 'going')),
    ],
    verdict: closes(1001, 'going', text('one'), text('two')),
  },
];

export const CLOSING: readonly ConformanceCase[] = [...codes, ...payloads, ...around];

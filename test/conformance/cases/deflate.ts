/** Owns the cases about compressed messages, once permessage-deflate was agreed on (RFC 7692 sections 6 and 7.2). */
import { type FrameSpec, Opcode } from '../../support/frames.js';
import { deflated } from '../deflate-codec.js';
import {
  binary,
  CONTROLS,
  type ConformanceCase,
  type Delivered,
  fail,
  message,
  nameOf,
  pass,
  type SetupName,
  text,
} from './case.js';
import { MAX_MESSAGE_BYTES } from './limits.js';

const LONG = 'the tide comes in, the tide goes out, '.repeat(400);
const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** A compressed message in one frame, or in a frame for each part. */
function compressed(opcode: number, ...parts: readonly Uint8Array[]): FrameSpec[] {
  return parts.map((payload, index) => ({
    opcode: index === 0 ? opcode : Opcode.Continuation,
    rsv1: index === 0,
    fin: index === parts.length - 1,
    payload,
  }));
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

function good(
  id: string,
  title: string,
  frames: readonly FrameSpec[],
  messages: readonly Delivered[],
  setup: SetupName = 'deflate',
): ConformanceCase {
  return { id: `7692-${id}`, title, frames, verdict: pass(...messages), setup };
}

const hello = [text('Hello')];
const shared = [...compressed(Opcode.Text, hex('f248cdc9c90700')), ...compressed(Opcode.Text, hex('f200110000'))];

/** Section 7.2.3, byte for byte. */
const examples: ConformanceCase[] = [
  good('7.2.3.1/one-block', 'the example of one block passes', compressed(Opcode.Text, hex('f248cdc9c90700')), hello),
  good(
    '7.2.3.1/one-block-in-fragments',
    'the example of one block in two fragments passes',
    compressed(Opcode.Text, hex('f2 48 cd'), hex('c9 c9 07 00')),
    hello,
  ),
  good(
    '7.2.3.2/shared-window',
    'the example that refers to the message before passes where the window is kept',
    shared,
    [text('Hello'), text('Hello')],
    'takeover',
  ),
  good(
    '7.2.3.3/no-compression',
    'the example of a block without compression passes',
    compressed(Opcode.Text, hex('00 05 00 fa ff 48 65 6c 6c 6f 00')),
    hello,
  ),
  good(
    '7.2.3.4/final-block',
    'the example of a block with BFINAL passes',
    compressed(Opcode.Text, hex('f3 48 cd c9 c9 07 00 00')),
    hello,
  ),
  good(
    '7.2.3.5/two-blocks',
    'the example of two blocks in one message passes',
    compressed(Opcode.Text, hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00')),
    hello,
  ),
  good('7.2.3.6/empty', 'the example of an empty message passes', compressed(Opcode.Text, hex('00')), [text('')]),
];

const passing: ConformanceCase[] = [
  good('7.2.2/no-bytes', 'a compressed message of no bytes at all is empty', compressed(Opcode.Binary, hex('')), [
    binary(''),
  ]),
  good('7.2.2/long', 'a long compressed message passes', compressed(Opcode.Text, deflated(LONG)), [text(LONG)]),
  good(
    '7.2.2/long-in-bytes',
    'a compressed message passes when every byte is a fragment',
    compressed(Opcode.Text, ...inPieces(deflated(LONG), 1)),
    [text(LONG)],
  ),
  good(
    '7.2.2/empty-fragments',
    'empty fragments of a compressed message pass, first, in its middle and last',
    compressed(Opcode.Text, hex(''), hex('f248cd'), hex(''), hex('c9c90700'), hex('')),
    hello,
  ),
  good(
    '7.2.2/after-final-block',
    'a message behind one that ended with BFINAL passes',
    [...compressed(Opcode.Text, hex('f3 48 cd c9 c9 07 00 00')), ...compressed(Opcode.Text, deflated('again'))],
    [text('Hello'), text('again')],
    'takeover',
  ),
  good(
    '6.1/plain-between',
    'an uncompressed message passes between compressed ones, in order',
    [
      ...compressed(Opcode.Text, deflated('one')),
      { opcode: Opcode.Text, payload: 'two' },
      ...compressed(Opcode.Binary, deflated('three')),
    ],
    [text('one'), text('two'), binary('three')],
  ),
  good(
    '6.1/plain-fragmented',
    'an uncompressed message in fragments passes',
    [
      { opcode: Opcode.Text, payload: 'f2', fin: false },
      { opcode: Opcode.Continuation, payload: '48' },
    ],
    [text('f248')],
  ),
  good(
    '6.1/ping-between',
    'a ping between the fragments of a compressed message is answered',
    compressed(Opcode.Text, hex('f2 48 cd'), hex('c9 c9 07 00')).flatMap((frame, index) =>
      index === 0 ? [frame, { opcode: Opcode.Ping, payload: 'now' }] : [frame],
    ),
    hello,
  ),
  good(
    '7.2.2/many',
    '50 compressed messages pass in order',
    Array.from({ length: 50 }, (_, index) => compressed(Opcode.Text, deflated(`${index}`))).flat(),
    Array.from({ length: 50 }, (_, index) => text(`${index}`)),
  ),
];

function wrongBit(id: string, title: string, ...frames: readonly FrameSpec[]): ConformanceCase {
  return { id: `7692-${id}`, title: `${title} is a violation`, frames, verdict: fail(1002), setup: 'deflate' };
}

const bits: ConformanceCase[] = [
  ...CONTROLS.map((opcode) =>
    wrongBit(`6.1/rsv1-on-${nameOf(opcode)}`, `RSV1 on a ${nameOf(opcode)} frame`, { opcode, rsv1: true }),
  ),
  wrongBit(
    '6.1/rsv1-on-continuation',
    'RSV1 on a continuation of a compressed message',
    ...compressed(Opcode.Text, hex('f2 48 cd'), hex('c9 c9 07 00')).map((frame) => ({ ...frame, rsv1: true })),
  ),
  wrongBit(
    '6.1/rsv1-on-continuation-only',
    'RSV1 on a continuation of an uncompressed message',
    { opcode: Opcode.Text, payload: 'x', fin: false },
    { opcode: Opcode.Continuation, payload: deflated('y'), rsv1: true },
  ),
  ...(['rsv2', 'rsv3'] as const).flatMap((bit) => [
    wrongBit(`6/${bit}-on-compressed`, `${bit.toUpperCase()} on a compressed message`, {
      opcode: Opcode.Text,
      payload: deflated('x'),
      rsv1: true,
      [bit]: true,
    }),
    wrongBit(`6/${bit}-on-plain`, `${bit.toUpperCase()} on an uncompressed message`, {
      opcode: Opcode.Text,
      payload: 'x',
      [bit]: true,
    }),
  ]),
];

function bad(
  id: string,
  title: string,
  payload: Buffer,
  options: { readonly code?: number; readonly inflated?: Buffer; readonly setup?: SetupName } = {},
): ConformanceCase {
  const { code = 1007, inflated = payload, setup = 'deflate' } = options;
  const opcode = code === 1007 ? Opcode.Text : Opcode.Binary;
  return {
    id: `7692-${id}`,
    title: `${title} is refused with ${code}`,
    frames: [...compressed(Opcode.Text, deflated('good')), ...compressed(opcode, payload)],
    verdict: fail(code, text('good')),
    deviation: {
      on: 'compressed',
      verdict: pass(text('good'), message(opcode, inflated)),
      reason: 'compressed-payloads',
    },
    setup,
  };
}

function bomb(bytes: number) {
  return { code: 1009, inflated: Buffer.alloc(bytes), setup: 'deflate limits' } as const;
}

const wrong: ConformanceCase[] = [
  bad('7.2.2/reserved-block', 'a block of the reserved type', hex('ff ff ff 07 3d')),
  bad('7.2.2/wrong-stored-length', 'a stored block of two lengths', hex('00 05 00 fa fe 48')),
  bad('7.2.2/wrong-trees', 'a block with impossible trees', hex('fc ff ff ff ff ff ff')),
  bad('7.2.2/nothing-before', 'a reference behind the beginning', hex('f2 00 11 00 00')),
  bad('7.2.2/cut-stored-block', 'a stored block that is cut', hex('00 05 00 fa ff 48 65')),
  bad('7.2.2/plain-text', 'text that only claims to be compressed', Buffer.from('Hello')),
  bad('7.2.2/not-utf8', 'text that is not UTF-8 once it is inflated', deflated(hex('61fffe')), {
    inflated: hex('61fffe'),
  }),
  bad(
    '10/over-the-limit',
    'a message that inflates to one byte over the limit',
    deflated(Buffer.alloc(1001)),
    bomb(1001),
  ),
  bad('10/bomb', 'a message that inflates to 900 times the limit', deflated(Buffer.alloc(900_000)), bomb(900_000)),
  {
    id: '7692-10/announced',
    title: 'the announced size of a compressed message counts too',
    frames: [{ opcode: Opcode.Binary, rsv1: true, lengthOverride: MAX_MESSAGE_BYTES + 1 }],
    verdict: fail(1009),
    setup: 'deflate limits',
  },
  {
    id: '7692-7.1.1/window-not-kept',
    title: 'a reference into the message before is refused where the window is forgotten',
    frames: shared,
    verdict: fail(1007, text('Hello')),
    deviation: {
      on: 'compressed',
      verdict: pass(text('Hello'), text(hex('f200110000'))),
      reason: 'compressed-payloads',
    },
    setup: 'deflate',
  },
  good(
    '10/exactly-the-limit',
    'a message that inflates to exactly the limit passes, in one frame and in fragments',
    [
      ...compressed(Opcode.Binary, deflated(Buffer.alloc(MAX_MESSAGE_BYTES, 'x'))),
      ...compressed(Opcode.Binary, ...inPieces(deflated(Buffer.alloc(MAX_MESSAGE_BYTES, 'y')), 3)),
    ],
    [binary(Buffer.alloc(MAX_MESSAGE_BYTES, 'x')), binary(Buffer.alloc(MAX_MESSAGE_BYTES, 'y'))],
    'deflate limits',
  ),
];

export const DEFLATE: readonly ConformanceCase[] = [...examples, ...passing, ...bits, ...wrong];

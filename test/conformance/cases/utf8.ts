/** Owns the cases about text that is and is not UTF-8 (RFC 6455 sections 5.6 and 8.1, RFC 3629). */
import { Opcode } from '../../support/frames.js';
import { binary, byteFragments, type ConformanceCase, type Delivered, fail, fragments, pass, text } from './case.js';

const VALID = [
  ['all-lengths-of-code-points', 'a\u00e4\u20ac\u{1f30a}'],
  ['u+0000', '\u0000'],
  ['the-smallest-of-each-length', '\u0080\u0800\u{10000}'],
  ['the-largest-of-each-length', '\u007f\u07ff\uffff'],
  ['the-largest-of-all', '\u{10ffff}'],
  ['the-neighbours-of-the-surrogates', '\ud7ff\ue000'],
  ['noncharacters', '\ufdd0\ufffe\u{1fffe}\u{10fffe}'],
  ['a-byte-order-mark', '\ufeffx'],
  ['the-replacement-character', '\ufffd'],
  ['combining-characters', 'e\u0301\u{1f468}\u200d\u{1f469}'],
] as const;

const INVALID = [
  ['a-lone-continuation-80', '80'],
  ['a-lone-continuation-bf', 'bf'],
  ['a-run-of-continuations', '808182'],
  ['a-lead-of-two-cut', 'c3'],
  ['a-lead-of-three-cut', 'e2'],
  ['three-bytes-cut-to-two', 'e282'],
  ['a-lead-of-four-cut', 'f0'],
  ['four-bytes-cut-to-two', 'f09f'],
  ['four-bytes-cut-to-three', 'f09f8c'],
  ['a-lead-then-a-letter', 'c341'],
  ['three-bytes-broken-by-a-letter', 'e28241'],
  ['four-bytes-broken-by-a-letter', 'f09f8c41'],
  ['a-lead-then-a-lead', 'c3c3a4'],
  ['overlong-in-2-c0af', 'c0af'],
  ['overlong-in-2-c080', 'c080'],
  ['overlong-in-2-c1bf', 'c1bf'],
  ['overlong-in-3-e080af', 'e080af'],
  ['overlong-in-3-e09fbf', 'e09fbf'],
  ['overlong-in-4-f08080af', 'f08080af'],
  ['overlong-in-4-f08fbfbf', 'f08fbfbf'],
  ['surrogate-d800', 'eda080'],
  ['surrogate-dbff', 'edafbf'],
  ['surrogate-dc00', 'edb080'],
  ['surrogate-dfff', 'edbfbf'],
  ['a-pair-of-surrogates', 'eda08cedbe8a'],
  ['above-u+10ffff', 'f4908080'],
  ['lead-f5', 'f5808080'],
  ['lead-f7', 'f7bfbfbf'],
  ['five-bytes', 'f888808080'],
  ['six-bytes', 'fc8480808080'],
  ['fe', 'fe'],
  ['ff', 'ff'],
] as const;

/** The two halves of a text, cut inside the bytes `hex`. */
function halves(hex: string): [Buffer, Buffer] {
  const bytes = Buffer.from(hex, 'hex');
  const cut = Math.max(1, bytes.length >> 1);
  return [
    Buffer.concat([Buffer.from('ok '), bytes.subarray(0, cut)]),
    Buffer.concat([bytes.subarray(cut), Buffer.from(' so')]),
  ];
}

function wrong(
  slug: string,
  title: string,
  frames: ConformanceCase['frames'],
  ...passes: readonly Delivered[]
): ConformanceCase {
  return {
    id: `6455-8.1/${slug}`,
    title,
    frames,
    verdict: fail(1007),
    deviation: { on: 'unread', verdict: pass(...passes), reason: 'unread-payloads' },
  };
}

const valid = VALID.flatMap(([slug, string]): ConformanceCase[] => {
  const bytes = Buffer.from(string);
  return [
    {
      id: `6455-8.1/valid-${slug}`,
      title: `text of ${slug.replaceAll('-', ' ')} passes`,
      frames: [{ opcode: Opcode.Text, payload: bytes }],
      verdict: pass(text(bytes)),
    },
    {
      id: `6455-8.1/valid-${slug}-in-fragments`,
      title: `text of ${slug.replaceAll('-', ' ')} passes when every byte is a fragment`,
      frames: byteFragments(Opcode.Text, bytes),
      verdict: pass(text(bytes)),
    },
  ];
});

/** A code point of four bytes, and every way to cut it. */
const WAVE = Buffer.from('\u{1f30a}');
const cuts = [1, 2, 3].map(
  (at): ConformanceCase => ({
    id: `6455-8.1/valid-cut-at-${at}`,
    title: `a code point of four bytes that is cut behind its byte ${at}, with a ping in the cut, passes`,
    frames: [
      { opcode: Opcode.Text, payload: Buffer.concat([Buffer.from('a'), WAVE.subarray(0, at)]), fin: false },
      { opcode: Opcode.Ping, payload: Buffer.of(0xff) },
      { opcode: Opcode.Continuation, payload: '', fin: false },
      { opcode: Opcode.Continuation, payload: Buffer.concat([WAVE.subarray(at), Buffer.from('b')]) },
    ],
    verdict: pass(text('a\u{1f30a}b')),
  }),
);

const invalid = INVALID.flatMap(([slug, hex]): ConformanceCase[] => {
  const words = slug.replaceAll('-', ' ');
  const bytes = Buffer.concat([Buffer.from('ok '), Buffer.from(hex, 'hex')]);
  const [front, back] = halves(hex);
  return [
    wrong(slug, `text with ${words} is refused`, [{ opcode: Opcode.Text, payload: bytes }], text(bytes)),
    wrong(
      `${slug}-in-fragments`,
      `text with ${words} is refused when every byte is a fragment`,
      byteFragments(Opcode.Text, bytes),
      text(bytes),
    ),
    wrong(
      `${slug}-in-first-fragment`,
      `text with ${words} in its first fragment is refused`,
      fragments(Opcode.Text, [bytes, ' so']),
      text(Buffer.concat([bytes, Buffer.from(' so')])),
    ),
    wrong(
      `${slug}-over-two-fragments`,
      `text with ${words} over the border of two fragments is refused`,
      fragments(Opcode.Text, [front, back]),
      text(Buffer.concat([front, back])),
    ),
    {
      id: `6455-5.6/binary-${slug}`,
      title: `a binary message with ${words} passes`,
      frames: [{ opcode: Opcode.Binary, payload: bytes }],
      verdict: pass(binary(bytes)),
    },
  ];
});

const across: ConformanceCase[] = [
  wrong(
    'code-point-over-two-messages',
    'a code point that is begun in one message does not go on in the next',
    [
      { opcode: Opcode.Text, payload: Buffer.of(0xe2, 0x82) },
      { opcode: Opcode.Text, payload: Buffer.of(0xac) },
    ],
    text(Buffer.of(0xe2, 0x82)),
    text(Buffer.of(0xac)),
  ),
  wrong(
    'cut-then-empty-fragments',
    'a code point that is cut at the end of a message is refused, whatever empty fragments follow',
    fragments(Opcode.Text, [Buffer.of(0xe2, 0x82), '', '']),
    text(Buffer.of(0xe2, 0x82)),
  ),
];

export const UTF8: readonly ConformanceCase[] = [...valid, ...cuts, ...invalid, ...across];

/** Owns the cases about how large a message may be and of how many frames (RFC 6455 sections 5.2, 7.4.1 and 10.4). */
import { type FrameSpec, Opcode } from '../../support/frames.js';
import { binary, type ConformanceCase, fail, fragments, pass, text } from './case.js';

/** The limits of the setups that have some. */
export const MAX_MESSAGE_BYTES = 1000;
export const MAX_FRAGMENTS = 8;

const full = Buffer.alloc(MAX_MESSAGE_BYTES, 'tide');
const pong: FrameSpec = { opcode: Opcode.Pong, payload: Buffer.alloc(125) };

function cut(total: number, parts: number): Buffer[] {
  const each = Math.floor(total / parts);
  return Array.from({ length: parts }, (_, index) =>
    Buffer.alloc(index === parts - 1 ? total - each * (parts - 1) : each, 'tide'),
  );
}

const exact: ConformanceCase[] = [
  {
    id: '6455-10.4/exactly-the-limit',
    title: 'a message of exactly the limit passes',
    frames: [{ opcode: Opcode.Binary, payload: full }],
    verdict: pass(binary(full)),
  },
  {
    id: '6455-10.4/exactly-the-limit-in-fragments',
    title: 'a message of exactly the limit in three fragments passes, and the next one begins anew',
    frames: [
      ...fragments(Opcode.Binary, cut(MAX_MESSAGE_BYTES, 3)),
      ...fragments(Opcode.Text, cut(MAX_MESSAGE_BYTES, 2)),
      { opcode: Opcode.Binary, payload: full },
    ],
    verdict: pass(
      binary(Buffer.concat(cut(MAX_MESSAGE_BYTES, 3))),
      text(Buffer.concat(cut(MAX_MESSAGE_BYTES, 2))),
      binary(full),
    ),
  },
  {
    id: '6455-10.4/controls-do-not-count',
    title: 'control frames between the fragments of a message of exactly the limit do not count',
    frames: cut(MAX_MESSAGE_BYTES, 3).flatMap((payload, index) => [
      { opcode: index === 0 ? Opcode.Binary : Opcode.Continuation, payload, fin: index === 2 },
      pong,
      pong,
    ]),
    verdict: pass(binary(Buffer.concat(cut(MAX_MESSAGE_BYTES, 3)))),
  },
  {
    id: '6455-10.4/exactly-so-many-fragments',
    title: `a message of exactly ${MAX_FRAGMENTS} fragments passes, twice`,
    frames: [1, 2].flatMap(() => fragments(Opcode.Text, Array<string>(MAX_FRAGMENTS).fill('a'))),
    verdict: pass(text('a'.repeat(MAX_FRAGMENTS)), text('a'.repeat(MAX_FRAGMENTS))),
  },
  {
    id: '6455-10.4/empty-after-the-limit',
    title: 'an empty last fragment behind the limit passes',
    frames: fragments(Opcode.Binary, [full, '']),
    verdict: pass(binary(full)),
  },
];

function tooBig(slug: string, title: string, ...frames: readonly FrameSpec[]): ConformanceCase {
  return { id: `6455-10.4/${slug}`, title: `${title} is refused with 1009`, frames, verdict: fail(1009) };
}

const over: ConformanceCase[] = [
  tooBig('one-more', 'one byte over the limit', { opcode: Opcode.Binary, payload: Buffer.alloc(1001) }),
  tooBig('one-more-announced', 'one byte over the limit that is only announced', {
    opcode: Opcode.Binary,
    lengthOverride: 1001,
  }),
  tooBig('65535-announced', 'a frame that announces 65 535 bytes', { opcode: Opcode.Text, lengthOverride: 65_535 }),
  tooBig('a-gigabyte-announced', 'a frame that announces a gigabyte', {
    opcode: Opcode.Text,
    lengthOverride: 1 << 30,
  }),
  tooBig(
    'one-more-over-fragments',
    'one byte over the limit in three fragments',
    ...fragments(Opcode.Binary, cut(1001, 3)),
  ),
  tooBig(
    'one-more-in-last-fragment',
    'a last fragment of one byte behind the limit',
    ...fragments(Opcode.Binary, [full, 'x']),
  ),
  tooBig(
    'announced-in-last-fragment',
    'one byte over the limit that a last fragment announces',
    { opcode: Opcode.Text, payload: Buffer.alloc(600, 'a'), fin: false },
    { opcode: Opcode.Continuation, lengthOverride: 401 },
  ),
  {
    ...tooBig(
      'good-before',
      'a message over the limit behind a good one',
      { opcode: Opcode.Text, payload: 'good' },
      { opcode: Opcode.Binary, payload: Buffer.alloc(1001) },
    ),
    verdict: fail(1009, text('good')),
  },
  {
    id: '6455-10.4/too-many-fragments',
    title: `a fragment more than ${MAX_FRAGMENTS} is refused with 1008`,
    frames: fragments(Opcode.Text, Array<string>(MAX_FRAGMENTS + 1).fill('a')),
    verdict: fail(1008),
  },
  {
    id: '6455-10.4/too-many-empty-fragments',
    title: 'empty fragments count, and so do those of a message without end',
    frames: Array.from({ length: 20 }, (_, index) => ({
      opcode: index === 0 ? Opcode.Text : Opcode.Continuation,
      fin: false,
    })),
    verdict: fail(1008),
  },
];

export const LIMITS: readonly ConformanceCase[] = [...exact, ...over].map((one) => ({ ...one, setup: 'limits' }));

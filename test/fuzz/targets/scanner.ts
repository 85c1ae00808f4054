/**
 * Owns the fuzzing of frames: the scanner must not depend on how the stream is cut, hold little and never throw, and the
 * messages read with it must be those that `ws` reads, up to the same broken rule.
 *
 * The first byte of an input says what is allowed: bit 0 masked, bit 1 compression, bits 2 and 3 the size of a message,
 * bits 4 and 5 the number of fragments. The rest is the stream.
 *
 * Deliberate differences from `ws`, which are left out of the comparison: a first byte that is wrong is refused at once
 * (`ws` waits for the second), a Close of one byte when it is whole (`ws`: at its header), a fragment too many at its
 * header (`ws`: when it is whole), and a 64-bit length with its top bit set is 1002 here and 1009 there.
 */
import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { MessageReader } from '../../../src/server/paths/message-reader.js';
import { cutToBytes, scanAll } from '../../unit/protocol/scan-record.js';
import type { FuzzTarget } from '../fuzz.js';
import type { Mutator } from '../mutate.js';
import { piecesOf } from '../random.js';
import { type Reading, said, type Told, WsReader } from './ws-receiver.js';

const SIZES = [0, 20, 200, 70_000];
const FRAGMENTS = [0, 1, 2, 8];

/** Zeros that complete any control frame: whoever waits for the rest of one gets it. */
const REST = Buffer.alloc(140);

interface Rules {
  readonly masked: boolean;
  readonly compression: boolean;
  readonly maxFrameBytes: number;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
}

function run(input: Buffer): string {
  const flags = input[0] ?? 0;
  const maxMessageBytes = SIZES[(flags >> 2) & 3]!;
  const rules: Rules = {
    masked: (flags & 1) !== 0,
    compression: (flags & 2) !== 0,
    maxFrameBytes: maxMessageBytes,
    maxMessageBytes,
    maxFragments: FRAGMENTS[(flags >> 4) & 3]!,
  };
  const stream = input.subarray(1);
  const whole = scanAll([stream], rules);
  for (const chunks of [cutToBytes(stream.subarray(0, 500)).concat(stream.subarray(500)), piecesOf(stream, 8)]) {
    const cut = scanAll(chunks, rules);
    if (!isDeepStrictEqual(cut, whole)) assert.deepEqual(cut, whole, 'the outcome depends on how the stream was cut');
  }
  const told = rules.compression ? [] : compare(stream, rules);
  const frames = whole.frames
    .slice(0, 6)
    .map(({ opcode }) => opcode.toString(16))
    .join('');
  const kinds = new Set(told.map((one) => one.split(' ', 1)[0]));
  return `${flags & 3} ${frames} ${whole.violation?.message.replace(/\d+/g, '0')} ${whole.held > 0} ${[...kinds]}`;
}

function compare(stream: Buffer, rules: Rules): Told {
  const ours = readOurs([stream], rules);
  const cut = readOurs(piecesOf(stream, 5, 1), rules);
  assert.deepEqual(cut, ours, 'the messages depend on how the stream was cut');
  const theirs = new WsReader(rules);
  theirs.read(stream);
  if (ours.error === 'TOO_MANY_FRAGMENTS') {
    assert.deepEqual(theirs.told.slice(0, ours.told.length), ours.told, 'before a fragment too many');
    return ours.told;
  }
  if (ours.code !== undefined && theirs.code === undefined) theirs.read(REST);
  const again = ours.code === undefined && theirs.code !== undefined ? readOurs([stream, REST], rules) : ours;
  const told = { told: again.told, code: again.topBit ? 1009 : again.code };
  assert.deepEqual(told, { told: theirs.told, code: theirs.code }, 'ws reads something else');
  return ours.told;
}

function readOurs(chunks: readonly Buffer[], rules: Rules): Reading & { error?: string; topBit: boolean } {
  const told: Told = [];
  let code: number | undefined;
  let error: string | undefined;
  let topBit = false;
  const reader = new MessageReader({
    masked: rules.masked,
    maxMessageBytes: rules.maxMessageBytes,
    maxFragments: rules.maxFragments,
    fragments: 'buffer',
    deflate: undefined,
    traffic: { fragments: 0, controls: 0 },
    sink: {
      onMessage: (kind, data) => told.push(said(kind, data)),
      onFragment: () => assert.fail('no fragments were asked for'),
      onPing: (payload) => told.push(said('ping', payload)),
      onPong: (payload) => told.push(said('pong', payload)),
      onClose: (status, reason) => told.push(said(`close ${status}`, Buffer.from(reason))),
      onViolation: (violation) => {
        ({ code, error } = violation);
        topBit = violation.message.startsWith('the top bit');
      },
      onBehind: () => assert.fail('nothing is inflated'),
      onCaughtUp: () => {},
    },
  });
  // A copy: what is read is unmasked in place.
  for (const chunk of chunks) reader.read(Buffer.from(chunk));
  return { told, code, error, topBit };
}

/** Where frames begin in an input, as far as its lengths are right. */
function frameStarts(input: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 1; at + 1 < input.length && starts.length < 64; ) {
    starts.push(at);
    const second = input[at + 1]!;
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at + 2 + extended > input.length) break;
    const length = extended === 0 ? short : input.readUIntBE(at + (extended === 8 ? 6 : 2), extended === 8 ? 4 : 2);
    at += 2 + extended + (second >= 0x80 ? 4 : 0) + length;
  }
  return starts;
}

/** Changes of a frame at its border. */
const MUTATORS: readonly Mutator[] = [
  function changesAnOpcode(input, random) {
    return atFrame(input, random.pick(frameStarts(input)), (frame) => {
      frame[0] = (frame[0]! & 0xf0) | random.pick([0, 1, 2, 8, 9, 10, random.below(16)]);
    });
  },
  function changesAFlag(input, random) {
    return atFrame(input, random.pick(frameStarts(input)), (frame) => {
      frame[0] = frame[0]! ^ random.pick([0x80, 0x80, 0x40, 0x20, 0x10]);
    });
  },
  function changesAMask(input, random) {
    return atFrame(input, random.pick(frameStarts(input)), (frame) => {
      frame[1] = frame[1]! ^ 0x80;
    });
  },
  function changesALength(input, random) {
    return atFrame(input, random.pick(frameStarts(input)), (frame) => {
      frame[1] = (frame[1]! & 0x80) | random.pick([0, 1, 2, 124, 125, 126, 127, random.below(128)]);
    });
  },
  function repeatsAFrame(input, random) {
    const starts = frameStarts(input);
    const index = random.below(starts.length);
    const frame = input.subarray(starts[index] ?? 1, starts[index + 1] ?? input.length);
    const at = random.pick([...starts, input.length]);
    return Buffer.concat([input.subarray(0, at), frame, input.subarray(at)]);
  },
  function changesTheRules(input, random) {
    return Buffer.concat([random.bytes(1), input.subarray(1)]);
  },
];

function atFrame(input: Buffer, at: number | undefined, change: (frame: Buffer) => void): Buffer {
  const copy = Buffer.from(input);
  if (at !== undefined && at + 1 < copy.length) change(copy.subarray(at));
  return copy;
}

export const scanner: FuzzTarget = {
  name: 'scanner',
  modules: ['protocol/frame-scanner', 'protocol/frame-rules', 'server/paths/message-reader', 'protocol/mask'],
  mutators: MUTATORS,
  run,
};

/** Owns the fuzzing of text that comes in pieces, with `TextDecoder` and `buffer.isUtf8` as oracles. */
import { strict as assert } from 'node:assert';
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { Utf8Stream } from '../../../src/protocol/utf8-stream.js';
import type { FuzzTarget } from '../fuzz.js';
import { wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';

function run(input: Buffer): string {
  const bytes = Array.from(input, (_, at) => input.subarray(at, at + 1));
  const failedAt = [bytes, piecesOf(input, 6), [input]].map((pieces) => read(input, pieces));
  const wrongIn = failedAt[0] === undefined ? 'nothing' : input[failedAt[0]]!.toString(16);
  return `${wrongIn} ${isUtf8(input)}`;
}

/** Reads the pieces; answers with where the piece began that was refused. */
function read(input: Buffer, pieces: readonly Buffer[]): number | undefined {
  const stream = new Utf8Stream();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const passed: Buffer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const lent = Buffer.from(piece);
    const whole = stream.push(lent);
    const right = accepts(decoder, piece);
    assert.equal(whole !== null, right, `the piece at ${at} is ${right ? '' : 'not '}UTF-8 so far`);
    assert.ok(stream.heldBytes <= 3, 'at most three bytes are held');
    if (whole === null) {
      assert.equal(stream.push(Buffer.from('a')), null, 'nothing is right after a wrong byte');
      assert.equal(stream.end(), false);
      return at;
    }
    assert.ok(isUtf8(whole), 'what passes ends with a whole character');
    passed.push(Buffer.from(whole));
    lent.fill(0xee);
    at += piece.length;
  }
  const all = Buffer.concat(passed);
  assert.ok(input.subarray(0, all.length).equals(all), 'what passes is what came');
  assert.equal(all.length + stream.heldBytes, input.length, 'nothing is lost');
  assert.equal(stream.end(), isUtf8(input), 'the stream may end where it is UTF-8 as a whole');
  return undefined;
}

function accepts(decoder: TextDecoder, piece: Buffer): boolean {
  try {
    decoder.decode(piece, { stream: true });
    return true;
  } catch {
    return false;
  }
}

const EDGES = [
  ...['00', '7f', 'c280', 'dfbf', 'e0a080', 'ed9fbf', 'ee8080', 'efbfbf', 'f0908080', 'f48fbfbf'],
  ...['80', 'c1bf', 'e09fbf', 'eda080', 'f08fbfbf', 'f4908080', 'f5', 'e282', 'f09f98', 'efbbbf'],
];

export const utf8: FuzzTarget = {
  name: 'utf8',
  modules: ['protocol/utf8-stream'],
  mutators: [wordsFrom(EDGES.map((hex) => Buffer.from(hex, 'hex')))],
  run,
};

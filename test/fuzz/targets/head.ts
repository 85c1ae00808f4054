/**
 * Owns the fuzzing of the pure parser of HTTP heads, without a socket: its outcome does not depend on how the bytes come,
 * and what it reads as a valid handshake Node's strict parser reads as the same.
 */
import { strict as assert } from 'node:assert';
import { checkUpgrade } from '../../../src/protocol/handshake.js';
import { HeadFinder, parseRequestHead, parseResponseHead } from '../../../src/protocol/http-head.js';
import type { FuzzTarget } from '../fuzz.js';
import { partsBetween, wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';
import { ANSWER_WORDS, HEAD_WORDS } from './head-words.js';
import { readAsServer } from './http-oracle.js';

/** Where the head ends and what was wrong, for bytes that come in pieces. */
function find(pieces: readonly Buffer[]): { end: number; skipped: number; faulty: boolean } {
  const finder = new HeadFinder();
  let bytes = Buffer.alloc(0);
  let end = -1;
  for (const piece of pieces) {
    bytes = Buffer.concat([bytes, piece]);
    end = finder.find(bytes);
    if (end !== -1 || finder.fault !== undefined) break;
  }
  return { end, skipped: finder.skipped, faulty: finder.fault !== undefined };
}

async function run(input: Buffer): Promise<string> {
  const whole = find([input]);
  assert.deepEqual(find(Array.from(input, (_, at) => input.subarray(at, at + 1))), whole, 'in single bytes');
  assert.deepEqual(find(piecesOf(input, 5)), whole, 'in pieces');
  if (whole.end === -1) return `no head ${whole.faulty}`;
  const text = input.toString('latin1', whole.skipped, whole.end);
  const response = parseResponseHead(text);
  const request = parseRequestHead(text);
  if ('fault' in request) return `${request.fault.slice(0, 20)} ${'fault' in response ? '' : response.statusCode}`;
  const upgrade = checkUpgrade(request);
  if (!('key' in upgrade)) return `${upgrade.error} ${upgrade.message.slice(0, 20)}`;
  const oracle = await readAsServer(input);
  assert.ok(oracle.kind === 'upgrade', `Node reads no upgrade request there: ${JSON.stringify(oracle)}`);
  const { method, url, httpVersion, rawHeaders } = oracle;
  assert.deepEqual({ ...request }, { method, url, httpVersion, rawHeaders, text }, 'Node reads another request');
  assert.ok(oracle.head.equals(input.subarray(whole.end)), 'Node ends the head elsewhere');
  return `handshake ${request.rawHeaders.length}`;
}

export const head: FuzzTarget = {
  name: 'head',
  modules: ['protocol/http-head', 'protocol/handshake', 'protocol/header-fields'],
  mutators: [wordsFrom([...HEAD_WORDS, ...ANSWER_WORDS]), ...partsBetween('\r\n'), ...partsBetween(' ')],
  run,
};

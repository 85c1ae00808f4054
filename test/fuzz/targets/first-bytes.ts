/** Owns the fuzzing of the classifier of first bytes: an answer never changes with what comes behind, and agrees with the parsers. */
import { strict as assert } from 'node:assert';
import { classifyFirstBytes, mayBeTls } from '../../../src/protocol/first-bytes.js';
import { HeadFinder, parseRequestHead } from '../../../src/protocol/http-head.js';
import { readProxyHeader } from '../../../src/protocol/read-proxy-header.js';
import type { FuzzTarget } from '../fuzz.js';
import { wordsFrom } from '../mutate.js';
import { HEAD_WORDS } from './head-words.js';

const WORDS = [
  'PROXY ',
  '\r\n\r\n\0\r\nQUIT\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01',
  'SSH-2.0-x\r\n',
  ' ',
  '*',
];

async function run(input: Buffer): Promise<string> {
  let known: string | undefined;
  let after = 0;
  for (let end = 0; end <= Math.min(input.length, 200); end += 1) {
    const kind = classifyFirstBytes(input.subarray(0, end));
    if (known !== undefined) assert.equal(kind, known, `it changed at ${end} bytes`);
    else after = end;
    known = kind;
  }
  const kind = classifyFirstBytes(input);
  const finder = new HeadFinder();
  const end = finder.find(input);
  const head = end === -1 ? undefined : parseRequestHead(input.toString('latin1', finder.skipped, end));
  const isRequest = head !== undefined && !('fault' in head);
  const usual = isRequest && head.url.startsWith('/') && head.method.length <= 32 && head.method !== 'PRI';
  if (kind === 'unknown') assert.ok(!usual, 'a request was told to be unknown');
  const proxy = readProxyHeader(input);
  if (proxy !== undefined && !('fault' in proxy)) assert.equal(kind, 'proxy');
  if (input.length > 0) assert.ok(kind !== 'tls' || mayBeTls(input));
  return `${kind} ${Math.min(after, 40)} ${isRequest}`;
}

export const firstBytes: FuzzTarget = {
  name: 'first-bytes',
  modules: ['protocol/first-bytes', 'protocol/read-proxy-header'],
  mutators: [wordsFrom([...WORDS, ...HEAD_WORDS])],
  run,
};

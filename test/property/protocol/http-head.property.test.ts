/**
 * Owns that nobody reads a request head in another way than we do: what ours takes, Node's own strict parser takes as well, with
 * the same method, target and fields. Where Node refuses for what a field or the request line means, that is named.
 */
import { METHODS } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadFinder, parseRequestHead, type RequestHead } from '../../../src/protocol/http-head.js';
import { HEAD_WORDS } from '../../fuzz/targets/head-words.js';
import { readAsServer } from '../../fuzz/targets/http-oracle.js';

interface Found {
  readonly head: RequestHead;
  /** What follows the head. */
  readonly rest: Buffer;
}

/** Reads as the server does; undefined for what it refuses, and for what is not complete. */
function read(bytes: Buffer): Found | undefined {
  const finder = new HeadFinder();
  const end = finder.find(bytes);
  if (end === -1) return undefined;
  const head = parseRequestHead(bytes.toString('latin1', finder.skipped, end));
  return 'fault' in head ? undefined : { head, rest: bytes.subarray(end) };
}

const names = ({ rawHeaders }: RequestHead): string[] =>
  rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());

/**
 * What Node refuses and our parser leaves to the checks behind it: `checkUpgrade` takes only GET, HTTP/1.1 and no body, and the
 * form of the target is nobody's business but the receiver's.
 */
const LEFT_TO_OTHERS: Readonly<Record<string, (head: RequestHead) => boolean>> = {
  HPE_INVALID_METHOD: ({ method }) => !METHODS.includes(method) || method === 'QUERY',
  HPE_INVALID_VERSION: ({ httpVersion }) => !['1.0', '1.1'].includes(httpVersion),
  HPE_PAUSED_H2_UPGRADE: ({ method }) => method === 'PRI',
  HPE_INVALID_URL: ({ method, url }) => method === 'CONNECT' || !url.startsWith('/'),
  // For a method that stands for another protocol (SOURCE, SETUP) Node wants that.
  HPE_INVALID_CONSTANT: ({ method, httpVersion }) => !METHODS.includes(method) || !['1.0', '1.1'].includes(httpVersion),
  HPE_INVALID_CONTENT_LENGTH: (head) => names(head).includes('content-length'),
  HPE_UNEXPECTED_CONTENT_LENGTH: (head) => names(head).includes('content-length'),
  HPE_INVALID_TRANSFER_ENCODING: (head) => names(head).includes('transfer-encoding'),
};

/** Fails when Node reads something else there than we do. */
async function compare(bytes: Buffer): Promise<'refused by us' | 'left to others' | 'the same'> {
  const found = read(bytes);
  if (found === undefined) return 'refused by us';
  const { head, rest } = found;
  const oracle = await readAsServer(bytes);
  if (oracle.kind === 'refused') {
    expect(LEFT_TO_OTHERS[oracle.code]?.(head), `Node refuses it: ${oracle.code}, ${JSON.stringify(head)}`).toBe(true);
    return 'left to others';
  }
  if (oracle.kind === 'nothing') throw new Error(`Node waits for more: ${JSON.stringify(head)}`);
  const { method, url, httpVersion, rawHeaders } = oracle;
  expect(head).toMatchObject({ method, url, httpVersion, rawHeaders });
  if (oracle.kind === 'upgrade' && !names(head).some((name) => /^(content-length|transfer-encoding)$/.test(name))) {
    expect(rest.equals(oracle.head)).toBe(true);
  }
  return 'the same';
}

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";
const characters = (from: number, to: number) =>
  fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code));
const token = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 10 });
const white = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });
const text = fc.string({
  unit: fc.oneof(characters(0x20, 0x7e), characters(0x80, 0xff), fc.constant('\t')),
  maxLength: 20,
});
const field = fc
  .tuple(token, white, text, white)
  .map(([name, before, value, behind]) => `${name}:${before}${value}${behind}`);
const path = fc.string({ unit: characters(0x21, 0x7e), maxLength: 20 }).map((rest) => `/${rest.replaceAll('#', '')}`);

const validHead = fc
  .record({
    empty: fc.integer({ min: 0, max: 2 }),
    method: fc.oneof(
      { weight: 19, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS') },
      { weight: 1, arbitrary: token },
    ),
    target: fc.oneof(path, path, fc.constantFrom('http://h:1/a?b', 'ws://h', '/%00', '//', '/?')),
    fields: fc.array(
      fc.oneof(
        field,
        fc.constantFrom('Host: h', 'Upgrade: websocket', 'Connection: keep-alive, Upgrade', 'Connection: close'),
      ),
      { maxLength: 6 },
    ),
    rest: fc.constantFrom('', '\x81\x80\0\0\0\0', 'GET / HTTP/1.1\r\n\r\n'),
  })
  .map(({ empty, method, target, fields, rest }) => {
    const lines = [`${method} ${target} HTTP/1.1`, ...fields];
    return Buffer.from(`${'\r\n'.repeat(empty)}${lines.join('\r\n')}\r\n\r\n${rest}`, 'latin1');
  });

/** One thing done to a head: at a place, so many bytes are replaced by these. */
const edit = fc.record({
  place: fc.nat(1 << 16),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.oneof(
    fc.constantFrom(...HEAD_WORDS),
    fc.constantFrom('\r', '\n', '\r\n', ' ', '\t', ':', '\0', '\x0b', '\x7f', '\x85', '\xa0', ''),
    fc.uint8Array({ minLength: 1, maxLength: 2 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  ),
});

const mutatedHead = fc.tuple(validHead, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([head, edits]) => {
  let words = head.toString('latin1');
  for (const { place, remove, insert } of edits) {
    const at = place % (words.length + 1);
    words = `${words.slice(0, at)}${insert}${words.slice(at + remove)}`;
  }
  return Buffer.from(words, 'latin1');
});

const RUNS = 1500;

describe('a request head', () => {
  it('of any right form is taken, and Node reads the same', async () => {
    const results = { 'refused by us': 0, 'left to others': 0, 'the same': 0 };
    await fc.assert(
      fc.asyncProperty(validHead, async (bytes) => {
        const result = await compare(bytes);
        results[result] += 1;
        expect(result).not.toBe('refused by us');
      }),
      { numRuns: RUNS },
    );
    expect(results['the same']).toBeGreaterThan(RUNS / 2);
  });

  it('that is damaged is refused, or read by Node in the same way', async () => {
    await fc.assert(
      fc.asyncProperty(mutatedHead, async (bytes) => void (await compare(bytes))),
      { numRuns: 2 * RUNS },
    );
  });

  it('is found at the same place and read in the same way, however it is cut', () => {
    fc.assert(
      fc.property(fc.oneof(validHead, mutatedHead), fc.array(fc.nat(1 << 16), { maxLength: 5 }), (bytes, places) => {
        const whole = new HeadFinder();
        const end = whole.find(bytes);
        const cut = new HeadFinder();
        const borders = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        let found = -1;
        for (const border of borders) {
          found = cut.find(bytes.subarray(0, border));
          if (found !== -1 || cut.fault !== undefined) break;
        }
        expect([found, cut.fault, cut.skipped]).toEqual([end, whole.fault, whole.skipped]);
      }),
      { numRuns: RUNS },
    );
  });
});

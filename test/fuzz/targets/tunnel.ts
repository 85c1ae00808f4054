/**
 * Owns the fuzzing of what a SOCKS or HTTP proxy answers: whatever it is, the handshake comes to an end or waits, the outcome does
 * not depend on the cuts, and what belongs to the target is given on whole. The first byte of an input says who is spoken to.
 */
import { strict as assert } from 'node:assert';
import { HttpConnectHandshake } from '../../../src/protocol/http-connect.js';
import { Socks5Handshake } from '../../../src/protocol/socks5.js';
import type { TunnelHandshake, TunnelStep } from '../../../src/protocol/tunnel-handshake.js';
import type { FuzzTarget } from '../fuzz.js';
import { wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';

const SECRET = 'pass-that-is-never-said';
const CREDENTIALS = { username: 'ada', password: SECRET };

function handshakeOf(kind: number): TunnelHandshake {
  const order = { host: 'host.example', port: 443, credentials: kind % 2 === 0 ? undefined : CREDENTIALS };
  return kind % 4 < 2 ? new Socks5Handshake(order) : new HttpConnectHandshake(order);
}

interface Outcome {
  readonly last: TunnelStep;
  /** Bytes that were sent after the first ones. */
  readonly sent: number;
}

function talk(kind: number, pieces: readonly Buffer[]): Outcome {
  const handshake = handshakeOf(kind);
  handshake.begin();
  let sent = 0;
  for (const [at, piece] of pieces.entries()) {
    const lent = Buffer.from(piece);
    const last = handshake.take(lent);
    if (last.kind === 'open')
      return { last: { kind: 'open', rest: Buffer.concat([last.rest, ...pieces.slice(at + 1)]) }, sent };
    if (last.kind === 'failed') return { last, sent };
    sent += last.send?.length ?? 0;
    // The memory is another's again.
    lent.fill(0xee);
  }
  return { last: { kind: 'more' }, sent };
}

function run(input: Buffer): string {
  const kind = input[0] ?? 0;
  const answers = input.subarray(1);
  const bytewise = talk(
    kind,
    Array.from(answers, (byte) => Buffer.from([byte])),
  );
  const pieces = talk(kind, piecesOf(answers, 6));
  const { last } = bytewise;
  const early = pieces.last.kind === 'failed' && pieces.last.reason === 'it answered before it was asked';
  // A proxy that says everything at once answers what it was not asked yet; byte by byte nobody can tell.
  if (!early) assert.deepEqual(pieces, bytewise, 'it depends on the cuts');
  if (last.kind === 'open') {
    assert.ok(answers.subarray(answers.length - last.rest.length).equals(last.rest), 'the rest is what came last');
    if (kind % 4 >= 2)
      assert.match(answers.toString('latin1'), /HTTP\/1\.[01] 2\d\d/, 'a tunnel opens behind a 2xx only');
    else
      assert.ok(answers[0] === 5 && answers.length - last.rest.length >= 9, 'a tunnel opens behind a whole reply only');
  }
  if (last.kind === 'failed') assert.ok(!last.reason.includes(SECRET), 'the password is never said');
  return last.kind === 'failed' ? last.reason.replaceAll(/0x[0-9a-f]{2}|"[^"]*"?|\d{3} .*/g, '…') : last.kind;
}

const WORDS = [
  ...['0500', '0502', '05ff', '0100', '0101', '05000001', '05000003', '05000004', '0505', '00000000', '0050'].map(
    (hex) => Buffer.from(hex, 'hex'),
  ),
  ...[
    'HTTP/1.1 ',
    'HTTP/1.0 ',
    '200 OK',
    '103 Early',
    '407 Proxy',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'SSH-2.0',
  ],
];

export const tunnel: FuzzTarget = {
  name: 'tunnel',
  modules: ['protocol/socks5', 'protocol/http-connect', 'protocol/http-head'],
  mutators: [wordsFrom(WORDS)],
  run,
};

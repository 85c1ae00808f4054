/**
 * Owns the fuzzing of what a target answers to our handshake: the client always gets one complete answer, and a 101 only
 * when Node's strict parser reads a right one too. `$ACCEPT$` in an input stands for the right Sec-WebSocket-Accept.
 */
import { strict as assert } from 'node:assert';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkUpgradeResponse } from '../../../src/protocol/handshake.js';
import { acceptValue } from '../../support/http-head.js';
import { requestBytes } from '../../support/raw-client.js';
import type { FuzzTarget } from '../fuzz.js';
import { partsBetween, wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';
import { exchange, readAnswer } from './exchange.js';
import { ANSWER_WORDS, HEAD_WORDS } from './head-words.js';
import { readAsClient } from './http-oracle.js';
import { Stage } from './stage.js';

/** What the target answers. */
let input: Buffer = Buffer.alloc(0);
/** What it answered, and to which key. */
let sent: Buffer = Buffer.alloc(0);
let key = '';

function start(): Promise<Stage> {
  return Stage.start({
    scheme: 'ws',
    onDialled: (socket) => {
      let request = '';
      socket.on('data', (chunk) => {
        const before = request.includes('\r\n\r\n');
        request += chunk.toString('latin1');
        if (before || !request.includes('\r\n\r\n')) return;
        key = /^sec-websocket-key: (\S+)/im.exec(request)?.[1] ?? '';
        sent = replaced(input, acceptValue(key));
        void answer(socket, piecesOf(sent, 4));
      });
    },
    limits: { maxHandshakeBytes: 2048 },
    timeouts: { dial: '2s' },
  });
}

async function answer(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    if (pieces.length > 1) await nextTurn();
  }
  socket.end();
}

function replaced(bytes: Buffer, accept: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('$ACCEPT$', accept), 'latin1');
}

let starting: Promise<Stage> | undefined;

async function run(bytes: Buffer): Promise<string> {
  starting ??= start();
  const stage = await starting;
  input = bytes;
  stage.exceptions.length = 0;
  const request = requestBytes({ port: stage.port, subprotocols: ['a', 'b'] });
  const { received, broke } = await exchange(stage.port, [request], 'answered');
  await stage.idle();
  assert.deepEqual(stage.exceptions, [], 'an exception event');
  assert.equal(broke, undefined, 'the connection broke instead of ending in order');
  const { status, fields, body } = readAnswer(received);
  assert.ok(status === 101 || status >= 200, `the client got the status ${status}`);
  // A 504 of the target itself is passed on.
  const said504 = /^HTTP\/1\.[01] 504/m.test(input.toString('latin1'));
  assert.ok(said504 || status !== 504, 'a target that ended was waited for');
  const oracle = await readAsClient(sent);
  if (status === 101) {
    assert.ok(oracle.kind === 'upgrade', `Node reads no 101 there: ${JSON.stringify(oracle)}`);
    const { status: statusCode, rawHeaders } = oracle;
    const asked = { key, subprotocols: ['a', 'b'], extensionsOffered: false };
    const agreed = checkUpgradeResponse({ statusCode, rawHeaders }, asked);
    assert.ok(!('message' in agreed), `the 101 of the target is wrong: ${JSON.stringify(agreed)}`);
    assert.equal(fields.get('sec-websocket-protocol') ?? '', agreed.subprotocol, 'another subprotocol');
  } else if (status !== 502 && oracle.kind !== 'refused') {
    // A refusal is written anew, with a length of our own: how the target announced its body is not passed on.
    assert.equal(status, oracle.status, 'another status than that of the target');
  }
  const why = oracle.kind === 'refused' ? oracle.code : `${oracle.kind} ${oracle.status}`;
  return `${status} ${why} ${fields.size} ${body.length > 0}`;
}

export const upstreamAnswer: FuzzTarget = {
  name: 'upstream-answer',
  modules: [
    ...['protocol/upgrade-response', 'protocol/header-fields', 'protocol/http-head', 'protocol/forward-headers'],
    ...[
      'server/dial/dial-websocket',
      'server/dial/read-refusal',
      'server/handshake/answer',
      'server/connections/upstream-shell',
    ],
  ],
  mutators: [wordsFrom([...HEAD_WORDS, ...ANSWER_WORDS]), wordsFrom(ANSWER_WORDS), ...partsBetween('\r\n')],
  run,
  async close() {
    const stage = await starting;
    starting = undefined;
    await stage?.stop();
  },
};

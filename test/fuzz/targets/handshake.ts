/**
 * Owns the fuzzing of request heads against a real listener: always one complete answer or a clean end, a 101 only for what
 * Node's strict parser reads as the same valid handshake, and behind it exactly the bytes that followed.
 */
import { strict as assert } from 'node:assert';
import { classifyFirstBytes } from '../../../src/protocol/first-bytes.js';
import { acceptKey, checkUpgrade } from '../../../src/protocol/handshake.js';
import type { UpgradeRequest } from '../../../src/receivers/index.js';
import { ConnectionReceiver } from '../../../src/receivers/index.js';
import type { FuzzTarget } from '../fuzz.js';
import { partsBetween, wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';
import { exchange, readAnswer } from './exchange.js';
import { HEAD_WORDS } from './head-words.js';
import { readAsServer } from './http-oracle.js';
import { Stage } from './stage.js';
import { WsReader } from './ws-receiver.js';

/** The empty SETTINGS frame that begins an answer in HTTP/2 (RFC 9113 section 3.4). */
const SETTINGS = Buffer.from('000000040000000000', 'hex');

/** What the target got of the last input. */
let forwarded: Buffer[] = [];
/** What the receivers were asked about. */
let seen: UpgradeRequest[] = [];

function start(): Promise<Stage> {
  return Stage.start({
    scheme: 'tcp',
    onDialled: (socket) => void socket.on('data', (chunk) => forwarded.push(chunk)),
    limits: { maxHandshakeBytes: 2048 },
    receiver: (request) => {
      seen.push(request);
      return new ConnectionReceiver();
    },
  });
}

let starting: Promise<Stage> | undefined;

async function run(input: Buffer): Promise<string> {
  starting ??= start();
  const stage = await starting;
  forwarded = [];
  seen = [];
  stage.exceptions.length = 0;
  const oracle = await readAsServer(input);
  const { received, broke } = await exchange(stage.port, piecesOf(input, 4), 'at once');
  await stage.idle();
  assert.deepEqual(stage.exceptions, [], 'an exception event');
  assert.equal(broke, undefined, 'the connection broke instead of ending in order');
  if (received.length === 0) {
    const complete = oracle.kind === 'upgrade' || oracle.kind === 'request';
    assert.ok(!complete, 'a complete request got no answer');
    return `none ${oracle.kind}`;
  }
  // A client that begins with HTTP/2 is told so in its own frames, and nobody is asked.
  if (received.subarray(0, SETTINGS.length).equals(SETTINGS)) {
    assert.equal(classifyFirstBytes(input), 'http2', 'frames of HTTP/2 for a client that speaks something else');
    assert.equal(seen.length, 0, 'a receiver was asked');
    return 'http2';
  }
  const answer = readAnswer(received);
  const [asked] = seen;
  if (asked !== undefined || answer.status === 101) {
    assert.ok(oracle.kind === 'upgrade', `Node reads no upgrade request there: ${JSON.stringify(oracle)}`);
    const upgrade = checkUpgrade(oracle);
    assert.ok('key' in upgrade, `the handshake is not valid: ${JSON.stringify(upgrade)}`);
    assert.ok(asked !== undefined && seen.length === 1, 'one receiver was asked');
    const { method, url, rawHeaders } = asked;
    const { method: oracleMethod, url: oracleUrl, rawHeaders: oracleHeaders } = oracle;
    assert.deepEqual([method, url, rawHeaders], [oracleMethod, oracleUrl, oracleHeaders], 'Node reads another request');
    if (answer.status === 101) {
      assert.equal(answer.fields.get('sec-websocket-accept'), acceptKey(upgrade.key), 'the answer to another key');
      compareForwarded(Buffer.concat(forwarded), oracle.head);
    }
  }
  const why = oracle.kind === 'refused' ? oracle.code : oracle.kind;
  return `${answer.status} ${why} ${answer.body
    .toString('latin1')
    .replace(/".*"|\d+/g, '')
    .slice(0, 60)} ${forwarded.length > 0}`;
}

/** The target got the messages behind the head, from their first byte on; an end may have cut them anywhere. */
function compareForwarded(bytes: Buffer, head: Buffer): void {
  const reader = new WsReader({ masked: true, maxMessageBytes: 0 });
  reader.read(head);
  const messages = reader.told
    .filter((one) => /^(text|binary) /.test(one))
    .map((one) => one.slice(one.indexOf(' ') + 1));
  const expected = Buffer.from(messages.join(''), 'latin1');
  const both = Math.min(expected.length, bytes.length);
  assert.equal(
    bytes.toString('latin1', 0, both),
    expected.toString('latin1', 0, both),
    'other bytes followed the head',
  );
}

export const handshake: FuzzTarget = {
  name: 'handshake',
  modules: [
    ...['protocol/handshake', 'protocol/header-fields', 'protocol/handshake-key', 'protocol/http-head'],
    ...[
      'listener/listener',
      'connections/entrance',
      'handshake/answer',
      'handshake/upgrade-request',
      'handshake/linger',
    ].map((name) => `server/${name}`),
  ],
  mutators: [wordsFrom(HEAD_WORDS), ...partsBetween('\r\n'), ...partsBetween(' ')],
  run,
  async close() {
    const stage = await starting;
    starting = undefined;
    await stage?.stop();
  },
};

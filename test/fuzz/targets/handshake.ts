/**
 * Owns the fuzzing of request heads against a real listener: always one complete answer or a clean end, a 101 only for what
 * Node's strict parser reads as the same valid handshake, and behind it exactly the bytes that followed.
 */
import { strict as assert } from 'node:assert';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { ProxyServer } from '../../../src/index.js';
import { acceptKey, checkUpgrade } from '../../../src/protocol/handshake.js';
import type { UpgradeRequest } from '../../../src/receivers/index.js';
import { ConnectionReceiver } from '../../../src/receivers/index.js';
import { eventually } from '../../support/events.js';
import type { FuzzTarget } from '../fuzz.js';
import { partsBetween, wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';
import { exchange, readAnswer } from './exchange.js';
import { HEAD_WORDS } from './head-words.js';
import { readAsServer } from './http-oracle.js';
import { WsReader } from './ws-receiver.js';

class Stage {
  readonly server: ProxyServer;
  readonly #target: Server;
  /** What the last connection to the target got. */
  forwarded: Buffer[] = [];
  seen: UpgradeRequest[] = [];
  readonly exceptions: unknown[] = [];

  private constructor(target: Server) {
    this.#target = target;
    const { port } = target.address() as AddressInfo;
    this.server = new ProxyServer({
      listen: '127.0.0.1:0',
      target: `tcp://127.0.0.1:${port}`,
      limits: { maxHandshakeBytes: 2048 },
      receiver: (request) => {
        this.seen.push(request);
        return new ConnectionReceiver();
      },
    });
    this.server.on('exception', (error) => this.exceptions.push(error));
  }

  static async start(): Promise<Stage> {
    const target = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => stage.forwarded.push(chunk));
    });
    await new Promise<void>((resolve) => target.listen({ port: 0, host: '127.0.0.1' }, resolve));
    const stage = new Stage(target);
    await stage.server.start();
    return stage;
  }

  get port(): number {
    return this.server.addresses[0]!.port;
  }

  async idle(): Promise<void> {
    const open = () => new Promise<number>((resolve) => this.#target.getConnections((_error, count) => resolve(count)));
    await eventually(
      async () => this.server.snapshot().connections.length === 0 && (await open()) === 0,
      'all is closed',
      {
        within: 5000,
        instead: () => JSON.stringify(this.server.snapshot().connections),
      },
    );
  }

  async stop(): Promise<void> {
    await this.server.stop({ drainTimeout: 0 });
    await new Promise((resolve) => this.#target.close(resolve));
  }
}

let starting: Promise<Stage> | undefined;

async function run(input: Buffer): Promise<string> {
  starting ??= Stage.start();
  const stage = await starting;
  stage.forwarded = [];
  stage.seen = [];
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
  const answer = readAnswer(received);
  const [seen] = stage.seen;
  if (seen !== undefined || answer.status === 101) {
    assert.ok(oracle.kind === 'upgrade', `Node reads no upgrade request there: ${JSON.stringify(oracle)}`);
    const upgrade = checkUpgrade(oracle);
    assert.ok('key' in upgrade, `the handshake is not valid: ${JSON.stringify(upgrade)}`);
    assert.ok(seen !== undefined && stage.seen.length === 1, 'one receiver was asked');
    const { method, url, rawHeaders } = seen;
    const { method: oracleMethod, url: oracleUrl, rawHeaders: oracleHeaders } = oracle;
    assert.deepEqual([method, url, rawHeaders], [oracleMethod, oracleUrl, oracleHeaders], 'Node reads another request');
    if (answer.status === 101) {
      assert.equal(answer.fields.get('sec-websocket-accept'), acceptKey(upgrade.key), 'the answer to another key');
      compareForwarded(Buffer.concat(stage.forwarded), oracle.head);
    }
  }
  const why = oracle.kind === 'refused' ? oracle.code : oracle.kind;
  return `${answer.status} ${why} ${answer.body
    .toString('latin1')
    .replace(/".*"|\d+/g, '')
    .slice(0, 60)} ${stage.forwarded.length > 0}`;
}

/** The target got the messages behind the head, from their first byte on; an end may have cut them anywhere. */
function compareForwarded(forwarded: Buffer, head: Buffer): void {
  const reader = new WsReader({ masked: true, maxMessageBytes: 0 });
  reader.read(head);
  const messages = reader.told
    .filter((one) => /^(text|binary) /.test(one))
    .map((one) => one.slice(one.indexOf(' ') + 1));
  const expected = Buffer.from(messages.join(''), 'latin1');
  const both = Math.min(expected.length, forwarded.length);
  assert.equal(
    forwarded.toString('latin1', 0, both),
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

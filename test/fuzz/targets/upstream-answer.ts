/**
 * Owns the fuzzing of what a target answers to our handshake: the client always gets one complete answer, and a 101 only
 * when Node's strict parser reads a right one too. `$ACCEPT$` in an input stands for the right Sec-WebSocket-Accept.
 */
import { strict as assert } from 'node:assert';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ProxyServer } from '../../../src/index.js';
import { checkUpgradeResponse } from '../../../src/protocol/handshake.js';
import { eventually } from '../../support/events.js';
import { acceptValue } from '../../support/http-head.js';
import { requestBytes } from '../../support/raw-client.js';
import type { FuzzTarget } from '../fuzz.js';
import { partsBetween, wordsFrom } from '../mutate.js';
import { piecesOf } from '../random.js';
import { exchange, readAnswer } from './exchange.js';
import { ANSWER_WORDS, HEAD_WORDS } from './head-words.js';
import { readAsClient } from './http-oracle.js';

class Stage {
  readonly server: ProxyServer;
  readonly #target: Server;
  readonly exceptions: unknown[] = [];
  /** What the target answers. */
  input: Buffer = Buffer.alloc(0);
  /** What it answered, and to which key. */
  sent: Buffer = Buffer.alloc(0);
  key = '';

  private constructor(target: Server) {
    this.#target = target;
    const { port } = target.address() as AddressInfo;
    this.server = new ProxyServer({
      listen: '127.0.0.1:0',
      target: `ws://127.0.0.1:${port}`,
      limits: { maxHandshakeBytes: 2048 },
      timeouts: { dial: '2s' },
    });
    this.server.on('exception', (error) => this.exceptions.push(error));
  }

  static async start(): Promise<Stage> {
    const target = createServer((socket) => {
      let request = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const before = request.includes('\r\n\r\n');
        request += chunk.toString('latin1');
        if (before || !request.includes('\r\n\r\n')) return;
        stage.key = /^sec-websocket-key: (\S+)/im.exec(request)?.[1] ?? '';
        stage.sent = replaced(stage.input, acceptValue(stage.key));
        void answerIn(piecesOf(stage.sent, 4));
      });
      const answerIn = async (pieces: readonly Buffer[]): Promise<void> => {
        for (const piece of pieces) {
          socket.write(piece);
          if (pieces.length > 1) await nextTurn();
        }
        socket.end();
      };
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

function replaced(input: Buffer, accept: string): Buffer {
  return Buffer.from(input.toString('latin1').replaceAll('$ACCEPT$', accept), 'latin1');
}

let starting: Promise<Stage> | undefined;

async function run(input: Buffer): Promise<string> {
  starting ??= Stage.start();
  const stage = await starting;
  stage.input = input;
  stage.exceptions.length = 0;
  const request = requestBytes({ port: stage.port, subprotocols: ['a', 'b'] });
  const { received, broke } = await exchange(stage.port, [request], 'answered');
  await stage.idle();
  assert.deepEqual(stage.exceptions, [], 'an exception event');
  assert.equal(broke, undefined, 'the connection broke instead of ending in order');
  const answer = readAnswer(received);
  assert.ok(answer.status === 101 || answer.status >= 200, `the client got the status ${answer.status}`);
  // A 504 of the target itself is passed on.
  const said504 = /^HTTP\/1\.[01] 504/m.test(input.toString('latin1'));
  assert.ok(said504 || answer.status !== 504, 'a target that ended was waited for');
  const oracle = await readAsClient(stage.sent);
  if (answer.status === 101) {
    assert.ok(oracle.kind === 'upgrade', `Node reads no 101 there: ${JSON.stringify(oracle)}`);
    const { status: statusCode, rawHeaders } = oracle;
    const sent = { key: stage.key, subprotocols: ['a', 'b'], extensionsOffered: false };
    const agreed = checkUpgradeResponse({ statusCode, rawHeaders }, sent);
    assert.ok(!('message' in agreed), `the 101 of the target is wrong: ${JSON.stringify(agreed)}`);
    assert.equal(answer.fields.get('sec-websocket-protocol') ?? '', agreed.subprotocol, 'another subprotocol');
  } else if (answer.status !== 502 && oracle.kind !== 'refused') {
    // A refusal is written anew, with a length of our own: how the target announced its body is not passed on.
    assert.equal(answer.status, oracle.status, 'another status than that of the target');
  }
  const why = oracle.kind === 'refused' ? oracle.code : `${oracle.kind} ${oracle.status}`;
  return `${answer.status} ${why} ${answer.fields.size} ${answer.body.length > 0}`;
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

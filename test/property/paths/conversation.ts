/**
 * Owns random conversations over one connection: what each side does, step by step, and what it sent and got. Refuses to
 * judge them; the properties do.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { CloseReport } from '../../../src/index.js';
import type { Pair, Setup, Stage } from '../../promises/setups.js';
import { eventually } from '../../support/events.js';
import { type FramePeer, Opcode } from '../../support/raw-client.js';

/** One thing that one side does. */
export type Step =
  | { readonly does: 'send'; readonly who: 'client' | 'target' | 'application'; readonly size: number }
  | { readonly does: 'ping'; readonly who: 'client' | 'application' }
  | { readonly does: 'pause' | 'resume'; readonly who: 'client' | 'target' | 'application' }
  | { readonly does: 'turn'; readonly count: number }
  | Ending;

/** A step that ends the connection. */
export type Ending =
  | { readonly does: 'close'; readonly who: 'client' | 'target' | 'application'; readonly code: number }
  | { readonly does: 'reset' | 'end'; readonly who: 'client' | 'target' }
  | { readonly does: 'terminate'; readonly who: 'application' };

const who = fc.constantFrom('client' as const, 'target' as const, 'application' as const);
const code = fc.constantFrom(1000, 1001, 1008, 1011, 1014, 3000, 4001, 4999, 1005);
const size = fc.oneof(fc.nat(200), fc.constantFrom(65_535, 65_536, 300_000));

const talk: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('send' as const), who, size }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('ping' as const),
      who: fc.constantFrom('client' as const, 'application' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('pause' as const, 'resume' as const), who }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('turn' as const), count: fc.integer({ min: 1, max: 4 }) }) },
);

const ending: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('close' as const), who, code }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constantFrom('reset' as const, 'end' as const),
      who: fc.constantFrom('client' as const, 'target' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ does: 'terminate' as const, who: 'application' as const }) },
);

/** Talk, an ending or a few, and talk that comes too late. */
export const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(talk, { maxLength: 20 }),
    fc.array(ending, { maxLength: 2 }),
    fc.array(fc.oneof(talk, ending), { maxLength: 4 }),
  )
  .map((parts) => parts.flat());

/** What one side sent, and how it ended. */
interface Side {
  readonly sent: Buffer[];
  closeSent: number | undefined;
  over: boolean;
}

/** A conversation that is over. */
export interface Outcome {
  readonly pair: Pair;
  readonly report: CloseReport;
  /** The steps that ended it, as far as they were done. */
  readonly endings: readonly Ending[];
  readonly client: Side;
  readonly target: Side;
  /** What the application sent, and was not told to be dropped or too late. */
  readonly application: readonly string[];
}

class Conversation {
  readonly endings: Ending[] = [];
  readonly client: Side = { sent: [], closeSent: undefined, over: false };
  readonly target: Side = { sent: [], closeSent: undefined, over: false };
  readonly application: string[] = [];
  readonly #setup: Setup;
  readonly #pair: Pair;

  constructor(setup: Setup, pair: Pair) {
    this.#setup = setup;
    this.#pair = pair;
    answerClose(pair.client, this.client, () => {});
    const { ws } = pair.target;
    if (ws !== undefined) answerClose(ws, this.target, () => ws.end());
  }

  async do(step: Step): Promise<void> {
    if (step.does === 'turn') {
      for (let count = 0; count < step.count; count += 1) await nextTurn();
    } else if (step.who === 'application') this.#application(step);
    else if (step.who === 'client') this.#client(step);
    else if (this.#setup.target !== 'none') this.#target(step);
  }

  /** Brings it to its end: everybody reads, and the client closes if nobody has ended it. */
  finish(): void {
    const { client, target, receiver } = this.#pair;
    receiver.connection.resume();
    client.resumeReading();
    if (this.#setup.target !== 'none') target.connection.resumeReading();
    if (this.endings.length === 0) this.#client({ does: 'close', who: 'client', code: 1000 });
  }

  #application(step: Exclude<Step, { does: 'turn' }>): void {
    const { connection } = this.#pair.receiver;
    if (step.does === 'send') {
      const text = `${this.application.length}:`.padEnd(step.size, 'a');
      const result = connection.send(text);
      if (result === 'accepted' || result === 'queued') this.application.push(text);
    } else if (step.does === 'ping') connection.ping('from the application');
    else if (step.does === 'pause') connection.pause();
    else if (step.does === 'resume') connection.resume();
    else if (connection.state === 'open') {
      this.endings.push(step as Ending);
      if (step.does === 'close') connection.close(step.code === 1005 ? undefined : (step.code as 4001));
      else connection.terminate();
    }
  }

  #client(step: Exclude<Step, { does: 'turn' }>): void {
    const { client } = this.#pair;
    if (step.does === 'pause') client.pauseReading();
    else if (step.does === 'resume') client.resumeReading();
    else if (this.client.over || client.ended !== undefined) return;
    else if (step.does === 'ping') client.sendPing('from the client');
    else if (step.does === 'send') {
      if (this.client.closeSent !== undefined) return;
      const payload = bytesOf('c', this.client.sent.length, step.size);
      this.client.sent.push(payload);
      client.sendBinary(payload);
    } else this.#end(step as Ending, client, this.client);
  }

  #target(step: Exclude<Step, { does: 'turn' }>): void {
    const { target } = this.#pair;
    if (step.does === 'pause') target.connection.pauseReading();
    else if (step.does === 'resume') target.connection.resumeReading();
    else if (this.target.over || target.connection.ended !== undefined) return;
    else if (step.does === 'send') {
      if (this.target.closeSent !== undefined) return;
      const payload = bytesOf('t', this.target.sent.length, step.size);
      this.target.sent.push(payload);
      target.send(payload);
    } else if (step.does !== 'ping') this.#end(step as Ending, target.ws, this.target);
  }

  #end(step: Ending, peer: FramePeer | undefined, side: Side): void {
    const { connection } = peer ?? this.#pair.target;
    if (step.does === 'close' && side.closeSent !== undefined) return;
    this.endings.push(step);
    if (step.does === 'close' && peer !== undefined) {
      side.closeSent = step.code;
      peer.sendClose(step.code === 1005 ? undefined : step.code);
      return;
    }
    side.over = true;
    if (step.does === 'reset') connection.reset();
    else connection.end();
  }
}

/** Answers a Close frame with the same one. */
function answerClose(peer: FramePeer, side: Side, then: () => void): void {
  let done = false;
  peer.socket.on('data', () => {
    const close = done ? undefined : peer.received.find(({ opcode }) => opcode === Opcode.Close);
    if (close === undefined || side.over) return;
    done = true;
    if (side.closeSent === undefined) {
      side.closeSent = close.payload.length === 0 ? 1005 : close.payload.readUInt16BE(0);
      peer.sendClose(...(close.payload.length === 0 ? [] : ([side.closeSent] as const)));
    }
    side.over = true;
    then();
  });
}

function bytesOf(mark: string, count: number, length: number): Buffer {
  return Buffer.alloc(Math.max(length, 1), `${mark}${count};`);
}

/** Has a whole conversation, and waits until both connections are gone. */
export async function converse(stage: Stage, all: readonly Step[]): Promise<Outcome> {
  const pair = await stage.open();
  await pair.receiver.waitFor('open');
  const conversation = new Conversation(stage.setup, pair);
  for (const step of all) await conversation.do(step);
  conversation.finish();
  await pair.receiver.waitFor('closed');
  const report = await stage.nextReport();
  pair.client.destroy();
  const open = () => (stage.upstream ?? stage.tcp)?.openConnections ?? 0;
  await eventually(() => open() === 0 && stage.server.snapshot().connections.length === 0, 'both sides are gone');
  const { endings, client, target, application } = conversation;
  return { pair, report, endings, client, target, application };
}

/**
 * Owns carrying out one case on one way: both ends behave as they have to, and everything either of them sees is written
 * down. Refuses to judge it.
 */
import { isWebSocket, type Pair, Way, type WayName } from '../fault/way.js';
import { describeFrame } from '../support/frames.js';
import { type FramePeer, Opcode, type ReceivedFrame } from '../support/raw-client.js';
import type { ConformanceCase, Delivered, SetupName } from './cases/case.js';
import { MAX_FRAGMENTS, MAX_MESSAGE_BYTES } from './cases/limits.js';
import type { Sender } from './cases/table.js';
import { Inflation } from './deflate-codec.js';
import { PoliteEnd, type SeenClose } from './polite-end.js';
import { type Arrived, messagesOf } from './received.js';

/** What came of a case. */
export interface Outcome {
  /** Whether everything was taken: the mark behind the frames arrived, and the ping behind it was answered. */
  readonly stands: boolean;
  /** What the other side got between the marks: whole messages, a begun one last, and pings and pongs. */
  readonly arrived: readonly Arrived[];
  /** The same over a byte stream. */
  readonly bytes: Buffer | undefined;
  /** What the sender got beside the Close frame and the answer to the mark. */
  readonly back: readonly ReceivedFrame[];
  /** The Close frame that the sender got; undefined for none. */
  readonly closed: SeenClose | undefined;
  /** The Close frame that the other side got, or how its connection ended without one. */
  readonly told: SeenClose | string;
  /** How the sender's connection ended. */
  readonly end: string;
  /** What `onClosed` was told. */
  readonly reported: number;
  /** A frame that was masked and must not be, or the reverse. */
  readonly misframed: string | undefined;
}

interface Setup {
  readonly server?: object;
  readonly extensions?: string;
}

const limits = { maxMessageBytes: MAX_MESSAGE_BYTES, maxFragments: MAX_FRAGMENTS };
const keepsNothing = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover';

const SETUPS: Readonly<Record<SetupName, Setup>> = {
  plain: {},
  limits: { server: { limits } },
  deflate: { server: { compression: true }, extensions: keepsNothing },
  takeover: {
    server: { compression: { clientNoContextTakeover: false, serverNoContextTakeover: false } },
    extensions: 'permessage-deflate',
  },
  'deflate limits': { server: { compression: true, limits }, extensions: keepsNothing },
};

const BEFORE = Buffer.from('before');
const AFTER = Buffer.from('after');
const MARK = Buffer.from('mark');

/** The servers of one way, one for each setup. */
export class Rig {
  readonly way: WayName;
  readonly #ways = new Map<SetupName, Promise<Way>>();

  constructor(way: WayName) {
    this.way = way;
  }

  /** Carries out a case. */
  async run(one: ConformanceCase, sender: Sender): Promise<Outcome> {
    const setup = one.setup ?? 'plain';
    const { extensions } = SETUPS[setup];
    const pair = await (await this.#wayFor(setup)).open(extensions === undefined ? {} : { extensions });
    return new Run(pair, this.way, one, sender).outcome();
  }

  async stop(): Promise<void> {
    for (const way of this.#ways.values()) await (await way).stop();
  }

  #wayFor(setup: SetupName): Promise<Way> {
    let way = this.#ways.get(setup);
    if (way === undefined) {
      const { server, extensions } = SETUPS[setup];
      way = Way.start(this.way, { server: { timeouts: { close: '5s' }, ...server }, upstream: { extensions } });
      this.#ways.set(setup, way);
    }
    return way;
  }
}

class Run {
  readonly #pair: Pair;
  readonly #way: WayName;
  readonly #one: ConformanceCase;
  readonly #sender: FramePeer;
  readonly #end: PoliteEnd;
  /** The other end where it speaks WebSocket. */
  readonly #far: PoliteEnd | undefined;
  readonly #bytes: Buffer[] = [];
  #markArrived = false;
  #markAnswered = false;

  constructor(pair: Pair, way: WayName, one: ConformanceCase, sender: Sender) {
    this.#pair = pair;
    this.#way = way;
    this.#one = one;
    const closes = one.frames.some(({ opcode }) => opcode === Opcode.Close);
    this.#sender = sender === 'client' ? pair.client : pair.upstream;
    this.#end = new PoliteEnd(this.#sender, sender, closes);
    if (sender === 'target') this.#far = new PoliteEnd(pair.client, 'client', false);
    else if (isWebSocket(way)) this.#far = new PoliteEnd(pair.upstream, 'target', false);
  }

  async outcome(): Promise<Outcome> {
    const live = this.#end.live((frame) => {
      if (frame.opcode === Opcode.Pong && frame.payload.equals(MARK)) this.#mark('answered');
    });
    await Promise.all([live, this.#liveFar(), this.#send()]);
    const [, reported] = await this.#pair.receiver.waitFor('closed');
    const { closed, end, frames } = this.#end;
    return {
      stands: this.#markArrived && this.#markAnswered,
      arrived: this.#arrived(),
      bytes: this.#usesBytes ? this.#betweenMarks(Buffer.concat(this.#bytes)) : undefined,
      back: frames.filter(({ payload }) => !payload.equals(MARK)),
      closed,
      told: this.#far?.closed ?? this.#far?.end ?? (this.#usesBytes ? 'fin' : 'nobody'),
      end,
      reported,
      misframed: this.#misframed(),
    };
  }

  get #usesBytes(): boolean {
    return this.#far === undefined && this.#way !== 'messages alone';
  }

  /** Sends the frames between two marks and a ping behind them. */
  async #send(): Promise<void> {
    const peer = this.#sender;
    const before = peer.encode({ opcode: Opcode.Text, payload: BEFORE });
    const frames = Buffer.concat(this.#one.frames.map((frame) => peer.encode(frame)));
    const after = Buffer.concat([
      peer.encode({ opcode: Opcode.Text, payload: AFTER }),
      peer.encode({ opcode: Opcode.Ping, payload: MARK }),
    ]);
    const { pieces } = this.#one;
    if (pieces === undefined) {
      peer.sendRaw(Buffer.concat([before, frames, after]));
      return;
    }
    peer.sendRaw(before);
    for (let at = 0; at < frames.length && peer.ended === undefined; at += pieces) {
      peer.sendRaw(frames.subarray(at, at + pieces));
      await peer.drained();
    }
    peer.sendRaw(after);
  }

  #liveFar(): Promise<void> {
    if (this.#far !== undefined) {
      return this.#far.live(({ payload, opcode }) => {
        if (opcode === Opcode.Text && payload.equals(AFTER)) this.#mark('arrived');
      });
    }
    return this.#usesBytes ? this.#liveBytes() : this.#liveAlone();
  }

  /** A byte target: reads to the end and answers it. */
  #liveBytes(): Promise<void> {
    const { peer } = this.#pair;
    return new Promise((resolve) => {
      peer.deliverTo(
        (chunk) => {
          this.#bytes.push(Buffer.from(chunk));
          if (Buffer.concat(this.#bytes.slice(-2)).subarray(-AFTER.length).equals(AFTER)) this.#mark('arrived');
        },
        () => {
          peer.end();
          resolve();
        },
      );
    });
  }

  async #liveAlone(): Promise<void> {
    const { receiver } = this.#pair;
    const untilMark = async (): Promise<void> => {
      while ((await receiver.waitFor('text'))[1] !== AFTER.toString());
      this.#mark('arrived');
    };
    void untilMark();
    await receiver.waitFor('closed');
  }

  #mark(what: 'arrived' | 'answered'): void {
    if (what === 'arrived') this.#markArrived = true;
    else this.#markAnswered = true;
    if (this.#markArrived && this.#markAnswered) this.#end.close();
  }

  #betweenMarks(bytes: Buffer): Buffer {
    const end = this.#markArrived ? bytes.length - AFTER.length : bytes.length;
    return bytes.subarray(BEFORE.length, Math.max(BEFORE.length, end));
  }

  #arrived(): Arrived[] {
    if (this.#usesBytes) return [];
    const all =
      this.#far === undefined
        ? this.#shown().map((message): Arrived => ({ ...message, sizes: [message.data.length], complete: true }))
        : messagesOf(this.#far.frames, new Inflation(this.#one.setup === 'takeover'));
    const isMark = ({ kind, data }: Arrived) =>
      kind === 'text' ? data.equals(BEFORE) || data.equals(AFTER) : kind !== 'binary' && data.equals(MARK);
    return all.filter((one) => !isMark(one));
  }

  /** The messages that a receiver without target was shown. */
  #shown(): Delivered[] {
    const shown: Delivered[] = [];
    for (const entry of this.#pair.receiver.entries) {
      if (entry[0] === 'text' || entry[0] === 'binary') shown.push({ kind: entry[0], data: Buffer.from(entry[1]) });
    }
    return shown;
  }

  #misframed(): string | undefined {
    const toClient = this.#pair.client.received.find(({ masked }) => masked);
    const toTarget = isWebSocket(this.#way) && this.#pair.upstream.received.find(({ masked }) => !masked);
    const wrong = toClient ?? toTarget;
    return wrong ? describeFrame(wrong) : undefined;
  }
}

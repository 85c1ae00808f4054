/**
 * Owns what an application sends on one connection: on which level it waits, what becomes of it when too much waits, and the count of
 * what was dropped. Refuses to write; the writer does.
 */
import { Buffer } from 'node:buffer';
import { Opcode } from '../../protocol/frame.js';
import type { Message, SendResult } from '../../receivers/index.js';
import { type Overflow, PING, type Priorities } from '../shaping/send-queue.js';
import type { MessageWriter } from './message-writer.js';
import { TrafficCounter } from './traffic.js';
import type { WebSocketOutlet } from './websocket-outlet.js';

/** What becomes of sends that have to wait. */
export interface OutboundOptions {
  readonly priorities: Priorities;
  readonly overflow: Overflow;
}

/** The side that is sent to. */
export interface SendingLink {
  readonly outlet: WebSocketOutlet;
  readonly writer: MessageWriter;
  readonly sent: TrafficCounter;
  readonly bufferedBytes: number;
}

/** The sends of one connection. Made for the first of them. */
export class OwnSends {
  /** Messages that were sent, or still wait. */
  readonly own = new TrafficCounter();
  /** Messages that found no room, or were dropped for others. */
  readonly dropped = new TrafficCounter();
  readonly #link: SendingLink;
  readonly #maxQueuedBytes: number;
  readonly #options: OutboundOptions;

  constructor(link: SendingLink, maxQueuedBytes: number, options: OutboundOptions) {
    this.#link = link;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#options = options;
  }

  send(message: Message): SendResult {
    const { outlet, writer, sent } = this.#link;
    const { text, binary } = this.#options.priorities;
    const isText = typeof message === 'string';
    const level = isText ? text : binary;
    const payload = isText ? Buffer.from(message) : asBuffer(message);
    if (this.#isFull && !this.#makeRoom(level)) return this.#refuse(payload.length);
    const result = writer.send(isText ? Opcode.Text : Opcode.Binary, payload, level, payload.length);
    outlet.noteSend();
    if (result === 'accepted' || result === 'queued') {
      count(sent, 1, payload.length);
      count(this.own, 1, payload.length);
    }
    if (result === 'queued') outlet.owner.onHolding();
    return result;
  }

  ping(message: Message): SendResult {
    if (this.#isFull) return 'dropped';
    const { text, binary, ping } = this.#options.priorities;
    const { outlet, writer } = this.#link;
    const payload = typeof message === 'string' ? Buffer.from(message) : asBuffer(message);
    if (ping < text && ping < binary) return outlet.control(Opcode.Ping, payload);
    return writer.send(Opcode.Ping, payload, ping, PING);
  }

  /** Drops what still waits, and answers with the number of messages. */
  clear(): number {
    const before = this.dropped.messages;
    for (const bytes of this.#link.writer.clear()) this.#takeBack(bytes);
    return this.dropped.messages - before;
  }

  get #isFull(): boolean {
    return this.#link.bufferedBytes > this.#maxQueuedBytes;
  }

  /** Tries to make room for a send, at the cost of others. */
  #makeRoom(level: number): boolean {
    const { overflow } = this.#options;
    if (overflow === 'reject' || overflow === 'close') return false;
    while (this.#isFull) {
      const bytes = this.#link.writer.drop(overflow === 'drop-oldest' ? 'oldest' : 'newest', level);
      if (bytes === undefined) return false;
      this.#takeBack(bytes);
    }
    return true;
  }

  /** What counted as sent was not. */
  #takeBack(bytes: number): void {
    if (bytes === PING) return;
    count(this.#link.sent, -1, -bytes);
    count(this.own, -1, -bytes);
    count(this.dropped, 1, bytes);
  }

  #refuse(bytes: number): SendResult {
    count(this.dropped, 1, bytes);
    if (this.#options.overflow !== 'close') return 'dropped';
    this.#link.outlet.owner.onOverflow();
    return 'closed';
  }
}

function count(traffic: TrafficCounter, messages: number, bytes: number): void {
  traffic.messages += messages;
  traffic.bytes += bytes;
}

/** The same bytes as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

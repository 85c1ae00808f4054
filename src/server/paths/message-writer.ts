/**
 * Owns turning whole messages into frames, compressed where that was agreed, in the order they were given although
 * compression is asynchronous. Refuses to decide what is sent.
 */
import { Opcode } from '../../protocol/frame.js';
import type { CloseStatus, SendResult } from '../../receivers/index.js';
import type { PerMessageDeflate } from '../handshake/ws-exports.js';
import { SendQueue } from '../shaping/send-queue.js';
import type { WebSocketOutlet } from './websocket-outlet.js';

/** permessage-deflate as it was agreed on for one wire, and from how many bytes on it is worth it. */
export interface AgreedDeflate {
  readonly engine: PerMessageDeflate;
  readonly threshold: number;
}

/** The kind of a message. */
export type MessageKind = 'text' | 'binary';

interface Job {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly final: boolean;
}

/** Writes messages to one outlet. */
export class MessageWriter {
  readonly #outlet: WebSocketOutlet;
  readonly #deflate: AgreedDeflate | undefined;
  /** What waits for compression, where there is any. */
  readonly #jobs: SendQueue<Job> | undefined;
  readonly #passed: number;
  #working = false;
  #close: { code: CloseStatus; reason: string } | undefined;
  #ended = false;
  /** Whether the message that is being written in fragments is compressed. */
  #compressing = false;

  /** @param passed the level of what is passed on, which is not sent by the application. */
  constructor(outlet: WebSocketOutlet, deflate?: AgreedDeflate, passed = 0) {
    this.#outlet = outlet;
    this.#deflate = deflate;
    this.#passed = passed;
    if (deflate === undefined) return;
    this.#jobs = new SendQueue();
    outlet.feeder = this;
  }

  /** Whether whoever feeds this writer has to wait: the wire is full, or compression is behind. */
  get blocked(): boolean {
    return this.#outlet.blocked || this.#working || (this.#jobs !== undefined && this.#jobs.size > 0);
  }

  /** The messages that wait: before they are compressed, because what was compressed has to keep its order. */
  get queue(): SendQueue<unknown> | undefined {
    return this.#jobs ?? this.#outlet.queue;
  }

  /** Writes one message. */
  message(kind: MessageKind, payload: Buffer): SendResult {
    return this.#put(kind === 'text' ? Opcode.Text : Opcode.Binary, payload, true, this.#passed);
  }

  /** Writes a message or a ping of the application; while it waits it does so on a level, and may be dropped. */
  send(opcode: number, payload: Buffer, level: number, own: number): SendResult {
    return this.#put(opcode, payload, true, level, own);
  }

  /** Drops what the application sent and still waits. */
  clear(): number[] {
    const dropped = this.#uncounted(() => this.queue?.clear()) ?? [];
    this.#outlet.levelFell();
    return dropped;
  }

  /** Drops one of them, to make room for one of this level. */
  drop(which: 'oldest' | 'newest', forLevel: number): number | undefined {
    return this.#uncounted(() => this.queue?.drop(which, forLevel));
  }

  /** What is taken out of the queue does not wait for compression any more. */
  #uncounted<T>(take: () => T): T {
    const before = this.#jobs?.bytes ?? 0;
    const taken = take();
    this.#outlet.compressing -= before - (this.#jobs?.bytes ?? 0);
    return taken;
  }

  /** Writes one frame of a message; `opcode` is Continuation from the second one on. */
  frame(opcode: number, payload: Buffer, final: boolean): SendResult {
    return this.#put(opcode, payload, final, this.#passed);
  }

  /** The outlet has room. */
  onRoom(): void {
    this.#work();
  }

  #put(opcode: number, payload: Buffer, final: boolean, level: number, own?: number): SendResult {
    if (this.#ended || this.#close !== undefined) return 'closed';
    if (this.#jobs === undefined) {
      return this.#outlet.message(this.#outlet.encode(opcode, payload, final), level, own);
    }
    this.#jobs.push({ opcode, payload, final }, payload.length, level, own);
    this.#outlet.compressing += payload.length;
    this.#work();
    return this.blocked ? 'queued' : 'accepted';
  }

  /** Writes a Close frame behind every message. */
  close(code: CloseStatus, reason: string): void {
    if (this.#ended || this.#close !== undefined) return;
    this.#close = { code, reason };
    this.#work();
  }

  /** The wire is gone: what waits is lost. */
  closed(): void {
    this.#ended = true;
    this.#deflate?.engine.cleanup();
  }

  #work(): void {
    // Whatever is compressed can be overtaken by nothing, so it is compressed when it can be written.
    while (!this.#working && !this.#ended && (!this.#outlet.mustWait || this.#close !== undefined)) {
      const job = this.#jobs?.shift();
      if (job === undefined) break;
      this.#write(job);
    }
    if (!this.#working && this.#close !== undefined && !this.#ended) {
      this.#ended = true;
      this.#outlet.close(this.#close.code, this.#close.reason);
    }
  }

  #write(job: Job): void {
    const { opcode, payload, final } = job;
    const deflate = this.#deflate;
    const first = opcode !== Opcode.Continuation;
    if (opcode === Opcode.Ping) this.#compressing = false;
    else if (first) this.#compressing = deflate !== undefined && payload.length >= deflate.threshold;
    if (deflate === undefined || !this.#compressing) {
      this.#outlet.compressing -= payload.length;
      this.#outlet.message(this.#outlet.encode(opcode, payload, final));
      return;
    }
    this.#working = true;
    deflate.engine.compress(payload, final, (error, compressed) => {
      this.#working = false;
      this.#outlet.compressing -= payload.length;
      if (error !== null || compressed === undefined || this.#ended) return;
      this.#outlet.message(this.#outlet.encode(opcode, compressed, final, first));
      this.#work();
      this.#outlet.levelFell();
      if (!this.blocked) this.#outlet.notifyDrained();
    });
  }
}

/**
 * Owns turning whole messages into frames, compressed where that was agreed, in the order they were given although
 * compression is asynchronous. Refuses to decide what is sent.
 */
import { Opcode } from '../../protocol/frame.js';
import type { CloseStatus, SendResult } from '../../receivers/index.js';
import type { PerMessageDeflate } from '../handshake/ws-exports.js';
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
  #jobs: Job[] = [];
  #working = false;
  #close: { code: CloseStatus; reason: string } | undefined;
  #ended = false;
  /** Whether the message that is being written in fragments is compressed. */
  #compressing = false;

  constructor(outlet: WebSocketOutlet, deflate?: AgreedDeflate) {
    this.#outlet = outlet;
    this.#deflate = deflate;
  }

  /** Whether whoever feeds this writer has to wait: the wire is full, or compression is behind. */
  get blocked(): boolean {
    return this.#working || this.#outlet.blocked;
  }

  /** Writes one message. */
  message(kind: MessageKind, payload: Buffer): SendResult {
    return this.frame(kind === 'text' ? Opcode.Text : Opcode.Binary, payload, true);
  }

  /** Writes one frame of a message; `opcode` is Continuation from the second one on. */
  frame(opcode: number, payload: Buffer, final: boolean): SendResult {
    if (this.#ended || this.#close !== undefined) return 'closed';
    if (this.#deflate === undefined) return this.#outlet.message(this.#outlet.encode(opcode, payload, final));
    this.#jobs.push({ opcode, payload, final });
    this.#outlet.compressing += payload.length;
    this.#work();
    return this.#working || this.#outlet.blocked ? 'queued' : 'accepted';
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
    this.#jobs = [];
    this.#deflate?.engine.cleanup();
  }

  #work(): void {
    while (!this.#working && !this.#ended) {
      const job = this.#jobs.shift();
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
    if (first) this.#compressing = deflate !== undefined && payload.length >= deflate.threshold;
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

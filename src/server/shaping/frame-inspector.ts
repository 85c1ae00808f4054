/**
 * Owns looking at each frame of a client where somebody wants to know: it is counted, and a policy is asked about each message. It
 * stands between a scanner and its handler only on connections that need it. Refuses to look into payloads.
 */
import type { Buffer } from 'node:buffer';
import { Opcode } from '../../protocol/frame.js';
import { type FrameHandler, FrameScanner, type FrameScannerOptions } from '../../protocol/frame-scanner.js';
import { CloseCode, type Connection, ERRORS, isCloseCode } from '../../receivers/index.js';
import type { Denial, MessageFacts } from '../admission/policy.js';
import type { FloodGuard } from './flood-guard.js';

/** Asked about each message of a client. */
export type MessagePolicy = (connection: Connection, message: MessageFacts) => Denial | undefined;

/** Looks at the frames of one client. */
export class FrameInspector implements FrameHandler {
  readonly #connection: Connection;
  readonly #guard: FloodGuard | undefined;
  readonly #policy: MessagePolicy | undefined;
  #handler!: FrameHandler;
  #scanner!: FrameScanner;

  constructor(connection: Connection, guard: FloodGuard | undefined, policy: MessagePolicy | undefined) {
    this.#connection = connection;
    this.#guard = guard;
    this.#policy = policy;
  }

  /** Makes the scanner whose frames it looks at. */
  scanner(options: FrameScannerOptions): FrameScanner {
    this.#handler = options.handler;
    this.#scanner = new FrameScanner({ ...options, handler: this });
    return this.#scanner;
  }

  /** Nothing more is read. */
  stop(): void {
    this.#scanner.stop();
  }

  /**
   * The policy is asked when the header of the last frame of a message is there: then its size is known, and of a message in one frame,
   * as nearly every message is, nothing went on yet.
   */
  onFrameStart(): void {
    if (this.#guard !== undefined) this.#guard.frames += 1;
    const denial = this.#policy === undefined || !this.#scanner.final ? undefined : this.#ask(this.#policy);
    if (denial === undefined) {
      this.#handler.onFrameStart();
      return;
    }
    const { error, message } = denial;
    const code = ERRORS[error] as { readonly close?: number };
    const close = code.close ?? CloseCode.PolicyViolation;
    this.#scanner.refuse({ error, message, code: isCloseCode(close) ? close : CloseCode.PolicyViolation });
  }

  onPayload(chunk: Buffer, start: number, end: number): void {
    this.#handler.onPayload(chunk, start, end);
  }

  onFrameEnd(): void {
    this.#handler.onFrameEnd();
  }

  onControl(opcode: number, chunk: Buffer, frameStart: number, payloadStart: number, end: number): void {
    if (this.#guard !== undefined) this.#guard.frames += 1;
    this.#handler.onControl(opcode, chunk, frameStart, payloadStart, end);
  }

  #ask(policy: MessagePolicy): Denial | undefined {
    const { messageOpcode, messageBytes } = this.#scanner;
    try {
      return policy(this.#connection, { kind: messageOpcode === Opcode.Text ? 'text' : 'binary', bytes: messageBytes });
    } catch {
      return { error: 'RECEIVER_FAILED', message: 'an admission policy failed' };
    }
  }
}

/** A scanner whose frames are looked at, if they are to be. */
export function scannerOf(inspector: FrameInspector | undefined, options: FrameScannerOptions): FrameScanner {
  return inspector?.scanner(options) ?? new FrameScanner(options);
}

/**
 * Owns looking at each frame of a client where somebody wants to know, or at each message where there are no frames: it is counted, and
 * a policy is asked about each message. It stands between a scanner and its handler only on connections that need it. Refuses to look into
 * payloads.
 */
import type { Buffer } from 'node:buffer';
import { Opcode } from '../../protocol/frame.js';
import { type FrameHandler, FrameScanner, type FrameScannerOptions } from '../../protocol/frame-scanner.js';
import type { Violation } from '../../protocol/violation.js';
import { CloseCode, type Connection, ERRORS, isCloseCode } from '../../receivers/index.js';
import type { Denial, MessageFacts } from '../admission/policy.js';
import type { FloodGuard } from './flood-guard.js';

/** Asked about each message of a client. */
export type MessagePolicy = (connection: Connection, message: MessageFacts) => Denial | undefined;

/** Looks at the frames or messages of one client. */
export class FrameInspector implements FrameHandler {
  readonly #connection: Connection;
  readonly #guard: FloodGuard | undefined;
  readonly #policy: MessagePolicy | undefined;
  #handler!: FrameHandler;
  /** A client without frames has none. */
  #scanner: FrameScanner | undefined;

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
    this.#scanner?.stop();
  }

  /** A message of a client without frames is complete. Answers why it ends the connection, if it does; then it must not go on. */
  onMessage(bytes: number): Violation | undefined {
    if (this.#guard !== undefined) this.#guard.frames += 1;
    return this.onPart(bytes);
  }

  /** Bytes came that are no message, though they are treated as one: how they are cut is no choice of the client, and is not counted. */
  onPart(bytes: number): Violation | undefined {
    return this.#policy === undefined ? undefined : this.#ask(this.#policy, { kind: 'binary', bytes });
  }

  /**
   * The policy is asked when the header of the last frame of a message is there: then its size is known, and of a message in one frame,
   * as nearly every message is, nothing went on yet.
   */
  onFrameStart(): void {
    if (this.#guard !== undefined) this.#guard.frames += 1;
    const scanner = this.#scanner!;
    const violation =
      this.#policy === undefined || !scanner.final ? undefined : this.#ask(this.#policy, factsOf(scanner));
    if (violation === undefined) this.#handler.onFrameStart();
    else scanner.refuse(violation);
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

  #ask(policy: MessagePolicy, facts: MessageFacts): Violation | undefined {
    try {
      const denial = policy(this.#connection, facts);
      return denial && violationFor(denial);
    } catch {
      return violationFor({ error: 'RECEIVER_FAILED', message: 'an admission policy failed' });
    }
  }
}

function factsOf({ messageOpcode, messageBytes }: FrameScanner): MessageFacts {
  return { kind: messageOpcode === Opcode.Text ? 'text' : 'binary', bytes: messageBytes };
}

function violationFor({ error, message }: Denial): Violation {
  const { close = CloseCode.PolicyViolation } = ERRORS[error] as { readonly close?: number };
  return { error, message, code: isCloseCode(close) ? close : CloseCode.PolicyViolation };
}

/** A scanner whose frames are looked at, if they are to be. */
export function scannerOf(inspector: FrameInspector | undefined, options: FrameScannerOptions): FrameScanner {
  return inspector?.scanner(options) ?? new FrameScanner(options);
}

/**
 * Owns one direction of the `frames` path: frames pass verbatim, only their headers are looked at. It takes out Close
 * frames, which the charts carry over, and the pongs of our own heartbeat. Refuses to unmask or assemble anything.
 */
import { Buffer } from 'node:buffer';
import { parseClosePayload } from '../../protocol/close-frame.js';
import { Opcode } from '../../protocol/frame.js';
import type { FrameHandler, FrameScanner, StreamPlace } from '../../protocol/frame-scanner.js';
import { applyMask } from '../../protocol/mask.js';
import { isViolation, type Violation } from '../../protocol/violation.js';
import type { CloseStatus } from '../../receivers/index.js';
import { type FrameInspector, scannerOf } from '../shaping/frame-inspector.js';
import type { PathLimits } from './data-path.js';
import type { WebSocketLink } from './links.js';
import type { TrafficCounter } from './traffic.js';
import type { Boundaries } from './websocket-outlet.js';

/** One direction, and what is told about it. */
export interface ForwarderOptions {
  /** Whether the frames must be masked: they come from the client. */
  readonly masked: boolean;
  readonly compression: boolean;
  readonly limits: PathLimits;
  readonly from: WebSocketLink;
  readonly traffic: TrafficCounter;
  readonly inspector?: FrameInspector | undefined;
}

/** Forwards the frames of one direction. */
export abstract class FrameForwarder implements FrameHandler {
  readonly #scanner: FrameScanner;
  readonly #link: WebSocketLink;
  readonly #traffic: TrafficCounter;
  /** What of the scanned bytes is not forwarded yet begins here. */
  #from = 0;
  #frameEnd = -1;
  #messageEnd = -1;
  /** Where a run may be cut; one object for all runs. */
  readonly #boundaries: Boundaries = { frame: -1, message: -1, insideFrame: false, insideMessage: false };

  constructor({ masked, compression, limits, from, traffic, inspector }: ForwarderOptions) {
    this.#link = from;
    this.#traffic = traffic;
    this.#scanner = scannerOf(inspector, {
      masked,
      compression,
      maxFrameBytes: limits.maxMessageBytes,
      maxMessageBytes: limits.maxMessageBytes,
      maxFragments: limits.maxFragments,
      handler: this,
    });
  }

  /** Where the stream is that is forwarded. */
  get place(): StreamPlace {
    return this.#scanner.place;
  }

  protected abstract get to(): WebSocketLink | undefined;
  /** A Close frame came, behind everything before it. */
  protected abstract onClose(code: CloseStatus, reason: string): void;
  protected abstract onViolation(violation: Violation): void;

  /** Forwards the next bytes, and stops their source when the other side is full. */
  forward(chunk: Buffer): void {
    const scanner = this.#scanner;
    if (scanner.stopped) return;
    this.#from = 0;
    this.#frameEnd = -1;
    this.#messageEnd = -1;
    scanner.scan(chunk);
    if (this.#from < scanner.consumed) this.#pass(scanner.consumed);
    if (scanner.violation === null) return;
    this.ended();
    this.onViolation(scanner.violation);
  }

  /** Nothing more comes from this side: who waits for the end of its message waits in vain. */
  ended(): void {
    this.to?.outlet.sourceEnded();
  }

  onFrameStart(): void {}

  onPayload(_chunk: Buffer, start: number, end: number): void {
    this.#traffic.bytes += end - start;
  }

  onFrameEnd(): void {
    this.#frameEnd = this.#scanner.consumed;
    if (!this.#scanner.final) {
      this.#traffic.fragments += 1;
      return;
    }
    this.#messageEnd = this.#frameEnd;
    this.#traffic.messages += 1;
  }

  onControl(opcode: number, chunk: Buffer, frameStart: number, payloadStart: number, end: number): void {
    this.#link.received.controls += 1;
    if (opcode === Opcode.Close) {
      this.#pass(frameStart);
      this.#from = end;
      this.#scanner.stop();
      this.#closed(this.#payload(chunk, payloadStart, end));
    } else if (opcode === Opcode.Pong && this.#link.takeHeartbeat(this.#payload(chunk, payloadStart, end))) {
      this.#pass(frameStart);
      this.#from = end;
    } else {
      const { to } = this;
      if (to !== undefined) to.outlet.controls += 1;
      this.#frameEnd = end;
      if (!this.#scanner.inMessage) this.#messageEnd = end;
    }
  }

  /** A control payload in the clear; a copy, because the frame may have to pass as it is. */
  #payload(chunk: Buffer, start: number, end: number): Buffer {
    const payload = Buffer.from(chunk.subarray(start, end));
    if (this.#scanner.masked) applyMask(payload, 0, payload.length, this.#scanner.maskKey, 0);
    return payload;
  }

  #closed(payload: Buffer): void {
    const close = parseClosePayload(payload);
    this.#link.closeReceived = true;
    this.ended();
    if (isViolation(close)) this.onViolation(close);
    else this.onClose(close.code, close.reason);
  }

  #pass(end: number): void {
    const start = this.#from;
    const { to } = this;
    if (start >= end || to === undefined) return;
    const boundaries = this.#boundaries;
    boundaries.frame = this.#frameEnd >= start ? this.#frameEnd : -1;
    boundaries.message = this.#messageEnd >= start ? this.#messageEnd : -1;
    boundaries.insideFrame = end === this.#scanner.consumed && !this.#scanner.atBoundary;
    boundaries.insideMessage = this.#scanner.inMessage;
    this.#from = end;
    if (!to.outlet.forward(this.#scanner.bytes, start, end, boundaries)) this.#link.intake.block();
  }
}

/**
 * Owns the `stream` path: WebSocket to plain bytes, for a receiver that does not look at messages. Payloads are unmasked in
 * place and streamed on as they come; each chunk from the target becomes one frame. Refuses to assemble messages.
 */
import { Buffer } from 'node:buffer';
import { parseClosePayload } from '../../protocol/close-frame.js';
import { Opcode } from '../../protocol/frame.js';
import type { FrameHandler, FrameScanner, StreamPlace } from '../../protocol/frame-scanner.js';
import { applyMask } from '../../protocol/mask.js';
import { isViolation } from '../../protocol/violation.js';
import { scannerOf } from '../shaping/frame-inspector.js';
import { ByteFramer, type FrameType } from './byte-framer.js';
import { type PathOptions, WebSocketPath } from './data-path.js';
import { unmaskTo } from './unmask.js';

/** Streams payloads to the target and frames what comes back. */
export class StreamPath extends WebSocketPath implements FrameHandler {
  readonly kind = 'stream';
  readonly #scanner: FrameScanner;
  readonly #framer: ByteFramer;
  /** What of the scanned bytes is payload and not written yet: `[start, end)`, gathered at its beginning. */
  #start = 0;
  #end = 0;

  constructor(options: PathOptions & { readonly frameType: FrameType }) {
    super(options);
    this.#framer = new ByteFramer(this.down, options.frameType);
    this.#scanner = scannerOf(this.inspector, {
      masked: true,
      compression: false,
      maxFrameBytes: this.limits.maxMessageBytes,
      maxMessageBytes: this.limits.maxMessageBytes,
      maxFragments: this.limits.maxFragments,
      handler: this,
    });
  }

  override placeFromClient(): StreamPlace {
    return this.#scanner.place;
  }

  override onDownBytes(chunk: Buffer): void {
    const scanner = this.#scanner;
    if (scanner.stopped) return;
    this.#start = 0;
    this.#end = 0;
    scanner.scan(chunk);
    this.#write();
    if (scanner.violation !== null) this.violated(scanner.violation);
  }

  override onUpBytes(chunk: Buffer): void {
    const result = this.#framer.frame(chunk);
    if (result === 'invalid') this.upstreamViolated(this.#framer.violation);
    else if (result === 'full') this.up?.intake.block();
  }

  onFrameStart(): void {}

  /** Moves what comes to what is there, so that all frames of a read leave with one write. */
  onPayload(chunk: Buffer, start: number, end: number): void {
    const scanner = this.#scanner;
    if (this.#start === this.#end) {
      this.#start = start;
      this.#end = start;
    }
    unmaskTo(chunk, this.#end, start, end, scanner.maskKey, scanner.payloadOffset);
    this.#end += end - start;
    this.down.received.bytes += end - start;
  }

  onFrameEnd(): void {
    if (this.#scanner.final) this.down.received.messages += 1;
    else this.down.received.fragments += 1;
  }

  onControl(opcode: number, chunk: Buffer, _frameStart: number, payloadStart: number, end: number): void {
    this.down.received.controls += 1;
    applyMask(chunk, payloadStart, end, this.#scanner.maskKey, 0);
    const payload = Buffer.from(chunk.subarray(payloadStart, end));
    if (opcode === Opcode.Ping) this.down.outlet.pong(payload);
    else if (opcode === Opcode.Pong) this.down.takeHeartbeat(payload);
    if (opcode !== Opcode.Close) return;
    this.#write();
    this.#scanner.stop();
    this.down.closeReceived = true;
    const close = parseClosePayload(payload);
    if (isViolation(close)) this.violated(close);
    else this.connection.onPeerClose(close.code, close.reason);
  }

  #write(): void {
    if (this.#start === this.#end) return;
    const start = this.#start;
    this.#start = this.#end;
    if (this.up !== undefined && !this.up.outlet.write(this.#scanner.bytes, start, this.#end)) this.down.intake.block();
  }
}

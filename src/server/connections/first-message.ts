/**
 * Owns the wait for the first text message of a client that had its 101 early: nothing else is read as a message, and what comes
 * behind it is kept. Refuses to know what it says, and to answer but pings.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import { encodeFrame, Opcode } from '../../protocol/frame.js';
import { type FrameHandler, FrameScanner } from '../../protocol/frame-scanner.js';
import { applyMask } from '../../protocol/mask.js';
import type { ErrorCode } from '../../receivers/index.js';
import { copyUnmasked } from '../paths/unmask.js';
import type { Wire, WireReader } from '../wires/wire.js';

/** No token is longer; a client that has not said who it is may hold no more. */
const MAX_BYTES = 16 * 1024;
const MAX_FRAGMENTS = 16;
/** Pings are answered, but not for ever. */
const MAX_PINGS = 16;

/** Who is told. One of the three is called, once. */
export interface FirstMessageSink {
  /** The message; what came behind it was given back to the wire. */
  onFirstText(text: string): void;
  onBroken(error: ErrorCode, message: string): void;
  onGone(): void;
}

/** Reads a wire up to the first text message. */
export class FirstMessage implements WireReader, FrameHandler {
  readonly #wire: Wire;
  readonly #sink: FirstMessageSink;
  readonly #scanner: FrameScanner;
  #text = Buffer.alloc(0);
  #frameAt = 0;
  #pings = 0;
  #done = false;
  #complete = false;

  constructor(wire: Wire, sink: FirstMessageSink) {
    this.#wire = wire;
    this.#sink = sink;
    this.#scanner = new FrameScanner({
      masked: true,
      compression: false,
      maxFrameBytes: MAX_BYTES,
      maxMessageBytes: MAX_BYTES,
      maxFragments: MAX_FRAGMENTS,
      handler: this,
    });
    wire.attach(this);
    wire.read();
  }

  /** Tells nothing any more. Reads nothing until somebody else does. */
  finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#wire.watch();
  }

  onBytes(chunk: Buffer): void {
    if (this.#done) return;
    const scanner = this.#scanner;
    scanner.scan(chunk);
    if (this.#done) return;
    if (this.#complete) {
      // A copy: the chunk belongs to the wire.
      const { bytes, consumed } = scanner;
      if (consumed < bytes.length) this.#wire.unread(Buffer.from(bytes.subarray(consumed)));
      this.#wire.watch();
      this.#deliver();
    } else if (scanner.violation !== null) {
      this.#break(scanner.violation.error, scanner.violation.message);
    }
  }

  onFrameStart(): void {
    const { messageOpcode, length } = this.#scanner;
    if (messageOpcode === Opcode.Text) {
      this.#frameAt = this.#text.length;
      this.#text = Buffer.concat([this.#text], this.#frameAt + length);
      return;
    }
    this.#scanner.stop();
    this.#break('INVALID_CREDENTIALS', 'the first message is not text');
  }

  onPayload(chunk: Buffer, start: number, end: number): void {
    const { maskKey, payloadOffset } = this.#scanner;
    copyUnmasked(chunk, start, end, this.#text, this.#frameAt + payloadOffset, maskKey, payloadOffset);
  }

  onFrameEnd(): void {
    if (!this.#scanner.final) return;
    this.#complete = true;
    this.#scanner.stop();
  }

  onControl(opcode: number, chunk: Buffer, _frameStart: number, payloadStart: number, end: number): void {
    if (opcode === Opcode.Close) {
      this.#scanner.stop();
      this.#break('DOWNSTREAM_GONE', 'the client closed before it said who it is');
    } else if (opcode === Opcode.Ping) {
      this.#pings += 1;
      if (this.#pings > MAX_PINGS) {
        this.#scanner.stop();
        this.#break('RATE_LIMITED', 'the client sent nothing but pings');
        return;
      }
      const payload = Buffer.from(chunk.subarray(payloadStart, end));
      applyMask(payload, 0, payload.length, this.#scanner.maskKey, 0);
      this.#wire.write(encodeFrame(Opcode.Pong, payload));
    }
  }

  onEnd(): void {
    this.#gone();
  }

  onDrain(): void {}

  onClosed(): void {
    this.#gone();
  }

  #deliver(): void {
    this.#done = true;
    const bytes = this.#text;
    if (isUtf8(bytes)) this.#sink.onFirstText(bytes.toString('utf8'));
    else this.#sink.onBroken('INVALID_UTF8', 'the first message is not UTF-8');
  }

  #break(error: ErrorCode, message: string): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.onBroken(error, message);
  }

  #gone(): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.onGone();
  }
}

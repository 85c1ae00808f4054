/**
 * Owns turning the frames of one wire into whole messages or fragments: unmasked, inflated once, text checked to be UTF-8,
 * in order although inflation is asynchronous. Refuses to decide what becomes of them.
 */
import { Buffer } from 'node:buffer';
import { parseClosePayload } from '../../protocol/close-frame.js';
import { frameHeaderLength, Opcode } from '../../protocol/frame.js';
import type { FrameHandler, FrameScanner } from '../../protocol/frame-scanner.js';
import { applyMask } from '../../protocol/mask.js';
import { Utf8Stream } from '../../protocol/utf8-stream.js';
import { isViolation, type Violation, violationOf } from '../../protocol/violation.js';
import type { CloseStatus, Fragment } from '../../receivers/index.js';
import { type FrameInspector, scannerOf } from '../shaping/frame-inspector.js';
import { inflateViolation, notText, textViolation } from './message-violations.js';
import type { AgreedDeflate, MessageKind } from './message-writer.js';
import type { TrafficCounter } from './traffic.js';
import { copyUnmasked } from './unmask.js';

/** Who gets what a {@link MessageReader} read. */
export interface MessageSink {
  /**
   * The receiver may keep `data`. `frame` is the frame that it came in, as it was sent, where it came in one that can be passed
   * on as it is; it is the wire's, and gone after this call.
   */
  onMessage(kind: MessageKind, data: Buffer, frame: FrameSpan | undefined): void;
  onFragment(fragment: Fragment): void;
  onPing(payload: Buffer): void;
  onPong(payload: Buffer): void;
  /** A Close frame, behind everything before it; nothing follows. */
  onClose(code: CloseStatus, reason: string): void;
  /** A rule was broken, behind every good frame; nothing follows. */
  onViolation(violation: Violation): void;
  /** Inflation fell behind: read no further until `onCaughtUp`. */
  onBehind(): void;
  onCaughtUp(): void;
}

/** Parts of messages that are smaller than this are not worth looking at. */
const NOTICED_BYTES = 16 * 1024;

/** Where a whole frame stands: `bytes[start, end)`. */
export interface FrameSpan {
  bytes: Buffer;
  start: number;
  end: number;
}

/** How messages are read. */
export interface MessageReaderOptions {
  /** Whether frames must be masked: we are the server on this wire. */
  readonly masked: boolean;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
  readonly fragments: 'buffer' | 'fragments' | 'both';
  readonly deflate: AgreedDeflate | undefined;
  readonly inspector?: FrameInspector | undefined;
  /** Where fragments and control frames are counted; messages are whoever gets them's to count. */
  readonly traffic: Pick<TrafficCounter, 'fragments' | 'controls'>;
  readonly sink: MessageSink;
}

/** A complete data frame, a Close frame or a violation, in its turn. */
type Job =
  | {
      readonly type: 'frame';
      readonly kind: MessageKind;
      readonly index: number;
      readonly final: boolean;
      readonly compressed: boolean;
      readonly data: Buffer;
    }
  | { readonly type: 'close'; readonly code: CloseStatus; readonly reason: string }
  | { readonly type: 'violation'; readonly violation: Violation };

type FrameJob = Extract<Job, { type: 'frame' }>;

/** Reads the messages of one wire. */
export class MessageReader implements FrameHandler {
  readonly #options: MessageReaderOptions;
  readonly scanner: FrameScanner;
  /** The payload of the current frame as far as it came, in a buffer that may be larger. */
  #payload = NOTHING;
  #filled = 0;
  /** Where the current frame began in the bytes that are scanned now; -1 when it began before them. */
  #frameStart = -1;
  /** The last whole frame; one object for all of them. */
  readonly #span: FrameSpan = { bytes: NOTHING, start: 0, end: 0 };
  #jobs: Job[] = [];
  #inflating = false;
  #message: Buffer[] = [];
  #messageBytes = 0;
  #text = new Utf8Stream();
  #stopped = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
    this.scanner = scannerOf(options.inspector, {
      masked: options.masked,
      compression: options.deflate !== undefined,
      maxFrameBytes: options.maxMessageBytes,
      maxMessageBytes: options.maxMessageBytes,
      maxFragments: options.maxFragments,
      handler: this,
    });
  }

  limitMessages(bytes: number): void {
    this.scanner.limitMessages(bytes);
  }

  /** Whether part of a message is kept that may take a while to be complete. */
  get incomplete(): boolean {
    return this.#payload.length > NOTICED_BYTES || this.#messageBytes > NOTICED_BYTES;
  }

  /** Bytes of messages that are not complete, or wait to be inflated. */
  get heldBytes(): number {
    let held = this.#payload.length;
    if (this.#options.fragments !== 'fragments') held += this.#messageBytes;
    for (const job of this.#jobs) held += job.type === 'frame' ? job.data.length : 0;
    return held;
  }

  /** Reads the next bytes. */
  read(chunk: Buffer): void {
    if (this.#stopped) return;
    this.#frameStart = -1;
    this.scanner.scan(chunk);
    if (this.scanner.violation !== null && !this.#stopped)
      this.#push({ type: 'violation', violation: this.scanner.violation });
  }

  /** Nothing is read or told any more. */
  stop(): void {
    this.#stopped = true;
    this.#jobs = [];
    this.scanner.stop();
  }

  onFrameStart(): void {
    this.#payload = NOTHING;
    this.#filled = 0;
    this.#frameStart = this.scanner.frameStart;
  }

  onPayload(chunk: Buffer, start: number, end: number): void {
    // A copy, because the chunk belongs to the wire, and the frame may go on as it is.
    const before = this.#filled;
    const filled = before + end - start;
    const { maskKey, payloadOffset } = this.scanner;
    if (filled > this.#payload.length) this.#grow(filled);
    copyUnmasked(chunk, start, end, this.#payload, before, maskKey, payloadOffset);
    this.#filled = filled;
  }

  onFrameEnd(): void {
    const { messageOpcode, fragmentIndex, final, messageCompressed } = this.scanner;
    const data = this.#payload;
    this.#payload = NOTHING;
    if (
      final &&
      fragmentIndex === 0 &&
      !messageCompressed &&
      !this.#inflating &&
      this.#options.fragments === 'buffer'
    ) {
      this.#takeWhole(messageOpcode === Opcode.Text ? 'text' : 'binary', data);
      return;
    }
    if (!final) this.#options.traffic.fragments += 1;
    this.#push({
      type: 'frame',
      kind: messageOpcode === Opcode.Text ? 'text' : 'binary',
      index: fragmentIndex,
      final,
      compressed: messageCompressed,
      data,
    });
  }

  onControl(opcode: number, chunk: Buffer, _frameStart: number, payloadStart: number, end: number): void {
    this.#options.traffic.controls += 1;
    if (this.#options.masked) applyMask(chunk, payloadStart, end, this.scanner.maskKey, 0);
    const payload = Buffer.from(chunk.subarray(payloadStart, end));
    if (opcode === Opcode.Ping) this.#options.sink.onPing(payload);
    else if (opcode === Opcode.Pong) this.#options.sink.onPong(payload);
    else {
      this.scanner.stop();
      const close = parseClosePayload(payload);
      if (isViolation(close)) this.#push({ type: 'violation', violation: close });
      else this.#push({ type: 'close', code: close.code, reason: close.reason });
    }
  }

  /**
   * Makes room, up to the announced length, which alone is not believed: at most as much again as what came. One buffer,
   * because a frame may come in single bytes, and an object for each would take a hundred times the memory (P3).
   */
  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.scanner.length, Math.max(needed, 2 * this.#payload.length)));
    this.#payload.copy(larger, 0, 0, this.#filled);
    this.#payload = larger;
  }

  /** A message in one frame, which is nearly every message: it waits for nothing. */
  #takeWhole(kind: MessageKind, data: Buffer): void {
    if (this.#stopped) return;
    const violation = kind === 'text' ? textViolation(data) : undefined;
    if (violation !== undefined) {
      this.#do({ type: 'violation', violation });
      return;
    }
    this.#options.sink.onMessage(kind, data, this.#wholeFrame(data.length));
  }

  /** The current frame as it was sent, if all of it is there and its length is written as we would write it. */
  #wholeFrame(length: number): FrameSpan | undefined {
    const { bytes, consumed } = this.scanner;
    const start = this.#frameStart;
    if (start === -1 || consumed - start !== frameHeaderLength(length, this.#options.masked) + length) return undefined;
    const span = this.#span;
    span.bytes = bytes;
    span.start = start;
    span.end = consumed;
    return span;
  }

  #push(job: Job): void {
    if (this.#inflating) this.#jobs.push(job);
    else this.#do(job);
  }

  #do(job: Job): void {
    if (this.#stopped) return;
    if (job.type === 'frame') {
      if (job.compressed) this.#inflate(job);
      else this.#take(job, job.data);
      return;
    }
    this.#stopped = true;
    // What came in the same chunk is not read any more: nothing follows.
    this.scanner.stop();
    if (job.type === 'close') this.#options.sink.onClose(job.code, job.reason);
    else this.#options.sink.onViolation(job.violation);
  }

  #inflate(job: FrameJob): void {
    this.#inflating = true;
    this.#options.sink.onBehind();
    this.#options.deflate?.engine.decompress(job.data, job.final, (error, inflated) => {
      this.#inflating = false;
      if (this.#stopped) return;
      if (error !== null || inflated === undefined) this.#do({ type: 'violation', violation: inflateViolation(error) });
      else this.#take(job, inflated);
      while (!this.#inflating) {
        const next = this.#jobs.shift();
        if (next === undefined) break;
        this.#do(next);
      }
      // Also when reading is over: whoever waits for the end of the wire has to find it.
      if (!this.#inflating) this.#options.sink.onCaughtUp();
    });
  }

  #take(job: FrameJob, data: Buffer): void {
    const { fragments, maxMessageBytes, sink } = this.#options;
    const { kind, index, final } = job;
    if (index === 0) {
      this.#message = [];
      this.#messageBytes = 0;
    }
    this.#messageBytes += data.length;
    if (maxMessageBytes > 0 && this.#messageBytes > maxMessageBytes) {
      this.#do({
        type: 'violation',
        violation: violationOf('MESSAGE_TOO_BIG', `a message inflates to more than ${maxMessageBytes} bytes`),
      });
      return;
    }
    if (fragments === 'fragments' && kind === 'text' && !this.#isText(index === 0, final, data)) {
      this.#do({ type: 'violation', violation: notText });
      return;
    }
    if (fragments !== 'buffer') sink.onFragment({ index, first: index === 0, final, kind, data });
    if (fragments === 'fragments' || this.#stopped) return;
    this.#message.push(data);
    if (!final) return;
    const whole = this.#message.length === 1 ? data : Buffer.concat(this.#message, this.#messageBytes);
    this.#message = [];
    this.#messageBytes = 0;
    const violation = kind === 'text' ? textViolation(whole) : undefined;
    if (violation !== undefined) {
      this.#do({ type: 'violation', violation });
      return;
    }
    sink.onMessage(kind, whole, undefined);
  }

  /** Checks a text that is never whole here; a fragment may cut a code point. */
  #isText(first: boolean, final: boolean, data: Buffer): boolean {
    if (first) this.#text = new Utf8Stream();
    return this.#text.push(data) !== null && (!final || this.#text.end());
  }
}

const NOTHING = Buffer.alloc(0);

/**
 * Owns what is written of one direction of a client's wire: each frame as it passed, or each message where something may have to be
 * blotted out of it. Refuses to write.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import { Opcode } from '../../protocol/frame.js';
import type { StreamPlace } from '../../protocol/frame-scanner.js';
import type { BytesLine, FrameLine, Sender } from './format.js';
import { FrameSplitter, type SplitFrame } from './frame-splitter.js';
import { Inflater } from './inflater.js';
import type { PayloadRedaction, RecordedPayload } from './payload-redaction.js';

/** A line of a direction, without its time. */
export type CapturedLine = Omit<FrameLine, 't'> | Omit<BytesLine, 't'>;

/** What of payloads is written. */
export interface CaptureOptions {
  readonly connection: string;
  readonly from: Sender;
  readonly payloads: boolean;
  readonly maxPayloadBytes: number;
  readonly redaction: PayloadRedaction;
  /** There is no room: payloads are not worth being copied. */
  full(): boolean;
  write(line: CapturedLine, bytes: number, frames: number): void;
}

/** Captures one direction. */
export interface Capture {
  push(bytes: Buffer, start: number, end: number): void;
  /** The wire is gone. */
  finish(): void;
}

const NOTHING = Buffer.alloc(0);

/** Captures the frames of a WebSocket. */
export class FrameCapture implements Capture {
  readonly #options: CaptureOptions;
  readonly #splitter: FrameSplitter;
  readonly #inflater: Inflater;
  /** The frames of a message that is not complete, where messages are redacted. */
  #parts: SplitFrame[] = [];
  #partBytes = 0;

  constructor(options: CaptureOptions, place: StreamPlace, midway: boolean) {
    this.#options = options;
    this.#inflater = new Inflater(options.maxPayloadBytes);
    if (midway) this.#inflater.miss();
    const whole = options.redaction.isNeeded;
    const limit = () => (options.payloads && !options.full() ? options.maxPayloadBytes : 0);
    this.#splitter = new FrameSplitter(place, limit, (frame) => (whole ? this.#gather(frame) : this.#frame(frame)));
  }

  push(bytes: Buffer, start: number, end: number): void {
    this.#splitter.push(bytes, start, end);
  }

  finish(): void {
    this.#splitter.finish();
    if (this.#parts.length > 0) this.#message(true);
  }

  #frame(frame: SplitFrame): void {
    const { payload, bytes, cut } = frame;
    const missing = this.#missing(payload.length < bytes, cut);
    this.#write(frame, missing === 'off' ? {} : { ...payloadFields(frame, payload), missing }, missing);
  }

  #missing(isShort: boolean, cut: boolean): FrameLine['missing'] {
    if (cut) return 'cut';
    if (!isShort) return undefined;
    return this.#options.payloads ? 'rest' : 'off';
  }

  #write(frame: SplitFrame, fields: Partial<FrameLine>, missing: FrameLine['missing']): void {
    const { opcode, fin, rsv, masked, bytes } = frame;
    const { from, write } = this.#options;
    const { frames = 1 } = fields;
    const line: CapturedLine = { type: 'frame', from, opcode, fin, bytes, ...fields };
    if (rsv !== 0) line.rsv = rsv;
    if (masked !== (from === 'client')) line.masked = masked;
    if (missing !== undefined) line.missing = missing;
    write(line, bytes, frames);
  }

  // Messages, where something may have to be blotted out: a secret may lie over two frames, or be compressed.

  #gather(frame: SplitFrame): void {
    if (frame.opcode >= Opcode.Close) {
      this.#redacted(frame, frame.payload, 'control', 1, frame.cut);
      return;
    }
    this.#partBytes += frame.payload.length;
    // Of a message that is too large nothing is kept; its frames are counted still.
    const room = this.#partBytes <= this.#options.maxPayloadBytes;
    this.#parts.push(room ? frame : { ...frame, payload: NOTHING });
    if (frame.fin || frame.cut) this.#message(frame.cut);
  }

  #message(cut: boolean): void {
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    const [first] = parts;
    if (first === undefined) return;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const wire = Buffer.concat(parts.map(({ payload }) => payload));
    const compressed = (first.rsv & 4) !== 0;
    const isWhole = wire.length === bytes && !cut && first.opcode !== Opcode.Continuation;
    const whole: SplitFrame = { ...first, fin: parts.at(-1)!.fin, bytes };
    if (compressed && !isWhole) this.#inflater.miss();
    const data = isWhole && compressed ? this.#inflater.inflate(wire) : isWhole ? wire : undefined;
    const missing = this.#options.payloads ? 'withheld' : 'off';
    if (data === undefined) this.#write(whole, { frames: parts.length }, missing);
    else this.#redacted(whole, data, first.opcode === Opcode.Text ? 'text' : 'binary', parts.length, false);
  }

  #redacted(frame: SplitFrame, data: Buffer, kind: RecordedPayload['kind'], frames: number, cut: boolean): void {
    const { connection, from, redaction, payloads } = this.#options;
    const several = frames > 1 ? { frames } : {};
    const result = cut || !payloads ? 'withheld' : redaction.redact({ connection, from, kind, data });
    if (result === 'withheld') {
      this.#write(frame, several, frame.bytes === 0 ? undefined : payloads ? 'withheld' : 'off');
      return;
    }
    const fields: Partial<FrameLine> = { ...payloadFields(frame, result.data, true), ...several };
    if (result.changed) fields.redacted = true;
    if (kind !== 'control' && (frame.rsv & 4) !== 0) fields.inflated = true;
    this.#write(frame, fields, undefined);
  }
}

/** Captures the bytes of a plain TCP client. */
export class BytesCapture implements Capture {
  readonly #options: CaptureOptions;

  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  push(bytes: Buffer, start: number, end: number): void {
    const { connection, from, payloads, maxPayloadBytes, redaction, write } = this.#options;
    const length = end - start;
    const line: CapturedLine = { type: 'bytes', from, bytes: length };
    if (!payloads) {
      write({ ...line, missing: 'off' }, length, 1);
      return;
    }
    const data = bytes.subarray(start, Math.min(end, start + maxPayloadBytes));
    const result = redaction.isNeeded
      ? redaction.redact({ connection, from, kind: 'bytes', data: Buffer.from(data) })
      : { data, changed: false };
    if (result === 'withheld') {
      write({ ...line, missing: 'withheld' }, length, 1);
      return;
    }
    Object.assign(line, textOrBase64(result.data, true));
    if (result.changed) line.redacted = true;
    if (data.length < length) line.missing = 'rest';
    write(line, length, 1);
  }

  finish(): void {}
}

const TEXT_OPCODES: ReadonlySet<number> = new Set([Opcode.Continuation, Opcode.Text, Opcode.Ping, Opcode.Pong]);

function payloadFields({ opcode, rsv }: SplitFrame, payload: Buffer, isInflated = false): Partial<FrameLine> {
  // Of compressed bytes, of a binary message and of the payload of a Close frame, which begins with two bytes, there is no text.
  const isText = TEXT_OPCODES.has(opcode);
  return textOrBase64(payload, isText && (rsv === 0 || isInflated));
}

function textOrBase64(payload: Buffer, mayBeText: boolean): { text?: string; base64?: string } {
  return mayBeText && isUtf8(payload) ? { text: payload.toString() } : { base64: payload.toString('base64') };
}

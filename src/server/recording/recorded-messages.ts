/**
 * Owns what was said in a recording: whole messages, inflated where they were compressed, with what could not be had. Refuses to know how
 * they are shown or played.
 */
import { Buffer } from 'node:buffer';
import { parseClosePayload } from '../../protocol/close-frame.js';
import { Opcode } from '../../protocol/frame.js';
import { isViolation } from '../../protocol/violation.js';
import type { BytesLine, FrameLine, Sender } from './format.js';
import { Inflater } from './inflater.js';
import type { Recording } from './read-recording.js';

/** A message, or what else one side said. */
export interface RecordedMessage {
  /** Milliseconds since the recording began, at its end. */
  readonly t: number;
  readonly from: Sender;
  readonly kind: 'text' | 'binary' | 'ping' | 'pong' | 'close' | 'bytes';
  readonly data: Buffer;
  /** Its size when it was sent, compressed if it was. */
  readonly bytes: number;
  /** Why `data` is not what was sent; undefined when it is. */
  readonly flaw: Flaw | undefined;
}

/** What is wrong with a payload. */
export type Flaw = NonNullable<FrameLine['missing']> | 'redacted' | 'compressed' | 'begun before';

/** No message is larger when it is inflated; what is, is told as compressed. */
const MAX_MESSAGE = 256 * 1024 * 1024;

/** The messages of a recording, in order of their ends. */
export function recordedMessages({ header, lines }: Recording): RecordedMessage[] {
  const messages: RecordedMessage[] = [];
  const sides = { client: new Assembly(header.midway), server: new Assembly(header.midway) };
  for (const line of lines) {
    if (line.type === 'bytes') messages.push(messageOfBytes(line));
    else if (line.type === 'frame') messages.push(...sides[line.from].take(line));
    // Which frames are missing is not known, nor in which direction.
    else if (line.type === 'lost' && line.frames > 0) for (const side of Object.values(sides)) side.lose();
  }
  return messages;
}

/** The payload of a line. */
export function payloadOfLine({ text, base64 }: Pick<FrameLine, 'text' | 'base64'>): Buffer {
  return text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
}

/** What is wrong with the payload of a line by itself. */
export function flawOf({ missing, redacted }: Pick<FrameLine, 'missing' | 'redacted'>): Flaw | undefined {
  return missing ?? (redacted === true ? 'redacted' : undefined);
}

function messageOfBytes(line: BytesLine): RecordedMessage {
  const { t, from, bytes } = line;
  return { t, from, kind: 'bytes', data: payloadOfLine(line), bytes, flaw: flawOf(line) };
}

/** Puts the frames of one direction together. */
class Assembly {
  readonly #inflater = new Inflater(MAX_MESSAGE);
  #frames: FrameLine[] = [];

  constructor(midway: boolean) {
    if (midway) this.#inflater.miss();
  }

  lose(): void {
    this.#inflater.miss();
    this.#frames = [];
  }

  take(line: FrameLine): RecordedMessage[] {
    const { t, from, opcode, bytes } = line;
    if (opcode >= Opcode.Close) {
      const kind = opcode === Opcode.Close ? 'close' : opcode === Opcode.Ping ? 'ping' : 'pong';
      return [{ t, from, kind, data: payloadOfLine(line), bytes, flaw: flawOf(line) }];
    }
    this.#frames.push(line);
    return line.fin || line.missing === 'cut' ? [this.#message(line)] : [];
  }

  #message({ t, from }: FrameLine): RecordedMessage {
    const frames = this.#frames;
    this.#frames = [];
    const [first] = frames;
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
    const kind = first?.opcode === Opcode.Text ? 'text' : 'binary';
    const raw = Buffer.concat(frames.map(payloadOfLine));
    const begun = first?.opcode === Opcode.Continuation ? ('begun before' as const) : undefined;
    const flaw = begun ?? frames.map(flawOf).find((one) => one !== undefined);
    const isCompressed = ((first?.rsv ?? 0) & 4) !== 0 && first?.inflated !== true;
    if (!isCompressed) return { t, from, kind, data: raw, bytes, flaw };
    if (flaw !== undefined) this.#inflater.miss();
    const data = this.#inflater.inflate(raw);
    return { t, from, kind, data: data ?? raw, bytes, flaw: flaw ?? (data === undefined ? 'compressed' : undefined) };
  }
}

/** What a Close frame says; 1005 for one without a code, or with one that no side may send. */
export function closeOf({ data }: RecordedMessage): { readonly code: number; readonly reason: string } {
  const close = parseClosePayload(data);
  return isViolation(close) ? { code: 1005, reason: '' } : close;
}

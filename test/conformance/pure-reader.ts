/**
 * Owns reading the bytes of a case with the pure protocol modules alone: no sockets, so that every case can be cut
 * everywhere, and run against other modules than those of src. It asserts with node:assert, as it runs very often.
 */
import { strict as assert } from 'node:assert';
import type { parseClosePayload } from '../../src/protocol/close-frame.js';
import type { FrameHandler, FrameScanner } from '../../src/protocol/frame-scanner.js';
import type { applyMask } from '../../src/protocol/mask.js';
import type { Utf8Stream } from '../../src/protocol/utf8-stream.js';
import { encodeFrame, Opcode } from '../support/frames.js';
import type { ConformanceCase, Delivered, SetupName } from './cases/case.js';
import { MAX_FRAGMENTS, MAX_MESSAGE_BYTES } from './cases/limits.js';
import { type Sender, verdictOn } from './cases/table.js';
import { Inflation } from './deflate-codec.js';
import { showBytes } from './received.js';

/** The modules that read. */
export interface ReadingModules {
  readonly FrameScanner: typeof FrameScanner;
  readonly applyMask: typeof applyMask;
  readonly parseClosePayload: typeof parseClosePayload;
  readonly Utf8Stream: typeof Utf8Stream;
}

/** Reads a case, cut at the given size, and throws where that contradicts its verdict. */
export function readCase(modules: ReadingModules, one: ConformanceCase, sender: Sender, pieces: number): void {
  const masked = sender === 'client';
  const bytes = Buffer.concat(one.frames.map((frame) => encodeFrame({ masked, maskKey: KEY, ...frame })));
  const reading = new Reading(modules, one.setup ?? 'plain', masked);
  reading.read(bytes, pieces);
  // What the path `messages` does, which looks at everything.
  const verdict = verdictOn('messages alone', one);
  const where = `${one.id} of the ${sender} in pieces of ${pieces}`;
  assert.equal(reading.code, verdict.kind === 'fail' ? verdict.code : undefined, where);
  assert.deepEqual(reading.messages.map(shown), verdict.messages.map(shown), where);
  const closed = verdict.kind === 'close' ? { code: verdict.code, reason: verdict.reason } : undefined;
  assert.deepEqual(reading.closed, closed, where);
  if (verdict.kind === 'pass') assert.deepEqual(reading.facts, factsOf(one, masked), where);
}

const KEY = Buffer.of(0x9a, 0x01, 0xfe, 0x37);

function shown({ kind, data }: Delivered): string {
  return `${kind} ${showBytes(data)}`;
}

/** The facts of the frames as they were sent. */
function factsOf({ frames }: ConformanceCase, masked: boolean): string[] {
  let index = 0;
  let first = frames[0];
  return frames.map((frame) => {
    const payload = Buffer.from((frame.payload ?? '') as string);
    if (frame.opcode >= 8) return `control ${frame.opcode} ${showBytes(payload)}`;
    if (frame.opcode !== Opcode.Continuation) {
      index = 0;
      first = frame;
    } else index += 1;
    const { fin = true, rsv1 = false, opcode, maskKey = KEY } = frame;
    const key = masked ? Buffer.from(maskKey).readUInt32BE() : 0;
    const facts = [opcode, fin, rsv1, payload.length, key, first?.opcode, first?.rsv1 ?? false, index];
    return `data ${facts.join(' ')} ${showBytes(payload)}`;
  });
}

/** One reading; it is the handler of its scanner. */
class Reading implements FrameHandler {
  readonly messages: Delivered[] = [];
  /** What the scanner said of each frame. */
  readonly facts: string[] = [];
  code: number | undefined;
  closed: { readonly code: number; readonly reason: string } | undefined;

  readonly #modules: ReadingModules;
  readonly #masked: boolean;
  readonly #maxMessageBytes: number;
  readonly #inflation: Inflation;
  readonly #scanner: FrameScanner;
  #bytes = Buffer.alloc(0);
  /** Where in `bytes` begins what the scanner looks at. */
  #scannedFrom = 0;
  #message: Buffer[] = [];
  #payload: Buffer[] = [];
  #text: Utf8Stream;

  constructor(modules: ReadingModules, setup: SetupName, masked: boolean) {
    const limited = setup.includes('limits');
    this.#modules = modules;
    this.#masked = masked;
    this.#maxMessageBytes = limited ? MAX_MESSAGE_BYTES : 64 * 1024 * 1024;
    this.#inflation = new Inflation(setup === 'takeover');
    this.#text = new modules.Utf8Stream();
    this.#scanner = new modules.FrameScanner({
      masked,
      compression: setup !== 'plain' && setup !== 'limits',
      maxFrameBytes: this.#maxMessageBytes,
      maxMessageBytes: this.#maxMessageBytes,
      maxFragments: limited ? MAX_FRAGMENTS : 0,
      handler: this,
    });
  }

  read(bytes: Buffer<ArrayBuffer>, pieces: number): void {
    const scanner = this.#scanner;
    this.#bytes = bytes;
    let taken = 0;
    for (let at = 0; at < bytes.length; at += pieces) {
      // A copy, wiped afterwards: a caller may reuse its read buffer, so nothing held may point into it.
      const chunk = Buffer.from(bytes.subarray(at, at + pieces));
      const wasStopped = scanner.stopped;
      this.#scannedFrom = at - scanner.heldBytes;
      scanner.scan(chunk);
      taken += scanner.consumed;
      if (wasStopped) assert.equal(scanner.consumed, 0);
      if (!scanner.stopped) assert.equal(taken + scanner.heldBytes, at + chunk.length);
      assert.ok(scanner.heldBytes <= 130);
      chunk.fill(0xee);
    }
    if (scanner.violation === null) return;
    assert.equal(scanner.stopped, true);
    this.code ??= scanner.violation.code;
  }

  onFrameStart(): void {
    if (this.#scanner.fragmentIndex === 0) {
      this.#message = [];
      this.#text = new this.#modules.Utf8Stream();
    }
    this.#payload = [];
    assert.equal(this.#scanner.atBoundary, false);
  }

  onPayload(chunk: Buffer, start: number, end: number): void {
    const { bytes, consumed, maskKey, payloadOffset } = this.#scanner;
    assert.equal(chunk, bytes);
    assert.equal(consumed, end);
    assert.equal(payloadOffset, lengthOf(this.#payload));
    if (this.#masked) this.#modules.applyMask(chunk, start, end, maskKey, payloadOffset);
    this.#payload.push(Buffer.from(chunk.subarray(start, end)));
  }

  onFrameEnd(): void {
    const { opcode, final, compressed, length, maskKey, messageOpcode, messageCompressed, fragmentIndex } =
      this.#scanner;
    const whole = Buffer.concat(this.#payload);
    const facts = [opcode, final, compressed, length, maskKey, messageOpcode, messageCompressed, fragmentIndex];
    this.facts.push(`data ${facts.join(' ')} ${showBytes(whole)}`);
    assert.equal(this.#scanner.atBoundary, true);
    assert.equal(this.#scanner.inMessage, !final);
    this.#message.push(whole);
    if (messageOpcode === Opcode.Text && !messageCompressed && this.#text.push(whole) === null) this.#fail(1007);
    else if (final) this.#endMessage(messageOpcode === Opcode.Text ? 'text' : 'binary', messageCompressed);
  }

  onControl(opcode: number, chunk: Buffer, frameStart: number, payloadStart: number, end: number): void {
    const scanner = this.#scanner;
    assert.equal(scanner.frameStart, frameStart);
    assert.equal(scanner.consumed, end);
    // The frame is told whole and where it is, as it may have to go on as it came.
    const from = this.#scannedFrom;
    assert.ok(this.#bytes.subarray(from + frameStart, from + end).equals(chunk.subarray(frameStart, end)));
    const data = Buffer.from(chunk.subarray(payloadStart, end));
    if (this.#masked) this.#modules.applyMask(data, 0, data.length, scanner.maskKey, 0);
    this.facts.push(`control ${opcode} ${showBytes(data)}`);
    if (opcode !== Opcode.Close) return;
    scanner.stop();
    const close = this.#modules.parseClosePayload(data);
    if ('error' in close) this.code = close.code;
    else this.closed = { code: close.code, reason: close.reason };
  }

  #endMessage(kind: Delivered['kind'], compressed: boolean): void {
    let data: Buffer = Buffer.concat(this.#message);
    if (compressed) {
      try {
        data = this.#inflation.inflate(data);
      } catch {
        this.#fail(1007);
        return;
      }
      if (data.length > this.#maxMessageBytes) {
        this.#fail(1009);
        return;
      }
      if (kind === 'text') this.#text.push(data);
    }
    if (kind === 'text' && !this.#text.end()) this.#fail(1007);
    else this.messages.push({ kind, data });
  }

  #fail(code: number): void {
    this.code = code;
    this.#scanner.stop();
  }
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

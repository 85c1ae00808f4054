/**
 * Owns a record of what a scanner told of, in a form that does not depend on how the stream was cut, and the bookkeeping
 * every scan has to keep. Refuses to make frames. It asserts with node:assert, since it runs for each byte of thousands of
 * streams and expect() would take seconds.
 */
import { strict as assert } from 'node:assert';
import type { FrameScannerOptions } from '../../../src/protocol/frame-scanner.js';
import { FrameScanner } from '../../../src/protocol/frame-scanner.js';
import { applyMask } from '../../../src/protocol/mask.js';
import type { Violation } from '../../../src/protocol/violation.js';

export interface DataRecord {
  readonly kind: 'data';
  readonly opcode: number;
  readonly final: boolean;
  readonly compressed: boolean;
  readonly length: number;
  readonly maskKey: number;
  readonly messageOpcode: number;
  readonly messageCompressed: boolean;
  readonly fragmentIndex: number;
  /** Unmasked, in hexadecimal. */
  payload: string;
  ended: boolean;
}

export interface ControlRecord {
  readonly kind: 'control';
  readonly opcode: number;
  /** The whole frame as it was sent, and its payload unmasked, both in hexadecimal. */
  readonly frame: string;
  readonly payload: string;
}

export interface ScanRecord {
  readonly frames: (DataRecord | ControlRecord)[];
  /** Everything that was scanned, in the order it came. */
  readonly consumed: Buffer;
  readonly held: number;
  readonly violation: Violation | null;
  readonly atBoundary: boolean;
  readonly inMessage: boolean;
}

export type Limits = Partial<Omit<FrameScannerOptions, 'handler'>>;

const NO_LIMITS = { masked: false, compression: false, maxFrameBytes: 0, maxMessageBytes: 0, maxFragments: 0 };

/** Scans the chunks and records what was told; checks after each that nothing was lost or counted twice. */
export function scanAll(chunks: readonly Buffer[], limits: Limits = {}): ScanRecord {
  const frames: (DataRecord | ControlRecord)[] = [];
  const consumed: Buffer[] = [];
  let fed = 0;
  let taken = 0;
  let current: DataRecord | null = null;
  const scanner: FrameScanner = new FrameScanner({
    ...NO_LIMITS,
    ...limits,
    handler: {
      onFrameStart() {
        assert.equal(scanner.atBoundary, false);
        const { opcode, final, compressed, length, maskKey, messageOpcode, messageCompressed, fragmentIndex } = scanner;
        const facts = { opcode, final, compressed, length, maskKey, messageOpcode, messageCompressed, fragmentIndex };
        current = { kind: 'data', ...facts, payload: '', ended: false };
        frames.push(current);
      },
      onPayload(chunk, start, end) {
        assert.equal(chunk, scanner.bytes);
        assert.ok(end > start);
        assert.equal(scanner.payloadOffset, current!.payload.length / 2);
        current!.payload += unmasked(chunk, start, end, scanner.maskKey, scanner.payloadOffset);
      },
      onFrameEnd() {
        assert.equal(scanner.atBoundary, true);
        current!.ended = true;
      },
      onControl(opcode, chunk, frameStart, payloadStart, end) {
        assert.equal(chunk, scanner.bytes);
        assert.equal(scanner.frameStart, frameStart);
        const payload = unmasked(chunk, payloadStart, end, scanner.maskKey, 0);
        frames.push({ kind: 'control', opcode, frame: chunk.toString('hex', frameStart, end), payload });
      },
    },
  });
  for (const chunk of chunks) {
    // A copy, wiped afterwards: a caller may reuse its read buffer, so nothing held may point into it.
    const lent = Buffer.from(chunk);
    scanner.scan(lent);
    consumed.push(Buffer.from(scanner.bytes.subarray(0, scanner.consumed)));
    fed += chunk.length;
    taken += scanner.consumed;
    if (!scanner.stopped) assert.equal(taken + scanner.heldBytes, fed);
    assert.ok(scanner.heldBytes <= 130);
    lent.fill(0xee);
  }
  const { heldBytes: held, violation, atBoundary, inMessage } = scanner;
  return { frames, consumed: Buffer.concat(consumed), held, violation, atBoundary, inMessage };
}

/** Cuts a buffer at the given positions. */
export function cutAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const edges = [0, ...[...positions].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

/** Cuts a buffer into its bytes. */
export function cutToBytes(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

function unmasked(chunk: Buffer, start: number, end: number, maskKey: number, offset: number): string {
  const copy = Buffer.from(chunk.subarray(start, end));
  applyMask(copy, 0, copy.length, maskKey, offset);
  return copy.toString('hex');
}

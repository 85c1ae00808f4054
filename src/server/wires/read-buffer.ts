/**
 * Owns the one buffer that every fast wire reads into: what is in it is gone with the next read of any of them. Beside it lies
 * room for a header in front of what was read. Refuses to know who reads.
 */
import { Buffer } from 'node:buffer';
import { MASK_MEMORY, MASK_MEMORY_BYTES, type MaskMemory } from '../../protocol/mask-memory.js';

/** One read takes at most this much. Larger reads cost fewer calls, and the buffer is there once for all. */
const READ_BYTES = 256 * 1024;

/** Where the buffer begins in its memory. */
const READ_START = MASK_MEMORY_BYTES - READ_BYTES;

/** The buffer and what is in front of it. It lies where masking is fast, where that is to be had. */
export const SHARED_MEMORY: Buffer = MASK_MEMORY?.bytes ?? Buffer.allocUnsafeSlow(MASK_MEMORY_BYTES);

/** What the handles read into. */
export const READ_BUFFER: Buffer = SHARED_MEMORY.subarray(READ_START);

/** A view of the buffer costs as much as scanning a small frame, so those of the common lengths are kept. */
const VIEWS: Array<Buffer | undefined> = new Array(4096);

/** The last view that was handed out. */
let current: Buffer | undefined;

/** The first bytes of the buffer. */
export function viewOf(length: number): Buffer {
  if (length >= VIEWS.length) {
    current = READ_BUFFER.subarray(0, length);
  } else {
    current = VIEWS[length] ??= READ_BUFFER.subarray(0, length);
  }
  return current;
}

/** Where in `SHARED_MEMORY` bytes begin that are those of the last read; -1 for all others. */
export function placeOf(bytes: Buffer): number {
  // Not by their memory: to ask for that costs more than the rest.
  return bytes === current ? READ_START : -1;
}

/** How much of the memory, at its beginning, copies go by. */
const SCRATCH_BYTES = 32 * 1024;

const SCRATCH_VIEWS: Array<Buffer | undefined> = new Array(VIEWS.length);

/** The first bytes of the scratch. */
function scratchOf(length: number): Buffer {
  if (length >= SCRATCH_VIEWS.length) return SHARED_MEMORY.subarray(0, length);
  SCRATCH_VIEWS[length] ??= SHARED_MEMORY.subarray(0, length);
  return SCRATCH_VIEWS[length];
}

/**
 * Copies `bytes[start, end)` to `target` from `at` on, and masks the copy (see {@link MaskMemory.move}), where those bytes lie in the
 * memory that is fast for it. False where they do not: then nothing was done.
 */
export function copyOut(
  bytes: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
  maskKey: number,
  payloadOffset: number,
): boolean {
  const place = bytes === SHARED_MEMORY ? 0 : placeOf(bytes);
  if (place < 0 || MASK_MEMORY === undefined) return false;
  // By way of the scratch: its views are kept, and a view of these bytes would cost more than this copy of them.
  for (let from = start; from < end; from += SCRATCH_BYTES) {
    const length = Math.min(SCRATCH_BYTES, end - from);
    MASK_MEMORY.move(0, place + from, place + from + length, maskKey, payloadOffset + from - start);
    target.set(scratchOf(length), at + from - start);
  }
  return true;
}

/** Whether bytes lie in the shared memory, and will be others soon. */
export function isShared(bytes: Buffer): boolean {
  return bytes.buffer === SHARED_MEMORY.buffer;
}

/** For bytes that have to stay as they are until later: a copy if they lie in the buffer, else themselves. */
export function copyIfShared(bytes: Buffer): Buffer {
  return isShared(bytes) ? Buffer.from(bytes) : bytes;
}

/** The bytes `[start, end)` in memory that stays as it is. @param reused whether these bytes will soon be others, wherever they lie. */
export function kept(bytes: Buffer, start: number, end: number, reused: boolean): Buffer {
  const part = bytes.subarray(start, end);
  return reused ? Buffer.from(part) : copyIfShared(part);
}

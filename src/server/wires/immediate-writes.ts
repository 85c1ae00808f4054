/**
 * Owns how a write is attempted at once. Small bytes are copied and go by the handle, whose call is the cheaper one but keeps a
 * pointer to what it could not finish; larger ones go by the file descriptor, from where they lie. Refuses to wait for a peer.
 */
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import type { Handles, StreamHandle, WriteRequest } from './handles.js';
import { copyOut } from './read-buffer.js';

/** Up to this size the copy costs less than the difference between the calls. */
export const SMALL_BYTES = 4096;

/** What small writes leave from, all of them, and its views by length. */
let memory = Buffer.allocUnsafeSlow(SMALL_BYTES);
let views: Array<Buffer | undefined> = new Array(SMALL_BYTES + 1);
/** A request that no write needed yet: one that is finished at once leaves no trace in it. */
let spare: WriteRequest | undefined;

/**
 * Writes at most {@link SMALL_BYTES}, which may be changed afterwards. Answers 0 when the operating system took them, a negative
 * error code, or the request that is to complete because it did not take all.
 */
export function writeSmall(
  handles: Handles,
  handle: StreamHandle,
  bytes: Buffer,
  start: number,
  end: number,
): WriteRequest | number {
  const length = end - start;
  views[length] ??= memory.subarray(0, length);
  const view = views[length];
  if (length === bytes.length) memory.set(bytes, 0);
  else if (!copyOut(bytes, start, end, memory, 0, 0, 0)) bytes.copy(memory, 0, start, end);
  spare ??= handles.createWriteRequest();
  const request = spare;
  const failed = handle.writeBuffer(request, view);
  if (failed < 0 || !handles.lastWriteWasAsync()) return failed;
  // From now on this memory belongs to the request.
  request.bytes = view;
  spare = undefined;
  memory = Buffer.allocUnsafeSlow(SMALL_BYTES);
  views = new Array(SMALL_BYTES + 1);
  return request;
}

/** Writes what fits now, and answers how much that was. Throws when the connection is gone. */
export function writeByDescriptor(descriptor: number, bytes: Buffer, start: number, end: number): number {
  try {
    return writeSync(descriptor, bytes, start, end - start);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}

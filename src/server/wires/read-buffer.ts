/**
 * Owns the one buffer that every fast wire reads into: what is in it is gone with the next read of any of them. Refuses to
 * know who reads.
 */

/** One read takes at most this much. Larger reads cost fewer calls, and the buffer is there once for all. */
const READ_BYTES = 256 * 1024;

/** What the handles read into. */
export const READ_BUFFER: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** A view of the buffer costs as much as scanning a small frame, so those of the common lengths are kept. */
const VIEWS: Array<Buffer | undefined> = new Array(4096);

/** The first bytes of the buffer. */
export function viewOf(length: number): Buffer {
  if (length >= VIEWS.length) return READ_BUFFER.subarray(0, length);
  VIEWS[length] ??= READ_BUFFER.subarray(0, length);
  return VIEWS[length];
}

/** Whether bytes lie in the buffer, and will be others soon. */
export function isShared(bytes: Buffer): boolean {
  return bytes.buffer === READ_BUFFER.buffer;
}

/** For bytes that have to stay as they are until later: a copy if they lie in the buffer, else themselves. */
export function copyIfShared(bytes: Buffer): Buffer {
  return isShared(bytes) ? Buffer.from(bytes) : bytes;
}

/**
 * Owns how a path unmasks what it read: moved and unmasked in one pass where the bytes lie in the memory for that, else one after
 * the other. Refuses to know frames.
 */
import { applyMask } from '../../protocol/mask.js';
import { MASK_MEMORY } from '../../protocol/mask-memory.js';
import { copyOut, placeOf } from '../wires/read-buffer.js';

/**
 * Moves `bytes[start, end)` to `to`, which must not be behind `start`, and unmasks it (RFC 6455 section 5.3). `payloadOffset` is the
 * position of `bytes[start]` in the payload of its frame.
 */
export function unmaskTo(
  bytes: Buffer,
  to: number,
  start: number,
  end: number,
  maskKey: number,
  payloadOffset: number,
): void {
  const place = placeOf(bytes);
  if (place >= 0 && MASK_MEMORY !== undefined) {
    MASK_MEMORY.move(place + to, place + start, place + end, maskKey, payloadOffset);
    return;
  }
  if (to !== start) bytes.copyWithin(to, start, end);
  applyMask(bytes, to, to + end - start, maskKey, payloadOffset);
}

/**
 * Copies `bytes[start, end)` to `target` from `at` on, unmasked, and leaves what was read as it is. `maskKey` is 0 where nothing is
 * masked.
 */
export function copyUnmasked(
  bytes: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
  maskKey: number,
  payloadOffset: number,
): void {
  if (copyOut(bytes, start, end, target, at, maskKey, payloadOffset)) return;
  bytes.copy(target, at, start, end);
  if (maskKey !== 0) applyMask(target, at, at + end - start, maskKey, payloadOffset);
}

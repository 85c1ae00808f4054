/**
 * Owns the payload of a Close frame (RFC 6455 sections 5.5.1 and 7.4). Refuses to frame, mask or send it, and to decide
 * which code an ending deserves.
 */
import { isUtf8 } from 'node:buffer';
import { type CloseStatus, isCloseCode, MAX_CLOSE_REASON_BYTES } from '../receivers/close-code.js';
import { TidegateError } from '../receivers/errors.js';
import { type Violation, violationOf } from './violation.js';

/** What a Close frame says. */
export interface ClosePayload {
  /** 1005 when the frame carried no code. */
  readonly code: CloseStatus;
  readonly reason: string;
}

/** Reads the unmasked payload of a Close frame; a violation when RFC 6455 section 5.5.1 or 7.4 forbids it. */
export function parseClosePayload(payload: Buffer): ClosePayload | Violation {
  if (payload.length === 0) return { code: 1005, reason: '' };
  if (payload.length === 1) {
    return violationOf('PROTOCOL_ERROR', 'a Close frame of one byte has half a code (RFC 6455 section 5.5.1)');
  }
  const code = payload.readUInt16BE(0);
  if (!isCloseCode(code)) {
    return violationOf('PROTOCOL_ERROR', `a Close frame must not carry code ${code} (RFC 6455 section 7.4)`);
  }
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) {
    return violationOf(
      'INVALID_UTF8',
      `the reason of a Close frame with code ${code} is not UTF-8 (RFC 6455 section 8.1)`,
    );
  }
  return { code, reason: reason.toString('utf8') };
}

/**
 * Writes the payload of a Close frame (RFC 6455 section 5.5.1), its reason cut to fit. 1005 means no code, so the payload
 * is empty; throws INVALID_CLOSE_CODE for a status that must not be sent.
 */
export function encodeClosePayload(code: CloseStatus, reason: string): Buffer {
  if (code === 1005) return Buffer.alloc(0);
  if (!isCloseCode(code)) {
    throw new TidegateError('INVALID_CLOSE_CODE', `Close code ${code} cannot be sent (RFC 6455 section 7.4).`);
  }
  const text = Buffer.from(truncateReason(reason), 'utf8');
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  payload.set(text, 2);
  return payload;
}

/**
 * Cuts a close reason to the 123 bytes of UTF-8 that a Close frame holds (RFC 6455 section 5.5), never inside a code
 * point. A lone surrogate stays: it counts three bytes, since it is written as U+FFFD.
 */
export function truncateReason(reason: string): string {
  // No UTF-16 unit takes more than three bytes, so most reasons need no counting.
  if (reason.length * 3 <= MAX_CLOSE_REASON_BYTES) return reason;
  let bytes = 0;
  let units = 0;
  for (const character of reason) {
    bytes += Buffer.byteLength(character, 'utf8');
    if (bytes > MAX_CLOSE_REASON_BYTES) return reason.slice(0, units);
    units += character.length;
  }
  return reason;
}

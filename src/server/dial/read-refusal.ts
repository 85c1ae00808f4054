/**
 * Owns the reading of an upstream's refusal: its status, headers and a bounded part of its body.
 * Refuses to judge it, and to close the wire.
 */

import { BodyReader } from '../../protocol/http-body.js';
import type { ResponseHead } from '../../protocol/http-head.js';
import type { Wire } from '../wires/wire.js';
import type { DialSignal } from './dial-signal.js';

/** A target that answered with another status than 101. */
export interface UpstreamRefusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn. They may announce another length than the body has: it may have been cut. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/**
 * Reads the body until it ends, breaks off, exceeds the bound or the signal aborts; then what came is the result, since
 * the status alone tells the client more than an error of ours would.
 */
export function readRefusal(
  wire: Wire,
  head: ResponseHead,
  maxBytes: number,
  signal: DialSignal,
): Promise<UpstreamRefusal> {
  return new Promise((resolve) => {
    const body = new BodyReader(head);
    const parts: Buffer[] = [];
    let size = 0;
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      wire.stopReading();
      resolve({
        kind: 'refused',
        status: head.statusCode,
        statusText: head.statusText,
        rawHeaders: head.rawHeaders,
        body: Buffer.concat(parts, Math.min(size, maxBytes)),
      });
    };
    if (signal.aborted || body.done) {
      finish();
      return;
    }
    signal.addEventListener('abort', finish, { once: true });
    wire.attach({
      onBytes: (bytes) => {
        body.push(bytes, (part) => {
          // A copy: the bytes belong to the wire.
          parts.push(Buffer.from(part));
          size += part.length;
        });
        if (body.done || size >= maxBytes) finish();
      },
      onEnd: finish,
      onDrain() {},
      onClosed: finish,
    });
    wire.read();
  });
}

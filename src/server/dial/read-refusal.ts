/**
 * Owns the reading of an upstream's refusal: its status, headers and a bounded part of its body.
 * Refuses to judge it, and to close the socket.
 */
import type { IncomingMessage } from 'node:http';

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
  response: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<UpstreamRefusal> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      response.off('data', onData);
      resolve({
        kind: 'refused',
        status: response.statusCode ?? 0,
        statusText: response.statusMessage ?? '',
        rawHeaders: response.rawHeaders,
        body: Buffer.concat(chunks, Math.min(size, maxBytes)),
      });
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) finish();
    };
    response.on('error', finish);
    response.once('close', finish);
    response.once('end', finish);
    if (signal.aborted) {
      finish();
      return;
    }
    signal.addEventListener('abort', finish, { once: true });
    response.on('data', onData);
  });
}

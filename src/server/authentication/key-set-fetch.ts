/**
 * Owns fetching a key set over HTTP: bounded, not redirected, and without a connection that stays open. Refuses to know what is
 * in it.
 */
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';

const MAX_BYTES = 1024 * 1024;

/** Fetches one document. Rejects when it cannot be had; any status is a result. */
export function fetchDocument(url: string, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? getSecure : getPlain;
    const options = { agent: false, signal, headers: { Accept: 'application/json', Connection: 'close' } } as const;
    const request = get(url, options, (answer) => {
      const pieces: Buffer[] = [];
      let size = 0;
      answer.on('data', (piece: Buffer) => {
        size += piece.length;
        if (size > MAX_BYTES) request.destroy(new Error(`the answer is larger than ${MAX_BYTES} bytes`));
        else pieces.push(piece);
      });
      answer.on('end', () => resolve(new Response(Buffer.concat(pieces), { status: answer.statusCode ?? 500 })));
      answer.on('error', reject);
    });
    request.on('error', reject);
  });
}

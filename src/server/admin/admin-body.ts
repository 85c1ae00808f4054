/** Owns reading the JSON of a request to the admin API, within bounds. Refuses to know what it means. */
import type { IncomingMessage } from 'node:http';
import { describeError, TidegateError } from '../../receivers/index.js';

/** No change needs more. */
export const MAX_BODY_BYTES = 65_536;

/**
 * Reads the body of a request; undefined for none. One that may change something has to be said to be JSON, even without a body: a page
 * of another origin cannot say so unasked.
 *
 * @throws TidegateError `ADMIN_BODY_TYPE` for what is not said to be JSON; `ADMIN_BODY_TOO_LARGE`; `ADMIN_BAD_REQUEST` for what is no JSON, or does not come.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'];
  const bytes = await readBytes(request);
  // DELETE is nothing a page can send unasked.
  if (type === undefined && bytes.length === 0 && request.method === 'DELETE') return undefined;
  if (!/^application\/json\s*(?:;|$)/i.test(type ?? '')) {
    throw new TidegateError(
      'ADMIN_BODY_TYPE',
      `Content-Type: got ${JSON.stringify(type ?? '')}; expected application/json`,
    );
  }
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new TidegateError('ADMIN_BAD_REQUEST', `the body is no JSON: ${describeError(error)}`);
  }
}

/** Reads to the end, or stops reading; the request itself is left alone, so that it can be answered. */
function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= MAX_BODY_BYTES) return;
      request.pause();
      reject(new TidegateError('ADMIN_BODY_TOO_LARGE', `the body is larger than ${MAX_BODY_BYTES} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (error) => reject(new TidegateError('ADMIN_BAD_REQUEST', `no body: ${error.message}`)));
  });
}

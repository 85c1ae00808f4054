/** Owns telling what an HTTP server answers, in words that can be compared with those of another server. Refuses to judge it. */
import { createHash } from 'node:crypto';
import { eventually } from './events.js';
import { connectTcp } from './tcp-connection.js';

/** What came of some bytes. */
export interface Outcome {
  /** The statuses of every answer, interim ones too. */
  readonly statuses: readonly number[];
  /** The bytes of all bodies, taken out of chunks; a digest when there are many. */
  readonly body: string;
  /** Whether the last answer came whole. */
  readonly complete: boolean;
}

const MANY = 200;

/**
 * Sends requests as they are and reads until every answer came, or the other side ended the connection.
 *
 * @param answers how many final answers are waited for.
 * @param methods those of the requests: an answer to HEAD has no body.
 */
export async function outcomeOf(
  port: number,
  request: string | Buffer,
  {
    answers = 1,
    isHead = false,
    goOn,
  }: { answers?: number; isHead?: boolean; goOn?: (statuses: number[]) => string | undefined } = {},
): Promise<Outcome> {
  const connection = await connectTcp({ port });
  const parts: Buffer[] = [];
  let fresh = true;
  connection.deliverTo((chunk) => {
    parts.push(chunk);
    fresh = true;
  });
  connection.write(typeof request === 'string' ? Buffer.from(request, 'latin1') : request);
  let read: Reading = { statuses: [], bodies: [], complete: 0 };
  await eventually(
    () => {
      if (fresh) {
        fresh = false;
        read = readAnswers(Buffer.concat(parts), isHead);
        const more = goOn?.(read.statuses);
        if (more !== undefined) connection.write(Buffer.from(more, 'latin1'));
      }
      return connection.ended !== undefined || read.complete >= answers;
    },
    'the answers are there',
    { instead: () => Buffer.concat(parts).toString('latin1').slice(0, 2000) },
  );
  read = readAnswers(Buffer.concat(parts), isHead, connection.ended === 'fin');
  connection.destroy();
  const body = Buffer.concat(read.bodies);
  return {
    statuses: read.statuses,
    body:
      body.length > MANY
        ? `${body.length} bytes ${createHash('sha256').update(body).digest('hex')}`
        : body.toString('latin1'),
    complete: read.complete >= read.statuses.filter((status) => status >= 200).length && read.complete > 0,
  };
}

interface Reading {
  statuses: number[];
  bodies: Buffer[];
  /** Final answers that are whole. */
  complete: number;
}

/** Reads what is there of answers that follow one another. */
function readAnswers(bytes: Buffer, isHead: boolean, ended = false): Reading {
  const reading: Reading = { statuses: [], bodies: [], complete: 0 };
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) return reading;
    const head = bytes.toString('latin1', at, end);
    const status = Number(head.split(' ')[1]);
    reading.statuses.push(status);
    at = end + 4;
    if (status < 200) continue;
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (isHead || status === 204 || status === 304) reading.complete += 1;
    else if (/^transfer-encoding: *chunked/im.test(head)) at = readChunks(bytes, at, reading);
    else {
      const stop = length === undefined ? bytes.length : at + Number(length);
      reading.bodies.push(bytes.subarray(at, stop));
      if (length === undefined ? ended : stop <= bytes.length) reading.complete += 1;
      at = stop;
    }
  }
  return reading;
}

/** Reads a body in chunks; answers where it ends, behind all bytes when it does not. */
function readChunks(bytes: Buffer, start: number, reading: Reading): number {
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (line === -1 || Number.isNaN(size)) return bytes.length;
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', line);
      if (end === -1) return bytes.length;
      reading.complete += 1;
      return end + 4;
    }
    reading.bodies.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
    if (at > bytes.length) return bytes.length;
  }
}

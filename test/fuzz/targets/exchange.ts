/**
 * Owns one exchange over a real socket: what is sent in pieces, everything that comes back, and that it ends. Refuses to
 * know what was meant; an answer is read strictly.
 */
import { strict as assert } from 'node:assert';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** No exchange over the loopback takes so long unless somebody waits for something that cannot come. */
const MOST_MS = 5000;

/** Everything that came back. */
export interface Exchange {
  readonly received: Buffer;
  /** The error that broke the connection; undefined when it ended in order. */
  readonly broke: string | undefined;
}

/**
 * Connects, sends the pieces, and reads until the other side ends. `end` says when this side does: after its last piece,
 * or once an answer came.
 */
export async function exchange(
  port: number,
  pieces: readonly Buffer[],
  end: 'at once' | 'answered',
): Promise<Exchange> {
  const chunks: Buffer[] = [];
  let broke: string | undefined;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    broke ??= error.code ?? error.message;
  });
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (end === 'answered' && Buffer.concat(chunks).includes('\r\n\r\n')) socket.end();
  });
  socket.once('end', () => socket.end());
  for (const piece of pieces) {
    socket.write(piece);
    if (pieces.length > 1) await nextTurn();
  }
  if (end === 'at once') socket.end();
  await within(closed, socket, 'the server never ended the connection');
  return { received: Buffer.concat(chunks), broke };
}

/** Resolves with the promise, or rejects and cuts the socket when it takes too long. */
async function within(promise: Promise<void>, socket: Socket, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what)), MOST_MS);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Reads exactly one complete answer, strictly by RFC 9112; behind a 101 anything may follow. */
export function readAnswer(received: Buffer): Answer {
  const end = received.indexOf('\r\n\r\n');
  assert.ok(end > 0, `the answer has no complete head: ${JSON.stringify(received.toString('latin1', 0, 200))}`);
  const [first = '', ...lines] = received.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/.exec(first)?.[1];
  assert.ok(status !== undefined, `not a status line: ${JSON.stringify(first)}`);
  const fields = new Map<string, string>();
  for (const line of lines) {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    assert.ok(match !== null, `not a header field: ${JSON.stringify(line)}`);
    const name = match[1]!.toLowerCase();
    assert.ok(
      !(fields.has(name) && /^(content-length|connection|upgrade|sec-websocket-accept)$/.test(name)),
      `${name} came twice`,
    );
    fields.set(name, match[2]!);
  }
  const body = received.subarray(end + 4);
  if (status === '101') return { status: 101, fields, body };
  assert.equal(fields.get('transfer-encoding'), undefined, 'an answer of ours has a length');
  const length = fields.get('content-length');
  if (status === '204' || status === '304') assert.equal(body.length, 0, `a ${status} has no body`);
  else assert.equal(String(body.length), length, 'the body has the length that was announced, and nothing follows');
  return { status: Number(status), fields, body };
}

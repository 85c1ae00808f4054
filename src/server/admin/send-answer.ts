/** Owns putting an answer of the admin API on the wire, for a client that reads it or does not. Refuses to know what it says. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminAnswer, StreamAnswer } from './admin-route.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Milliseconds that a client may read nothing for while something waits for it. */
const STALL_TIMEOUT = 30_000;

/** On every answer; one that is a page brings a policy of its own. */
export const SAFE_FIELDS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Answers one request. Rejects with what a stream rejects with. */
export async function sendAnswer(
  answer: AdminAnswer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // What is left of a body that nobody reads would be taken for the next request.
  const headers = request.complete ? answer.headers : { ...answer.headers, Connection: 'close' };
  const own = { ...SAFE_FIELDS, ...headers };
  if ('stream' in answer) {
    response.writeHead(answer.status, { 'Content-Type': answer.type, ...own });
    if (request.method === 'HEAD') {
      void answer.stream[Symbol.asyncIterator]().return?.();
      response.end();
    } else await pour(answer.stream, response);
    return;
  }
  const isText = 'text' in answer;
  const body = isText ? answer.text : `${JSON.stringify(answer.body, null, 2)}\n`;
  const type = isText ? answer.type : JSON_TYPE;
  response.writeHead(answer.status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...own });
  const { sent } = answer;
  if (sent !== undefined) onceSent(response, sent);
  cutWhenStalled(response);
  response.end(body);
}

function onceSent(response: ServerResponse, call: () => void): void {
  let isCalled = false;
  const once = () => {
    if (!isCalled) call();
    isCalled = true;
  };
  response.once('finish', once);
  response.once('close', once);
}

/** A client that reads nothing gets so long. */
function cutWhenStalled(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), STALL_TIMEOUT);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}

/** Writes piece by piece, as fast as the client reads, until there is no more or the client is gone. */
async function pour(stream: StreamAnswer['stream'], response: ServerResponse): Promise<void> {
  const pieces = stream[Symbol.asyncIterator]();
  const gone = new Promise<undefined>((resolve) => response.once('close', () => resolve(undefined)));
  response.flushHeaders();
  try {
    for (;;) {
      const next = await Promise.race([pieces.next(), gone]);
      if (next === undefined || next.done === true) break;
      if (!response.write(next.value)) await Promise.race([drained(response), gone]);
    }
  } finally {
    void pieces.return?.();
  }
  response.end();
}

/** Resolves when there is room for more, or the client was cut for reading nothing. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), STALL_TIMEOUT);
    timer.unref();
    response.once('drain', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

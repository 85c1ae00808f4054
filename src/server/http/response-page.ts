/** Owns an answer as its hook sees it, and its head as it goes out. Refuses to pass on its body. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FieldList } from './field-list.js';
import type { HttpResponse } from './http-hooks.js';
import { bytesOf } from './http-plan.js';

/** An answer as a hook may change it. */
export class ResponsePage implements HttpResponse {
  status: number;
  readonly headers: FieldList;
  readonly backend: string | undefined;
  /** What goes in place of the body that came. */
  body: Buffer | undefined;

  constructor(status: number, headers: FieldList, backend: string | undefined) {
    this.status = status;
    this.headers = headers;
    this.backend = backend;
  }

  /** A stream of events has no end of its own. */
  get isEndless(): boolean {
    return (this.headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream');
  }

  replaceBody(body: string | Uint8Array): void {
    this.body = bytesOf(body);
  }
}

/** RFC 9112 section 4. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]+$/;

/** Writes the head of an answer whose body is to be passed on, at once: who waits for it need not wait for the body. */
export function writeHead(
  client: ServerResponse,
  answer: IncomingMessage,
  { status, headers }: ResponsePage,
  isLast: boolean,
): void {
  if (status === 204) headers.delete('content-length');
  if (isLast) headers.append('Connection', 'close');
  const text = status === answer.statusCode ? answer.statusMessage : undefined;
  if (text !== undefined && REASON_PHRASE.test(text)) client.writeHead(status, text, [...headers.raw]);
  else client.writeHead(status, [...headers.raw]);
  client.flushHeaders();
}

/** Owns what is going to be done for one request, as its hook may change it, and what came of that. Refuses to do it. */
import { TidegateError } from '../../receivers/index.js';
import { FieldList } from './field-list.js';
import type { HttpAnswer, HttpPlan } from './http-hooks.js';

/** An answer that stands. */
export interface GivenAnswer {
  readonly status: number;
  readonly headers: FieldList;
  readonly body: Buffer;
}

/** The plan of one request. */
export class RequestPlan implements HttpPlan {
  url: string;
  readonly headers: FieldList;
  backend: string | undefined;
  target: string | undefined;
  #answer: GivenAnswer | undefined;

  constructor(url: string, headers: readonly string[]) {
    this.url = url;
    this.headers = new FieldList(headers);
  }

  /** What `respond` was given. */
  get answer(): GivenAnswer | undefined {
    return this.#answer;
  }

  respond(status: number, { headers, body = '' }: HttpAnswer = {}): void {
    assertStatus(status);
    const fields = new FieldList([]);
    fields.appendAll(headers);
    this.#answer = { status, headers: fields, body: bytesOf(body) };
  }
}

/** @throws TidegateError `INVALID_STATUS`. */
export function assertStatus(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return;
  throw new TidegateError('INVALID_STATUS', `an answer cannot have the status ${String(status)}; 200 to 599 are right`);
}

/** The bytes of a body. */
export function bytesOf(body: string | Uint8Array): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

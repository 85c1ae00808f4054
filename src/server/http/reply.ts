/** Owns answers that are ours and not a backend's: pages about what went wrong, and those that a hook gave. Refuses to decide on one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../../actors/connection.effects.js';
import { ERRORS, type HeaderFields, httpStatusOf, type TidegateError } from '../../receivers/index.js';
import { FieldList } from './field-list.js';
import type { GivenAnswer } from './http-plan.js';

/** What stands in an answer about the body that came, and not about another one. */
const OF_A_BODY = [
  'content-length',
  'content-encoding',
  'content-range',
  'content-md5',
  'digest',
  'etag',
  'trailer',
  'transfer-encoding',
  'connection',
  'keep-alive',
];

/** Takes out the fields that describe a body which is not sent. */
function forgetBody(headers: FieldList): void {
  for (const name of OF_A_BODY) headers.delete(name);
}

/** The answer to a request that is refused. */
export function refusalAnswer({ status, error, headers, body }: Refusal): GivenAnswer {
  const fields = new FieldList([]);
  fields.appendAll(headers as HeaderFields | undefined);
  if (status === 405) fields.append('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  return { status, headers: fields, body: Buffer.from(body ?? `${ERRORS[error].help}\n`) };
}

/** The page about a request that no backend answered. How it stands with the backends is not for strangers. */
export function failurePage(error: TidegateError, retryAfter: number): GivenAnswer {
  const status = httpStatusOf(error.code);
  const fields = new FieldList([]);
  if (status === 503) fields.append('Retry-After', String(retryAfter));
  return { status, headers: fields, body: Buffer.from(`${ERRORS[error.code].help}\n`) };
}

/** Writes an answer of ours, whole. A body of the request that is still to come is not waited for. */
export function writeAnswer(
  client: ServerResponse,
  request: IncomingMessage,
  { status, headers, body }: GivenAnswer,
  isLast: boolean,
): void {
  forgetBody(headers);
  const hasBody = status !== 204 && status !== 304;
  if (hasBody && headers.get('content-type') === undefined) headers.append('Content-Type', 'text/plain; charset=utf-8');
  if (hasBody) headers.append('Content-Length', String(body.length));
  if (isLast || !request.complete) headers.append('Connection', 'close');
  client.writeHead(status, [...headers.raw]);
  client.end(hasBody && request.method !== 'HEAD' ? body : undefined);
}

/**
 * Owns the two answers to an opening handshake as they go over the wire: the 101, and a complete refusal that the client
 * can read. Refuses to decide which of them it is.
 */
import { STATUS_CODES } from 'node:http';
import { acceptKey } from '../../protocol/handshake.js';
import { assertHeaderField, type HeaderFields } from '../../receivers/decision.js';
import type { Wire } from '../wires/wire.js';
import { lingerAndTerminate } from './linger.js';

/** Header fields by name, or names and values in turn as Node's `rawHeaders` has them. */
export type AnswerHeaders = HeaderFields | readonly string[];

/** What a 101 says. */
export interface AcceptanceParts {
  /** The `Sec-WebSocket-Key` of the client. */
  readonly key: string;
  /** Empty for none. */
  readonly subprotocol: string;
  /** The value of `Sec-WebSocket-Extensions`; empty for none. */
  readonly extensions: string;
  readonly headers?: AnswerHeaders;
}

/** Fields that frame an answer or agree on the protocol: one of them from elsewhere would contradict ours. */
const OURS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const ACCEPTANCE =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ';

/**
 * Writes the head of a 101 as text, to be sent as latin1. Extra headers that belong to the handshake itself, such as
 * `Connection`, are left out.
 *
 * @throws TidegateError `INVALID_HEADER` for a header HTTP does not allow.
 */
export function acceptanceHead(parts: AcceptanceParts): string {
  const fields: Field[] = [];
  if (parts.subprotocol !== '') fields.push(['Sec-WebSocket-Protocol', parts.subprotocol]);
  if (parts.extensions !== '') fields.push(['Sec-WebSocket-Extensions', parts.extensions]);
  for (const field of fieldsOf(parts.headers)) {
    if (!OURS.has(field[0].toLowerCase())) fields.push(field);
  }
  for (const [name, value] of fields) assertHeaderField(name, value);
  return `${ACCEPTANCE}${acceptKey(parts.key)}\r\n${fieldsText(fields)}\r\n`;
}

/** An answer other than 101. */
export interface Refusal {
  /** 200 to 599; anything else is sent as 500. */
  readonly status: number;
  /** Default: the standard text of the status. */
  readonly statusText?: string;
  readonly headers?: AnswerHeaders | undefined;
  /** Default: one line that names the status. */
  readonly body?: string | Buffer | undefined;
  /** The answer to HEAD: with the fields of the body, and without the body (RFC 9110 section 9.3.2). Default: false. */
  readonly headOnly?: boolean;
}

/** Puts fields together: where the names are the same, both are sent, such as two that set a cookie. */
export function joinedFields(own: HeaderFields | undefined, more: HeaderFields | undefined): HeaderFields | undefined {
  if (own === undefined || more === undefined) return own ?? more;
  const all: Record<string, string | readonly string[]> = { ...own };
  for (const [name, value] of Object.entries(more)) {
    const same = Object.keys(own).find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;
    all[same] = [all[same] ?? [], value].flat();
  }
  return all;
}

/** Seconds in the `Retry-After` of a 429 or 503 that brings none of its own. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Answers with a complete HTTP response and closes the connection. What the client still sends is discarded, so that a
 * reset does not take the answer away from it, and after two seconds the wire is cut. Never throws: a header HTTP
 * does not allow is left out, and a wire that is closed is left alone.
 *
 * A 426 gets `Upgrade` and `Sec-WebSocket-Version`, a 429 or 503 gets `Retry-After`, unless given. A 401 should be given
 * a `WWW-Authenticate`: only the caller knows the scheme.
 */
export function writeRefusal(wire: Wire, refusal: Refusal): void {
  if (wire.closed) return;
  wire.write(refusalBytes(refusal));
  lingerAndTerminate(wire);
}

function refusalBytes(refusal: Refusal): Buffer {
  const { status: asked } = refusal;
  const status = Number.isInteger(asked) && asked >= 200 && asked <= 599 ? asked : 500;
  const statusText = reasonPhrase(refusal.statusText) ?? STATUS_CODES[status] ?? 'Refused';
  const body = bodyOf(refusal.body ?? `${status} ${statusText}\n`, status);

  const fields = fieldsOf(refusal.headers).filter(
    ([name, value]) => !OURS.has(name.toLowerCase()) && isValid(name, value),
  );
  const given = new Set(fields.map(([name]) => name.toLowerCase()));
  const add = (name: string, value: string): void => {
    if (!given.has(name.toLowerCase())) fields.push([name, value]);
  };
  add('Date', new Date().toUTCString());
  // RFC 9110 section 7.8: whoever sends Upgrade names it in Connection.
  add('Connection', status === 426 ? 'close, Upgrade' : 'close');
  if (status === 426) {
    add('Upgrade', 'websocket');
    add('Sec-WebSocket-Version', '13');
  }
  if (status === 429 || status === 503) add('Retry-After', String(RETRY_AFTER_SECONDS));
  if (body !== undefined) {
    add('Content-Type', 'text/plain; charset=utf-8');
    add('Content-Length', String(body.length));
  }
  const head = Buffer.from(headText(`${status} ${statusText}`, fields), 'latin1');
  return body === undefined || refusal.headOnly === true ? head : Buffer.concat([head, body]);
}

/** RFC 9110 section 6.4.1: these statuses have no body. */
function bodyOf(body: string | Buffer, status: number): Buffer | undefined {
  if (status === 204 || status === 304) return undefined;
  return typeof body === 'string' ? Buffer.from(body) : body;
}

type Field = [name: string, value: string];

function fieldsOf(headers: AnswerHeaders | undefined): Field[] {
  if (headers === undefined) return [];
  const fields: Field[] = [];
  if (isRaw(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) fields.push([headers[index]!, headers[index + 1]!]);
    return fields;
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === 'string' ? [value] : value) fields.push([name, one]);
  }
  return fields;
}

function isRaw(headers: AnswerHeaders): headers is readonly string[] {
  return Array.isArray(headers);
}

function isValid(name: string, value: string): boolean {
  try {
    assertHeaderField(name, value);
    return true;
  } catch {
    return false;
  }
}

/** An upstream's reason phrase is passed on only if it is one (RFC 9112 section 4). */
function reasonPhrase(text: string | undefined): string | undefined {
  return text !== undefined && /^[\t\u0020-\u007e\u0080-\u00ff]+$/.test(text) ? text : undefined;
}

function headText(statusLine: string, fields: readonly Field[]): string {
  return `HTTP/1.1 ${statusLine}\r\n${fieldsText(fields)}\r\n`;
}

function fieldsText(fields: readonly Field[]): string {
  let text = '';
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return text;
}

/** Owns the test's own reading and writing of HTTP/1.1 heads and bodies. Refuses to correct what a test wants wrong. */
import { createHash } from 'node:crypto';
import type { TcpConnection } from './tcp-connection.js';

/** Header fields to send: whole lines such as `X-One: 1`, sent as they are, or names with values. */
export type HeaderInput = readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/** The header lines of an input. */
export function headerLines(input: HeaderInput | undefined): string[] {
  if (input === undefined) return [];
  if (isLines(input)) return [...input];
  return Object.entries(input).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}`),
  );
}

function isLines(input: HeaderInput): input is readonly string[] {
  return Array.isArray(input);
}

/** The default lines that no given line replaces (by name, ignoring case) and that are not left out, then the given ones. */
export function mergeHeaderLines(
  defaults: readonly string[],
  given: readonly string[],
  omit: readonly string[] = [],
): string[] {
  const gone = new Set([...given.map(fieldName), ...omit.map((name) => name.toLowerCase())]);
  return [...defaults.filter((line) => !gone.has(fieldName(line))), ...given];
}

function fieldName(line: string): string {
  return line
    .slice(0, Math.max(line.indexOf(':'), 0))
    .trim()
    .toLowerCase();
}

/** A parsed head: its first line and its fields. */
export interface HttpHead {
  /** The head as it came, with its empty line. */
  readonly raw: string;
  readonly firstLine: string;
  /** By lower-case name; fields that came more than once are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The field lines in order, as they came. */
  readonly lines: readonly string[];
}

/** Reads a head of a connection, up to its empty line. */
export async function readHead(connection: TcpConnection): Promise<HttpHead> {
  return parseHead((await connection.readUntil('\r\n\r\n')).toString('latin1'));
}

/** Parses a head. */
function parseHead(raw: string): HttpHead {
  const [firstLine = '', ...lines] = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const name = fieldName(line);
    const value = line.slice(line.indexOf(':') + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { raw, firstLine, headers, lines };
}

/** Reads the body that belongs to an answer: by length, in chunks, or up to the end of the connection. */
export async function readBody(connection: TcpConnection, status: number, head: HttpHead): Promise<Buffer> {
  if (status < 200 || status === 204 || status === 304) return Buffer.alloc(0);
  const length = head.headers['content-length'];
  if (length !== undefined) return connection.read(Number(length));
  if (head.headers['transfer-encoding']?.toLowerCase() !== 'chunked') return connection.readAll();
  const parts: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt((await connection.readUntil('\r\n')).toString('latin1'), 16);
    if (size > 0) parts.push(await connection.read(size));
    await connection.readUntil('\r\n');
    if (size === 0) return Buffer.concat(parts);
  }
}

/** The Sec-WebSocket-Accept that belongs to a key (RFC 6455 section 4.2.2). */
export function acceptValue(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

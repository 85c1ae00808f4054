/**
 * Owns a client in memory: its request, what it was answered, and then its end of a WebSocket. Refuses to know the server; it is given a
 * wire.
 */
import { newKey } from '../protocol/handshake.js';
import { parseResponseHead } from '../protocol/http-head.js';
import { type MemoryManners, MemoryWebSocket } from './memory-web-socket.js';
import type { MemoryWire } from './memory-wire.js';

/** What a client asks for. */
export interface MemoryRequest {
  /** The request target, with its query if there is one. Default `/`. */
  readonly path?: string | undefined;
  /** Beside those of the handshake; one of the same name comes in place of it. A list sends the field more than once. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly subprotocols?: readonly string[] | undefined;
  /** Default `127.0.0.1`. */
  readonly remoteAddress?: string | undefined;
  /** Default: another one for each client. */
  readonly remotePort?: number | undefined;
}

/** How a request was answered. */
export interface MemoryAnswer {
  /** 101 for a WebSocket. */
  readonly status: number;
  readonly statusText: string;
  /** By lower-case name; fields that came more than once are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** What came behind the head; empty with 101. */
  readonly body: string;
}

/** A client in memory. */
export class MemoryClient extends MemoryWebSocket {
  protected readonly masks = true;
  /** How its request was answered, if it was. */
  answer: MemoryAnswer | undefined;
  #head: Buffer = Buffer.alloc(0);

  /** @param wire the server's end. */
  constructor(wire: MemoryWire, manners: MemoryManners = {}) {
    super(manners);
    this.connect(wire);
  }

  /** Sends the opening handshake. */
  request(request: MemoryRequest = {}): void {
    this.sendBytes(Buffer.from(requestText(request), 'latin1'));
  }

  /**
   * Resolves with the answer: at once with a 101, and when the server has ended with anything else.
   *
   * @throws Error when the connection is gone without one.
   */
  answered(): Promise<MemoryAnswer> {
    return this.until(() => (this.answer?.status === 101 || this.ended ? this.answer : undefined), 'it was answered');
  }

  onBytes(bytes: Buffer): void {
    if (this.answer?.status === 101) this.onFrames(bytes);
    else this.#onAnswer(bytes);
  }

  #onAnswer(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = parseResponseHead(this.#head.toString('latin1', 0, end + 4));
    if ('fault' in head) throw new Error(`the server answered no HTTP: ${head.fault}`);
    const rest = this.#head.subarray(end + 4);
    const { statusCode: status, statusText, rawHeaders } = head;
    const body = status === 101 ? '' : rest.toString('utf8');
    this.answer = { status, statusText, headers: fieldsOf(rawHeaders), body };
    if (status === 101 && rest.length > 0) this.onFrames(rest);
    this.notify();
  }
}

function fieldsOf(rawHeaders: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    const before = fields[name];
    fields[name] = before === undefined ? rawHeaders[at + 1]! : `${before}, ${rawHeaders[at + 1]}`;
  }
  return fields;
}

function requestText({ path = '/', headers = {}, subprotocols = [] }: MemoryRequest): string {
  const fields = new Map<string, [name: string, value: string | readonly string[]]>();
  const given: Record<string, string | readonly string[]> = {
    Host: 'memory.test',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': newKey(),
    ...(subprotocols.length > 0 ? { 'Sec-WebSocket-Protocol': subprotocols.join(', ') } : {}),
  };
  for (const [name, value] of [...Object.entries(given), ...Object.entries(headers)]) {
    fields.set(name.toLowerCase(), [name, value]);
  }
  const lines = [...fields.values()].flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`));
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/**
 * Owns reading the head of an HTTP/1.1 message: request or status line and fields (RFC 9112 sections 2 to 5), as strictly as
 * the grammar is written. Refuses bodies, and to judge what the fields say.
 */

/** The request line and the fields of a request. */
export interface RequestHead {
  readonly method: string;
  /** The request target as it was sent. */
  readonly url: string;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  /** Names and values in turn, as sent, without the white space around values. */
  readonly rawHeaders: readonly string[];
  /** All of it, as it was sent. */
  readonly text: string;
}

/** The status line and the fields of an answer. */
export interface ResponseHead {
  readonly statusCode: number;
  readonly statusText: string;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  /** Names and values in turn, as sent, without the white space around values. */
  readonly rawHeaders: readonly string[];
}

/** Tells why bytes are not the head of an HTTP message. */
export interface HeadFault {
  readonly fault: string;
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const HASH = 35;

/** RFC 9110 section 5.6.2. */
const TOKEN = tableOf("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/** What may stand in a head apart from line ends: RFC 9110 section 5.5 allows no other control character in a field. */
const TEXT = new Uint8Array(256).fill(1);
TEXT.fill(0, 0, SPACE);
TEXT[TAB] = 1;
TEXT[127] = 0;

/**
 * Finds the end of a head in bytes that come chunk by chunk, and refuses as soon as a byte shows that it is none. Each byte is
 * looked at once.
 */
export class HeadFinder {
  /** What is wrong; nothing more is looked at then. */
  fault: string | undefined;
  /** How many bytes came before the head: empty lines, which some clients leave behind (RFC 9112 section 2.2). */
  skipped = 0;
  #looked = 0;
  #lineStart = 0;
  #lines = 0;

  /** Bytes that were looked at. */
  get looked(): number {
    return this.#looked;
  }

  /** Lines that are complete. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Looks at `bytes`, of which the first `looked` were looked at before. Answers the position behind the empty line that ends
   * the head, or -1 while there is none.
   */
  find(bytes: Uint8Array): number {
    for (let at = this.#looked; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (at === this.skipped && TOKEN[byte] !== 1 && byte !== CR) return this.#fail(`it begins with ${shown(byte)}`);
      if (TEXT[byte] === 1) {
        if (at > this.#lineStart && bytes[at - 1] === CR) return this.#fail('a CR stands without its LF');
        continue;
      }
      if (byte === LF) {
        if (at === this.#lineStart || bytes[at - 1] !== CR) return this.#fail('a LF stands without its CR');
        const empty = at === this.#lineStart + 1;
        this.#lineStart = at + 1;
        if (!empty) {
          this.#lines += 1;
        } else if (this.#lines > 0) {
          this.#looked = at + 1;
          return at + 1;
        } else {
          this.skipped = at + 1;
        }
      } else if (byte !== CR) {
        return this.#fail(`it holds ${shown(byte)}`);
      } else if (at > this.#lineStart && bytes[at - 1] === CR) {
        return this.#fail('a CR stands without its LF');
      }
    }
    this.#looked = bytes.length;
    return -1;
  }

  #fail(fault: string): -1 {
    this.fault = fault;
    return -1;
  }
}

/** Reads a request line such as `GET /chat HTTP/1.1` (RFC 9112 section 3). */
export function parseRequestLine(line: string): Omit<RequestHead, 'rawHeaders' | 'text'> | HeadFault {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  if (first <= 0 || second === -1 || !isToken(line, 0, first)) return faultIn('the request line', line);
  const httpVersion = versionIn(line, second + 1);
  const method = line.slice(0, first);
  if (httpVersion === undefined || !isTarget(line, first + 1, second, method)) return faultIn('the request line', line);
  return { method, url: line.slice(first + 1, second), httpVersion };
}

/** Reads the head of a request, up to and with the empty line. */
export function parseRequestHead(text: string): RequestHead | HeadFault {
  const end = text.indexOf('\r\n');
  const line = parseRequestLine(text.slice(0, end));
  if ('fault' in line) return line;
  const fields = parseFields(text, end + 2);
  if ('fault' in fields) return fields;
  const { method, url, httpVersion } = line;
  return { method, url, httpVersion, rawHeaders: fields, text };
}

/** Reads the head of an answer, up to and with the empty line. */
export function parseResponseHead(text: string): ResponseHead | HeadFault {
  const end = text.indexOf('\r\n');
  const line = text.slice(0, end);
  // HTTP/1.1 SP 3DIGIT SP [ reason ]; the last space is often left out with an empty reason.
  const [, version, status, statusText = ''] = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: (.*))?$/.exec(line) ?? [];
  if (version === undefined || status === undefined) return faultIn('the status line', line);
  const fields = parseFields(text, end + 2);
  if ('fault' in fields) return fields;
  return { statusCode: Number(status), statusText, httpVersion: version, rawHeaders: fields };
}

function parseFields(text: string, start: number): string[] | HeadFault {
  const fields: string[] = [];
  for (let at = start; text.charCodeAt(at) !== CR; ) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    // White space before the colon or at the start of a line means different things to different readers (RFC 9112 section 5).
    if (colon <= at || colon > end || !isToken(text, at, colon)) return faultIn('a header field', text.slice(at, end));
    let from = colon + 1;
    let to = end;
    while (from < to && isBlank(text.charCodeAt(from))) from += 1;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
    fields.push(text.slice(at, colon), text.slice(from, to));
    at = end + 2;
  }
  return fields;
}

function versionIn(line: string, at: number): string | undefined {
  if (line.length !== at + 8 || !line.startsWith('HTTP/', at) || line[at + 6] !== '.') return undefined;
  const version = line.slice(at + 5);
  return isDigit(version.charCodeAt(0)) && isDigit(version.charCodeAt(2)) ? version : undefined;
}

function isToken(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (TOKEN[text.charCodeAt(at)] !== 1) return false;
  return start < end;
}

/** With an authority that is a host and perhaps a port: credentials in a URL are not for a server to see. */
const WHOLE_URL = /^[a-z]+:\/\/[\w.~:[\]-]+(?:[/?]|$)/i;

/**
 * A request target is visible ASCII: everything else is to be percent-encoded (RFC 3986 section 2). It is a path, a whole URL or
 * the asterisk of OPTIONS (RFC 9112 section 3.2); host and port alone are for CONNECT. A fragment stays with the client: some
 * readers cut it off, and some take it for a part of the path.
 */
function isTarget(text: string, start: number, end: number, method: string): boolean {
  const star = text[start] === '*' && end === start + 1 && method === 'OPTIONS';
  const path = text[start] === '/' || star;
  if (!path && method !== 'CONNECT' && !WHOLE_URL.test(text.slice(start, end))) return false;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= SPACE || code > 126 || code === HASH) return false;
  }
  return start < end;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

function shown(byte: number): string {
  return `a byte 0x${byte.toString(16).padStart(2, '0')}`;
}

const MAX_SHOWN = 80;

function faultIn(what: string, text: string): HeadFault {
  const part = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return { fault: `${what} is malformed: ${JSON.stringify(part)}` };
}

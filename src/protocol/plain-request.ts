/**
 * Owns what makes a request that is no upgrade fit to be passed on: that everybody who reads it sees the same host, the same target
 * and the same end of the body (RFC 9112 sections 3, 6 and 11.2). Refuses to answer it.
 */
import { HOST, type UpgradeHead, wholeUrlProblem } from './handshake.js';
import { headerTokens, headerValues, shownValues } from './header-fields.js';
import { parseRequestLine } from './http-head.js';

/** Why a request is not passed on, and what to answer. */
export interface PlainFault {
  readonly status: 400 | 405 | 501;
  /** Names the rule and the offending value. */
  readonly message: string;
}

/** Methods that are about this hop: a tunnel, and a look at the request with its secrets. */
const REFUSED_METHODS = ['CONNECT', 'TRACE'];

/** Checks a request that is to be passed on. Answers undefined when there is nothing wrong with it. */
export function plainRequestFault(head: UpgradeHead): PlainFault | undefined {
  const { method, url, httpVersion } = head;
  if (REFUSED_METHODS.includes(method)) return { status: 405, message: `The method ${method} is not served here.` };
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    return wrong(`The HTTP version must be 1.1 or 1.0, got ${httpVersion}.`);
  }
  const line = parseRequestLine(`${method} ${url} HTTP/${httpVersion}`);
  if ('fault' in line) return wrong(line.fault);
  return hostFault(head) ?? bodyFault(head);
}

/** The request target in origin form (RFC 9112 section 3.2.1): what a server is asked for, who is asked stands in `Host`. */
export function originForm(url: string): string {
  if (url.startsWith('/') || url === '*') return url;
  const rest = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** How a body comes, as its head says. */
export function framingOf(rawHeaders: readonly string[]): 'none' | 'chunked' | number {
  if (headerValues(rawHeaders, 'transfer-encoding').length > 0) return 'chunked';
  const [length] = headerValues(rawHeaders, 'content-length');
  return length === undefined ? 'none' : Number(length);
}

/** RFC 9110 section 9.2.2: the same request sent twice means the same as sent once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.includes(method);
}

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

function hostFault({ url, httpVersion, rawHeaders }: UpgradeHead): PlainFault | undefined {
  const host = headerValues(rawHeaders, 'host');
  if (host.length === 0 && httpVersion === '1.0') return undefined;
  if (host.length !== 1 || !HOST.test(host[0]!)) {
    return wrong(`Host must come once and say which, got ${shownValues(host)}.`);
  }
  if (url.startsWith('/') || url === '*') return undefined;
  const problem = wholeUrlProblem(url, host[0]!);
  return problem === null ? undefined : wrong(problem);
}

function bodyFault({ httpVersion, rawHeaders }: UpgradeHead): PlainFault | undefined {
  const encodings = headerTokens(rawHeaders, 'transfer-encoding');
  const lengths = headerValues(rawHeaders, 'content-length');
  const fields = headerValues(rawHeaders, 'transfer-encoding').length;
  if (fields > 0 && lengths.length > 0) return wrong('Content-Length and Transfer-Encoding do not go together.');
  if (fields > 0 && httpVersion === '1.0') return wrong('HTTP/1.0 has no Transfer-Encoding.');
  if (fields > 0 && (encodings.length !== 1 || encodings[0] !== 'chunked')) {
    const message = `Transfer-Encoding must be chunked, got ${shownValues(encodings)}.`;
    return { status: encodings.at(-1) === 'chunked' ? 501 : 400, message };
  }
  if (lengths.length > 1 || !lengths.every((length) => /^\d{1,15}$/.test(length))) {
    return wrong(`Content-Length must come once and be a number, got ${shownValues(lengths)}.`);
  }
  return undefined;
}

function wrong(message: string): PlainFault {
  return { status: 400, message };
}

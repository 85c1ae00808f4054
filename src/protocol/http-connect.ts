/**
 * Owns the client's side of CONNECT, the method that makes a tunnel of an HTTP proxy (RFC 9110 section 9.3.6). Refuses to read the
 * body of a refusal, and every authentication but Basic (RFC 7617).
 */
import { Buffer } from 'node:buffer';
import { HeadFinder, parseResponseHead } from './http-head.js';
import type { TunnelHandshake, TunnelOrder, TunnelStep } from './tunnel-handshake.js';

/** The largest head of an answer. */
const MAX_HEAD_BYTES = 16 * 1024;

/** One CONNECT through one HTTP proxy. */
export class HttpConnectHandshake implements TunnelHandshake {
  readonly #order: TunnelOrder;
  #held = Buffer.alloc(0);
  #finder = new HeadFinder();

  constructor(order: TunnelOrder) {
    this.#order = order;
  }

  begin(): Buffer {
    const { host, port, credentials } = this.#order;
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    let text = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n`;
    if (credentials !== undefined) {
      const secret = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
      text += `Proxy-Authorization: Basic ${secret}\r\n`;
    }
    return Buffer.from(`${text}\r\n`, 'latin1');
  }

  take(bytes: Buffer): TunnelStep {
    this.#held = Buffer.concat([this.#held, bytes]);
    for (;;) {
      const end = this.#finder.find(this.#held);
      const other = this.#faultInFirstLine();
      if (other !== undefined) return other;
      if (this.#finder.fault !== undefined) return failed(`its answer is not HTTP: ${this.#finder.fault}`);
      if ((end === -1 ? this.#held.length : end) > MAX_HEAD_BYTES) {
        return failed(`its answer has a head of more than ${MAX_HEAD_BYTES} bytes`);
      }
      if (end === -1) return { kind: 'more' };
      const head = parseResponseHead(this.#held.toString('latin1', this.#finder.skipped, end));
      if ('fault' in head) return failed(`its answer is not HTTP: ${head.fault}`);
      const { statusCode, statusText } = head;
      this.#held = this.#held.subarray(end);
      // Whatever length a 2xx announces, there is no body: behind the head the tunnel begins.
      if (statusCode >= 200 && statusCode <= 299) return { kind: 'open', rest: this.#held };
      if (statusCode >= 200 || statusCode === 101) return failed(`it answered ${`${statusCode} ${statusText}`.trim()}`);
      this.#finder = new HeadFinder();
    }
  }

  /** Whoever speaks something else may wait for an answer, and never come to an empty line. */
  #faultInFirstLine(): TunnelStep | undefined {
    if (this.#finder.lines === 0) return undefined;
    const { skipped } = this.#finder;
    const line = this.#held.toString('latin1', skipped, this.#held.indexOf('\r\n', skipped, 'latin1'));
    const head = parseResponseHead(`${line}\r\n\r\n`);
    return 'fault' in head ? failed(`its answer is not HTTP: ${head.fault}`) : undefined;
  }
}

function failed(reason: string): TunnelStep {
  return { kind: 'failed', reason };
}

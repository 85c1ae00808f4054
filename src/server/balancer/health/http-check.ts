/** Owns the health check by a plain HTTP request. Refuses to read the body of the answer. */

import { badAnswer } from '../../dial/dial-error.js';
import { type DialOptions, dialTarget } from '../../dial/dial-target.js';
import { readAnswer } from '../../dial/read-answer.js';
import { authorityOf, type WebSocketTarget } from '../../dial/target.js';
import { cutWire } from './cut-wire.js';

/** What a check asks for. */
export interface CheckRequest {
  /** Path and query. */
  readonly path: string;
  /** The largest head of an answer. */
  readonly maxHeaderBytes: number;
}

/** Asks with GET. Status 200 to 399 is well, anything else is not. */
export async function checkByHttp(target: WebSocketTarget, dial: DialOptions, request: CheckRequest): Promise<void> {
  const wire = await dialTarget(target, dial);
  try {
    const fields = [
      `GET ${request.path} HTTP/1.1`,
      `Host: ${authorityOf(target)}`,
      'User-Agent: tidegate-health-check',
      'Accept: */*',
      'Connection: close',
    ];
    wire.write(Buffer.from(`${fields.join('\r\n')}\r\n\r\n`, 'latin1'));
    const { statusCode, statusText } = await readAnswer(target, wire, dial.signal, request.maxHeaderBytes);
    if (statusCode < 200 || statusCode > 399) {
      throw badAnswer(target, `GET ${request.path} was answered with ${statusCode} ${statusText}`.trimEnd());
    }
  } finally {
    await cutWire(wire);
  }
}

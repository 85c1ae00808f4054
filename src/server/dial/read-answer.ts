/**
 * Owns reading the head of what a WebSocket target answers to a request. Refuses to judge it, to read any further, and to close the
 * wire.
 */
import { parseResponseHead, type ResponseHead } from '../../protocol/http-head.js';
import { HeadReader } from '../handshake/head-reader.js';
import type { Wire } from '../wires/wire.js';
import { abortError, badAnswer, dialError } from './dial-error.js';
import type { DialSignal } from './dial-signal.js';
import type { WebSocketTarget } from './target.js';

/**
 * Waits for the answer, beyond interim ones such as 103 (RFC 9110 section 15.2).
 *
 * @param maxBytes the largest head.
 * @throws TidegateError `UPSTREAM_*`, or the reason of the signal.
 */
export async function readAnswer(
  target: WebSocketTarget,
  wire: Wire,
  signal: DialSignal,
  maxBytes: number,
): Promise<ResponseHead> {
  for (;;) {
    const head = await new Promise<ResponseHead>((resolve, reject) => {
      new AnswerReader(target, wire, signal, maxBytes, { resolve, reject }).start();
    });
    if (head.statusCode === 101 || head.statusCode >= 200) return head;
  }
}

/** Reads the head of one answer. */
class AnswerReader extends HeadReader {
  readonly #target: WebSocketTarget;
  readonly #signal: DialSignal;
  readonly #maxBytes: number;
  readonly #settle: { resolve(head: ResponseHead): void; reject(error: unknown): void };
  readonly #onAbort = (): void => {
    this.stop();
    this.#fail(abortError(this.#target, this.#signal));
  };

  constructor(
    target: WebSocketTarget,
    wire: Wire,
    signal: DialSignal,
    maxBytes: number,
    settle: { resolve(head: ResponseHead): void; reject(error: unknown): void },
  ) {
    super(wire, maxBytes);
    this.#target = target;
    this.#signal = signal;
    this.#maxBytes = maxBytes;
    this.#settle = settle;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  protected override onHead(text: string): void {
    const head = parseResponseHead(text);
    if ('fault' in head) {
      this.onFault(head.fault);
      return;
    }
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#settle.resolve(head);
  }

  protected override faultInFirstLine(line: string): string | undefined {
    const parsed = parseResponseHead(`${line}\r\n\r\n`);
    return 'fault' in parsed ? parsed.fault : undefined;
  }

  protected override onFault(fault: string): void {
    this.#fail(badAnswer(this.#target, `its answer is not HTTP: ${fault}`));
  }

  protected override onTooBig(): void {
    this.#fail(badAnswer(this.#target, `its answer has a head of more than ${this.#maxBytes} bytes`));
  }

  protected override onGone(error: Error | undefined): void {
    this.#fail(dialError(this.#target, error ?? new Error('the connection was closed before an answer came')));
  }

  #fail(error: unknown): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#settle.reject(error);
  }
}

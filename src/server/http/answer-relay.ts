/**
 * Owns passing on the body of an answer as it comes, as fast as the client reads, and how both are waited for. An answer that breaks off
 * never looks complete. Refuses to write its head.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TimerWheel } from '../../actors/timer-wheel.js';
import { endToEndTrailers } from '../../protocol/forward-headers.js';
import { TidegateError } from '../../receivers/errors.js';
import { Deadline } from './deadline.js';

/** How long a body may stand still. Milliseconds; 0 for ever. */
export interface RelayTimes {
  /** Without a byte from the backend. */
  readonly idle: number;
  /** Without the client reading what waits for it. */
  readonly writeStall: number;
}

/** One answer on its way. */
export class AnswerRelay {
  bytes = 0;
  readonly #answer: IncomingMessage;
  readonly #client: ServerResponse;
  readonly #deadline: Deadline;
  readonly #times: RelayTimes;
  #end: ((error: TidegateError | undefined) => void) | undefined;

  constructor(answer: IncomingMessage, client: ServerResponse, wheel: TimerWheel, times: RelayTimes) {
    this.#answer = answer;
    this.#client = client;
    this.#times = times;
    this.#deadline = new Deadline(wheel);
  }

  /** Something else shows that it goes on, such as a body on its way to the backend. */
  touch(): void {
    this.#deadline.touch();
  }

  /** Resolves when all of it is written, or with why it broke off. */
  run(): Promise<TidegateError | undefined> {
    const answer = this.#answer;
    const client = this.#client;
    return new Promise((resolve) => {
      this.#end = (error) => {
        this.#end = undefined;
        this.#deadline.end();
        answer.off('data', onData);
        client.off('drain', onDrain);
        resolve(error);
      };
      const onData = (chunk: Buffer): void => {
        this.bytes += chunk.length;
        if (client.write(chunk)) {
          this.#deadline.touch();
          return;
        }
        answer.pause();
        const late = () => this.stop('DOWNSTREAM_GONE', `the client read nothing for ${this.#times.writeStall} ms`);
        this.#deadline.begin(this.#times.writeStall, late);
      };
      const onDrain = (): void => {
        this.#awaitBackend();
        answer.resume();
      };
      const broke = (): void => this.stop('UPSTREAM_LOST', 'the backend broke off its answer');
      answer.on('data', onData);
      answer.on('error', broke);
      answer.on('close', broke);
      client.on('drain', onDrain);
      answer.on('end', () => {
        if (!answer.complete) {
          broke();
          return;
        }
        const trailers = endToEndTrailers(answer.rawTrailers);
        if (trailers.length > 0) client.addTrailers(trailers);
        client.end();
        this.#end?.(undefined);
      });
      this.#awaitBackend();
      // It may have broken off before anybody listened.
      if (answer.destroyed && !answer.complete) broke();
    });
  }

  /** It is over before its end. */
  stop(code: 'UPSTREAM_LOST' | 'DOWNSTREAM_GONE' | 'BODY_TOO_BIG', message: string): void {
    this.#end?.(new TidegateError(code, message));
  }

  #awaitBackend(): void {
    const { idle } = this.#times;
    this.#deadline.begin(idle, () =>
      this.stop('UPSTREAM_LOST', `the backend sent nothing of its answer for ${idle} ms`),
    );
  }
}

/**
 * Owns one try to have a backend answer one request: the request goes out, its body as the backend takes it, until an answer begins or
 * none will. Refuses to choose the backend, to try another one, and to pass the answer on.
 */
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import type { TimerWheel } from '../../actors/timer-wheel.js';
import { endToEndTrailers } from '../../protocol/forward-headers.js';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { BackendAgent } from './backend-agents.js';
import { BackendStream } from './backend-stream.js';
import { Deadline } from './deadline.js';

/** What one try is made of. */
export interface AttemptOptions {
  readonly agent: BackendAgent;
  /** For people to read. */
  readonly name: string;
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, those that frame the message among them. */
  readonly headers: readonly string[];
  /** Where the body comes from; undefined for none. */
  readonly body: IncomingMessage | undefined;
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  readonly times: AttemptTimes;
  readonly wheel: TimerWheel;
}

/** How long each part may take. Milliseconds. */
export interface AttemptTimes {
  /** Until there is a connection. */
  readonly dial: number;
  /** Without a byte of the body from the client. */
  readonly body: number;
  /** From the end of the request to the beginning of the answer. 0 for ever. */
  readonly answer: number;
}

/** Who is told. Nothing in it may throw. */
export interface AttemptObserver {
  connected(): void;
  /** An interim answer came. */
  interim(status: number, headers: IncomingMessage['headers']): void;
  /** A piece of the body went out. */
  sent(bytes: number): void;
}

/** One try. */
export class Attempt {
  /** Settles when an answer begins, or with a TidegateError when none will. */
  readonly answer: Promise<IncomingMessage>;
  /** Something of the body was taken from the client: it cannot be sent again. */
  bodyBegun = false;
  /** The backend was reached. */
  reached = false;
  readonly #options: AttemptOptions;
  readonly #observer: AttemptObserver;
  readonly #request: ClientRequest;
  readonly #deadline: Deadline;
  #bodyBytes = 0;
  #answered = false;
  #fail!: (error: TidegateError) => void;
  #stopBody: (() => void) | undefined;

  constructor(options: AttemptOptions, observer: AttemptObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#deadline = new Deadline(options.wheel);
    const { agent, method, url, headers, maxHeaderBytes, times } = options;
    this.#request = http.request({
      agent,
      method,
      path: url,
      // Flat, so that order, case and repetitions are kept; the types know of records only.
      headers: headers as unknown as http.OutgoingHttpHeaders,
      setHost: false,
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
    });
    this.#request.maxHeadersCount = 0;
    this.answer = new Promise((resolve, reject) => {
      this.#fail = (error) => {
        if (this.#answered) return;
        this.#answered = true;
        this.#deadline.end();
        this.destroy();
        reject(error);
      };
      this.#listen(resolve);
    });
    this.#deadline.begin(times.dial, () =>
      this.#late('UPSTREAM_TIMEOUT', `there was no connection within ${times.dial} ms`),
    );
  }

  /** It came by a connection that had served before, which the backend may have closed at that moment. */
  get reused(): boolean {
    return this.#request.reusedSocket;
  }

  /** Whether the whole request was sent. */
  get sent(): boolean {
    return this.#request.writableFinished;
  }

  /** Gives it up; its connection is cut. */
  destroy(): void {
    this.#stopBody?.();
    this.#request.destroy();
  }

  #listen(answered: (answer: IncomingMessage) => void): void {
    const request = this.#request;
    const { name } = this.#options;
    request.on('socket', (stream) => {
      if (stream instanceof BackendStream && stream.connecting) stream.once('connect', () => this.#connected());
      else this.#connected();
    });
    request.on('response', (answer) => {
      if (this.#answered) return;
      const fault = faultIn(answer);
      if (fault !== undefined) {
        this.#fail(new TidegateError('UPSTREAM_BAD_ANSWER', `${name} answered with ${fault}`));
        return;
      }
      this.#answered = true;
      this.#deadline.end();
      const { socket } = answer;
      const [, seconds] = /(?:^|[\s,])timeout=(\d+)/i.exec(String(answer.headers['keep-alive'])) ?? [];
      if (socket instanceof BackendStream && seconds !== undefined) socket.keptFor = Number(seconds) * 1000;
      answered(answer);
    });
    request.on('continue', () => this.#observer.interim(100, {}));
    request.on('information', ({ statusCode, headers }) => {
      if (statusCode !== 100) this.#observer.interim(statusCode, headers as IncomingMessage['headers']);
    });
    request.on('upgrade', (_answer, stream) => {
      stream.destroy();
      this.#fail(new TidegateError('UPSTREAM_BAD_ANSWER', `${name} answered 101 to a request without Upgrade`));
    });
    request.on('error', (error) => this.#fail(failureOf(error, name, this.reached)));
    request.on('close', () => this.#fail(new TidegateError('UPSTREAM_LOST', `${name} closed the connection`)));
  }

  #connected(): void {
    if (this.#answered || this.#request.destroyed) return;
    this.reached = true;
    this.#observer.connected();
    const { body } = this.#options;
    if (body === undefined) {
      this.#request.end();
      this.#awaitAnswer();
      return;
    }
    this.#request.flushHeaders();
    this.#sendBody(body);
  }

  #sendBody(body: IncomingMessage): void {
    const request = this.#request;
    const { times, maxBodyBytes, name } = this.#options;
    const client = () => this.#late('REQUEST_TIMEOUT', `nothing of the body came for ${times.body} ms`);
    const backend = () => this.#late('UPSTREAM_NO_ANSWER', `${name} took nothing of the body for ${times.body} ms`);
    const onData = (chunk: Buffer): void => {
      this.bodyBegun = true;
      this.#bodyBytes += chunk.length;
      if (maxBodyBytes > 0 && this.#bodyBytes > maxBodyBytes) {
        this.#tooBig(maxBodyBytes);
        return;
      }
      this.#observer.sent(chunk.length);
      if (request.write(chunk)) {
        this.#deadline.touch();
        return;
      }
      body.pause();
      if (!this.#answered) this.#deadline.begin(times.body, backend);
    };
    const onDrain = (): void => {
      if (!this.#answered) this.#deadline.begin(times.body, client);
      body.resume();
    };
    const onEnd = (): void => {
      this.#stopBody?.();
      this.bodyBegun = true;
      const trailers = endToEndTrailers(body.rawTrailers);
      if (trailers.length > 0) request.addTrailers(trailers);
      request.end();
      if (!this.#answered) this.#awaitAnswer();
    };
    this.#stopBody = () => {
      this.#stopBody = undefined;
      body.off('data', onData).off('end', onEnd);
      request.off('drain', onDrain);
      body.pause();
    };
    request.on('drain', onDrain);
    body.on('data', onData).on('end', onEnd);
    this.#deadline.begin(times.body, client);
    if (body.readableEnded) onEnd();
    else body.resume();
  }

  #tooBig(limit: number): void {
    const error = new TidegateError('BODY_TOO_BIG', `the body is larger than ${limit} bytes (http.maxBodyBytes)`);
    if (this.#answered) this.destroy();
    else this.#fail(error);
  }

  #awaitAnswer(): void {
    const { times, name } = this.#options;
    const late = () => this.#late('UPSTREAM_NO_ANSWER', `${name} began no answer within ${times.answer} ms`);
    this.#deadline.begin(times.answer, late);
  }

  #late(code: 'UPSTREAM_TIMEOUT' | 'UPSTREAM_NO_ANSWER' | 'REQUEST_TIMEOUT', message: string): void {
    this.#fail(new TidegateError(code, message));
  }
}

/** A body whose coding is not ours to take off would go on without its name. */
function faultIn({ headers, statusCode = 0 }: IncomingMessage): string | undefined {
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
    return `Transfer-Encoding ${JSON.stringify(encoding)}`;
  return statusCode < 200 || statusCode > 599 ? `the status ${statusCode}` : undefined;
}

function failureOf(error: Error & { code?: string }, name: string, reached: boolean): TidegateError {
  if (error instanceof TidegateError) return error;
  const { code = '' } = error;
  if (code.startsWith('HPE_')) {
    return new TidegateError('UPSTREAM_BAD_ANSWER', `what ${name} answered is not HTTP: ${code}`, { cause: error });
  }
  const what = `${reached ? 'the connection broke before an answer came' : 'it cannot be reached'}`;
  return new TidegateError(
    reached ? 'UPSTREAM_LOST' : 'UPSTREAM_REFUSED',
    `${name}: ${what} (${describeError(error)})`,
    {
      cause: error,
    },
  );
}

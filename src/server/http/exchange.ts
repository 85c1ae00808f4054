/**
 * Owns one plain request from its head to the last byte of its answer: let in, planned, asked for, answered, told of. Refuses to choose a
 * backend, and to read or write a socket.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Occupant } from '../../actors/pairing.js';
import { plainResponseHeaders } from '../../protocol/forward-headers.js';
import { framingOf } from '../../protocol/plain-request.js';
import { TidegateError } from '../../receivers/index.js';
import { DecisionSignal } from '../handshake/decision-signal.js';
import type { ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import { AnswerRelay } from './answer-relay.js';
import type { DownstreamStream } from './downstream-stream.js';
import { FieldList } from './field-list.js';
import type { HttpHooks, HttpReport } from './http-hooks.js';
import { assertStatus, type GivenAnswer, type RequestPlan } from './http-plan.js';
import { Inquiry, type InquiryServices } from './inquiry.js';
import type { Place } from './places.js';
import { failurePage, refusalAnswer, writeAnswer } from './reply.js';
import type { RequestGate } from './request-gate.js';
import { planFor } from './request-headers.js';
import { ResponsePage, writeHead } from './response-page.js';

/** What all requests share. */
export interface ExchangeServices extends InquiryServices {
  readonly hooks: HttpHooks;
  readonly gate: RequestGate;
  done(report: HttpReport): void;
  exception(error: unknown): void;
}

/** One request and its answer. */
export class Exchange implements Occupant {
  readonly #services: ExchangeServices;
  readonly #stream: DownstreamStream;
  readonly #incoming: IncomingMessage;
  readonly #client: ServerResponse;
  readonly #decision = new DecisionSignal();
  readonly #began = performance.now();
  readonly #isFirst: boolean;
  #inquiry: Inquiry | undefined;
  #relay: AnswerRelay | undefined;
  #error: TidegateError | undefined;
  #remoteAddress: string;
  #received = 0;
  #sent = 0;
  #left = false;
  /** The answer is a stream of events. */
  #isEndless = false;

  constructor(
    services: ExchangeServices,
    stream: DownstreamStream,
    incoming: IncomingMessage,
    client: ServerResponse,
    isFirst: boolean,
  ) {
    this.#services = services;
    this.#stream = stream;
    this.#incoming = incoming;
    this.#client = client;
    this.#isFirst = isFirst;
    this.#remoteAddress = (stream.accepted.pass?.peer ?? stream.accepted.addresses).remoteAddress;
  }

  /** Resolves when it is over. Never rejects. */
  async run(): Promise<void> {
    const over = this.#ending();
    try {
      await this.#serve();
    } catch (error) {
      this.#services.exception(error);
      this.#error = error instanceof TidegateError ? error : new TidegateError('RECEIVER_FAILED', 'a hook failed');
      this.#inquiry?.abandon();
      this.#answer({ status: 500, headers: new FieldList([]), body: Buffer.from('500 Internal Server Error\n') });
    }
    await over;
    // Whatever failed on the way: a place is never kept.
    this.#inquiry?.place?.release('ended');
    this.#report();
  }

  // How the pool sends away whoever is on a backend that goes.

  /** A request comes to its end by itself; a stream of events has none, and its client comes again. */
  close(): void {
    if (this.#isEndless) this.requestTerminate();
  }

  requestTerminate(): void {
    this.#stream.destroy();
  }

  /** Resolves when the answer is written, or the client gone. */
  #ending(): Promise<void> {
    const client = this.#client;
    const stream = this.#stream;
    return new Promise((resolve) => {
      const end = (): void => {
        client.off('close', end);
        stream.off('close', end);
        if (!client.writableFinished) this.#leave();
        resolve();
      };
      client.once('close', end);
      stream.once('close', end);
    });
  }

  #leave(): void {
    this.#left = true;
    this.#decision.abort(new TidegateError('DOWNSTREAM_GONE', 'the client left'));
    this.#relay?.stop('DOWNSTREAM_GONE', 'the client left');
    this.#inquiry?.abandon();
  }

  async #serve(): Promise<void> {
    const { gate, config, hooks, places } = this.#services;
    const { method = '', url = '', httpVersion, rawHeaders } = this.#incoming;
    const head = { method, url, httpVersion, rawHeaders, text: '' };
    const admitted = await gate.admit(head, this.#stream.accepted, this.#decision, this.#isFirst);
    if ('error' in admitted) {
      const { error, message } = admitted;
      this.#error = new TidegateError(error, message);
      // Where a request that is none ends is for nobody to say.
      if (error === 'BAD_REQUEST' || error === 'HANDSHAKE_TOO_BIG') this.#stream.closeSoon();
      this.#answer(refusalAnswer(admitted));
      return;
    }
    this.#remoteAddress = admitted.remoteAddress;
    const limit = config.http.maxBodyBytes;
    const framing = framingOf(rawHeaders);
    if (limit > 0 && typeof framing === 'number' && framing > limit) {
      this.#error = new TidegateError('BODY_TOO_BIG', `the body has ${framing} bytes (http.maxBodyBytes: ${limit})`);
      this.#answer(failurePage(this.#error, 0));
      return;
    }
    const plan = planFor(admitted, places.forwardedHeaders(admitted.rawHeaders), config);
    if (!this.#left) await hooks.onHttpRequest?.(admitted, plan);
    if (this.#left) return;
    if (plan.answer === undefined) await this.#forward(admitted, plan);
    else this.#answer(plan.answer);
  }

  async #forward(request: ParsedUpgradeRequest, plan: RequestPlan): Promise<void> {
    const observer = {
      interim: (status: number, { link }: IncomingMessage['headers']) => this.#interim(status, link),
      sent: (bytes: number) => {
        this.#received += bytes;
        this.#relay?.touch();
      },
    };
    const inquiry = new Inquiry(this.#services, { request, incoming: this.#incoming, plan, occupant: this, observer });
    this.#inquiry = inquiry;
    const answer = await inquiry.ask();
    if (this.#left) return;
    if (answer instanceof TidegateError) await this.#fail(request, answer);
    else if (inquiry.place !== undefined) await this.#pass(request, answer, inquiry.place);
  }

  #interim(status: number, link: string | string[] | undefined): void {
    const client = this.#client;
    if (client.headersSent || this.#left || this.#incoming.httpVersion !== '1.1') return;
    if (status === 100 && this.#incoming.headers.expect !== undefined) client.writeContinue();
    if (status === 103 && link !== undefined) client.writeEarlyHints({ link });
  }

  async #pass(request: ParsedUpgradeRequest, answer: IncomingMessage, place: Place): Promise<void> {
    // What breaks before anybody reads it is seen by whoever reads it then.
    answer.on('error', () => {});
    const headers = new FieldList(plainResponseHeaders(answer.rawHeaders));
    headers.appendAll(place.answered());
    const page = new ResponsePage(answer.statusCode ?? 502, headers, place.id);
    await this.#services.hooks.onHttpResponse?.(request, page, undefined);
    assertStatus(page.status);
    if (this.#left) return;
    if (page.body === undefined) {
      await this.#relayBody(answer, page, place);
      return;
    }
    this.#inquiry?.abandon();
    this.#answer({ status: page.status, headers, body: page.body });
  }

  async #relayBody(answer: IncomingMessage, page: ResponsePage, place: Place): Promise<void> {
    const { config, wheel } = this.#services;
    const { http, timeouts } = config;
    this.#isEndless = page.isEndless;
    const relay = new AnswerRelay(answer, this.#client, wheel, {
      idle: http.idleTimeout,
      writeStall: timeouts.writeStall,
    });
    this.#relay = relay;
    writeHead(this.#client, answer, page, this.#stream.closing);
    const broken = await relay.run();
    this.#sent = relay.bytes;
    this.#error = broken;
    place.release(broken?.code === 'UPSTREAM_LOST' ? 'lost' : 'ended');
    if (broken !== undefined) {
      this.#stream.destroy();
      this.#inquiry?.abandon();
    } else if (!this.#incoming.complete || this.#inquiry?.sent === false) {
      // Nobody wants the rest of the request.
      this.#inquiry?.abandon();
      this.#stream.closeSoon();
    }
  }

  /** No backend answers. */
  async #fail(request: ParsedUpgradeRequest, error: TidegateError): Promise<void> {
    const { hooks, config } = this.#services;
    this.#error = error;
    const { status, headers, body } = failurePage(error, Math.ceil(config.retryAfter / 1000));
    const page = new ResponsePage(status, headers, this.#inquiry?.place?.id);
    await hooks.onHttpResponse?.(request, page, error);
    assertStatus(page.status);
    this.#answer({ status: page.status, headers, body: page.body ?? body });
  }

  #answer(answer: GivenAnswer): void {
    if (this.#left || this.#stream.destroyed) return;
    if (this.#client.headersSent) {
      this.#stream.destroy();
      return;
    }
    writeAnswer(this.#client, this.#incoming, answer, this.#stream.closing);
    if (this.#incoming.method !== 'HEAD') this.#sent = answer.body.length;
  }

  #report(): void {
    const { method = '', url = '' } = this.#incoming;
    const client = this.#client;
    this.#services.done({
      method,
      path: url.split('?', 1)[0] ?? '',
      status: client.headersSent ? client.statusCode : 0,
      backend: this.#inquiry?.place?.id,
      remoteAddress: this.#remoteAddress,
      bytesReceived: this.#received,
      bytesSent: this.#sent,
      duration: Math.round((performance.now() - this.#began) * 10) / 10,
      complete: client.writableFinished,
      retries: this.#inquiry?.tries ?? 0,
      error: this.#error,
    });
  }
}

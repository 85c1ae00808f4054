/**
 * Owns one plain request from its head to the last byte of its answer: let in, planned, sent to a backend, and to another one while
 * that harms nobody. Refuses to read or write a socket.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Occupant } from '../../actors/pairing.js';
import type { TimerWheel } from '../../actors/timer-wheel.js';
import { plainResponseHeaders } from '../../protocol/forward-headers.js';
import { framingOf, isIdempotent } from '../../protocol/plain-request.js';
import { TidegateError } from '../../receivers/index.js';
import type { BalancerConfig } from '../config/balancer/options.js';
import { DecisionSignal } from '../handshake/decision-signal.js';
import type { ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import type { ExtensionBase } from '../server-extension.js';
import { AnswerRelay } from './answer-relay.js';
import { Attempt } from './attempt.js';
import type { DownstreamStream } from './downstream-stream.js';
import { FieldList } from './field-list.js';
import type { HttpHooks, HttpReport } from './http-hooks.js';
import { assertStatus, type GivenAnswer, type RequestPlan } from './http-plan.js';
import type { Place, Places } from './places.js';
import { failurePage, refusalAnswer, writeAnswer } from './reply.js';
import type { RequestGate } from './request-gate.js';
import { headersFor, planFor } from './request-headers.js';
import { ResponsePage, writeHead } from './response-page.js';

/** What all requests share. */
export interface ExchangeServices {
  readonly config: BalancerConfig;
  readonly hooks: HttpHooks;
  readonly gate: RequestGate;
  readonly places: Places;
  readonly wheel: TimerWheel;
  readonly entry: ExtensionBase['entry'];
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
  #attempt: Attempt | undefined;
  #relay: AnswerRelay | undefined;
  #place: Place | undefined;
  #error: TidegateError | undefined;
  #remoteAddress: string;
  #tries = 0;
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
    const client = this.#client;
    const stream = this.#stream;
    const over = new Promise<void>((resolve) => {
      const end = (): void => {
        stream.off('close', end);
        resolve();
      };
      client.once('close', end);
      stream.once('close', end);
      if (stream.destroyed) end();
    });
    void over.then(() => {
      if (!client.writableFinished) this.#leave();
    });
    try {
      if (!stream.destroyed) await this.#serve();
    } catch (error) {
      this.#services.exception(error);
      this.#error = error instanceof TidegateError ? error : new TidegateError('RECEIVER_FAILED', 'a hook failed');
      this.#answer({ status: 500, headers: new FieldList([]), body: Buffer.from('500 Internal Server Error\n') });
    }
    await over;
    this.#report();
  }

  // How the balancer sends away whoever is on a backend that goes.

  /** A request comes to its end by itself; a stream of events has none, and its client comes again. */
  close(): void {
    if (this.#isEndless) this.requestTerminate();
  }

  requestTerminate(): void {
    this.#stream.destroy();
  }

  #leave(): void {
    this.#left = true;
    this.#decision.abort(new TidegateError('DOWNSTREAM_GONE', 'the client left'));
    this.#relay?.stop('DOWNSTREAM_GONE', 'the client left');
    this.#attempt?.destroy();
  }

  async #serve(): Promise<void> {
    const { gate, entry, config, hooks } = this.#services;
    const { method = '', url = '', httpVersion, rawHeaders } = this.#incoming;
    const head = { method, url, httpVersion, rawHeaders, text: '' };
    const admitted = await gate.admit(head, this.#stream.accepted, this.#decision, this.#isFirst);
    if (this.#left) return;
    if ('error' in admitted) {
      const { error, status, message } = admitted;
      this.#error = new TidegateError(error, message);
      // Where a request that is none ends is for nobody to say.
      if (error === 'BAD_REQUEST' || error === 'HANDSHAKE_TOO_BIG') this.#stream.closeSoon();
      this.#answer(refusalAnswer(admitted));
      const path = pathOf(url);
      entry.rejected({ error, status, message, remoteAddress: this.#remoteAddress, path });
      return;
    }
    this.#remoteAddress = admitted.remoteAddress;
    const limit = config.http.maxBodyBytes;
    const framing = framingOf(rawHeaders);
    if (limit > 0 && typeof framing === 'number' && framing > limit) {
      this.#giveUp(new TidegateError('BODY_TOO_BIG', `the body has ${framing} bytes (http.maxBodyBytes: ${limit})`));
      return;
    }
    const plan = planFor(admitted, config);
    await hooks.onHttpRequest?.(admitted, plan);
    if (this.#left) return;
    if (plan.answer === undefined) await this.#forward(admitted, plan);
    else this.#answer(plan.answer);
  }

  async #forward(request: ParsedUpgradeRequest, plan: RequestPlan): Promise<void> {
    const { places } = this.#services;
    const search = places.search(request, plan);
    for (;;) {
      const place = search.next();
      if (place instanceof TidegateError) {
        // What went wrong with the backend that was there says more than that there is no other.
        await this.#fail(request, this.#error ?? place);
        return;
      }
      this.#place = place;
      const attempt = this.#begin(request, plan, place);
      this.#attempt = attempt;
      try {
        const answer = await attempt.answer;
        await this.#pass(request, answer, place);
        return;
      } catch (error) {
        if (!(error instanceof TidegateError)) throw error;
        this.#error = error;
        const isStale = attempt.reused && error.code === 'UPSTREAM_LOST';
        if (this.#left) place.release('ended');
        else if (isStale || error.code === 'BODY_TOO_BIG' || error.code === 'REQUEST_TIMEOUT') place.release('unused');
        else place.release('failed');
        if (this.#left) return;
        if (isStale) place.agent.dropIdle();
        const isHarmless = !attempt.reached || (isIdempotent(request.method) && !attempt.bodyBegun);
        const mayRepeat = isHarmless && error.code.startsWith('UPSTREAM_') && error.code !== 'UPSTREAM_NO_ANSWER';
        if (!mayRepeat || !search.goOn(isStale)) {
          await this.#fail(request, error);
          return;
        }
        this.#tries += 1;
      }
    }
  }

  #begin(request: ParsedUpgradeRequest, plan: RequestPlan, place: Place): Attempt {
    const { config, wheel } = this.#services;
    const { http, limits, timeouts } = config;
    const framing = framingOf(this.#incoming.rawHeaders);
    const hasBody = framing === 'chunked' || (typeof framing === 'number' && framing > 0);
    return new Attempt(
      {
        agent: place.agent,
        name: place.name,
        method: request.method,
        url: plan.url,
        headers: headersFor(this.#incoming, plan, place.target),
        body: hasBody ? this.#incoming : undefined,
        maxBodyBytes: http.maxBodyBytes,
        maxHeaderBytes: limits.maxHandshakeBytes,
        times: { dial: timeouts.dial, body: http.bodyTimeout, answer: http.timeout },
        wheel,
      },
      {
        connected: () => place.connected(this),
        interim: (status, { link }) => this.#interim(status, link),
        sent: (bytes) => {
          this.#received += bytes;
          this.#relay?.touch();
        },
      },
    );
  }

  #interim(status: number, link: string | string[] | undefined): void {
    const client = this.#client;
    if (client.headersSent || this.#left || this.#incoming.httpVersion !== '1.1') return;
    if (status === 100 && this.#incoming.headers.expect !== undefined) client.writeContinue();
    if (status === 103 && link !== undefined) client.writeEarlyHints({ link });
  }

  async #pass(request: ParsedUpgradeRequest, answer: IncomingMessage, place: Place): Promise<void> {
    const { hooks, config, wheel } = this.#services;
    const headers = new FieldList(plainResponseHeaders(answer.rawHeaders));
    for (const [name, value] of Object.entries(place.headers ?? {})) {
      for (const one of typeof value === 'string' ? [value] : value) headers.append(name, one);
    }
    // A failure before anybody listens to it is told again when somebody does.
    answer.on('error', () => {});
    const page = new ResponsePage(answer.statusCode ?? 502, headers, place.id);
    try {
      await hooks.onHttpResponse?.(request, page, undefined);
      assertStatus(page.status);
    } catch (error) {
      place.release('ended');
      this.#attempt?.destroy();
      throw error;
    }
    if (this.#left) {
      place.release('ended');
      return;
    }
    if (page.body !== undefined) {
      place.release('ended');
      this.#attempt?.destroy();
      this.#answer({ status: page.status, headers, body: page.body });
      return;
    }
    this.#isEndless = page.isEndless;
    writeHead(this.#client, answer, page, this.#stream.closing);
    const relay = new AnswerRelay(answer, this.#client, wheel, {
      idle: config.http.idleTimeout,
      writeStall: config.timeouts.writeStall,
    });
    this.#relay = relay;
    const broken = answer.destroyed && !answer.complete ? LOST : await relay.run();
    this.#sent = relay.bytes;
    place.release(broken === undefined || this.#left || broken.code !== 'UPSTREAM_LOST' ? 'ended' : 'lost');
    this.#error = broken ?? undefined;
    if (broken !== undefined) {
      this.#stream.destroy();
      this.#attempt?.destroy();
    } else if (!this.#incoming.complete || this.#attempt?.sent === false) {
      // Nobody wants the rest of the request.
      this.#attempt?.destroy();
      this.#stream.closeSoon();
    }
  }

  /** No backend answers. */
  async #fail(request: ParsedUpgradeRequest, error: TidegateError): Promise<void> {
    const { hooks, config } = this.#services;
    this.#error = error;
    const page = failurePage(error, Math.ceil(config.retryAfter / 1000));
    const response = new ResponsePage(page.status, page.headers, this.#place?.id);
    await hooks.onHttpResponse?.(request, response, error);
    assertStatus(response.status);
    if (!this.#left) this.#answer({ status: response.status, headers: page.headers, body: response.body ?? page.body });
  }

  #giveUp(error: TidegateError): void {
    this.#error = error;
    this.#answer(failurePage(error, 0));
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
      path: pathOf(url),
      status: client.headersSent ? client.statusCode : 0,
      backend: this.#place?.id,
      remoteAddress: this.#remoteAddress,
      bytesReceived: this.#received,
      bytesSent: this.#sent,
      duration: performance.now() - this.#began,
      complete: client.writableFinished,
      retries: this.#tries,
      error: this.#error,
    });
  }
}

const LOST = new TidegateError('UPSTREAM_LOST', 'the backend broke off its answer');

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

/**
 * Owns asking for an answer: one backend, and another one while that harms nobody, until one begins its answer or none will. Refuses to
 * pass the answer on, and to tell the client that there is none.
 */
import type { IncomingMessage } from 'node:http';
import type { Occupant } from '../../actors/pairing.js';
import type { TimerWheel } from '../../actors/timer-wheel.js';
import { framingOf, isIdempotent } from '../../protocol/plain-request.js';
import { type ErrorCode, TidegateError } from '../../receivers/index.js';
import type { BalancerConfig } from '../config/balancer/options.js';
import { DialAbort } from '../dial/dial-signal.js';
import type { ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import { Attempt, type AttemptObserver } from './attempt.js';
import type { RequestPlan } from './http-plan.js';
import type { Place, Places } from './places.js';
import { headersFor } from './request-headers.js';

/** What all inquiries share. */
export interface InquiryServices {
  readonly config: BalancerConfig;
  readonly places: Places;
  readonly wheel: TimerWheel;
}

/** What is asked, and for whom. */
export interface Inquired {
  readonly request: ParsedUpgradeRequest;
  readonly incoming: IncomingMessage;
  readonly plan: RequestPlan;
  readonly occupant: Occupant;
  /** Told about interim answers, and about what goes out of the body. */
  readonly observer: Pick<AttemptObserver, 'interim' | 'sent'>;
}

/** The client's own fault, or its leaving: says nothing about the backend. */
const NOT_OF_THE_BACKEND: readonly ErrorCode[] = ['BODY_TOO_BIG', 'REQUEST_TIMEOUT'];

const LEFT = new TidegateError('DOWNSTREAM_GONE', 'the client left');

/** Asks for the answer to one request. */
export class Inquiry {
  /** Backends that were asked in vain. */
  tries = 0;
  /** Where it was asked last. */
  place: Place | undefined;
  readonly #services: InquiryServices;
  readonly #inquired: Inquired;
  #attempt: Attempt | undefined;
  /** Told when nobody wants an answer any more. */
  readonly #leaving = new DialAbort();

  constructor(services: InquiryServices, inquired: Inquired) {
    this.#services = services;
    this.#inquired = inquired;
  }

  /** Whether all of the request was sent. */
  get sent(): boolean {
    return this.#attempt?.sent === true;
  }

  /** Answers with the beginning of an answer, or why there is none. Its place is taken then, until somebody releases it. */
  async ask(): Promise<IncomingMessage | TidegateError> {
    const { request, plan } = this.#inquired;
    const search = this.#services.places.search(request, plan);
    let failure: TidegateError | undefined;
    for (;;) {
      const place = await search.next(this.#leaving);
      // What went wrong with the backend that was there says more than that there is no other.
      if (place instanceof TidegateError) return failure ?? place;
      this.place = place;
      if (this.#leaving.aborted) {
        place.release('unused');
        return LEFT;
      }
      const attempt = this.#attemptAt(place);
      this.#attempt = attempt;
      try {
        return await attempt.answer;
      } catch (error) {
        if (!(error instanceof TidegateError)) throw error;
        failure = error;
      }
      const isStale = attempt.reused && failure.code === 'UPSTREAM_LOST';
      this.#giveBack(place, failure, isStale);
      if (this.#leaving.aborted || !this.#mayRepeat(attempt, failure) || !search.goOn(isStale)) return failure;
      this.tries += 1;
    }
  }

  /** Nobody wants an answer any more, or the rest of one. */
  abandon(): void {
    this.#leaving.abort(LEFT);
    this.#attempt?.destroy();
  }

  #giveBack(place: Place, { code }: TidegateError, isStale: boolean): void {
    // One of its old connections was dead, and the others are as old.
    if (isStale) place.agent.dropIdle();
    if (this.#leaving.aborted) place.release('ended');
    else place.release(isStale || NOT_OF_THE_BACKEND.includes(code) ? 'unused' : 'failed');
  }

  /** Whatever was not sent at all may be sent again; else what means the same when it is done twice (RFC 9110 section 9.2.2). */
  #mayRepeat({ reached, bodyBegun }: Attempt, { code }: TidegateError): boolean {
    if (!code.startsWith('UPSTREAM_') || code === 'UPSTREAM_NO_ANSWER') return false;
    return !reached || (isIdempotent(this.#inquired.request.method) && !bodyBegun);
  }

  #attemptAt(place: Place): Attempt {
    const { config, wheel } = this.#services;
    const { incoming, request, plan, occupant, observer } = this.#inquired;
    const { http, limits, timeouts } = config;
    const framing = framingOf(incoming.rawHeaders);
    return new Attempt(
      {
        agent: place.agent,
        name: place.name,
        method: request.method,
        url: plan.url,
        headers: headersFor(incoming, plan, place.target),
        body: framing === 'none' || framing === 0 ? undefined : incoming,
        maxBodyBytes: http.maxBodyBytes,
        maxHeaderBytes: limits.maxHandshakeBytes,
        times: { dial: timeouts.dial, body: http.bodyTimeout, answer: http.timeout },
        wheel,
      },
      { ...observer, connected: () => place.connected(occupant) },
    );
  }
}

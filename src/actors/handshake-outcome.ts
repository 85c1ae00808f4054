/**
 * Owns what becomes of one handshake: the application's decision, or the first reason to refuse it. Refuses to answer the
 * client; the port does.
 */
import type { Rejection, UpgradeAnswer } from '../receivers/index.js';
import type { Refusal } from './connection.effects.js';
import type { ConnectionEvent } from './connection.machine.js';
import type { DownstreamPort } from './downstream.port.js';
import { decisionOf, decisionTimeout, upstreamTimeout } from './refusals.js';

/** The outcome of one handshake. */
export class HandshakeOutcome {
  #refusal: Refusal | undefined;
  #accepted = false;

  /** The first reason to refuse that came up. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  refuse(refusal: Refusal): void {
    this.#refusal ??= refusal;
  }

  /** The deadline of the handshake passed: whoever was waited for is named. */
  expire(): void {
    this.#refusal = this.#accepted ? upstreamTimeout : decisionTimeout;
  }

  /**
   * Turns the application's answer into an event of the chart.
   *
   * @throws TidegateError when it answered what cannot be.
   */
  decide(answer: UpgradeAnswer, port: DownstreamPort): ConnectionEvent {
    const decision = decisionOf(answer);
    const plan = decision.kind === 'reject' ? rejectionRefusal(decision) : port.plan(decision);
    if ('status' in plan) {
      this.#refusal = plan;
      return { type: 'decision.reject' };
    }
    this.#accepted = true;
    return { type: 'decision.accept', dial: plan.dial };
  }
}

function rejectionRefusal(rejection: Rejection): Refusal {
  const { status, headers, body } = rejection;
  return { status, headers, body, error: 'REJECTED', message: 'refused' };
}

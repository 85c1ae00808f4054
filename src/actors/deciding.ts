/**
 * Owns how one handshake is decided: who the client is, then the receiver is made and asked, or the first reason to refuse.
 * Refuses to answer the client; the port does.
 */
import type {
  ConnectionState,
  LifecycleReceiver,
  Principal,
  Rejection,
  UpgradeAnswer,
  UpgradeRequest,
} from '../receivers/index.js';
import { whenSettled } from './callback-queue.js';
import type { Refusal } from './connection.effects.js';
import type { Admission, Seat, Verdict } from './connection.host.js';
import type { ConnectionEvent, DialOrder } from './connection.machine.js';
import type { DownstreamPort } from './downstream.port.js';
import { decisionOf, decisionTimeout, upstreamTimeout } from './refusals.js';

/** The connection whose handshake is decided. */
export interface Undecided {
  readonly state: ConnectionState;
  readonly request: UpgradeRequest;
  readonly port: DownstreamPort;
  principal: Principal | undefined;
  seat: Seat | undefined;
  /** Takes the receiver that was made, and attaches it. */
  adopt(receiver: LifecycleReceiver): void;
  onUpgradeRequest(request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer>;
  readonly reading: { hold(reason: 'dialling'): void };
  /** Something of the application threw. */
  failed(error: unknown): void;
  send(event: ConnectionEvent): void;
}

/** The decision about one handshake. */
export class Deciding {
  readonly #connection: Undecided;
  readonly #createReceiver: () => LifecycleReceiver;
  readonly #admission: Admission | undefined;
  #refusal: Refusal | undefined;
  #accepted = false;
  #admitting = false;

  constructor(connection: Undecided, createReceiver: () => LifecycleReceiver, admission: Admission | undefined) {
    this.#connection = connection;
    this.#createReceiver = createReceiver;
    this.#admission = admission;
  }

  /** The first reason to refuse that came up. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Whether admission is waited for, and not the receiver. */
  get admitting(): boolean {
    return this.#admitting;
  }

  refuse(refusal: Refusal): void {
    this.#refusal ??= refusal;
  }

  /** The deadline of the handshake passed: whoever was waited for is named. */
  expire(): void {
    if (this.#admitting) this.#refusal = this.#admission?.late();
    else this.#refusal = this.#accepted ? upstreamTimeout : decisionTimeout;
  }

  /** Begins to decide. Without an admission the receiver is asked at once. */
  begin(): void {
    if (this.#admission === undefined) {
      this.#ask();
      return;
    }
    this.#admitting = true;
    whenSettled(this.#admission.admit(), (verdict) => this.#admitted(verdict));
  }

  /** Nothing was decided meanwhile: the client is there, and nobody ended the connection. */
  get #open(): boolean {
    return this.#connection.state === 'handshaking' && this.#refusal === undefined;
  }

  #admitted(verdict: Verdict): void {
    this.#admitting = false;
    if (!this.#open) return;
    const seat = 'status' in verdict ? verdict : this.#admission?.enter(verdict.principal);
    if (seat !== undefined && 'status' in seat) {
      this.#refusal = seat;
      this.#connection.send({ type: 'decision.reject' });
      return;
    }
    this.#connection.seat = seat;
    this.#connection.principal = 'principal' in verdict ? verdict.principal : undefined;
    this.#ask();
  }

  #ask(): void {
    const connection = this.#connection;
    try {
      connection.adopt(this.#createReceiver());
    } catch (error) {
      connection.failed(error);
    }
    // A receiver that could not be made, or failed in `attach`, is not asked.
    if (!this.#open) return;
    whenSettled(connection.onUpgradeRequest(connection.request), (answer) => this.#decided(answer));
  }

  #decided(answer: UpgradeAnswer): void {
    if (!this.#open) return;
    try {
      const event = this.#decide(answer);
      // The chart enters `open` with reading paused in this case; it goes on when the upstream is there.
      if (event.type === 'decision.accept' && event.dial === 'after-accept') this.#connection.reading.hold('dialling');
      this.#connection.send(event);
    } catch (error) {
      this.#connection.failed(error);
    }
  }

  /**
   * Turns the application's answer into an event of the chart.
   *
   * @throws TidegateError when it answered what cannot be.
   */
  #decide(answer: UpgradeAnswer): { type: 'decision.reject' } | { type: 'decision.accept'; dial: DialOrder } {
    const decision = decisionOf(answer);
    const plan = decision.kind === 'reject' ? rejectionRefusal(decision) : this.#connection.port.plan(decision);
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

/**
 * Owns the socket of one downstream connection from its upgrade request on, as the connection actor's port: its
 * target, its data path, and every effect on the wire. Refuses to decide anything; the chart does.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { DialOrder } from '../../actors/connection.machine.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { DownstreamPort } from '../../actors/downstream.port.js';
import type { PairSums } from '../../actors/pair-sums.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import { CONNECTION_FIELD } from '../../protocol/control/address.js';
import {
  type Acceptance,
  type CloseStatus,
  type Message,
  type RateLimits,
  type SendResult,
  TidegateError,
  type Traffic,
} from '../../receivers/index.js';
import type { DecisionSignal } from '../handshake/decision-signal.js';
import type { DataPath } from '../paths/data-path.js';
import { ratesOf } from '../shaping/rates.js';
import type { Wire } from '../wires/wire.js';
import type { ConnectionServices } from './connection-services.js';
import type { Greeting } from './greeting.js';
import { type Plan, planConnection } from './plan.js';
import { UpstreamShell } from './upstream-shell.js';

/** A request that lets go of what it needs no longer when it is answered. */
export interface SettledRequest {
  settle(): void;
}

const NO_TRAFFIC: Traffic = { messages: 0, bytes: 0 };

/** The wire of one downstream connection. */
export class DownstreamShell implements DownstreamPort {
  readonly beganAt = performance.now();
  readonly #connection: ConnectionActor;
  readonly #services: ConnectionServices;
  readonly #wire: Wire;
  readonly #request: SettledRequest;
  // What only the handshake needs is let go of with its answer: there may be many connections.
  #greeting: Greeting | undefined;
  #decision: DecisionSignal | undefined;
  #plan: Plan | undefined;
  #upstream: UpstreamShell | undefined;
  #path: DataPath | undefined;
  #subprotocol = '';

  constructor(options: {
    connection: ConnectionActor;
    services: ConnectionServices;
    request: SettledRequest;
    wire: Wire;
    greeting: Greeting;
    decision: DecisionSignal;
  }) {
    this.#connection = options.connection;
    this.#services = options.services;
    this.#request = options.request;
    this.#greeting = options.greeting;
    this.#decision = options.decision;
    this.#wire = options.wire;
  }

  get target(): string | undefined {
    return (this.#upstream?.target ?? this.#plan?.target)?.href;
  }

  get answered(): boolean {
    return this.#greeting?.early !== undefined;
  }

  get subprotocol(): string {
    return this.#subprotocol;
  }

  get dataPath(): DownstreamPort['dataPath'] {
    return this.#path?.kind;
  }

  path(): DataPath | undefined {
    return this.#path;
  }

  get closeWritten(): boolean {
    return this.#path?.down.closeWritten ?? false;
  }

  get bufferedBytes(): number {
    return this.#path?.down.bufferedBytes ?? 0;
  }

  get bytesRead(): number {
    return this.#wire.bytesRead;
  }

  get roundTripMs(): number | undefined {
    return this.#path?.down.roundTripMs;
  }

  get received(): Traffic {
    return this.#path?.down.received.toJSON() ?? NO_TRAFFIC;
  }

  get sent(): Traffic {
    return this.#path?.down.sent.toJSON() ?? NO_TRAFFIC;
  }

  get dropped(): Traffic {
    return this.#path?.down.dropped?.toJSON() ?? NO_TRAFFIC;
  }

  addTo(sums: PairSums): void {
    this.#path?.addTo(sums);
  }

  plan(acceptance: Acceptance): { dial: DialOrder } | Refusal {
    const { request, receiver } = this.#connection;
    const plan = planConnection(request, acceptance, receiver, this.#services, this.#greeting);
    if ('dial' in plan) this.#plan = plan;
    return plan;
  }

  dial(): void {
    const plan = this.#plan;
    if (plan === undefined || plan.dial === 'none') return;
    const { request } = this.#connection;
    const upstream = new UpstreamActor({
      connection: this.#connection,
      host: this.#services.supervisor,
      parent: this.#services.supervisor.ref,
    });
    this.#upstream = new UpstreamShell({
      upstream,
      request,
      plan,
      route: plan.routes?.routeFor(request, this.#connection),
      services: this.#services,
      onReady: () => this.#connectUpstream(),
    });
    upstream.port = this.#upstream;
    this.#services.supervisor.pair(upstream);
    upstream.start();
  }

  get nameAtTarget(): string | undefined {
    return this.#upstream?.nameThere;
  }

  accept(): void {
    const plan = this.#plan;
    const greeting = this.#greeting;
    if (plan === undefined || greeting === undefined) return;
    // A backend tells a balancer what it calls the connection.
    const { register } = this.#services.config;
    const headers = register === undefined ? this.#upstream?.headers : { [CONNECTION_FIELD]: this.#connection.id };
    this.#path = greeting.accept(plan, this.#upstream?.answer, headers);
    this.#subprotocol = greeting.subprotocol;
    if (plan.rates !== undefined) this.#path.limitRate(plan.rates);
    this.#services.recorder?.accepted(this.#connection, this.#path, plan.acceptance.record, greeting.head);
    this.#connectUpstream();
    this.#greeting = undefined;
    this.#decision = undefined;
    if (plan.dial === 'after-accept') return;
    this.#plan = undefined;
    this.#upstream?.settle();
    this.#request.settle();
  }

  refuse(refusal: Refusal): void {
    this.#services.recorder?.refused(this.#connection, refusal);
    if (abortsDecision.has(refusal.error)) {
      this.#decision?.abort(new TidegateError(refusal.error, refusal.message));
    }
    this.#greeting?.refuse(refusal);
  }

  read(): void {
    this.#path?.start();
    this.#path?.down.intake.allow();
  }

  stopReading(): void {
    this.#path?.down.intake.forbid();
  }

  send(message: Message): SendResult {
    return this.#path?.down.send(message) ?? 'closed';
  }

  ping(payload: Message): SendResult {
    return this.#path?.down.ping(payload) ?? 'closed';
  }

  clearQueue(): number {
    return this.#path?.down.clearQueue() ?? 0;
  }

  limitRate(rates: RateLimits): void {
    this.#path?.limitRate(ratesOf(rates));
  }

  limitMessages(bytes: number): void {
    this.#path?.limitMessages(bytes);
  }

  sendHeartbeat(): void {
    this.#path?.down.sendHeartbeat();
  }

  sendClose(code: CloseStatus, reason: string): void {
    this.#path?.down.sendClose(code, reason);
  }

  end(): void {
    this.#path?.down.end();
  }

  terminate(): void {
    this.#wire.terminate();
  }

  takeExcuse(): boolean {
    return this.#path?.down.takeExcuse() ?? true;
  }

  probe(): void {
    this.#wire.probe();
  }

  #connectUpstream(): void {
    if (this.#path !== undefined) this.#upstream?.connectTo(this.#path);
  }
}

/** What the application's signal aborts for: the client or the deadline, and not its own decision. */
const abortsDecision: ReadonlySet<string> = new Set([
  'DOWNSTREAM_GONE',
  'DECISION_TIMEOUT',
  'UPSTREAM_TIMEOUT',
  'SHUTTING_DOWN',
]);

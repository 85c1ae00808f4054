/**
 * Owns the socket of one downstream connection from its upgrade request on, as the connection actor's port: the answer,
 * the data path, and every effect on the wire. Refuses to decide anything; the chart does.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { DialOrder } from '../../actors/connection.machine.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { DownstreamPort } from '../../actors/downstream.port.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import {
  type Acceptance,
  type CloseStatus,
  ERRORS,
  type Message,
  type RateLimits,
  type SendResult,
  TidegateError,
  type Traffic,
} from '../../receivers/index.js';
import type { Target } from '../dial/target.js';
import { acceptanceHead, writeRefusal } from '../handshake/answer.js';
import type { DecisionSignal } from '../handshake/decision-signal.js';
import type { ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import type { DataPath } from '../paths/data-path.js';
import { FramesPath } from '../paths/frames-path.js';
import type { AgreedDeflate } from '../paths/message-writer.js';
import { MessagesPath } from '../paths/messages-path.js';
import { StreamPath } from '../paths/stream-path.js';
import { ratesOf } from '../shaping/rates.js';
import type { Wire } from '../wires/wire.js';
import type { ConnectionServices } from './connection-services.js';
import { acceptOffer } from './deflate.js';
import { EarlyReader } from './early-reader.js';
import { type Plan, planConnection } from './plan.js';
import { UpstreamShell } from './upstream-shell.js';

const NO_TRAFFIC: Traffic = { messages: 0, bytes: 0 };

/** The wire of one downstream connection. */
export class DownstreamShell implements DownstreamPort {
  readonly #connection: ConnectionActor;
  readonly #services: ConnectionServices;
  readonly #wire: Wire;
  readonly #request: ParsedUpgradeRequest;
  // What only the handshake needs is let go of with its answer: there may be many connections.
  #early: EarlyReader | undefined;
  #key: string;
  #decision: DecisionSignal | undefined;
  #plan: Plan | undefined;
  #target: Target | undefined;
  #upstream: UpstreamShell | undefined;
  #path: DataPath | undefined;
  #subprotocol = '';

  constructor(options: {
    connection: ConnectionActor;
    services: ConnectionServices;
    request: ParsedUpgradeRequest;
    wire: Wire;
    key: string;
    decision: DecisionSignal;
  }) {
    this.#connection = options.connection;
    this.#services = options.services;
    this.#request = options.request;
    this.#key = options.key;
    this.#decision = options.decision;
    this.#wire = options.wire;
    const { config, links } = options.services;
    const bound = config.limits.highWaterMark;
    this.#early = new EarlyReader(this.#wire, bound, links.budget, () => this.#connection.onClosed(1006, ''));
  }

  get target(): string | undefined {
    return this.#target?.href;
  }

  get subprotocol(): string {
    return this.#subprotocol;
  }

  get dataPath(): DownstreamPort['dataPath'] {
    return this.#path?.kind;
  }

  get closeWritten(): boolean {
    return this.#path?.down.outlet.closeWritten ?? false;
  }

  get bufferedBytes(): number {
    return this.#path?.down.bufferedBytes ?? 0;
  }

  get bytesRead(): number {
    return this.#wire.bytesRead;
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

  plan(acceptance: Acceptance): { dial: DialOrder } | Refusal {
    const { config, needsTarget } = this.#services;
    const plan = planConnection(this.#connection.request, acceptance, this.#connection.receiver, config, needsTarget);
    if ('dial' in plan) {
      this.#plan = plan;
      this.#target = plan.target;
    }
    return plan;
  }

  dial(): void {
    const target = this.#target;
    if (this.#plan === undefined || target === undefined) return;
    const upstream = new UpstreamActor({
      connection: this.#connection,
      host: this.#services.supervisor,
      parent: this.#services.supervisor.ref,
    });
    this.#upstream = new UpstreamShell({
      upstream,
      request: this.#connection.request,
      plan: this.#plan,
      target,
      services: this.#services,
      onReady: () => this.#connectUpstream(),
    });
    upstream.port = this.#upstream;
    this.#services.supervisor.pair(upstream);
    upstream.start();
  }

  accept(): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    const answered = this.#upstream?.answer;
    const deflate = this.#deflate(plan);
    this.#subprotocol = plan.subprotocol ?? answered?.subprotocol ?? '';
    const extensions = plan.path === 'frames' ? (answered?.extensions ?? '') : (deflate?.extensions ?? '');
    const head = acceptanceHead({
      key: this.#key,
      subprotocol: this.#subprotocol,
      extensions,
      headers: plan.acceptance.headers,
    });
    this.#early?.finish();
    this.#wire.write(Buffer.from(head, 'latin1'));
    this.#path = this.#createPath(plan, deflate?.deflate, extensions !== '');
    if (plan.rates !== undefined) this.#path.limitRate(plan.rates);
    this.#connectUpstream();
    this.#early = undefined;
    this.#decision = undefined;
    this.#key = '';
    if (plan.dial === 'after-accept') return;
    this.#plan = undefined;
    this.#upstream?.settle();
    this.#request.settle();
  }

  refuse(refusal: Refusal): void {
    if (abortsDecision.has(refusal.error)) {
      this.#decision?.abort(new TidegateError(refusal.error, refusal.message));
    }
    this.#early?.finish();
    const { status, statusText, headers, body } = refusal;
    writeRefusal(this.#wire, { status, statusText, headers, body: body ?? `${toldToClient(refusal)}\n` });
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
    return this.#path?.down.sends.clear() ?? 0;
  }

  limitRate(rates: RateLimits): void {
    this.#path?.limitRate(ratesOf(rates));
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

  #deflate(plan: Plan): { deflate: AgreedDeflate; extensions: string } | undefined {
    const { compression, limits } = this.#services.config;
    if (plan.path !== 'messages' || compression === false) return undefined;
    return acceptOffer(this.#connection.request, compression, limits.maxMessageBytes);
  }

  #createPath(plan: Plan, deflate: AgreedDeflate | undefined, compression: boolean): DataPath {
    const { config, links } = this.#services;
    const { limits, frameType, fragments } = config;
    const connection = this.#connection;
    const wire = this.#wire;
    const services = links;
    switch (plan.path) {
      case 'frames':
        return new FramesPath({ connection, wire, services, limits, compression });
      case 'stream':
        return new StreamPath({ connection, wire, services, limits, frameType });
      case 'messages': {
        const { receiver } = connection;
        return new MessagesPath({ connection, wire, services, limits, deflate, frameType, fragments, receiver });
      }
    }
  }

  #connectUpstream(): void {
    if (this.#path !== undefined) this.#upstream?.connectTo(this.#path);
  }
}

/** Where the target is and how it failed is for the log and the `rejected` event; a client learns only what kind it was. */
function toldToClient({ error, message }: Refusal): string {
  const { whose, help } = ERRORS[error];
  return whose === 'upstream' || whose === 'operator' ? help : message;
}

/** What the application's signal aborts for: the client or the deadline, and not its own decision. */
const abortsDecision: ReadonlySet<string> = new Set([
  'DOWNSTREAM_GONE',
  'DECISION_TIMEOUT',
  'UPSTREAM_TIMEOUT',
  'SHUTTING_DOWN',
]);

/**
 * Owns the socket of one upstream, as the upstream actor's port: the dial, what the target answered, and every effect on
 * the wire. Refuses to decide anything; the chart does.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { Ending } from '../../actors/ending.js';
import type { UpstreamPort } from '../../actors/upstream.port.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import { connectionNameIn } from '../../protocol/control/address.js';
import { endToEndResponseHeaders } from '../../protocol/forward-headers.js';
import {
  type CloseStatus,
  describeError,
  type HeaderFields,
  TidegateError,
  type UpgradeRequest,
} from '../../receivers/index.js';
import { DialAbort } from '../dial/dial-signal.js';
import { type DialOptions, dialTarget } from '../dial/dial-target.js';
import { dialWebSocket, upstreamPath } from '../dial/dial-websocket.js';
import { forwardingOf } from '../dial/on-behalf.js';
import type { Target, WebSocketTarget } from '../dial/target.js';
import type { DataPath } from '../paths/data-path.js';
import type { Link } from '../paths/links.js';
import type { AgreedDeflate } from '../paths/message-writer.js';
import type { Wire } from '../wires/wire.js';
import type { ConnectionServices } from './connection-services.js';
import { assertAnswerToPass, offerToPass, ownOffer } from './deflate.js';
import { type DialAttempt, dialRoute, refusalOf } from './dial-route.js';
import type { Plan } from './plan.js';
import type { Route } from './route.js';

/** How much of the body of a target's refusal reaches the client. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** What a WebSocket target agreed to. */
export interface UpstreamAnswer {
  readonly subprotocol: string;
  readonly extensions: string;
}

/** The wire of one upstream. */
export class UpstreamShell implements UpstreamPort {
  /** What the target answered; undefined before, and for a target that speaks no WebSocket. */
  answer: UpstreamAnswer | undefined;
  readonly speaksWebSocket: boolean;
  /** What the target calls the connection; undefined when it does not say. */
  nameThere: string | undefined;

  readonly #upstream: UpstreamActor;
  readonly #request: UpgradeRequest;
  // What only the dial needs is let go of with it: there may be many upstreams.
  #plan: Plan | undefined;
  readonly #route: Route | undefined;
  #target: Target | undefined;
  readonly #services: ConnectionServices;
  #onReady: (() => void) | undefined;
  /** Gives the dial up; undefined once there is nothing to give up. */
  #abort: DialAbort | undefined;
  #wire: Wire | undefined;
  #link: Link | undefined;
  #deflate: AgreedDeflate | undefined;

  constructor(options: {
    upstream: UpstreamActor;
    request: UpgradeRequest;
    plan: Plan;
    /** Who chooses the target; undefined when the plan names it. */
    route: Route | undefined;
    services: ConnectionServices;
    /** Called when the upstream is connected, before its actor is told. */
    onReady: () => void;
  }) {
    this.#upstream = options.upstream;
    this.#request = options.request;
    this.#plan = options.plan;
    this.#target = options.plan.target;
    this.#route = options.route;
    this.#services = options.services;
    this.#onReady = options.onReady;
    const { target, routes } = options.plan;
    this.speaksWebSocket = (routes?.speaks ?? target?.kind) === 'websocket';
  }

  /** The client is answered: what was agreed on is known to both. */
  settle(): void {
    this.answer = undefined;
  }

  get bytesRead(): number {
    return this.#wire?.bytesRead ?? 0;
  }

  get bufferedBytes(): number {
    return this.#link?.outlet.bufferedBytes ?? 0;
  }

  get roundTripMs(): number | undefined {
    return this.#link?.roundTripMs;
  }

  /** Where it goes; undefined before that is chosen. */
  get target(): Target | undefined {
    return this.#target;
  }

  /** What the answer to the client has to say beside what the receiver wants. */
  get headers(): HeaderFields | undefined {
    return this.#route?.headers;
  }

  dial(): void {
    const target = this.#target;
    const plan = this.#plan;
    const route = this.#route;
    if (plan === undefined) return;
    const abort = new DialAbort();
    this.#abort = abort;
    const attempt: DialAttempt = (to, signal) => this.#attempt(to, plan, signal);
    if (route !== undefined) {
      void dialRoute(route, attempt, this.#services.dials, abort).then((refusal) => this.#settled(refusal));
    } else if (target !== undefined) {
      this.#services.dials.add(() => attempt(target, abort).then((refusal) => this.#settled(refusal)));
    }
  }

  over(ending: Ending | undefined, refusal?: Refusal): void {
    this.#route?.over(ending, refusal);
  }

  lossEnding(): Ending | undefined {
    return this.#route?.lossEnding();
  }

  abortDial(): void {
    this.#abort?.abort(new TidegateError('DOWNSTREAM_GONE', 'the dial was given up'));
  }

  /** Becomes the other side of a data path, once there are both. */
  connectTo(path: DataPath): void {
    if (this.#wire === undefined || this.#link !== undefined) return;
    this.#link = path.connect({
      upstream: this.#upstream,
      wire: this.#wire,
      speaksWebSocket: this.speaksWebSocket,
      halfClose: this.#services.config.halfClose,
      deflate: this.#deflate,
    });
  }

  read(): void {
    this.#link?.intake.allow();
  }

  stopReading(): void {
    this.#link?.intake.forbid();
  }

  sendHeartbeat(): void {
    this.#link?.sendHeartbeat();
  }

  sendClose(code: CloseStatus, reason: string): void {
    if (this.#link !== undefined) this.#link.sendClose(code, reason);
    else this.#wire?.terminate();
  }

  end(): void {
    this.#link?.end();
  }

  terminate(): void {
    this.#wire?.terminate();
  }

  takeExcuse(): boolean {
    return this.#link?.takeExcuse() ?? true;
  }

  probe(): void {
    this.#wire?.probe();
  }

  #attempt(target: Target, plan: Plan, signal: DialAbort): Promise<Refusal | undefined> {
    this.#target = target;
    const dial =
      target.kind === 'websocket' ? this.#dialWebSocket(target, plan, signal) : this.#dialBytes(target, plan, signal);
    return dial.catch((error: unknown) => refusalOf(error));
  }

  #settled(refusal: Refusal | undefined): void {
    if (refusal !== undefined) this.#upstream.dialFailed(refusal);
  }

  async #dialBytes(target: Target, plan: Plan, abort: DialAbort): Promise<undefined> {
    const warm = abort.aborted ? undefined : this.#services.warm?.take(target);
    // Never within this call: the chart is still on its way into `dialling`.
    this.#connected(await (warm ?? dialTarget(target, this.#dialOptions(plan, abort))), abort);
  }

  async #dialWebSocket(target: WebSocketTarget, plan: Plan, abort: DialAbort): Promise<Refusal | undefined> {
    const { compression, limits, forwardedHeaders, hostHeader, passCompression } = this.#services.config;
    const own =
      plan.path === 'messages' && compression !== false ? ownOffer(compression, limits.maxMessageBytes) : undefined;
    // Once the client has its 101, nothing can be agreed on with it any more.
    const mayAgree = plan.path === 'frames' && plan.dial === 'before-accept' && !plan.answered;
    const passed = mayAgree && passCompression ? offerToPass(this.#request) : undefined;
    const { tracing } = this.#services;
    const { connection } = this.#upstream;
    const passedOn = this.#route?.requestHeaders(this.#request.rawHeaders) ?? this.#request.rawHeaders;
    const handshake = await dialWebSocket(target, this.#dialOptions(plan, abort), {
      path: upstreamPath(target, this.#request.url),
      // The span of the dial is there only when the request is written. A getter in its place would be a shape of its own for each
      // connection, and shapes are old from their first day on: what it closes over would never die young.
      headers: () => tracing.carry(connection, passedOn),
      host: hostHeader === 'client' ? this.#request.host : undefined,
      forwarding: forwardingOf(this.#request, forwardedHeaders),
      subprotocols: plan.subprotocolsToOffer,
      extensions: own?.offer ?? passed,
      maxHeaderBytes: limits.maxHandshakeBytes,
      maxRefusalBytes: MAX_REFUSAL_BYTES,
    });
    if (handshake.kind === 'refused') {
      return {
        status: handshake.status,
        statusText: handshake.statusText,
        headers: endToEndResponseHeaders(handshake.rawHeaders),
        body: handshake.body,
        error: 'UPSTREAM_REJECTED',
        message: `${target.href} answered ${handshake.status} ${handshake.statusText}`,
      };
    }
    this.answer = { subprotocol: handshake.subprotocol, extensions: handshake.extensions };
    if (this.#route !== undefined) this.nameThere = connectionNameIn(handshake.rawHeaders);
    try {
      if (passed !== undefined) assertAnswerToPass(handshake.extensions);
      this.#deflate = own?.agree(handshake.extensions);
    } catch (error) {
      handshake.wire.terminate();
      throw new TidegateError(
        'UPSTREAM_BAD_HANDSHAKE',
        `${target.href} answered with extensions that were not offered: ${describeError(error)}`,
      );
    }
    this.#connected(handshake.wire, abort);
    return undefined;
  }

  #connected(wire: Wire, abort: DialAbort): void {
    if (abort.aborted) {
      wire.terminate();
      throw abort.reason;
    }
    if (this.#route?.connected() === false) {
      wire.terminate();
      throw new TidegateError('NO_BACKEND', 'the backend went while it was dialled');
    }
    this.#abort = undefined;
    this.#wire = wire;
    // Until a data path reads it: an upstream that is given up now is gone when its wire is.
    wire.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClosed: () => this.#upstream.onClosed() });
    this.#onReady?.();
    this.#onReady = undefined;
    this.#plan = undefined;
    this.#upstream.dialled();
  }

  #dialOptions({ guard, acceptance }: Plan, signal: DialAbort): DialOptions {
    const { upstreamTls } = acceptance;
    return this.#services.dialer.optionsFor({ signal, request: this.#request, guard, upstreamTls });
  }
}

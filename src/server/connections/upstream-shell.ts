/**
 * Owns the socket of one upstream, as the upstream actor's port: the dial, what the target answered, and every effect on
 * the wire. Refuses to decide anything; the chart does.
 */
import type { UpstreamPort } from '../../actors/upstream.port.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import { endToEndResponseHeaders } from '../../protocol/forward-headers.js';
import {
  type CloseStatus,
  describeError,
  type ErrorCode,
  httpStatusOf,
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
import type { Plan } from './plan.js';

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

  readonly #upstream: UpstreamActor;
  readonly #request: UpgradeRequest;
  // What only the dial needs is let go of with it: there may be many upstreams.
  #plan: Plan | undefined;
  readonly #target: Target;
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
    target: Target;
    services: ConnectionServices;
    /** Called when the upstream is connected, before its actor is told. */
    onReady: () => void;
  }) {
    this.#upstream = options.upstream;
    this.#request = options.request;
    this.#plan = options.plan;
    this.#target = options.target;
    this.#services = options.services;
    this.#onReady = options.onReady;
    this.speaksWebSocket = options.target.kind === 'websocket';
  }

  /** The client is answered: what was agreed on is known to both. */
  settle(): void {
    this.answer = undefined;
  }

  get bytesRead(): number {
    return this.#wire?.bytesRead ?? 0;
  }

  dial(): void {
    const target = this.#target;
    const plan = this.#plan;
    if (plan === undefined) return;
    const abort = new DialAbort();
    this.#abort = abort;
    this.#services.dials.add(() => {
      const dial =
        target.kind === 'websocket' ? this.#dialWebSocket(target, plan, abort) : this.#dialBytes(plan, abort);
      return dial.catch((error: unknown) => this.#failed(error));
    });
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

  async #dialBytes(plan: Plan, abort: DialAbort): Promise<void> {
    const warm = abort.aborted ? undefined : this.#services.warm?.take(this.#target);
    // Never within this call: the chart is still on its way into `dialling`.
    this.#connected(await (warm ?? dialTarget(this.#target, this.#dialOptions(plan, abort))), abort);
  }

  async #dialWebSocket(target: WebSocketTarget, plan: Plan, abort: DialAbort): Promise<void> {
    const { compression, limits, forwardedHeaders, hostHeader, passCompression } = this.#services.config;
    const own =
      plan.path === 'messages' && compression !== false ? ownOffer(compression, limits.maxMessageBytes) : undefined;
    // Once the client has its 101, nothing can be agreed on with it any more.
    const mayAgree = plan.path === 'frames' && plan.dial === 'before-accept' && !plan.answered;
    const passed = mayAgree && passCompression ? offerToPass(this.#request) : undefined;
    const handshake = await dialWebSocket(target, this.#dialOptions(plan, abort), {
      path: upstreamPath(target, this.#request.url),
      rawHeaders: this.#request.rawHeaders,
      host: hostHeader === 'client' ? this.#request.host : undefined,
      forwarding: forwardingOf(this.#request, forwardedHeaders),
      subprotocols: plan.subprotocolsToOffer,
      extensions: own?.offer ?? passed,
      maxHeaderBytes: limits.maxHandshakeBytes,
      maxRefusalBytes: MAX_REFUSAL_BYTES,
    });
    if (handshake.kind === 'refused') {
      this.#upstream.dialFailed({
        status: handshake.status,
        statusText: handshake.statusText,
        headers: endToEndResponseHeaders(handshake.rawHeaders),
        body: handshake.body,
        error: 'UPSTREAM_REJECTED',
        message: `${target.href} answered ${handshake.status} ${handshake.statusText}`,
      });
      return;
    }
    this.answer = { subprotocol: handshake.subprotocol, extensions: handshake.extensions };
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
  }

  #connected(wire: Wire, abort: DialAbort): void {
    if (abort.aborted) {
      wire.terminate();
      return;
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

  #failed(error: unknown): void {
    const code: ErrorCode = error instanceof TidegateError ? error.code : 'UPSTREAM_REFUSED';
    this.#upstream.dialFailed({ status: httpStatusOf(code), error: code, message: describeError(error) });
  }

  #dialOptions({ guard, acceptance }: Plan, signal: DialAbort): DialOptions {
    const { upstreamTls } = acceptance;
    return this.#services.dialer.optionsFor({ signal, request: this.#request, guard, upstreamTls });
  }
}

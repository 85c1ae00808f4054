/**
 * Owns the socket of one upstream, as the upstream actor's port: the dial, what the target answered, and every effect on
 * the wire. Refuses to decide anything; the chart does.
 */
import type { Socket } from 'node:net';
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
import { dialSocket } from '../dial/dial-socket.js';
import { dialWebSocket, upstreamPath } from '../dial/dial-websocket.js';
import type { Target, WebSocketTarget } from '../dial/target.js';
import type { DataPath } from '../paths/data-path.js';
import type { Link } from '../paths/links.js';
import type { AgreedDeflate } from '../paths/message-writer.js';
import { SocketWire, type Wire } from '../paths/wire.js';
import type { ConnectionServices } from './connection-services.js';
import { offerToPass, ownOffer } from './deflate.js';
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
  readonly #plan: Plan;
  readonly #target: Target;
  readonly #services: ConnectionServices;
  readonly #onReady: () => void;
  readonly #abort = new AbortController();
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

  get bytesRead(): number {
    return this.#wire?.bytesRead ?? 0;
  }

  dial(): void {
    this.#services.dials
      .add(() => (this.#target.kind === 'websocket' ? this.#dialWebSocket(this.#target) : this.#dialBytes()))
      .then(
        () => {},
        (error: unknown) => this.#failed(error),
      );
  }

  abortDial(): void {
    this.#abort.abort(new TidegateError('DOWNSTREAM_GONE', 'the dial was given up'));
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

  async #dialBytes(): Promise<void> {
    this.#connected(await dialSocket(this.#target, this.#dialOptions(true)), NO_BYTES);
  }

  async #dialWebSocket(target: WebSocketTarget): Promise<void> {
    const { compression, limits } = this.#services.config;
    const own =
      this.#plan.path === 'messages' && compression !== false
        ? ownOffer(compression, limits.maxMessageBytes)
        : undefined;
    // Once the client has its 101, nothing can be agreed on with it any more.
    const passed =
      this.#plan.path === 'frames' && this.#plan.dial === 'before-accept' ? offerToPass(this.#request) : undefined;
    const handshake = await dialWebSocket(target, this.#dialOptions(false), {
      path: upstreamPath(target, this.#request.url),
      rawHeaders: this.#request.rawHeaders,
      subprotocols: this.#plan.subprotocolsToOffer,
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
      this.#deflate = own?.agree(handshake.extensions);
    } catch (error) {
      handshake.socket.destroy();
      throw new TidegateError(
        'UPSTREAM_BAD_HANDSHAKE',
        `${target.href} answered with extensions that were not offered: ${describeError(error)}`,
      );
    }
    this.#connected(handshake.socket, handshake.head);
  }

  #connected(socket: Socket, head: Buffer): void {
    if (this.#abort.signal.aborted) {
      socket.destroy();
      return;
    }
    this.#wire = new SocketWire(socket);
    // Until a data path reads it: an upstream that is given up now is gone when its socket is.
    this.#wire.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClosed: () => this.#upstream.onClosed() });
    this.#wire.unread(head);
    this.#onReady();
    this.#upstream.dialled();
  }

  #failed(error: unknown): void {
    const code: ErrorCode = error instanceof TidegateError ? error.code : 'UPSTREAM_REFUSED';
    this.#upstream.dialFailed({ status: httpStatusOf(code), error: code, message: describeError(error) });
  }

  #dialOptions(allowHalfOpen: boolean) {
    const { keepAlive, limits, upstreamTls } = this.#services.config;
    return {
      signal: this.#abort.signal,
      keepAlive,
      highWaterMark: limits.highWaterMark,
      tls: upstreamTls,
      allowHalfOpen,
    };
  }
}

const NO_BYTES = Buffer.alloc(0);

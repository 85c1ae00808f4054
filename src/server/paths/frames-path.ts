/**
 * Owns the `frames` path: WebSocket to WebSocket, for a receiver that does not look at messages. Frames are forwarded
 * verbatim, the client's still masked, because toward the target we are the client. Refuses to assemble anything.
 */
import type { StreamPlace } from '../../protocol/frame-scanner.js';
import type { Violation } from '../../protocol/violation.js';
import type { CloseStatus } from '../../receivers/index.js';
import { type PathOptions, type UpstreamOptions, WebSocketPath } from './data-path.js';
import { type ForwarderOptions, FrameForwarder } from './frame-forwarder.js';
import { type Link, WebSocketLink } from './links.js';

/** Forwards frames both ways. */
export class FramesPath extends WebSocketPath {
  readonly kind = 'frames';
  readonly #compression: boolean;
  readonly #inbound: Inbound;
  #outbound: Outbound | undefined;

  /** @param compression whether permessage-deflate was agreed on end to end. */
  constructor(options: PathOptions & { readonly compression: boolean }) {
    super(options);
    this.#compression = options.compression;
    this.#inbound = new Inbound(this, {
      masked: true,
      compression: options.compression,
      limits: options.limits,
      from: this.down,
      traffic: this.down.received,
      inspector: this.inspector,
    });
  }

  protected override onUpstream(link: Link, _options: UpstreamOptions): void {
    if (!(link instanceof WebSocketLink)) return;
    this.#outbound = new Outbound(this, {
      masked: false,
      compression: this.#compression,
      limits: this.limits,
      from: link,
      traffic: this.down.sent,
    });
  }

  override placeFromClient(): StreamPlace {
    return this.#inbound.place;
  }

  protected override get forwardedSkip(): number {
    return this.#outbound?.place.skip ?? 0;
  }

  override onDownGone(): void {
    this.#inbound.ended();
  }

  override onUpGone(): void {
    this.#outbound?.ended();
  }

  override onDownBytes(chunk: Buffer): void {
    this.#inbound.forward(chunk);
  }

  override onUpBytes(chunk: Buffer): void {
    this.#outbound?.forward(chunk);
  }
}

/** From the client to the target. */
class Inbound extends FrameForwarder {
  readonly #path: FramesPath;

  constructor(path: FramesPath, options: ForwarderOptions) {
    super(options);
    this.#path = path;
  }

  protected get to(): WebSocketLink | undefined {
    return this.#path.up as WebSocketLink | undefined;
  }

  protected onClose(code: CloseStatus, reason: string): void {
    this.#path.connection.onPeerClose(code, reason);
  }

  protected onViolation(violation: Violation): void {
    this.#path.violated(violation);
  }
}

/** From the target to the client. */
class Outbound extends FrameForwarder {
  readonly #path: FramesPath;

  constructor(path: FramesPath, options: ForwarderOptions) {
    super(options);
    this.#path = path;
  }

  protected get to(): WebSocketLink {
    return this.#path.down;
  }

  protected onClose(code: CloseStatus, reason: string): void {
    this.#path.upstream?.onPeerClose(code, reason);
  }

  protected onViolation(violation: Violation): void {
    this.#path.upstreamViolated(violation);
  }
}

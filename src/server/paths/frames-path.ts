/**
 * Owns the `frames` path: WebSocket to WebSocket, for a receiver that does not look at messages. Frames are forwarded
 * verbatim, the client's still masked, because toward the target we are the client. Refuses to assemble anything.
 */
import { DataPath, type PathOptions, type UpstreamOptions } from './data-path.js';
import { FrameForwarder } from './frame-forwarder.js';
import { type Link, WebSocketLink } from './links.js';

/** Forwards frames both ways. */
export class FramesPath extends DataPath {
  readonly kind = 'frames';
  readonly #compression: boolean;
  readonly #inbound: FrameForwarder;
  #outbound: FrameForwarder | undefined;

  /** @param compression whether permessage-deflate was agreed on end to end. */
  constructor(options: PathOptions & { readonly compression: boolean }) {
    super(options);
    this.#compression = options.compression;
    this.#inbound = new FrameForwarder({
      masked: true,
      compression: options.compression,
      limits: options.limits,
      from: this.down,
      to: () => (this.up instanceof WebSocketLink ? this.up : undefined),
      traffic: this.down.received,
      onClose: (code, reason) => this.connection.onPeerClose(code, reason),
      onViolation: (violation) => this.violated(violation),
    });
  }

  protected override onUpstream(link: Link, _options: UpstreamOptions): void {
    if (!(link instanceof WebSocketLink)) return;
    this.#outbound = new FrameForwarder({
      masked: false,
      compression: this.#compression,
      limits: this.limits,
      from: link,
      to: () => this.down,
      traffic: this.down.sent,
      onClose: (code, reason) => this.upstream?.onPeerClose(code, reason),
      onViolation: (violation) => this.upstreamViolated(violation),
    });
  }

  protected override onDownGone(): void {
    this.#inbound.ended();
  }

  protected override onUpGone(): void {
    this.#outbound?.ended();
  }

  protected override onDownBytes(chunk: Buffer): void {
    this.#inbound.forward(chunk);
  }

  protected override onUpBytes(chunk: Buffer): void {
    this.#outbound?.forward(chunk);
  }
}

/**
 * Owns the `bytes` path: a plain TCP client to a plain target, for a receiver that does not look at messages. Bytes pass as they
 * come, both ways. Refuses to look at them; a policy about messages is told how many come at once.
 */
import { DataPath, type PathOptions, type UpstreamOptions } from './data-path.js';
import type { Link } from './links.js';
import { TcpLink } from './tcp-link.js';

/** Relays bytes both ways. */
export class BytesPath extends DataPath<TcpLink> {
  readonly kind = 'bytes';
  #halfClose = false;
  #downEnded = false;
  #upEnded = false;
  /** Nothing of what the client sends goes on any more. */
  #stopped = false;

  constructor(options: PathOptions) {
    const { wire, services } = options;
    const ended = (): void => this.#onDownEnd();
    super(options, (owner) => new TcpLink(wire, owner, services, { delimiter: undefined, ended }));
  }

  protected override onUpstream(_link: Link, { halfClose }: UpstreamOptions): void {
    this.#halfClose = halfClose;
  }

  override onDownGone(): void {
    this.#stopped = true;
  }

  override onDownBytes(chunk: Buffer): void {
    if (this.#stopped) return;
    const violation = this.inspector?.onPart(chunk.length);
    if (violation !== undefined) {
      this.#stopped = true;
      this.violated(violation);
      return;
    }
    const { received } = this.down;
    received.messages += 1;
    received.bytes += chunk.length;
    if (this.up !== undefined && !this.up.outlet.write(chunk)) this.down.intake.block();
  }

  override onUpBytes(chunk: Buffer): void {
    const { sent, outlet } = this.down;
    if (outlet.closing) return;
    sent.messages += 1;
    sent.bytes += chunk.length;
    if (!outlet.pass(chunk)) this.up?.intake.block();
  }

  protected override onUpEnd(options: UpstreamOptions): void {
    this.#upEnded = true;
    if (!this.#halfClose) super.onUpEnd(options);
    else if (this.#downEnded) this.#close();
    // The client learns that nothing more comes, and may go on.
    else this.down.outlet.close();
  }

  #onDownEnd(): void {
    this.#downEnded = true;
    // In a connection that is open and half of whose pair has not ended, only this half ends.
    if (!this.#halfClose || this.#upEnded || !this.connection.gate) this.#close();
    else this.up?.end();
  }

  #close(): void {
    this.connection.onPeerClose(this.down.endCode, '');
  }
}

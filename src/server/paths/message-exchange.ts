/**
 * Owns what the `messages` paths have in common, whatever the client speaks: the messages of a target, what is held while the receiver
 * thinks about one, who has to wait for whom, and one write for all that one read produced. Refuses to know the client's side.
 */
import { Buffer } from 'node:buffer';
import { isPromise } from '../../actors/callback-queue.js';
import { addTraffic, type SideSum } from '../../actors/pair-sums.js';
import type { LifecycleReceiver, MessageReply } from '../../receivers/index.js';
import { DataPath, type PathOptions, type UpstreamOptions } from './data-path.js';
import { type DownLink, type Link, WebSocketLink } from './links.js';
import { type FrameSpan, MessageReader } from './message-reader.js';
import type { MessageKind } from './message-writer.js';
import type { OutletOwner } from './outlet.js';
import { countMessage } from './traffic.js';

/** What every `messages` path needs beside the common options. */
export interface MessageExchangeOptions extends PathOptions {
  readonly receiver: LifecycleReceiver;
}

/** Shows messages of both sides to the receiver, and passes on what it answers. */
export abstract class MessageExchange<Down extends DownLink> extends DataPath<Down> {
  readonly kind = 'messages';
  protected readonly receiver: LifecycleReceiver;
  /** Messages of the client wait to be inflated. */
  protected inboundBehind = false;
  #outbound: MessageReader | undefined;
  #outboundBehind = false;
  /** Bytes of messages whose callbacks are not settled. */
  #pendingBytes = 0;

  protected constructor(options: MessageExchangeOptions, createDown: (owner: OutletOwner) => Down) {
    super(options, createDown);
    this.receiver = options.receiver;
  }

  /** Bytes from the client that are no whole message yet. */
  protected abstract readonly unfinishedBytes: number;

  // From a target that speaks WebSocket.

  protected abstract onUpMessage(kind: MessageKind, data: Buffer, frame: FrameSpan | undefined): void;
  protected abstract onUpPing(link: WebSocketLink, payload: Buffer): void;
  protected abstract onUpPong(link: WebSocketLink, payload: Buffer): void;

  // From a target without messages.

  /** Nobody wants to see these bytes. */
  protected abstract passBytes(chunk: Buffer): void;
  /** The receiver has seen them. */
  protected abstract passBytesAs(data: Buffer, reply: MessageReply): void;

  protected override onUpstream(link: Link, options: UpstreamOptions): void {
    if (!(link instanceof WebSocketLink)) return;
    this.#outbound = new MessageReader({
      masked: false,
      ...this.limits,
      fragments: 'buffer',
      deflate: options.deflate,
      traffic: link.received,
      sink: {
        onMessage: (kind, data, frame) => {
          countMessage(link.received, data.length);
          this.onUpMessage(kind, data, frame);
        },
        onFragment: () => {},
        onPing: (payload) => this.onUpPing(link, payload),
        onPong: (payload) => this.onUpPong(link, payload),
        onClose: (code, reason) => {
          link.closeReceived = true;
          this.upstream?.onPeerClose(code, reason);
        },
        onViolation: (violation) => this.upstreamViolated(violation),
        onBehind: () => this.#setOutboundBehind(true),
        onCaughtUp: () => this.#setOutboundBehind(false),
      },
    });
  }

  override get heldBytes(): number {
    const reading = this.down.wire.closed ? 0 : this.unfinishedBytes;
    const returning = this.up?.wire.closed === false ? (this.#outbound?.heldBytes ?? 0) : 0;
    return super.heldBytes + this.#pendingBytes + reading + returning;
  }

  override onUpBytes(chunk: Buffer): void {
    this.gathering(() => {
      if (this.#outbound !== undefined) this.#outbound.read(chunk);
      else {
        if (this.up !== undefined) this.up.received.bytes += chunk.length;
        this.#deliverBytes(chunk);
      }
    });
    if (this.#outbound?.incomplete) this.hold();
    this.balanceOutbound();
  }

  /** Here what crosses may be changed on its way, so that each side counts for itself. */
  protected override addUpstream(sums: SideSum, up: Link): void {
    addTraffic(sums.received, up.received);
    addTraffic(sums.sent, up.sent);
  }

  /** Writes to a target that speaks plain bytes. */
  protected writeUp(bytes: Buffer): void {
    if (this.up === undefined || bytes.length === 0) return;
    this.up.sent.bytes += bytes.length;
    this.up.outlet.write(bytes);
  }

  override onDownDrained(): void {
    this.balanceOutbound();
  }

  override onUpDrained(): void {
    this.balanceInbound();
  }

  /** What the receiver says about a message of the target; nothing where it does not want to see it. */
  protected askUpstream(kind: MessageKind, data: Buffer): MessageReply | Promise<MessageReply> {
    const { connection, receiver } = this;
    const wanted = kind === 'text' ? receiver.onUpstreamText : receiver.onUpstreamBinary;
    if (wanted === undefined && !connection.busy) return undefined;
    return kind === 'text' ? connection.onUpstreamText(data.toString()) : connection.onUpstreamBinary(data);
  }

  #deliverBytes(chunk: Buffer): void {
    if (this.down.outlet.closing) return;
    if (this.receiver.onUpstreamBinary === undefined && !this.connection.busy) {
      this.passBytes(chunk);
      return;
    }
    // The receiver may keep what it is shown, and the chunk belongs to the wire.
    const data = Buffer.from(chunk);
    const reply = this.connection.onUpstreamBinary(data);
    if (isPromise(reply)) this.pending(data, reply, (settled) => this.#passBytesAs(data, settled));
    else this.#passBytesAs(data, reply);
  }

  #passBytesAs(data: Buffer, reply: MessageReply): void {
    this.passBytesAs(data, reply);
    this.balanceOutbound();
  }

  /** Waits for a callback, and counts what is held meanwhile. */
  protected pending(data: Buffer, reply: Promise<MessageReply>, then: (settled: MessageReply) => void): void {
    this.#pendingBytes += data.length;
    this.hold();
    reply.then((settled) => {
      this.#pendingBytes -= data.length;
      then(settled);
    });
  }

  // Who has to wait for whom.

  #setOutboundBehind(behind: boolean): void {
    this.#outboundBehind = behind;
    this.balanceOutbound();
  }

  protected balanceInbound(): void {
    if (this.inboundBehind || isFull(this.up)) this.down.intake.block();
    else this.down.intake.unblock();
  }

  protected balanceOutbound(): void {
    const { down } = this;
    if (this.#outboundBehind || (isFull(down) && !down.outlet.closing)) this.up?.intake.block();
    else this.up?.intake.unblock();
  }

  /** One write each way for everything that one read produced: receivers often answer what they are shown. */
  protected gathering(work: () => void): void {
    const { up } = this;
    this.down.outlet.cork();
    up?.outlet.cork();
    try {
      work();
    } finally {
      up?.outlet.uncork();
      this.down.outlet.uncork();
    }
  }
}

/** Whether whoever feeds a link has to wait. */
function isFull(link: Link | undefined): boolean {
  if (link === undefined || link.wire.closed) return false;
  if (!(link instanceof WebSocketLink)) return link.outlet.blocked;
  return link.writer.blocked && !link.outlet.closing;
}

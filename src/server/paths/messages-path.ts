/**
 * Owns the `messages` path: messages are assembled, shown to the receiver, and what it answers goes on. Toward any target,
 * or none. Each side has its own permessage-deflate. Refuses to know how a receiver is called; the connection actor does.
 */
import { Buffer } from 'node:buffer';
import { isPromise, whenSettled } from '../../actors/callback-queue.js';
import { Opcode } from '../../protocol/frame.js';
import {
  type CloseStatus,
  DROP,
  type Fragment,
  type FragmentReply,
  type LifecycleReceiver,
  type MessageReply,
} from '../../receivers/index.js';
import { ByteFramer, type FrameType } from './byte-framer.js';
import { type PathOptions, type UpstreamOptions, WebSocketPath } from './data-path.js';
import { type Link, WebSocketLink } from './links.js';
import { type FrameSpan, MessageReader } from './message-reader.js';
import { messageToPass } from './message-reply.js';
import type { MessageKind } from './message-writer.js';
import { asBuffer } from './own-sends.js';
import type { Boundaries } from './websocket-outlet.js';

/** What the `messages` path needs beside the common options. */
export interface MessagesPathOptions extends PathOptions {
  readonly frameType: FrameType;
  readonly fragments: 'buffer' | 'fragments' | 'both';
  readonly receiver: LifecycleReceiver;
}

/** Shows messages to the receiver and passes on what it answers. */
export class MessagesPath extends WebSocketPath {
  readonly kind = 'messages';
  readonly #options: MessagesPathOptions;
  readonly #framer: ByteFramer;
  readonly #inbound: MessageReader;
  #outbound: MessageReader | undefined;
  /** Bytes of messages whose callbacks are not settled. */
  #pendingBytes = 0;
  #inboundBehind = false;
  #outboundBehind = false;
  /** A fragment of a message was forwarded, and its last one was not. */
  #fragmentOpen = false;

  constructor(options: MessagesPathOptions) {
    super(options);
    this.#options = options;
    this.#framer = new ByteFramer(this.down, options.frameType);
    const { received } = this.down;
    this.#inbound = new MessageReader({
      masked: true,
      ...this.limits,
      fragments: options.fragments,
      deflate: options.deflate,
      inspector: this.inspector,
      sink: {
        onMessage: (kind, data, frame) => {
          received.messages += 1;
          received.bytes += data.length;
          this.#deliver(kind, data, frame);
        },
        onFragment: (fragment) => {
          if (options.fragments === 'fragments') {
            received.bytes += fragment.data.length;
            if (fragment.final) received.messages += 1;
          }
          this.#deliverFragment(fragment);
        },
        onPing: (payload) => this.#ping(this.up, this.down, payload),
        onPong: (payload) => this.#pong(this.down, this.up, payload),
        onClose: (code, reason) => {
          this.down.closeReceived = true;
          this.connection.onPeerClose(code, reason);
        },
        onViolation: (violation) => this.violated(violation),
        onBehind: () => this.#setInboundBehind(true),
        onCaughtUp: () => this.#setInboundBehind(false),
      },
    });
  }

  protected override onUpstream(link: Link, options: UpstreamOptions): void {
    if (!(link instanceof WebSocketLink)) return;
    this.#outbound = new MessageReader({
      masked: false,
      ...this.limits,
      fragments: 'buffer',
      deflate: options.deflate,
      sink: {
        onMessage: (kind, data, frame) => this.#deliverUpstream(kind, data, frame),
        onFragment: () => {},
        onPing: (payload) => this.#ping(this.down, link, payload),
        onPong: (payload) => this.#pong(link, this.down, payload),
        onClose: (code: CloseStatus, reason: string) => {
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
    const reading = this.down.wire.closed ? 0 : this.#inbound.heldBytes;
    const returning = this.up?.wire.closed === false ? (this.#outbound?.heldBytes ?? 0) : 0;
    return super.heldBytes + this.#pendingBytes + reading + returning;
  }

  override onDownBytes(chunk: Buffer): void {
    this.#gathering(() => this.#inbound.read(chunk));
    if (this.#inbound.incomplete) this.hold();
    this.#balanceInbound();
  }

  override onUpBytes(chunk: Buffer): void {
    this.#gathering(() => {
      if (this.#outbound !== undefined) this.#outbound.read(chunk);
      else this.#deliverBytes(chunk);
    });
    if (this.#outbound?.incomplete) this.hold();
    this.#balanceOutbound();
  }

  override onDownDrained(): void {
    this.#balanceOutbound();
  }

  override onUpDrained(): void {
    this.#balanceInbound();
  }

  // From the client.

  #deliver(kind: MessageKind, data: Buffer, frame: FrameSpan | undefined): void {
    const { connection, up } = this;
    const reply = kind === 'text' ? connection.onText(data.toString()) : connection.onBinary(data);
    if (reply === undefined && frame !== undefined && up instanceof WebSocketLink && up.passesFrames) {
      up.outlet.forward(frame.bytes, frame.start, frame.end, wholeMessage(frame));
    } else if (isPromise(reply)) {
      this.#pending(data, reply, (settled) => this.#forward(kind, data, settled));
    } else {
      this.#forward(kind, data, reply);
    }
  }

  #forward(kind: MessageKind, data: Buffer, reply: MessageReply): void {
    if (this.up === undefined) return;
    const message = messageToPass(this.connection, kind, data, reply);
    if (message === undefined) return;
    if (this.up instanceof WebSocketLink) this.up.writer.message(message.kind, message.data);
    else if (message.data.length > 0) this.up.outlet.write(message.data);
    this.#balanceInbound();
  }

  #deliverFragment(fragment: Fragment): void {
    const reply = this.connection.onFragment(fragment);
    if (this.#options.fragments === 'both') return;
    whenSettled<FragmentReply>(reply, (settled) => this.#forwardFragment(fragment, settled));
  }

  #forwardFragment(fragment: Fragment, reply: FragmentReply): void {
    // A receiver that is not called any more answers DROP: then nothing of the message may follow either.
    if (this.up === undefined || (!this.connection.gate && reply === DROP)) return;
    if (reply !== undefined && reply !== DROP && !(reply instanceof Uint8Array)) {
      this.connection.onInvalidReply(reply);
      return;
    }
    const data = reply === DROP ? NOTHING : reply === undefined ? fragment.data : asBuffer(reply);
    if (this.up instanceof WebSocketLink) {
      const first = fragment.kind === 'text' ? Opcode.Text : Opcode.Binary;
      this.up.writer.frame(this.#fragmentOpen ? Opcode.Continuation : first, data, fragment.final);
      this.#fragmentOpen = !fragment.final;
    } else if (data.length > 0) this.up.outlet.write(data);
    this.#balanceInbound();
  }

  // From the target.

  #deliverUpstream(kind: MessageKind, data: Buffer, frame: FrameSpan | undefined): void {
    // Nothing can follow our Close frame, so there is nothing to ask the receiver about.
    if (this.down.outlet.closing) return;
    const reply = this.#askUpstream(kind, data);
    if (reply === undefined && frame !== undefined && this.down.passesFrames && !this.down.outlet.closing) {
      this.down.sent.messages += 1;
      this.down.sent.bytes += data.length;
      this.down.outlet.forward(frame.bytes, frame.start, frame.end, wholeMessage(frame));
    } else if (isPromise(reply)) {
      this.#pending(data, reply, (settled) => this.#return(kind, data, settled));
    } else {
      this.#return(kind, data, reply);
    }
  }

  #askUpstream(kind: MessageKind, data: Buffer): MessageReply | Promise<MessageReply> {
    const { connection } = this;
    const { receiver } = this.#options;
    const wanted = kind === 'text' ? receiver.onUpstreamText : receiver.onUpstreamBinary;
    if (wanted === undefined && !connection.busy) return undefined;
    return kind === 'text' ? connection.onUpstreamText(data.toString()) : connection.onUpstreamBinary(data);
  }

  #return(kind: MessageKind, data: Buffer, reply: MessageReply): void {
    if (this.down.outlet.closing) return;
    const message = messageToPass(this.connection, kind, data, reply);
    if (message === undefined) return;
    this.down.sent.messages += 1;
    this.down.sent.bytes += message.data.length;
    this.down.writer.message(message.kind, message.data);
    this.#balanceOutbound();
  }

  #deliverBytes(chunk: Buffer): void {
    if (this.down.outlet.closing) return;
    if (this.#options.receiver.onUpstreamBinary === undefined && !this.connection.busy) {
      if (this.#framer.frame(chunk) === 'invalid') this.upstreamViolated(this.#framer.violation);
      return;
    }
    // The receiver may keep what it is shown, and the chunk belongs to the wire.
    const data = Buffer.from(chunk);
    const reply = this.connection.onUpstreamBinary(data);
    whenSettled<MessageReply>(reply, (settled) => {
      if (settled !== undefined) this.#return('binary', data, settled);
      else if (this.#framer.frame(data) === 'invalid') this.upstreamViolated(this.#framer.violation);
      this.#balanceOutbound();
    });
  }

  /** Waits for a callback, and counts what is held meanwhile. */
  #pending(data: Buffer, reply: Promise<MessageReply>, then: (settled: MessageReply) => void): void {
    this.#pendingBytes += data.length;
    this.hold();
    reply.then((settled) => {
      this.#pendingBytes -= data.length;
      then(settled);
    });
  }

  // Control frames pass end to end where both ends speak WebSocket; otherwise we answer.

  #ping(to: Link | undefined, from: WebSocketLink, payload: Buffer): void {
    if (to instanceof WebSocketLink) to.outlet.control(Opcode.Ping, payload);
    else from.outlet.pong(payload);
  }

  #pong(from: WebSocketLink, to: Link | undefined, payload: Buffer): void {
    if (!from.isHeartbeat(payload) && to instanceof WebSocketLink) to.outlet.control(Opcode.Pong, payload);
  }

  // Who has to wait for whom.

  #setInboundBehind(behind: boolean): void {
    this.#inboundBehind = behind;
    this.#balanceInbound();
  }

  #setOutboundBehind(behind: boolean): void {
    this.#outboundBehind = behind;
    this.#balanceOutbound();
  }

  #balanceInbound(): void {
    if (this.#inboundBehind || isFull(this.up)) this.down.intake.block();
    else this.down.intake.unblock();
  }

  #balanceOutbound(): void {
    if (this.#outboundBehind || isFull(this.down)) this.up?.intake.block();
    else this.up?.intake.unblock();
  }

  /** One write each way for everything that one read produced: receivers often answer what they are shown. */
  #gathering(work: () => void): void {
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

const NOTHING = Buffer.alloc(0);

const BOUNDARIES: Boundaries = { frame: -1, message: -1, insideFrame: false, insideMessage: false };

/** A message in one frame: something of our own may go in behind it. The same object each time. */
function wholeMessage({ end }: FrameSpan): Boundaries {
  BOUNDARIES.frame = end;
  BOUNDARIES.message = end;
  return BOUNDARIES;
}

/** Whether whoever feeds a link has to wait. */
export function isFull(link: Link | undefined): boolean {
  if (link === undefined || link.wire.closed) return false;
  if (!(link instanceof WebSocketLink)) return link.outlet.blocked;
  return link.writer.blocked && !link.outlet.closing;
}

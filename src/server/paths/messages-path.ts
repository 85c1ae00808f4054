/**
 * Owns the `messages` path: messages are assembled, shown to the receiver, and what it answers goes on. Toward any target,
 * or none. Each side has its own permessage-deflate. Refuses to know how a receiver is called; the connection actor does.
 */
import { Buffer } from 'node:buffer';
import { isPromise, whenSettled } from '../../actors/callback-queue.js';
import { Opcode } from '../../protocol/frame.js';
import type { StreamPlace } from '../../protocol/frame-scanner.js';
import { DROP, type Fragment, type FragmentReply, type MessageReply } from '../../receivers/index.js';
import { ByteFramer, type FrameType } from './byte-framer.js';
import { downLinkOf } from './data-path.js';
import { type Link, WebSocketLink } from './links.js';
import { MessageExchange, type MessageExchangeOptions } from './message-exchange.js';
import { type FrameSpan, MessageReader } from './message-reader.js';
import { messageToPass } from './message-reply.js';
import type { MessageKind } from './message-writer.js';
import { asBuffer } from './own-sends.js';
import { countMessage } from './traffic.js';
import type { Boundaries } from './websocket-outlet.js';

/** What the `messages` path of a WebSocket client needs beside the common options. */
export interface MessagesPathOptions extends MessageExchangeOptions {
  readonly frameType: FrameType;
  readonly fragments: 'buffer' | 'fragments' | 'both';
}

/** Shows messages to the receiver and passes on what it answers. */
export class MessagesPath extends MessageExchange<WebSocketLink> {
  readonly #options: MessagesPathOptions;
  readonly #framer: ByteFramer;
  readonly #inbound: MessageReader;
  /** A fragment of a message was forwarded, and its last one was not. */
  #fragmentOpen = false;

  constructor(options: MessagesPathOptions) {
    super(options, downLinkOf(options));
    this.#options = options;
    this.#framer = new ByteFramer(this.down, options.frameType);
    const { received } = this.down;
    this.#inbound = new MessageReader({
      masked: true,
      ...this.limits,
      fragments: options.fragments,
      deflate: options.deflate,
      inspector: this.inspector,
      traffic: received,
      sink: {
        onMessage: (kind, data, frame) => {
          countMessage(received, data.length);
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
        onBehind: () => this.#setBehind(true),
        onCaughtUp: () => this.#setBehind(false),
      },
    });
  }

  override placeFromClient(): StreamPlace {
    return this.#inbound.scanner.place;
  }

  override limitMessages(bytes: number): void {
    this.#inbound.limitMessages(bytes);
  }

  protected override get unfinishedBytes(): number {
    return this.#inbound.heldBytes;
  }

  override onDownBytes(chunk: Buffer): void {
    this.gathering(() => this.#inbound.read(chunk));
    if (this.#inbound.incomplete) this.hold();
    this.balanceInbound();
  }

  // From the client.

  #deliver(kind: MessageKind, data: Buffer, frame: FrameSpan | undefined): void {
    const { connection, up } = this;
    const reply = kind === 'text' ? connection.onText(data.toString()) : connection.onBinary(data);
    if (reply === undefined && frame !== undefined && up instanceof WebSocketLink && up.passesFrames) {
      countMessage(up.sent, data.length);
      up.outlet.forward(frame.bytes, frame.start, frame.end, wholeMessage(frame));
    } else if (isPromise(reply)) {
      this.pending(data, reply, (settled) => this.#forward(kind, data, settled));
    } else {
      this.#forward(kind, data, reply);
    }
  }

  #forward(kind: MessageKind, data: Buffer, reply: MessageReply): void {
    if (this.up === undefined) return;
    const message = messageToPass(this.connection, kind, data, reply);
    if (message === undefined) return;
    if (this.up instanceof WebSocketLink) {
      countMessage(this.up.sent, message.data.length);
      this.up.writer.message(message.kind, message.data);
    } else this.writeUp(message.data);
    this.balanceInbound();
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
      const { sent } = this.up;
      sent.bytes += data.length;
      if (fragment.final) sent.messages += 1;
      else sent.fragments += 1;
      this.up.writer.frame(this.#fragmentOpen ? Opcode.Continuation : first, data, fragment.final);
      this.#fragmentOpen = !fragment.final;
    } else this.writeUp(data);
    this.balanceInbound();
  }

  // From the target.

  protected override onUpMessage(kind: MessageKind, data: Buffer, frame: FrameSpan | undefined): void {
    // Nothing can follow our Close frame, so there is nothing to ask the receiver about.
    if (this.down.outlet.closing) return;
    const reply = this.askUpstream(kind, data);
    if (reply === undefined && frame !== undefined && this.down.passesFrames && !this.down.outlet.closing) {
      countMessage(this.down.sent, data.length);
      this.down.outlet.forward(frame.bytes, frame.start, frame.end, wholeMessage(frame));
    } else if (isPromise(reply)) {
      this.pending(data, reply, (settled) => this.#return(kind, data, settled));
    } else {
      this.#return(kind, data, reply);
    }
  }

  #return(kind: MessageKind, data: Buffer, reply: MessageReply): void {
    if (this.down.outlet.closing) return;
    const message = messageToPass(this.connection, kind, data, reply);
    if (message === undefined) return;
    countMessage(this.down.sent, message.data.length);
    this.down.writer.message(message.kind, message.data);
    this.balanceOutbound();
  }

  protected override passBytes(chunk: Buffer): void {
    if (this.#framer.frame(chunk) === 'invalid') this.upstreamViolated(this.#framer.violation);
  }

  protected override passBytesAs(data: Buffer, reply: MessageReply): void {
    if (reply === undefined) this.passBytes(data);
    else this.#return('binary', data, reply);
  }

  protected override onUpPing(link: WebSocketLink, payload: Buffer): void {
    this.#ping(this.down, link, payload);
  }

  protected override onUpPong(link: WebSocketLink, payload: Buffer): void {
    this.#pong(link, this.down, payload);
  }

  // Control frames pass end to end where both ends speak WebSocket; otherwise we answer.

  #ping(to: Link | undefined, from: WebSocketLink, payload: Buffer): void {
    if (to instanceof WebSocketLink) to.outlet.control(Opcode.Ping, payload);
    else from.outlet.pong(payload);
  }

  #pong(from: WebSocketLink, to: Link | undefined, payload: Buffer): void {
    if (!from.takeHeartbeat(payload) && to instanceof WebSocketLink) to.outlet.control(Opcode.Pong, payload);
  }

  #setBehind(behind: boolean): void {
    this.inboundBehind = behind;
    this.balanceInbound();
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

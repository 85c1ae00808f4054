/**
 * Owns the `messages` path of a plain TCP client: its bytes are cut into messages, shown to the receiver, and what it answers goes on,
 * toward any target or none. Refuses to know how a receiver is called; the connection actor does.
 */
import { Buffer } from 'node:buffer';
import { isPromise } from '../../actors/callback-queue.js';
import { type Framing, MessageSplitter } from '../../protocol/delimiter.js';
import { type Violation, violationOf } from '../../protocol/violation.js';
import type { MessageReply } from '../../receivers/index.js';
import { WebSocketLink } from './links.js';
import { MessageExchange, type MessageExchangeOptions } from './message-exchange.js';
import { messageToPass } from './message-reply.js';
import type { MessageKind } from './message-writer.js';
import { TcpLink } from './tcp-link.js';
import { countMessage } from './traffic.js';

/** What this path needs beside the common options. */
export interface TcpMessagesPathOptions extends MessageExchangeOptions {
  readonly framing: Framing | undefined;
}

/** Shows the bytes of a plain TCP client to the receiver, message by message. */
export class TcpMessagesPath extends MessageExchange<TcpLink> {
  readonly #splitter: MessageSplitter;
  readonly #delimiter: Buffer | undefined;
  /** Nothing of what the client sends counts any more. */
  #stopped = false;

  constructor(options: TcpMessagesPathOptions) {
    const { wire, services } = options;
    const framing = options.framing?.scan === 'none' ? undefined : options.framing;
    const delimiter = framing === undefined ? undefined : Buffer.from(framing.delimiter);
    const ended = (): void => this.connection.onPeerClose(this.down.endCode, '');
    super(options, (owner) => new TcpLink(wire, owner, services, { delimiter, ended }));
    this.#delimiter = delimiter;
    this.#splitter = new MessageSplitter(framing, this.limits.maxMessageBytes);
  }

  protected override get unfinishedBytes(): number {
    return this.#splitter.held;
  }

  override onDownGone(): void {
    this.#stopped = true;
  }

  override onDownBytes(chunk: Buffer): void {
    if (this.#stopped) return;
    this.gathering(() => {
      if (this.#splitter.push(chunk, (message) => this.#deliver(message)) || this.#stopped) return;
      const { maxMessageBytes } = this.limits;
      const message = `more than ${maxMessageBytes} bytes came without the delimiter of tcpFraming`;
      this.#stop(violationOf('MESSAGE_TOO_BIG', message));
    });
    if (this.#splitter.held > 0) this.hold();
    this.balanceInbound();
  }

  // From the client.

  #stop(violation: Violation): void {
    this.#stopped = true;
    this.violated(violation);
  }

  #deliver(data: Buffer): void {
    if (this.#stopped) return;
    // How bytes are cut where there is no delimiter is no choice of the client.
    const isMessage = this.#delimiter !== undefined;
    const violation = isMessage ? this.inspector?.onMessage(data.length) : this.inspector?.onPart(data.length);
    if (violation !== undefined) {
      this.#stop(violation);
      return;
    }
    countMessage(this.down.received, data.length);
    const reply = this.connection.onBinary(data);
    if (isPromise(reply)) this.pending(data, reply, (settled) => this.#forward(data, settled));
    else this.#forward(data, reply);
  }

  #forward(data: Buffer, reply: MessageReply): void {
    const { up } = this;
    if (up === undefined) return;
    const message = messageToPass(this.connection, 'binary', data, reply);
    if (message === undefined) return;
    if (up instanceof WebSocketLink) {
      countMessage(up.sent, message.data.length);
      up.writer.message(message.kind, message.data);
    } else {
      // A target that is sent bytes is sent those of the client, so the delimiter too.
      const bytes = this.#delimiter === undefined ? message.data : Buffer.concat([message.data, this.#delimiter]);
      this.writeUp(bytes);
    }
    this.balanceInbound();
  }

  // From the target.

  protected override onUpMessage(kind: MessageKind, data: Buffer): void {
    // Nothing can follow our FIN, so there is nothing to ask the receiver about.
    if (this.down.outlet.closing) return;
    const reply = this.askUpstream(kind, data);
    if (isPromise(reply)) this.pending(data, reply, (settled) => this.#return(kind, data, settled));
    else this.#return(kind, data, reply);
  }

  #return(kind: MessageKind, data: Buffer, reply: MessageReply): void {
    const message = messageToPass(this.connection, kind, data, reply);
    if (message !== undefined) this.down.deliver(message.data);
    this.balanceOutbound();
  }

  protected override onUpPing(link: WebSocketLink, payload: Buffer): void {
    link.outlet.pong(payload);
  }

  protected override onUpPong(link: WebSocketLink, payload: Buffer): void {
    link.takeHeartbeat(payload);
  }

  /** From a target without messages bytes pass as they are, and no delimiter is put between them. */
  protected override passBytes(bytes: Buffer): void {
    const { outlet, sent } = this.down;
    if (outlet.closing) return;
    sent.messages += 1;
    sent.bytes += bytes.length;
    outlet.pass(bytes);
  }

  protected override passBytesAs(data: Buffer, reply: MessageReply): void {
    const message = messageToPass(this.connection, 'binary', data, reply);
    if (message !== undefined) this.passBytes(message.data);
  }
}

/**
 * Owns the `messages` path of a plain TCP client: its bytes are cut into messages, shown to the receiver, and what it answers goes on,
 * toward any target or none. Refuses to know how a receiver is called; the connection actor does.
 */
import { Buffer } from 'node:buffer';
import { isPromise } from '../../actors/callback-queue.js';
import { type Framing, MessageSplitter } from '../../protocol/delimiter.js';
import { type Violation, violationOf } from '../../protocol/violation.js';
import type { LifecycleReceiver, MessageReply } from '../../receivers/index.js';
import { DataPath, type PathOptions, type UpstreamOptions } from './data-path.js';
import { type Link, WebSocketLink } from './links.js';
import { MessageReader } from './message-reader.js';
import { messageToPass } from './message-reply.js';
import type { MessageKind } from './message-writer.js';
import { isFull } from './messages-path.js';
import { TcpLink } from './tcp-link.js';

/** What this path needs beside the common options. */
export interface TcpMessagesPathOptions extends PathOptions {
  readonly receiver: LifecycleReceiver;
  readonly framing: Framing | undefined;
}

/** Shows the bytes of a plain TCP client to the receiver, message by message. */
export class TcpMessagesPath extends DataPath<TcpLink> {
  readonly kind = 'messages';
  readonly #receiver: LifecycleReceiver;
  readonly #splitter: MessageSplitter;
  readonly #delimiter: Buffer | undefined;
  #outbound: MessageReader | undefined;
  #outboundBehind = false;
  /** Bytes of messages whose callbacks are not done. */
  #pendingBytes = 0;
  /** Nothing of what the client sends counts any more. */
  #stopped = false;

  constructor(options: TcpMessagesPathOptions) {
    const { wire, services } = options;
    const framing = options.framing?.scan === 'none' ? undefined : options.framing;
    const delimiter = framing === undefined ? undefined : Buffer.from(framing.delimiter);
    const ended = (): void => this.connection.onPeerClose(this.down.endCode, '');
    super(options, (owner) => new TcpLink(wire, owner, services, { delimiter, ended }));
    this.#receiver = options.receiver;
    this.#delimiter = delimiter;
    this.#splitter = new MessageSplitter(framing, this.limits.maxMessageBytes);
  }

  protected override onUpstream(link: Link, options: UpstreamOptions): void {
    if (!(link instanceof WebSocketLink)) return;
    this.#outbound = new MessageReader({
      masked: false,
      ...this.limits,
      fragments: 'buffer',
      deflate: options.deflate,
      sink: {
        onMessage: (kind, data) => this.#deliverUpstream(kind, data),
        onFragment: () => {},
        onPing: (payload) => link.outlet.pong(payload),
        onPong: () => {},
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
    const reading = this.down.wire.closed ? 0 : this.#splitter.held;
    const returning = this.up?.wire.closed === false ? (this.#outbound?.heldBytes ?? 0) : 0;
    return super.heldBytes + this.#pendingBytes + reading + returning;
  }

  override onDownGone(): void {
    this.#stopped = true;
  }

  override onDownBytes(chunk: Buffer): void {
    if (this.#stopped) return;
    this.#gathering(() => {
      if (this.#splitter.push(chunk, (message) => this.#deliver(message)) || this.#stopped) return;
      const { maxMessageBytes } = this.limits;
      const message = `more than ${maxMessageBytes} bytes came without the delimiter of tcpFraming`;
      this.#stop(violationOf('MESSAGE_TOO_BIG', message));
    });
    if (this.#splitter.held > 0) this.hold();
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
    const { received } = this.down;
    received.messages += 1;
    received.bytes += data.length;
    const reply = this.connection.onBinary(data);
    this.#settling(data, reply, (settled) => this.#forward(data, settled));
  }

  #forward(data: Buffer, reply: MessageReply): void {
    const { up } = this;
    if (up === undefined) return;
    const message = messageToPass(this.connection, 'binary', data, reply);
    if (message === undefined) return;
    if (up instanceof WebSocketLink) {
      up.writer.message(message.kind, message.data);
    } else {
      // A target that is sent bytes is sent those of the client, so the delimiter too.
      const bytes = this.#delimiter === undefined ? message.data : Buffer.concat([message.data, this.#delimiter]);
      if (bytes.length > 0) up.outlet.write(bytes);
    }
    this.#balanceInbound();
  }

  // From the target.

  #deliverUpstream(kind: MessageKind, data: Buffer): void {
    // Nothing can follow our FIN, so there is nothing to ask the receiver about.
    if (this.down.outlet.closing) return;
    const { connection } = this;
    const wanted = kind === 'text' ? this.#receiver.onUpstreamText : this.#receiver.onUpstreamBinary;
    if (wanted === undefined && !connection.busy) {
      this.down.deliver(data);
      return;
    }
    const reply = kind === 'text' ? connection.onUpstreamText(data.toString()) : connection.onUpstreamBinary(data);
    this.#settling(data, reply, (settled) => {
      const message = messageToPass(connection, kind, data, settled);
      if (message !== undefined) this.down.deliver(message.data);
      this.#balanceOutbound();
    });
  }

  /** From a target without messages: its bytes pass as they are, and no delimiter is put between them. */
  #deliverBytes(chunk: Buffer): void {
    const { outlet } = this.down;
    if (outlet.closing) return;
    if (this.#receiver.onUpstreamBinary === undefined && !this.connection.busy) {
      this.#pass(chunk);
      return;
    }
    // The receiver may keep what it is shown, and the chunk belongs to the wire.
    const data = Buffer.from(chunk);
    this.#settling(data, this.connection.onUpstreamBinary(data), (settled) => {
      const message = messageToPass(this.connection, 'binary', data, settled);
      if (message !== undefined) this.#pass(message.data);
      this.#balanceOutbound();
    });
  }

  #pass(bytes: Buffer): void {
    const { outlet, sent } = this.down;
    if (outlet.closing) return;
    sent.messages += 1;
    sent.bytes += bytes.length;
    outlet.pass(bytes);
  }

  /** Goes on with an answer of the receiver; what it is about is held until then. */
  #settling(data: Buffer, reply: MessageReply | Promise<MessageReply>, then: (settled: MessageReply) => void): void {
    if (!isPromise(reply)) {
      then(reply);
      return;
    }
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
    this.#balanceOutbound();
  }

  #balanceInbound(): void {
    if (isFull(this.up)) this.down.intake.block();
    else this.down.intake.unblock();
  }

  #balanceOutbound(): void {
    const { outlet } = this.down;
    if (this.#outboundBehind || (isFull(this.down) && !outlet.closing)) this.up?.intake.block();
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

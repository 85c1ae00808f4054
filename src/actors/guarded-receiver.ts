/**
 * Owns the guard around an application's receiver: every callback in its turn, none after the gate is shut, and none that
 * throws reaches more than its own connection. Refuses to know states; the connection actor does.
 */
import {
  type CloseStatus,
  DROP,
  type Fragment,
  type FragmentReply,
  type LifecycleReceiver,
  type MessageReply,
  TidegateError,
  type UpgradeAnswer,
  type UpgradeRequest,
} from '../receivers/index.js';
import { CallbackQueue, type CallbackQueueOwner } from './callback-queue.js';
import type { Clock } from './clock.js';

/** A receiver that hands on to another one, guarded. */
export abstract class GuardedReceiver implements LifecycleReceiver, CallbackQueueOwner {
  /** Set when the handshake comes to it; before, no callback is due. */
  receiver!: LifecycleReceiver;
  protected readonly callbacks: CallbackQueue;
  /** Messages may be delivered and sends accepted. Written by the chart only. */
  gate = false;

  /** @param maxPending how many callbacks may wait before `backlog(true)`. */
  constructor(maxPending: number, clock?: Clock) {
    this.callbacks = new CallbackQueue(this, maxPending, clock);
  }

  /** True while a callback that returned a promise is not settled. */
  get busy(): boolean {
    return this.callbacks.busy;
  }

  onUpgradeRequest(request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer> {
    return this.callbacks.run<UpgradeAnswer>(() => this.receiver.onUpgradeRequest(request), false);
  }

  onOpen(request: UpgradeRequest): void | Promise<void> {
    return this.callbacks.run(() => this.receiver.onOpen(request), undefined);
  }

  onText(text: string): MessageReply | Promise<MessageReply> {
    return this.gate ? this.callbacks.runWith(askText, this, text, DROP) : DROP;
  }

  onBinary(data: Buffer): MessageReply | Promise<MessageReply> {
    return this.gate ? this.callbacks.runWith(askBinary, this, data, DROP) : DROP;
  }

  onFragment(fragment: Fragment): FragmentReply | Promise<FragmentReply> {
    if (!this.gate) return DROP;
    return this.callbacks.run<FragmentReply>(() => (this.gate ? this.receiver.onFragment?.(fragment) : DROP), DROP);
  }

  onUpstreamText(text: string): MessageReply | Promise<MessageReply> {
    return this.callbacks.runWith(askUpstreamText, this, text, DROP);
  }

  onUpstreamBinary(data: Buffer): MessageReply | Promise<MessageReply> {
    return this.callbacks.runWith(askUpstreamBinary, this, data, DROP);
  }

  /** Whether the application sent something of its own. While another callback is pending it is not asked. */
  onBeforeHeartbeat(): boolean {
    return !this.busy && this.callbacks.run(() => this.receiver.onBeforeHeartbeat?.(), undefined) === true;
  }

  /** Whether the connection is kept. One whose callback is at work is not idle. */
  onIdleTimeout(): boolean {
    return this.busy || this.callbacks.run(() => this.receiver.onIdleTimeout?.(), undefined) === true;
  }

  /** A message callback answered what cannot be sent; the same as if it had thrown. */
  onInvalidReply(reply: unknown): void {
    const shown = typeof reply === 'object' ? Object.prototype.toString.call(reply) : String(reply);
    this.failed(
      new TidegateError(
        'INVALID_MESSAGE',
        `a message callback returned ${shown}; it takes nothing, a string, a Uint8Array or DROP`,
      ),
    );
  }

  abstract onThrottled(): void;
  abstract onUnthrottled(): void;
  abstract onClosed(status: CloseStatus, reason: string): void;

  abstract failed(error: unknown): void;
  abstract backlog(high: boolean): void;
}

type Asked = MessageReply | Promise<MessageReply>;

// A message that waited for its turn comes to nothing when the connection was closed meanwhile.

function askText({ gate, receiver }: GuardedReceiver, text: string): Asked {
  return gate ? receiver.onText(text) : DROP;
}

function askBinary({ gate, receiver }: GuardedReceiver, data: Buffer): Asked {
  return gate ? receiver.onBinary(data) : DROP;
}

function askUpstreamText({ receiver }: GuardedReceiver, text: string): Asked {
  return receiver.onUpstreamText?.(text);
}

function askUpstreamBinary({ receiver }: GuardedReceiver, data: Buffer): Asked {
  return receiver.onUpstreamBinary?.(data);
}

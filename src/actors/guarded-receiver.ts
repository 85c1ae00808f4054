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
import { CallbackQueue } from './callback-queue.js';

/** A receiver that hands on to another one, guarded. */
export abstract class GuardedReceiver implements LifecycleReceiver {
  readonly receiver: LifecycleReceiver;
  protected readonly callbacks: CallbackQueue;
  /** Messages may be delivered and sends accepted. Written by the chart only. */
  gate = false;

  /** @param maxPending how many callbacks may wait before `backlog(true)`. */
  constructor(receiver: LifecycleReceiver, maxPending: number) {
    this.receiver = receiver;
    this.callbacks = new CallbackQueue(
      { failed: (error) => this.receiverFailed(error), backlog: (high) => this.backlog(high) },
      maxPending,
    );
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
    return this.#whileOpen<MessageReply>(() => this.receiver.onText(text));
  }

  onBinary(data: Buffer): MessageReply | Promise<MessageReply> {
    return this.#whileOpen<MessageReply>(() => this.receiver.onBinary(data));
  }

  onFragment(fragment: Fragment): FragmentReply | Promise<FragmentReply> {
    return this.#whileOpen<FragmentReply>(() => this.receiver.onFragment?.(fragment));
  }

  onUpstreamText(text: string): MessageReply | Promise<MessageReply> {
    return this.callbacks.run<MessageReply>(() => this.receiver.onUpstreamText?.(text), DROP);
  }

  onUpstreamBinary(data: Buffer): MessageReply | Promise<MessageReply> {
    return this.callbacks.run<MessageReply>(() => this.receiver.onUpstreamBinary?.(data), DROP);
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
    this.receiverFailed(
      new TidegateError(
        'INVALID_MESSAGE',
        `a message callback returned ${shown}; it takes nothing, a string, a Uint8Array or DROP`,
      ),
    );
  }

  abstract onThrottled(): void;
  abstract onUnthrottled(): void;
  abstract onClosed(status: CloseStatus, reason: string): void;

  /** A callback threw or rejected. */
  protected abstract receiverFailed(error: unknown): void;
  /** More callbacks wait than may, or few enough again. */
  protected abstract backlog(high: boolean): void;

  /** Asks a callback that answers at once; undefined when it fails. */
  protected ask<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.receiverFailed(error);
      return undefined;
    }
  }

  #whileOpen<T>(call: () => T | Promise<T>): T | typeof DROP | Promise<T | typeof DROP> {
    if (!this.gate) return DROP;
    return this.callbacks.run<T | typeof DROP>(() => (this.gate ? call() : DROP), DROP);
  }
}

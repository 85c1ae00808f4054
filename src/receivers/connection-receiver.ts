/** Owns the base class of receivers: every callback with a default that does nothing, and the connection at hand. */
import type { CloseStatus } from './close-code.js';
import type { Connection } from './connection.js';
import type { UpgradeAnswer } from './decision.js';
import type { LifecycleReceiver, MessageReply } from './lifecycle-receiver.js';
import type { UpgradeRequest } from './upgrade-request.js';

/**
 * Subclass it and override what you need. A receiver that overrides no message callback keeps its connection on the fast
 * data paths, where messages are not assembled.
 */
export class ConnectionReceiver implements LifecycleReceiver {
  /** The connection this receiver belongs to; set before `onUpgradeRequest`. */
  protected connection!: Connection;

  attach(connection: Connection): void {
    this.connection = connection;
  }

  onUpgradeRequest(_request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer> {
    return true;
  }

  onOpen(_request: UpgradeRequest): void | Promise<void> {}

  onText(_text: string): MessageReply | Promise<MessageReply> {}

  onBinary(_data: Buffer): MessageReply | Promise<MessageReply> {}

  onClosed(_status: CloseStatus, _reason: string): void | Promise<void> {}

  onThrottled(): void | Promise<void> {}

  onUnthrottled(): void | Promise<void> {}
}

/** Tells whether a receiver looks at messages, so that they have to be assembled for it. */
export function readsMessages(receiver: LifecycleReceiver): boolean {
  const base = ConnectionReceiver.prototype;
  return (
    receiver.onText !== base.onText ||
    receiver.onBinary !== base.onBinary ||
    receiver.onFragment !== undefined ||
    receiver.onUpstreamText !== undefined ||
    receiver.onUpstreamBinary !== undefined
  );
}

/** Owns the effects that the `connection` chart may have. The chart decides, an implementation of this port acts. */
import type { CloseReport, ErrorCode, HeaderFields } from '../receivers/index.js';
import type { Ending } from './ending.js';
import type { SideEffects } from './side.effects.js';

/** Deadlines of a connection, in milliseconds; 0 means none. */
export interface ConnectionTimeouts {
  readonly handshake: number;
  readonly close: number;
  readonly writeStall: number;
}

/** How a handshake is refused. */
export interface Refusal {
  readonly status: number;
  readonly error: ErrorCode;
  readonly message: string;
  /** Header fields of the answer; as name and value in turn where an upstream's own answer is passed on. */
  readonly headers?: HeaderFields | readonly string[] | undefined;
  readonly body?: string | Buffer | undefined;
  readonly statusText?: string | undefined;
}

/** Everything the `connection` chart can do. Methods that deliver put the callback into the outbox; none may throw. */
export interface ConnectionEffects extends SideEffects {
  readonly timeouts: ConnectionTimeouts;
  /** Ask the receiver about the upgrade request. */
  decide(): void;
  /** Connect the upstream. */
  dial(): void;
  /** Answer the upgrade with anything but 101. Does nothing when the client is gone. */
  refuse(): void;
  /** The handshake took too long: the answer becomes 503 or 504. */
  expireHandshake(): void;
  /** Write the 101 and put the data path in place. */
  acceptUpgrade(): void;
  /** From now on messages are delivered and sends accepted. */
  openGate(): void;
  shutGate(): void;
  deliverOpen(): void;
  deliverThrottled(): void;
  deliverUnthrottled(): void;
  deliverClosed(ending: Ending): void;
  /** The close report, complete once the chart is `closed`. */
  report(ending: Ending): CloseReport;
}

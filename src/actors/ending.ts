/**
 * Owns what an ending is, who began it, and what it means for the other side of a pair and for `onClosed`.
 * Pure values; refuses to send anything.
 */
import {
  type CloseCause,
  CloseCode,
  CloseIndicator,
  type CloseInitiator,
  type CloseStatus,
  type ErrorCode,
} from '../receivers/index.js';

/** Why and how one side of a pair ends. */
export interface Ending {
  readonly initiator: CloseInitiator;
  readonly cause: CloseCause;
  /** The code to put on the wire: 1005 stands for a Close frame without code, 1006 for no Close frame at all. */
  readonly code: CloseStatus;
  readonly reason: string;
}

/** An ending that begins with an error of ours: its code is what `onClosed` reports, whatever the peer answers. */
export function failure(initiator: CloseInitiator, error: ErrorCode, code: CloseStatus, reason = ''): Ending {
  return { initiator, cause: error, code, reason };
}

/** The peer sent a Close frame. */
export function closedBy(initiator: CloseInitiator, code: CloseStatus, reason: string): Ending {
  return { initiator, cause: 'closed', code, reason };
}

/** An ending that an operator asked for. */
export function operatorEnding(code: Ending['code'], reason: string): Ending {
  return { initiator: 'operator', cause: 'disconnected', code, reason };
}

/** What each client is told when an operator disconnects all. */
export function disconnectedByOperator(): Ending {
  return operatorEnding(CloseCode.GoingAway, 'disconnected by the operator');
}

/** An operator cuts a connection. */
export const operatorCut: Ending = {
  initiator: 'operator',
  cause: 'terminated',
  code: CloseIndicator.Abnormal,
  reason: '',
};

/** The transport ended without a Close frame. */
export function cut(initiator: CloseInitiator, cause: CloseCause = 'CONNECTION_RESET'): Ending {
  return { initiator, cause, code: CloseIndicator.Abnormal, reason: '' };
}

/**
 * What one side is told when the other one ended: a valid code and its reason cross unchanged, 1005 becomes a Close
 * without code, and an ending that had no Close frame becomes 1011, since 1006 and 1015 never travel.
 */
export function relayed(ending: Ending): Ending {
  if (ending.code !== CloseIndicator.Abnormal && ending.code !== CloseIndicator.TlsFailed) return ending;
  return { ...ending, code: CloseCode.InternalError };
}

/** True when the ending is a failure with a code of its own, and not a plain close or cut. */
function isFailure(ending: Ending): boolean {
  const plain = ['closed', 'disconnected', 'terminated'];
  return !plain.includes(ending.cause) && ending.code !== CloseIndicator.Abnormal;
}

/**
 * What `onClosed` is told. A failure of the peer's or of our own is reported with its code; otherwise the code in the
 * peer's Close frame counts; otherwise the code that told the peer of a failed target, if it could be told: a Close frame
 * fits in no half-sent frame, and that peer sees its connection cut. Else it is 1006.
 */
export function reportedStatus(
  ending: Ending,
  received: { code: CloseStatus; reason: string } | undefined,
  closeSent: boolean,
): { status: CloseStatus; reason: string } {
  if (isFailure(ending) && ending.initiator !== 'upstream') return { status: ending.code, reason: ending.reason };
  if (received !== undefined) return { status: received.code, reason: received.reason };
  if (isFailure(ending) && closeSent) return { status: ending.code, reason: ending.reason };
  return { status: CloseIndicator.Abnormal, reason: '' };
}

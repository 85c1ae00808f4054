/**
 * Owns the 101 that goes out before a client has said who it is, and the Close frame that refuses it afterwards. Refuses to read
 * what the client sends.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import { encodeClosePayload } from '../../protocol/close-frame.js';
import { encodeFrame, Opcode } from '../../protocol/frame.js';
import type { ErrorEntry } from '../../receivers/error-entry.js';
import { CloseCode, ERRORS, isCloseCode, type UpgradeRequest } from '../../receivers/index.js';
import type { Failure } from '../authentication/credentials.js';
import type { ProxyConfig } from '../config/options.js';
import { lingerAndTerminate } from '../handshake/linger.js';
import { chooseSubprotocol } from '../handshake/subprotocol.js';
import type { Wire } from '../wires/wire.js';
import type { EarlyAnswer } from './plan.js';

/** Chooses what such a 101 says: no extension, and a subprotocol by the options alone. */
export function earlyAnswerTo(request: UpgradeRequest, config: ProxyConfig): EarlyAnswer | Failure {
  const choice = chooseSubprotocol(request.subprotocols, undefined, config.subprotocols, config.noSubprotocol);
  return 'error' in choice ? { ...choice, offence: false } : choice;
}

/** Refuses a client that has its 101: a Close frame, and what it still sends is thrown away for a moment. */
export function closeEarly(wire: Wire, refusal: Refusal, rejectCode: number, reason: string): void {
  if (wire.closed) return;
  const payload = encodeClosePayload(closeCodeOf(refusal, rejectCode), reason);
  wire.write(encodeFrame(Opcode.Close, payload));
  lingerAndTerminate(wire);
}

/** The code that stands for a refusal: that of its error, and the one of the options for credentials and decisions. */
function closeCodeOf({ error, status }: Refusal, rejectCode: number): CloseCode {
  const entry: ErrorEntry = ERRORS[error];
  if (error === 'DOWNSTREAM_GONE') return CloseCode.Normal;
  if (status === 401 || status === 403 || status === 408) return isCloseCode(rejectCode) ? rejectCode : 1008;
  if (entry.close !== undefined && isCloseCode(entry.close)) return entry.close;
  return status < 500 ? CloseCode.PolicyViolation : CloseCode.InternalError;
}

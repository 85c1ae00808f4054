/** Owns how the end of a connection is put into words: who began, why, and with which code. Refuses to know charts. */

import type { Refusal } from '../../actors/connection.effects.js';
import type { Ending } from '../../actors/ending.js';
import { type CloseInitiator, type CloseReport, ERRORS, type ErrorCode } from '../../receivers/index.js';
import { printable, shortened } from '../telemetry/printable.js';
import { duration, traffic } from './amounts.js';

/** Room for what somebody else wrote. */
const MAX_WORDS = 200;

const WHO: Readonly<Record<CloseInitiator, string>> = {
  downstream: 'the client',
  upstream: 'the target',
  application: 'the application',
  proxy: 'this server',
  operator: 'the operator',
  network: 'the network',
};

/** What somebody else wrote, in quotes. */
export function quoted(text: string): string {
  return `"${printable(shortened(text, MAX_WORDS))}"`;
}

/** Such as `: 1001 "going away"`; empty for an end without a Close frame. */
export function codeWords(ending: Pick<Ending, 'code' | 'reason'> | undefined): string {
  if (ending === undefined || ending.code === 1006) return '';
  if (ending.code === 1005) return ', without a code';
  return `: ${ending.code}${ending.reason === '' ? '' : ` ${quoted(ending.reason)}`}`;
}

/** Who wanted an end and why, such as ` by the operator (disconnected)`. */
export function causeWords(ending: Pick<Ending, 'initiator' | 'cause'> | undefined): string {
  return ending === undefined ? '' : ` by ${WHO[ending.initiator]} (${ending.cause})`;
}

/** What goes with an error code; empty for a cause that is none. */
export function helpWords(cause: CloseReport['cause']): string {
  return cause in ERRORS ? ERRORS[cause as ErrorCode].help : '';
}

/** How a connection ended, in one sentence. */
export function reportWords({ initiator, cause, status, reason }: CloseReport): string {
  const said = `${status}${reason === '' ? '' : ` ${quoted(reason)}`}`;
  const who = WHO[initiator];
  if (cause === 'closed' || cause === 'disconnected') return `It was closed by ${who} with ${said}.`;
  if (cause === 'terminated') return `It was cut by ${who}; reported as ${said}.`;
  return `It ended with ${cause}, which ${who} began; reported as ${said}.`;
}

/**
 * The rest of a close report, a sentence each.
 *
 * @param speaks whether the client spoke WebSocket, so that there are Close frames.
 */
export function reportDetails(report: CloseReport, speaks: boolean): string[] {
  const { codeSent, codeReceived, durationMs, undeliveredBytes, dropped } = report;
  const frames = [
    codeReceived === undefined ? 'No Close frame came from the client' : `The client sent Close ${frame(codeReceived)}`,
    codeSent === undefined ? 'none was sent to it' : `it was sent Close ${frame(codeSent)}`,
  ];
  const carried = `It was open for ${duration(durationMs)}: ${traffic(report.received)} came from the client, ${traffic(report.sent)} went to it.`;
  const lost = [
    undeliveredBytes > 0 ? `${undeliveredBytes} bytes for the client could not be delivered.` : '',
    dropped.messages > 0 ? `${dropped.messages} messages of the application were dropped.` : '',
  ];
  const closing = speaks ? `${frames.join('; ')}.` : '';
  return [helpWords(report.cause), closing, carried, ...lost].filter((text) => text !== '');
}

/** How a handshake was refused, in one sentence. */
export function refusalWords({ status, error, message }: Pick<Refusal, 'status' | 'error' | 'message'>): string {
  return `The handshake was refused with ${status} (${error}): ${printable(shortened(message, MAX_WORDS))}.`;
}

function frame(code: number): string {
  return code === 1005 ? 'without a code' : String(code);
}

/** Owns which numbers may be sent and which may be reported, as values and as types. The types are checked by tsc. */
import { describe, expect, it } from 'vitest';
import {
  CloseCode,
  CloseIndicator,
  type CloseStatus,
  type Connection,
  closeStatusName,
  isCloseCode,
  isCloseStatus,
} from '../../../src/receivers/index.js';

const EVERY = Array.from({ length: 6000 }, (_, code) => code);

/** The numbers of a list as ranges, such as `1000-1003`. */
function ranges(codes: readonly number[]): string[] {
  const found: Array<[from: number, to: number]> = [];
  for (const code of codes) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else found.push([code, code]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
}

describe('the codes that may be sent', () => {
  it('are 1000-1003, 1007-1014 and 3000-4999 (P4)', () => {
    expect(ranges(EVERY.filter(isCloseCode))).toEqual(['1000-1003', '1007-1014', '3000-4999']);
  });

  it('are integers', () => {
    expect([1000.5, Number.NaN, Number.POSITIVE_INFINITY, -1000].some(isCloseCode)).toBe(false);
  });

  it('with a name are in CloseCode, and no other below 3000', () => {
    expect(Object.values(CloseCode).sort()).toEqual(EVERY.filter((code) => code < 3000 && isCloseCode(code)));
  });
});

describe('the statuses that may be reported', () => {
  it('are the codes that may be sent, and 1005, 1006 and 1015', () => {
    const more = EVERY.filter((code) => isCloseStatus(code) && !isCloseCode(code));
    expect(more).toEqual([1005, 1006, 1015]);
    expect(more).toEqual(Object.values(CloseIndicator));
  });

  it('have a name each', () => {
    const names = [1000, 1001, 1005, 1006, 1011, 1015, 3000, 3999, 4000, 4999] as const;
    expect(names.map(closeStatusName)).toEqual([
      'Normal',
      'GoingAway',
      'NoStatus',
      'Abnormal',
      'InternalError',
      'TlsFailed',
      'Registered',
      'Registered',
      'Private',
      'Private',
    ]);
  });
});

describe('the types', () => {
  // Never called: tsc judges it, and reports an expected error that does not come.
  function closes(connection: Connection, status: CloseStatus, code: CloseCode, number: number): void {
    connection.close();
    connection.close(1000);
    connection.close(1014, 'reason');
    connection.close(3000);
    connection.close(4404);
    connection.close(4999);
    connection.close(CloseCode.PolicyViolation);
    connection.close(code);
    // @ts-expect-error 1005 says that there was no code
    connection.close(1005);
    // @ts-expect-error 1006 says that there was no Close frame
    connection.close(1006);
    // @ts-expect-error 1015 says that TLS failed
    connection.close(1015);
    // @ts-expect-error 1004 is reserved
    connection.close(1004);
    // @ts-expect-error 2999 belongs to nobody
    connection.close(2999);
    // @ts-expect-error 5000 is beyond the private ones
    connection.close(5000);
    // @ts-expect-error an indicator is no code
    connection.close(CloseIndicator.Abnormal);
    // @ts-expect-error a status may be one that only describes an ending
    connection.close(status);
    // @ts-expect-error any number may be anything
    connection.close(number);
    if (isCloseCode(number)) connection.close(number);
  }

  function reports(status: CloseStatus): void {
    const known: CloseStatus[] = [1000, 1005, 1006, 1015, 4404, CloseCode.Normal, CloseIndicator.NoStatus];
    // @ts-expect-error 1004 is never reported
    const reserved: CloseStatus = 1004;
    known.push(status, reserved);
  }

  it('let only codes be sent that may be', () => {
    expect([closes, reports].every((check) => typeof check === 'function')).toBe(true);
  });
});

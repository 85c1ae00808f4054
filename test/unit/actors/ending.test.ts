/** Owns what an ending means for the other side of a pair and for `onClosed`, over every code there is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedBy, cut, type Ending, failure, relayed, reportedStatus } from '../../../src/actors/ending.js';
import {
  CloseCode,
  CloseIndicator,
  type CloseStatus,
  isCloseCode,
  isCloseStatus,
} from '../../../src/receivers/index.js';

const statuses: CloseStatus[] = Array.from({ length: 5000 }, (_, code) => code).filter(isCloseStatus);

const anyEnding: fc.Arbitrary<Ending> = fc.record({
  initiator: fc.constantFrom('downstream', 'upstream', 'application', 'proxy', 'operator', 'network'),
  cause: fc.constantFrom('closed', 'disconnected', 'terminated', 'RECEIVER_FAILED', 'UPSTREAM_LOST', 'HEARTBEAT_LOST'),
  code: fc.constantFrom(...statuses),
  reason: fc.string({ maxLength: 20 }),
});

describe('what the other side of a pair is told', () => {
  it('is the same code and reason for every code that may be sent (P4)', () => {
    for (const code of statuses.filter(isCloseCode)) {
      expect(relayed(closedBy('upstream', code, 'why'))).toEqual(closedBy('upstream', code, 'why'));
    }
  });

  it('is a Close frame without code for a peer that gave none (P4)', () => {
    expect(relayed(closedBy('downstream', CloseIndicator.NoStatus, '')).code).toBe(1005);
  });

  it('is 1011 for an ending that had no Close frame (P4)', () => {
    expect(relayed(cut('upstream', 'UPSTREAM_LOST'))).toEqual({ ...cut('upstream', 'UPSTREAM_LOST'), code: 1011 });
    expect(relayed(closedBy('upstream', CloseIndicator.TlsFailed, '')).code).toBe(1011);
  });

  it('is never 1006 or 1015, and keeps who began and why (P4)', () => {
    fc.assert(
      fc.property(anyEnding, (ending) => {
        const { code, ...rest } = relayed(ending);
        expect(code === 1005 || isCloseCode(code)).toBe(true);
        expect({ ...rest, code: ending.code }).toEqual(ending);
      }),
    );
  });

  it('does not change when it is relayed once more', () => {
    fc.assert(fc.property(anyEnding, (ending) => void expect(relayed(relayed(ending))).toEqual(relayed(ending))));
  });
});

describe('what onClosed is told', () => {
  const received = { code: 4001 as CloseStatus, reason: 'theirs' };

  it.each<[what: string, ending: Ending, got: typeof received | undefined, status: number, reason: string]>([
    ['the code of a peer that began', closedBy('downstream', 4001, 'theirs'), received, 4001, 'theirs'],
    ['1005 for a Close frame without code', closedBy('downstream', 1005, ''), { code: 1005, reason: '' }, 1005, ''],
    ['1006 for a peer that left without a Close frame', cut('downstream'), undefined, 1006, ''],
    ['what the peer answered to our close', closedBy('application', 4000, 'ours'), received, 4001, 'theirs'],
    ['1006 when the peer never answered our close', closedBy('application', 4000, 'ours'), undefined, 1006, ''],
    ['our code for a broken rule', failure('proxy', 'PROTOCOL_ERROR', 1002, 'rule'), undefined, 1002, 'rule'],
    ['our code for a broken rule, whatever is answered', failure('proxy', 'MESSAGE_TOO_BIG', 1009), received, 1009, ''],
    ['1011 for a failed receiver', failure('application', 'RECEIVER_FAILED', 1011), received, 1011, ''],
    ['our code for a failed target, unanswered', failure('upstream', 'UPSTREAM_LOST', 1011), undefined, 1011, ''],
    [
      'what the peer answered for a failed target',
      failure('upstream', 'UPSTREAM_LOST', 1011),
      received,
      4001,
      'theirs',
    ],
    ['1006 for a lost heartbeat', cut('network', 'HEARTBEAT_LOST'), undefined, 1006, ''],
    ['1006 for a terminated connection', cut('application', 'terminated'), undefined, 1006, ''],
  ])('is %s', (_, ending, got, status, reason) => {
    expect(reportedStatus(ending, got, true)).toEqual({ status, reason });
  });

  it('is 1006 for a failed target where no Close frame could tell of it', () => {
    const lost = failure('upstream', 'UPSTREAM_LOST', 1011);
    expect(reportedStatus(lost, undefined, false)).toEqual({ status: 1006, reason: '' });
    expect(reportedStatus(lost, received, false).status).toBe(4001);
    expect(reportedStatus(failure('proxy', 'PROTOCOL_ERROR', 1002), undefined, false).status).toBe(1002);
  });

  it('is always a status that may be reported, and 1006 or our own code only when the peer said nothing else', () => {
    const answers = fc.option(fc.record({ code: fc.constantFrom(...statuses), reason: fc.string({ maxLength: 5 }) }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(anyEnding, answers, fc.boolean(), (ending, got, sent) => {
        const { status } = reportedStatus(ending, got, sent);
        expect(isCloseStatus(status)).toBe(true);
        expect([got?.code, ending.code, 1006]).toContain(status);
      }),
    );
  });

  it('is GoingAway answered by the peer for disconnectAll', () => {
    const ending: Ending = { initiator: 'operator', cause: 'disconnected', code: CloseCode.GoingAway, reason: '' };
    expect(reportedStatus(ending, { code: 1001, reason: '' }, true)).toEqual({ status: 1001, reason: '' });
    expect(reportedStatus(ending, undefined, true).status).toBe(1006);
  });
});

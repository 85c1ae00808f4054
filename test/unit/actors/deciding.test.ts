/** Owns the order in which a handshake is decided: admission, place, receiver; and that nothing is taken or made for who is refused or gone. */
import { describe, expect, it } from 'vitest';
import type { Admission, Verdict } from '../../../src/actors/connection.host.js';
import { Deciding, type Undecided } from '../../../src/actors/deciding.js';
import { ConnectionReceiver, type UpgradeRequest } from '../../../src/receivers/index.js';
import { deferred } from '../../support/events.js';

const REFUSAL = { status: 401, error: 'UNAUTHENTICATED', message: 'no' } as const;

function create(verdict: Verdict | Promise<Verdict> | undefined, entry?: ReturnType<Admission['enter']>) {
  const done: string[] = [];
  const connection: { -readonly [Key in keyof Undecided]: Undecided[Key] } = {
    state: 'handshaking',
    request: {} as UpgradeRequest,
    port: { plan: () => ({ dial: 'none' }) } as unknown as Undecided['port'],
    principal: undefined,
    seat: undefined,
    reading: { hold: () => void done.push('hold') },
    adopt: () => void done.push('adopt'),
    onUpgradeRequest: () => void done.push(`ask ${connection.principal?.name}`),
    failed: (error) => void done.push(`failed ${String(error)}`),
    send: ({ type }) => void done.push(type),
  };
  const admission: Admission | undefined =
    verdict === undefined
      ? undefined
      : {
          admit: () => {
            done.push('admit');
            return verdict;
          },
          enter: (principal) => {
            done.push(`enter ${principal?.name}`);
            return entry;
          },
          late: () => ({ status: 503, error: 'AUTHENTICATION_UNAVAILABLE', message: 'late' }),
        };
  const makeReceiver = () => {
    done.push('make');
    return new ConnectionReceiver();
  };
  return { done, connection, deciding: new Deciding(connection, makeReceiver, admission) };
}

const ADA: Verdict = { principal: { name: 'ada', scheme: 'basic' } };

describe('a handshake', () => {
  it('is decided by its receiver alone where nobody is asked who he is', () => {
    const { done, deciding } = create(undefined);
    deciding.begin();
    expect(done).toEqual(['make', 'adopt', 'ask undefined', 'decision.accept']);
  });

  it('gets a place, and then a receiver, once it is known who it is', () => {
    const seat = { release() {} };
    const { done, connection, deciding } = create(ADA, seat);
    deciding.begin();
    expect(done).toEqual(['admit', 'enter ada', 'make', 'adopt', 'ask ada', 'decision.accept']);
    expect(connection.seat).toBe(seat);
  });

  it('gets neither when it is refused', () => {
    const { done, deciding } = create(REFUSAL);
    deciding.begin();
    expect(done).toEqual(['admit', 'decision.reject']);
    expect(deciding.refusal).toBe(REFUSAL);
  });

  it('gets no receiver when there is no place', () => {
    const { done, connection, deciding } = create(ADA, REFUSAL);
    deciding.begin();
    expect(done).toEqual(['admit', 'enter ada', 'decision.reject']);
    expect(connection).toMatchObject({ seat: undefined, principal: undefined });
  });

  it('takes no place for a client that is gone when it is known who it was', async () => {
    const verdict = deferred<Verdict>();
    const { done, connection, deciding } = create(verdict.promise);
    deciding.begin();
    connection.state = 'rejected';
    verdict.resolve(ADA);
    await verdict.promise;
    expect(done).toEqual(['admit']);
  });

  it('that takes too long names who was waited for', async () => {
    const late = create(new Promise(() => {}));
    late.deciding.begin();
    late.deciding.expire();
    expect(late.deciding.refusal?.error).toBe('AUTHENTICATION_UNAVAILABLE');
    const known = create(ADA);
    known.connection.onUpgradeRequest = () => new Promise(() => {});
    known.deciding.begin();
    known.deciding.expire();
    expect(known.deciding.refusal?.error).toBe('DECISION_TIMEOUT');
  });
});

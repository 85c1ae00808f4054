/** Owns the race of addresses: their order, the delay between attempts, and that only one connection is left. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { interleaved, raceAddresses } from '../../../src/server/dial/address-race.js';
import type { DialSignal } from '../../../src/server/dial/dial-signal.js';
import { type Deferred, deferred } from '../../support/events.js';

interface Attempt extends Deferred<string> {
  readonly address: string;
  readonly signal: DialSignal;
}

function race(addresses: readonly string[], signal: DialSignal = new AbortController().signal) {
  const attempts: Attempt[] = [];
  const discarded: string[] = [];
  const outcome = raceAddresses({
    addresses,
    delay: 250,
    signal,
    attempt: (address, own) => {
      const attempt = { ...deferred<string>(), address, signal: own };
      attempts.push(attempt);
      return attempt.promise;
    },
    discard: (connection) => void discarded.push(connection),
  });
  outcome.catch(() => {});
  return { outcome, attempts, discarded, tried: () => attempts.map(({ address }) => address) };
}

/** The attempts' promises are told within a few turns. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a race', () => {
  it('tries the next address after the delay, beside the first, which may still win', async () => {
    const { outcome, attempts, tried } = race(['1', '2', '3']);
    expect(tried()).toEqual(['1']);
    await vi.advanceTimersByTimeAsync(249);
    expect(tried()).toEqual(['1']);
    await vi.advanceTimersByTimeAsync(1);
    expect(tried()).toEqual(['1', '2']);
    attempts[0]!.resolve('first');
    await expect(outcome).resolves.toBe('first');
    expect(attempts[1]!.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(tried()).toEqual(['1', '2']);
  });

  it('tries the next address at once when one fails', async () => {
    const { outcome, attempts, tried } = race(['1', '2']);
    attempts[0]!.reject(new Error('refused'));
    await settle();
    expect(tried()).toEqual(['1', '2']);
    attempts[1]!.resolve('second');
    await expect(outcome).resolves.toBe('second');
  });

  it('rejects with all errors when every address failed', async () => {
    const { outcome, attempts } = race(['1', '2']);
    await vi.advanceTimersByTimeAsync(250);
    attempts[1]!.reject(new Error('two'));
    await settle();
    attempts[0]!.reject(new Error('one'));
    await expect(outcome).rejects.toMatchObject({ errors: [new Error('two'), new Error('one')] });
  });

  it('ends a connection that comes after it is over', async () => {
    const { outcome, attempts, discarded } = race(['1', '2']);
    await vi.advanceTimersByTimeAsync(250);
    attempts[0]!.resolve('one');
    attempts[1]!.resolve('two');
    await expect(outcome).resolves.toBe('one');
    expect(discarded).toEqual(['two']);
  });

  it('gives every attempt up when its signal aborts, and rejects with the reason', async () => {
    const controller = new AbortController();
    const { outcome, attempts, discarded } = race(['1', '2', '3'], controller.signal);
    await vi.advanceTimersByTimeAsync(250);
    const gone = new Error('the client left');
    controller.abort(gone);
    await expect(outcome).rejects.toBe(gone);
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    attempts[0]!.resolve('late');
    attempts[1]!.reject(gone);
    await settle();
    expect(discarded).toEqual(['late']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not begin when its signal has aborted', async () => {
    const { outcome, attempts } = race(['1', '2'], AbortSignal.abort('no'));
    await expect(outcome).rejects.toBe('no');
    expect(attempts).toEqual([]);
  });
});

it('addresses of both families take turns, that of the first one first', () => {
  expect(interleaved(['::1', '::2', '::3', '1.1.1.1'])).toEqual(['::1', '1.1.1.1', '::2', '::3']);
  expect(interleaved(['1.1.1.1', '::1', '::2'])).toEqual(['1.1.1.1', '::1', '::2']);
  expect(interleaved([])).toEqual([]);
});

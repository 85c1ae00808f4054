/** Owns the last callback of a receiver: behind the one that runs, never inside it, and never before it without patience. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallbackQueue } from '../../../src/actors/callback-queue.js';
import { deferred } from '../../support/events.js';

function create() {
  const lines: string[] = [];
  const failures: unknown[] = [];
  const queue = new CallbackQueue({ failed: (error) => failures.push(error), backlog: () => {} }, 16);
  const say = (line: string) => void lines.push(line);
  return { queue, lines, failures, say };
}

describe('finish', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('calls at once when nothing runs', () => {
    const { queue, lines, say } = create();
    queue.finish(() => say('last'), 1000);
    expect(lines).toEqual(['last']);
  });

  it('lets nothing run any more: a later callback gets the fallback', () => {
    const { queue, lines, say } = create();
    queue.finish(() => say('last'), 1000);
    expect(queue.run(() => say('late'), 'fallback')).toBe('fallback');
    expect(lines).toEqual(['last']);
  });

  it('calls after the callback that is pending, and skips those that wait behind it', async () => {
    const { queue, lines, say } = create();
    const gate = deferred();
    queue.run(async () => {
      say('first begins');
      await gate.promise;
      say('first ends');
    }, undefined);
    const waiting = queue.run<string | undefined>(() => {
      say('second');
      return 'ran';
    }, undefined);
    queue.finish(() => say('last'), 1000);
    expect(lines).toEqual(['first begins']);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(await waiting).toBeUndefined();
    expect(lines).toEqual(['first begins', 'first ends', 'last']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls when its patience is over with a callback that does not settle, and not again when it does', async () => {
    const { queue, lines, say } = create();
    const gate = deferred();
    queue.run(() => gate.promise, undefined);
    queue.finish(() => say('last'), 300);
    await vi.advanceTimersByTimeAsync(299);
    expect(lines).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(lines).toEqual(['last']);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(1000);
    expect(lines).toEqual(['last']);
  });

  it('from inside a synchronous callback calls right after it', () => {
    const { queue, lines, say } = create();
    queue.run(() => {
      say('begins');
      queue.finish(() => say('last'), 1000);
      say('ends');
    }, undefined);
    expect(lines).toEqual(['begins', 'ends', 'last']);
  });

  it('from inside a callback that throws afterwards still calls, and the failure is reported', () => {
    const { queue, lines, failures, say } = create();
    queue.run(() => {
      queue.finish(() => say('last'), 1000);
      throw new Error('afterwards');
    }, undefined);
    expect(lines).toEqual(['last']);
    expect(failures).toHaveLength(1);
  });

  it('from inside a callback that goes on asynchronously calls when that one settled (P1)', async () => {
    const { queue, lines, say } = create();
    const gate = deferred();
    queue.run(async () => {
      say('begins');
      queue.finish(() => say('last'), 1000);
      await gate.promise;
      say('ends');
    }, undefined);
    await vi.advanceTimersByTimeAsync(500);
    expect(lines).toEqual(['begins']);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(lines).toEqual(['begins', 'ends', 'last']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('from inside such a callback waits no longer than its patience (P8)', async () => {
    const { queue, lines, say } = create();
    queue.run(() => {
      queue.finish(() => say('last'), 300);
      return new Promise<void>(() => {});
    }, undefined);
    await vi.advanceTimersByTimeAsync(299);
    expect(lines).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(lines).toEqual(['last']);
  });

  it('from inside a callback that triggered others skips these', async () => {
    const { queue, lines, say } = create();
    queue.run(() => {
      queue.run(() => say('inner'), undefined);
      queue.finish(() => say('last'), 1000);
      say('ends');
    }, undefined);
    await vi.advanceTimersByTimeAsync(2000);
    expect(lines).toEqual(['ends', 'last']);
  });

  it('reports a last callback that throws or rejects', async () => {
    const thrown = create();
    thrown.queue.finish(() => {
      throw new Error('at once');
    }, 1000);
    expect(thrown.failures).toEqual([new Error('at once')]);
    const rejected = create();
    rejected.queue.finish(() => Promise.reject(new Error('later')), 1000);
    await vi.advanceTimersByTimeAsync(0);
    expect(rejected.failures).toEqual([new Error('later')]);
  });
});

/** Owns the order in which one receiver's callbacks run, and what becomes of those that wait when a last one has to. */
import { setTimeout as later } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallbackQueue } from '../../../src/actors/callback-queue.js';
import { deferred } from '../../support/events.js';

/** A queue that writes down what happens, with its failures and its edges. */
class Story {
  readonly lines: string[] = [];
  readonly failures: unknown[] = [];
  readonly edges: boolean[] = [];
  readonly queue: CallbackQueue;

  constructor(bound = 16) {
    this.queue = new CallbackQueue(
      { failed: (error) => this.failures.push(error), backlog: (high) => this.edges.push(high) },
      bound,
    );
  }

  /** Runs a synchronous callback that writes its name. */
  say(name: string): unknown {
    return this.queue.run(() => {
      this.lines.push(name);
      return name;
    }, 'fallback');
  }

  /** Runs a callback that is pending until it is let go, and writes its beginning and its end. */
  hold(name: string) {
    const gate = deferred();
    const result = this.queue.run(async () => {
      this.lines.push(`${name} begins`);
      await gate.promise;
      this.lines.push(`${name} ends`);
      return name;
    }, 'fallback');
    return { ...gate, result };
  }
}

/** Lets every promise that can settle now do so. */
const settle = () => later(0);

describe('synchronous callbacks', () => {
  it('run at once and give their result as it is, without a promise', () => {
    const story = new Story();
    expect(story.say('one')).toBe('one');
    expect(story.say('two')).toBe('two');
    expect(story.lines).toEqual(['one', 'two']);
    expect(story.queue.busy).toBe(false);
  });

  it('that throw are reported and answered with the fallback, and the next one runs', () => {
    const story = new Story();
    const error = new Error('no');
    const result = story.queue.run<string>(() => {
      throw error;
    }, 'fallback');
    expect(result).toBe('fallback');
    expect(story.failures).toEqual([error]);
    expect(story.say('next')).toBe('next');
  });

  it('that trigger another one are finished first: nothing runs inside a callback', async () => {
    const story = new Story();
    let inner: unknown;
    story.queue.run(() => {
      story.lines.push('outer begins');
      inner = story.say('inner');
      story.lines.push('outer ends');
    }, undefined);
    expect(await inner).toBe('inner');
    expect(story.lines).toEqual(['outer begins', 'outer ends', 'inner']);
  });

  it('that trigger others keep these in order, and what comes afterwards behind them', async () => {
    const story = new Story();
    story.queue.run(() => {
      story.say('first inner');
      story.say('second inner');
      story.lines.push('outer ends');
    }, undefined);
    await story.say('afterwards');
    expect(story.lines).toEqual(['outer ends', 'first inner', 'second inner', 'afterwards']);
  });
});

describe('from the first promise on', () => {
  it('callbacks run one after the other, in the order they were given', async () => {
    const story = new Story();
    const first = story.hold('first');
    const second = story.hold('second');
    const third = story.say('third');
    await settle();
    expect(story.lines).toEqual(['first begins']);
    expect(story.queue.busy).toBe(true);
    first.resolve();
    await settle();
    expect(story.lines).toEqual(['first begins', 'first ends', 'second begins']);
    second.resolve();
    expect(await Promise.all([first.result, second.result, third])).toEqual(['first', 'second', 'third']);
    expect(story.lines.slice(3)).toEqual(['second ends', 'third']);
  });

  it('a synchronous callback is at once again when nothing is pending any more', async () => {
    const story = new Story();
    const first = story.hold('first');
    first.resolve();
    await first.result;
    await settle();
    expect(story.queue.busy).toBe(false);
    expect(story.say('next')).toBe('next');
  });

  it('what a caller does with a result comes before the next callback', async () => {
    const story = new Story();
    const first = story.hold('first');
    Promise.resolve(first.result).then(() => {
      story.lines.push('used');
      story.say('next');
    });
    first.resolve();
    await settle();
    expect(story.lines).toEqual(['first begins', 'first ends', 'used', 'next']);
  });

  it('what a caller does with a result comes before the next callback that waits already', async () => {
    const story = new Story();
    const first = story.hold('first');
    Promise.resolve(first.result).then(() => story.lines.push('used'));
    story.say('next');
    story.queue.whenDone(() => story.lines.push('done'), 60_000);
    first.resolve();
    await settle();
    expect(story.lines).toEqual(['first begins', 'first ends', 'used', 'next', 'done']);
  });

  it('a rejection is reported once and answered with the fallback, and the next callback runs', async () => {
    const story = new Story();
    const first = story.hold('first');
    const next = story.say('next');
    const error = new Error('no');
    first.reject(error);
    expect(await first.result).toBe('fallback');
    expect(await next).toBe('next');
    expect(story.failures).toEqual([error]);
  });

  it('a throw of a callback that waited is reported like a rejection', async () => {
    const story = new Story();
    const first = story.hold('first');
    const thrown = story.queue.run<string>(() => {
      throw new Error('late');
    }, 'fallback');
    first.resolve();
    expect(await thrown).toBe('fallback');
    expect(story.failures).toHaveLength(1);
  });
});

describe('the backlog', () => {
  it('is high when as many callbacks wait as the bound allows, and low when half of them are done', async () => {
    const story = new Story(4);
    const held = [1, 2, 3].map((n) => story.hold(`${n}`));
    expect(story.edges).toEqual([]);
    held.push(story.hold('4'), story.hold('5'));
    expect(story.edges).toEqual([true]);
    for (const [index, one] of held.entries()) {
      one.resolve();
      await one.result;
      await settle();
      // Four wait, three, two: that is half of the bound.
      expect(story.edges).toEqual(index < 2 ? [true] : [true, false]);
    }
  });

  it('alternates over several floods', async () => {
    const story = new Story(2);
    for (let flood = 0; flood < 3; flood += 1) {
      const held = ['a', 'b', 'c'].map((name) => story.hold(name));
      for (const one of held) one.resolve();
      await Promise.all(held.map((one) => one.result));
      await settle();
    }
    expect(story.edges).toEqual([true, false, true, false, true, false]);
  });

  it('is not told to be low once the queue is finished', async () => {
    const story = new Story(1);
    const first = story.hold('first');
    story.queue.finish(() => {}, 1000);
    first.resolve();
    await settle();
    expect(story.edges).toEqual([true]);
  });
});

describe('whenDone', () => {
  it('calls at once when nothing is pending', () => {
    const story = new Story();
    story.queue.whenDone(() => story.lines.push('done'), 1000);
    expect(story.lines).toEqual(['done']);
  });

  it('calls after the callback that it was asked from', async () => {
    const story = new Story();
    story.queue.run(() => {
      story.queue.whenDone(() => story.lines.push('done'), 60_000);
      story.lines.push('ends');
    }, undefined);
    await settle();
    expect(story.lines).toEqual(['ends', 'done']);
  });

  it('calls once, behind every callback before it', async () => {
    const story = new Story();
    const first = story.hold('first');
    const second = story.hold('second');
    story.queue.whenDone(() => story.lines.push('done'), 60_000);
    first.resolve();
    second.resolve();
    await second.result;
    await settle();
    expect(story.lines).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'done']);
  });

  describe('with a callback that never settles', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('calls when its patience is over, and not again when the callback settles after all', async () => {
      const story = new Story();
      const first = story.hold('first');
      story.queue.whenDone(() => story.lines.push('done'), 500);
      await vi.advanceTimersByTimeAsync(499);
      expect(story.lines).toEqual(['first begins']);
      await vi.advanceTimersByTimeAsync(1);
      expect(story.lines).toEqual(['first begins', 'done']);
      first.resolve();
      await vi.advanceTimersByTimeAsync(1000);
      expect(story.lines).toEqual(['first begins', 'done', 'first ends']);
    });

    it('calls no more once the queue is finished, and leaves no timer', async () => {
      const story = new Story();
      const first = story.hold('first');
      story.queue.whenDone(() => story.lines.push('done'), 500);
      story.queue.finish(() => void story.lines.push('last'), 100);
      await vi.advanceTimersByTimeAsync(1000);
      first.resolve();
      await vi.advanceTimersByTimeAsync(1000);
      expect(story.lines).toEqual(['first begins', 'last', 'first ends']);
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

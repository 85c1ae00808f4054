import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HandshakeDeadlines, type Waiting } from '../../../src/server/listener/handshake-deadlines.js';

class Named implements Waiting<Named> {
  before: Named | undefined;
  behind: Named | undefined;
  expiry = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

describe('HandshakeDeadlines', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function deadlines(milliseconds: number): { expired: string[]; waits: HandshakeDeadlines<Named> } {
    const expired: string[] = [];
    return { expired, waits: new HandshakeDeadlines(milliseconds, ({ name }) => expired.push(name)) };
  }

  it('expires each wait after the same time, with one timer', () => {
    const { expired, waits } = deadlines(100);
    waits.add(new Named('a'));
    vi.advanceTimersByTime(60);
    waits.add(new Named('b'));
    waits.add(new Named('c'));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(40);
    expect(expired).toEqual(['a']);
    vi.advanceTimersByTime(59);
    expect(expired).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not expire what was removed, and rests when nothing waits', () => {
    const { expired, waits } = deadlines(100);
    const first = new Named('a');
    waits.add(first);
    vi.advanceTimersByTime(50);
    waits.add(new Named('b'));
    waits.delete(first);
    vi.advanceTimersByTime(100);
    expect(expired).toEqual(['b']);
    expect(vi.getTimerCount()).toBe(0);
    waits.add(new Named('c'));
    waits.clear();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets what expires start another wait', () => {
    const expired: string[] = [];
    const waits: HandshakeDeadlines<Named> = new HandshakeDeadlines(10, ({ name }) => {
      expired.push(name);
      if (expired.length < 3) waits.add(new Named(`${name}'`));
    });
    waits.add(new Named('a'));
    vi.advanceTimersByTime(100);
    expect(expired).toEqual(['a', "a'", "a''"]);
  });

  it('has no deadline at 0', () => {
    const { waits } = deadlines(0);
    waits.add(new Named('a'));
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Owns the tokens that a server hands out: what each is good for, how often, how long, and how many there are. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Sessions } from '../../../src/server/authentication/sessions.js';

const ADA = { name: 'ada', scheme: 'basic', tags: ['staff'] };

function create(options: Partial<{ lifetime: number; singleUse: boolean; max: number }> = {}): Sessions {
  return new Sessions({ path: '/session', lifetime: 60_000, singleUse: true, max: 100, ...options });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a session token', () => {
  it('is long, random and told from tokens of others', () => {
    const sessions = create();
    const [one, two] = [sessions.issue(ADA)!, sessions.issue(ADA)!];
    expect(one.token).toMatch(/^tgs_[\w-]{43}$/);
    expect(one.token).not.toBe(two.token);
    expect(sessions.isOurs(one.token)).toBe(true);
    expect(sessions.isOurs('eyJhbGciOi')).toBe(false);
  });

  it('for a single use stands for its user once; a replay fails', () => {
    const sessions = create();
    const { token, expiresAt } = sessions.issue(ADA)!;
    expect(expiresAt).toBe(1_060_000);
    expect(sessions.redeem(token)).toEqual({ ...ADA, scheme: 'session', expiresAt: undefined });
    expect(sessions.redeem(token)).toBe('unknown');
  });

  it('for its lifetime stands for its user until then, and says when', () => {
    const sessions = create({ singleUse: false });
    const { token } = sessions.issue(ADA)!;
    expect(sessions.redeem(token)).toMatchObject({ name: 'ada', expiresAt: 1_060_000 });
    vi.setSystemTime(1_059_999);
    expect(sessions.redeem(token)).toMatchObject({ name: 'ada' });
    vi.setSystemTime(1_060_000);
    expect(sessions.redeem(token)).toBe('expired');
    expect(sessions.redeem(token)).toBe('unknown');
  });

  it('never outlives the credentials it was asked for with', () => {
    const sessions = create();
    const { token, expiresAt } = sessions.issue({ ...ADA, expiresAt: 1_010_000 })!;
    expect(expiresAt).toBe(1_010_000);
    expect(sessions.redeem(token)).toMatchObject({ expiresAt: 1_010_000 });
  });

  it('that was made up or changed is unknown', () => {
    const sessions = create();
    const { token } = sessions.issue(ADA)!;
    expect(sessions.redeem(`${token}x`)).toBe('unknown');
    expect(sessions.redeem('tgs_')).toBe('unknown');
    expect(sessions.redeem(token)).toMatchObject({ name: 'ada' });
  });
});

describe('the store', () => {
  it('hands out no more tokens than it may hold, until some expire', () => {
    const sessions = create({ max: 2 });
    sessions.issue(ADA);
    vi.setSystemTime(1_030_000);
    sessions.issue(ADA);
    expect(sessions.issue(ADA)).toBeUndefined();
    vi.setSystemTime(1_060_000);
    expect(sessions.issue(ADA)).toBeDefined();
    expect(sessions.size).toBe(2);
    expect(sessions.issue(ADA)).toBeUndefined();
  });

  it('holds no token as it is', () => {
    const sessions = create();
    const { token } = sessions.issue(ADA)!;
    expect(JSON.stringify(sessions)).not.toContain(token);
    sessions.clear();
    expect(sessions.size).toBe(0);
  });
});

/** Owns how offences become bans, and how both are forgotten, on a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import { type Ban, BanPolicy, type BanSettings, Bans } from '../../../src/server/admission/bans.js';

const SETTINGS: BanSettings = { threshold: 10, halfLife: 1000, duration: 4000, maxDuration: 20_000, memory: 60_000 };
const ONE = '192.0.2.1';

class Stage {
  time = 1000;
  readonly told: Ban[] = [];
  readonly bans: Bans;

  constructor(settings: Partial<BanSettings> = {}) {
    const banned = (ban: Ban): void => void this.told.push(ban);
    this.bans = new Bans({ ...SETTINGS, ...settings, now: () => this.time, banned });
  }

  /** Commits enough for a ban at once. */
  deserve(address = ONE): boolean {
    return this.bans.offence(address, SETTINGS.threshold, 'deserved');
  }
}

describe('an address', () => {
  it('is banned by the offence that brings its score to the threshold, and told once', () => {
    const { bans, told } = new Stage();
    expect(bans.offence(ONE, 5, 'first')).toBe(false);
    expect(bans.offence(ONE, 4.9, 'second')).toBe(false);
    expect(bans.remaining(ONE)).toBe(0);
    expect(bans.offence(ONE, 0.1, 'third')).toBe(true);
    expect(bans.remaining(ONE)).toBe(4000);
    expect(bans.offence(ONE, 100, 'while banned')).toBe(true);
    expect(bans.remaining(ONE)).toBe(4000);
    expect(told).toMatchObject([{ address: ONE, count: 1, reason: 'third' }]);
  });

  it('is not banned for the same offences spread over time: the score halves with each half-life', () => {
    const stage = new Stage();
    for (let round = 0; round < 100; round += 1) {
      expect(stage.bans.offence(ONE, 4.9, 'now and then')).toBe(false);
      stage.time += 1000;
    }
    stage.time -= 1000;
    // 4.9 + 2.45 + … is 9.8 by now.
    expect(stage.bans.offence(ONE, 0.3, 'and once more')).toBe(true);
  });

  it('may come again when the ban is over, with a clean score', () => {
    const stage = new Stage();
    stage.deserve();
    stage.time += 3999;
    expect(stage.bans.remaining(ONE)).toBe(1);
    stage.time += 1;
    expect(stage.bans.remaining(ONE)).toBe(0);
    expect(stage.bans.offence(ONE, 9, 'again')).toBe(false);
  });

  it('is banned for twice as long each time, up to the maximum', () => {
    const stage = new Stage();
    const lengths = Array.from({ length: 5 }, () => {
      stage.deserve();
      const length = stage.bans.remaining(ONE);
      stage.time += length;
      return length;
    });
    expect(lengths).toEqual([4000, 8000, 16_000, 20_000, 20_000]);
    expect(stage.told.map(({ count }) => count)).toEqual([1, 2, 3, 4, 5]);
  });

  it('begins anew when its last ban is forgotten', () => {
    const stage = new Stage();
    stage.deserve();
    stage.time += 4000;
    stage.deserve();
    stage.time += 8000 + 60_000;
    stage.deserve();
    expect(stage.bans.remaining(ONE)).toBe(4000);
  });

  it('is banned by an operator for as long as that says, and no longer for a second call', () => {
    const stage = new Stage();
    stage.bans.ban(ONE, 50, 'by hand');
    stage.bans.ban(ONE, 30, 'by hand');
    expect(stage.bans.list()).toMatchObject([{ address: ONE, count: 0, reason: 'by hand' }]);
    stage.time += 30;
    expect(stage.bans.list()).toEqual([]);
    expect(stage.told).toEqual([]);
  });

  it('is forgotten altogether when its ban is lifted', () => {
    const { bans } = new Stage();
    expect(bans.unban(ONE)).toBe(false);
    bans.offence(ONE, 10, '');
    expect(bans.unban(ONE)).toBe(true);
    expect(bans.remaining(ONE)).toBe(0);
    expect(bans.offence(ONE, 9.9, '')).toBe(false);
    bans.offence(ONE, 1, '');
    expect(bans.remaining(ONE)).toBe(4000);
  });
});

it('an IPv6 address is banned with its /64, and IPv4 written as IPv6 as IPv4', () => {
  const { bans } = new Stage();
  bans.offence('2001:db8::1', 5, '');
  bans.offence('2001:db8::2', 5, '');
  expect(bans.remaining('2001:db8::3')).toBe(4000);
  expect(bans.remaining('2001:db8:0:1::3')).toBe(0);
  expect(bans.unban('2001:db8:0:0::/64')).toBe(true);
  bans.offence('::ffff:192.0.2.1', 10, '');
  expect(bans.remaining(ONE)).toBe(4000);
});

it('a threshold of 0, no weight and no address ban nobody', () => {
  expect(new Stage({ threshold: 0 }).bans.offence(ONE, 1e9, '')).toBe(false);
  const { bans } = new Stage();
  for (const weight of [0, -5, Number.NaN]) expect(bans.offence(ONE, weight, '')).toBe(false);
  expect(bans.offence('', 100, '')).toBe(false);
  expect(bans.list()).toEqual([]);
});

it('the policy says how long it lasts, in seconds that are rounded up', () => {
  const stage = new Stage();
  const policy = new BanPolicy(stage.bans);
  const peer = { remoteAddress: ONE, remotePort: 1, localAddress: '127.0.0.1', localPort: 2 };
  expect(policy.connection(peer)).toBeUndefined();
  stage.deserve();
  stage.time += 1;
  expect(policy.connection(peer)).toMatchObject({ error: 'ADDRESS_BANNED', retryAfter: 4 });
});

it('a hundred thousand offenders take no more memory than 65 536 of them', () => {
  const stage = new Stage({ threshold: 1e9 });
  for (let index = 0; index < 100_000; index += 1)
    stage.bans.offence(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 5, '');
  expect(stage.bans.size).toBeLessThanOrEqual(65_536);
});

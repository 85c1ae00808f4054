/**
 * Owns which addresses are kept out for a while: the score of their offences, which decays, and bans, which double. Refuses to say
 * what an offence is.
 */
import { networkOf, parseIpAddress } from '../../protocol/ip-address.js';
import { TidegateError } from '../../receivers/index.js';
import type { AdmissionPolicy, Denial, Peer } from './policy.js';
import { SweptTable } from './swept-table.js';

/** Addresses with offences that are remembered. */
const MAX_ADDRESSES = 65_536;

/** When a score that was never worth mentioning is forgotten. */
const NEGLIGIBLE = 0.5;

/** How bans are given. Milliseconds. */
export interface BanSettings {
  /** The score at which an address is banned. 0 = never by itself. */
  readonly threshold: number;
  /** How long a score takes to become half of what it was. */
  readonly halfLife: number;
  /** The first ban; each further one takes twice as long. */
  readonly duration: number;
  readonly maxDuration: number;
  /** How long after its end a ban makes the next one longer. */
  readonly memory: number;
}

/** An address that is kept out. */
export interface Ban {
  /** An IPv4 address, or a /64 network of IPv6. */
  readonly address: string;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
  /** How many bans in a row this is; 0 for one that an operator gave. */
  readonly count: number;
  /** The last offence, or what the operator said. */
  readonly reason: string;
}

interface Offender {
  score: number;
  scoredAt: number;
  /** Bans in a row. */
  count: number;
  /** When the ban ends; in the past when there is none. */
  until: number;
  reason: string;
}

/** Where bans get the time, and who is told. */
export interface BansOptions extends BanSettings {
  /** Milliseconds on a clock that never goes back; default `performance.now`. */
  readonly now?: () => number;
  /** Called for each ban that is given for offences. Must not throw. */
  readonly banned?: (ban: Ban) => void;
}

/** @throws TidegateError `INVALID_OPTION` for what is no IP address, or no duration. */
export function assertBan(address: string, milliseconds: number): void {
  if (parseIpAddress(address) === undefined) {
    throw new TidegateError('INVALID_OPTION', `address: got ${JSON.stringify(address)}; expected an IP address`);
  }
  if (!(milliseconds >= 1 && milliseconds < Number.POSITIVE_INFINITY)) {
    throw new TidegateError('INVALID_OPTION', `milliseconds: got ${milliseconds}; expected a number from 1 on`);
  }
}

/** The offenders of one server. Outlives its stop, and has no timer. */
export class Bans {
  readonly #options: BansOptions;
  readonly #now: () => number;
  readonly #offenders: SweptTable<Offender>;

  constructor(options: BansOptions) {
    this.#options = options;
    const now = options.now ?? (() => performance.now());
    this.#now = now;
    this.#offenders = new SweptTable<Offender>({
      create: () => ({ score: 0, scoredAt: now(), count: 0, until: 0, reason: '' }),
      isIdle: (offender) => {
        const memory = offender.count > 0 ? options.memory : 0;
        return offender.until + memory <= now() && this.#scoreOf(offender) < NEGLIGIBLE;
      },
      isExpendable: () => true,
      maxEntries: MAX_ADDRESSES,
    });
  }

  /** How many addresses are remembered, banned or not. */
  get size(): number {
    return this.#offenders.size;
  }

  /** Adds to the score of an address. Answers whether it is banned now. */
  offence(address: string, weight: number, reason: string): boolean {
    const { threshold, duration, maxDuration, memory } = this.#options;
    if (threshold <= 0 || !(weight > 0) || address === '') return false;
    const now = this.#now();
    const key = networkOf(address);
    const offender = this.#offenders.obtain(key);
    // What connections that are still open do adds nothing to the ban they caused.
    if (offender.until > now) return true;
    offender.score = this.#scoreOf(offender) + weight;
    offender.scoredAt = now;
    if (offender.score < threshold) return false;
    if (offender.count > 0 && offender.until + memory <= now) offender.count = 0;
    offender.until = now + Math.min(maxDuration, duration * 2 ** offender.count);
    offender.count += 1;
    offender.score = 0;
    offender.reason = reason;
    this.#options.banned?.(this.#describe(key, offender));
    return true;
  }

  /** Keeps an address out for so many milliseconds from now, whatever it did. */
  ban(address: string, milliseconds: number, reason: string): void {
    const offender = this.#offenders.obtain(networkOf(address));
    offender.until = this.#now() + milliseconds;
    offender.reason = reason;
  }

  /** Forgets everything about an address. Answers whether it was banned. */
  unban(address: string): boolean {
    const key = networkOf(address);
    const wasBanned = this.remaining(address) > 0;
    this.#offenders.delete(key);
    return wasBanned;
  }

  /** Milliseconds until an address may come again; 0 when it may now. */
  remaining(address: string): number {
    if (this.#offenders.size === 0) return 0;
    const until = this.#offenders.get(networkOf(address))?.until ?? 0;
    return Math.max(0, until - this.#now());
  }

  /** The bans there are now. */
  list(): Ban[] {
    const now = this.#now();
    return this.#offenders
      .all()
      .filter(([, { until }]) => until > now)
      .map(([address, offender]) => this.#describe(address, offender));
  }

  /** How many bans there are now. */
  get count(): number {
    const now = this.#now();
    return this.#offenders.all().filter(([, { until }]) => until > now).length;
  }

  #scoreOf({ score, scoredAt }: Offender): number {
    return score * 2 ** (-(this.#now() - scoredAt) / this.#options.halfLife);
  }

  #describe(address: string, { until, count, reason }: Offender): Ban {
    return { address, until: Math.round(Date.now() + until - this.#now()), count, reason };
  }
}

/** Keeps out who is banned. */
export class BanPolicy implements AdmissionPolicy {
  readonly name = 'ban';
  readonly #bans: Bans;

  constructor(bans: Bans) {
    this.#bans = bans;
  }

  connection({ remoteAddress }: Peer): Denial | undefined {
    const remaining = this.#bans.remaining(remoteAddress);
    if (remaining === 0) return undefined;
    const seconds = Math.ceil(remaining / 1000);
    const message = `${remoteAddress} is banned for ${seconds} more seconds (admission.bans)`;
    return { error: 'ADDRESS_BANNED', message, retryAfter: seconds };
  }
}

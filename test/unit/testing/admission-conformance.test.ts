/** Owns that the conformance suite for admission policies lets good ones pass, and that each of its cases finds the fault it is for. */
import { describe, expect, it } from 'vitest';
import type { AdmissionPolicy, Connection, Denial, MessageFacts, Peer } from '../../../src/index.js';
import { networkOf } from '../../../src/protocol/ip-address.js';
import { AddressCap } from '../../../src/server/admission/address-cap.js';
import { Census } from '../../../src/server/admission/census.js';
import { ConnectionRate } from '../../../src/server/admission/connection-rate.js';
import { admissionCases, admissionConformance } from '../../../src/testing.js';

const rate = { perSecond: 10, burst: 10 };
const census = () => new Census({ rate, isExempt: () => false, now: () => 0 });

describe.each([
  ['the cap for each address', () => new AddressCap(census(), 3)],
  ['the rate of connections', () => new ConnectionRate(census(), rate, { perSecond: 0, burst: 0 })],
  ['one that only looks at messages', (): AdmissionPolicy => new Quota()],
] as const)('a good policy: %s', (_, create) => {
  // What is remembered of an address is bounded by their number: 65 536 of about 200 bytes.
  admissionConformance(create, { test: it, maxHeldBytes: 16 * 1024 * 1024 });
});

class Quota implements AdmissionPolicy {
  readonly name = 'quota';
  message(_connection: Connection, { bytes }: MessageFacts): Denial | undefined {
    return bytes > 1000 ? { error: 'MESSAGE_TOO_BIG', message: 'that is too much' } : undefined;
  }
}

/** One connection of each address at a time. */
class OnlyOne implements AdmissionPolicy {
  readonly name = 'only-one';
  readonly taken = new Set<string>();
  connection(peer: Peer): Denial | undefined {
    const key = this.keyOf(peer);
    if (this.taken.has(key)) return { error: 'TOO_MANY_CONNECTIONS', message: 'one is enough', retryAfter: 1 };
    this.taken.add(key);
    return undefined;
  }
  release(peer: Peer): void {
    this.taken.delete(this.keyOf(peer));
  }
  protected keyOf({ remoteAddress }: Peer): string {
    return networkOf(remoteAddress);
  }
}

/** For each case a policy with the fault that it is for. */
const FAULTY: Readonly<Record<string, new () => AdmissionPolicy>> = {
  'throws for no address': class extends OnlyOne {
    protected override keyOf({ remoteAddress }: Peer): string {
      return new URL(`http://${remoteAddress}`).hostname;
    }
  },
  'answers at once, with nothing or a denial that can be carried out': class extends OnlyOne {
    override connection(peer: Peer): Denial | undefined {
      return super.connection(peer) && ({ error: 'GO_AWAY', message: 'now' } as unknown as Denial);
    }
  },
  'judges all forms of an address alike': class extends OnlyOne {
    protected override keyOf({ remoteAddress }: Peer): string {
      return remoteAddress;
    }
  },
  'gives back what a connection took': class extends OnlyOne {
    override release(): void {}
  },
  'holds a bounded memory, however many addresses come': class extends OnlyOne {
    readonly #seen = new Map<string, { at: number; address: string }>();
    override connection(peer: Peer): Denial | undefined {
      this.#seen.set(peer.remoteAddress, { at: this.#seen.size, address: `${peer.remoteAddress} came` });
      return super.connection(peer);
    }
  },
  'throws for no message, and answers at once': class extends OnlyOne {
    message(_connection: Connection, { bytes }: MessageFacts): Denial | undefined {
      Buffer.alloc(bytes > 2 ** 40 ? -1 : 0);
      return undefined;
    }
  },
};

describe('each case finds a policy that', () => {
  it.each(Object.entries(FAULTY))('is wrong about: %s', async (name, Policy) => {
    const found = admissionCases(() => new Policy()).find((one) => one.name === name);
    await expect(found?.run()).rejects.toThrow();
  });

  it('and there is a faulty one for every case', () => {
    expect(admissionCases(() => new OnlyOne()).map(({ name }) => name)).toEqual(Object.keys(FAULTY));
  });
});

/** Owns who gets a pass and what a pass gives back, without sockets and on a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import type { AdmissionHooks } from '../../../src/server/admission/admission-hooks.js';
import { AdmissionRecord } from '../../../src/server/admission/admission-record.js';
import { Gatekeeper } from '../../../src/server/admission/gatekeeper.js';
import type { Pass } from '../../../src/server/admission/pass.js';
import type { AdmissionPolicy, Denial, Peer } from '../../../src/server/admission/policy.js';
import { type ProxyConfigInput, resolveProxyOptions } from '../../../src/server/config/options.js';
import type { RejectedUpgrade } from '../../../src/server/events.js';
import { deferred } from '../../support/events.js';

const peerOf = (remoteAddress: string): Peer => ({
  remoteAddress,
  remotePort: 4711,
  localAddress: '10.0.0.1',
  localPort: 80,
});

class Stage {
  time = 5000;
  readonly told: RejectedUpgrade[] = [];
  readonly exceptions: unknown[] = [];
  readonly record: AdmissionRecord;
  readonly gatekeeper: Gatekeeper;

  constructor(options: ProxyConfigInput = {}, hooks: AdmissionHooks = {}) {
    const config = resolveProxyOptions(options);
    const now = () => this.time;
    this.record = new AdmissionRecord(config, undefined, now);
    this.gatekeeper = new Gatekeeper({
      config,
      hooks,
      record: this.record,
      rejected: (rejected) => void this.told.push(rejected),
      exception: (error) => void this.exceptions.push(error),
      now,
    });
  }

  arrive(address = '192.0.2.1', role: 'client' | 'control' = 'client'): Pass {
    return this.gatekeeper.arrive(peerOf(address), role);
  }

  /** What becomes of someone who comes: `admitted`, or the code of the error. */
  outcome(address?: string): string {
    const pass = this.arrive(address);
    return pass.denial?.error ?? pass.state;
  }
}

/** A policy that counts, and denies whom it is told to. */
class Recorder implements AdmissionPolicy {
  readonly lines: string[] = [];
  readonly name: string;
  readonly #denies: string | undefined;

  constructor(name: string, denies?: string) {
    this.name = name;
    this.#denies = denies;
  }

  connection({ remoteAddress }: Peer): Denial | undefined {
    this.lines.push(`+${remoteAddress}`);
    return remoteAddress === this.#denies ? { error: 'POLICY_DENIED', message: 'no' } : undefined;
  }

  release({ remoteAddress }: Peer): void {
    this.lines.push(`-${remoteAddress}`);
  }
}

describe('lists', () => {
  it('let in who is allowed and not denied', () => {
    const stage = new Stage({
      admission: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.66', '2001:db8:0:bad::/64'] },
    });
    expect(stage.outcome('192.0.2.1')).toBe('admitted');
    expect(stage.outcome('2001:db8::1')).toBe('admitted');
    for (const address of ['192.0.2.66', '::ffff:192.0.2.66', '2001:db8:0:bad::1', '192.0.3.1', '::1', '']) {
      expect(stage.outcome(address)).toBe('ADDRESS_DENIED');
    }
    expect(stage.record.refusals.snapshot()).toEqual({
      total: 6,
      byError: { ADDRESS_DENIED: 6 },
      byPolicy: { 'address-list': 6 },
    });
  });

  it('let everyone in but the denied when nobody is allowed by name', () => {
    const stage = new Stage({ admission: { deny: ['0.0.0.0/0'] } });
    expect(stage.outcome('192.0.2.1')).toBe('ADDRESS_DENIED');
    expect(stage.outcome('2001:db8::1')).toBe('admitted');
  });
});

describe('a cap for each address', () => {
  const limits = { maxConnectionsPerAddress: 2 };

  it('counts those that are there, and has room again when one is gone', () => {
    const stage = new Stage({ limits });
    const first = stage.arrive();
    stage.arrive();
    const third = stage.arrive();
    expect(third.denial).toMatchObject({ error: 'TOO_MANY_CONNECTIONS' });
    third.release();
    expect(stage.outcome()).toBe('TOO_MANY_CONNECTIONS');
    first.release();
    first.release();
    expect(stage.outcome()).toBe('admitted');
    expect(stage.outcome()).toBe('TOO_MANY_CONNECTIONS');
    expect(stage.outcome('192.0.2.2')).toBe('admitted');
  });

  it('counts IPv6 by /64, and exempts what stands for many', () => {
    const stage = new Stage({ limits, trustedProxies: ['203.0.113.0/24'] });
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((one) => stage.outcome(one)).at(-1)).toBe(
      'TOO_MANY_CONNECTIONS',
    );
    expect(stage.outcome('2001:db8:1::1')).toBe('admitted');
    for (const address of ['127.0.0.1', '::1', '203.0.113.5']) {
      for (let count = 0; count < 5; count += 1) expect(stage.outcome(address)).toBe('admitted');
    }
  });
});

describe('a rate of new connections', () => {
  it('is that of each address, with a burst, and says when to come back', () => {
    const stage = new Stage({ admission: { rate: { perAddress: 2, burst: '2s' } } });
    const comes = (count: number) => Array.from({ length: count }, () => stage.outcome());
    expect(comes(4)).toEqual(Array(4).fill('admitted'));
    expect(stage.arrive().denial).toMatchObject({ error: 'RATE_LIMITED', retryAfter: 1 });
    expect(stage.outcome('192.0.2.2')).toBe('admitted');
    stage.time += 499;
    expect(stage.outcome()).toBe('RATE_LIMITED');
    stage.time += 1;
    expect(comes(2)).toEqual(['admitted', 'RATE_LIMITED']);
    stage.time += 3_600_000;
    expect(comes(5)).toEqual([...Array(4).fill('admitted'), 'RATE_LIMITED']);
  });

  it('is that of all together, also for those that are exempt', () => {
    const stage = new Stage({ admission: { rate: { perAddress: 0, total: 1, burst: '3s' } } });
    const outcomes = ['192.0.2.1', '127.0.0.1', '192.0.2.3', '192.0.2.4'].map((one) => stage.outcome(one));
    expect(outcomes).toEqual(['admitted', 'admitted', 'admitted', 'RATE_LIMITED']);
  });

  it('lets a flood from one address take nothing from the others', () => {
    const stage = new Stage({ admission: { rate: { perAddress: 1, total: 5, burst: '1s' } } });
    for (let count = 0; count < 50; count += 1) stage.outcome();
    for (const address of ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'])
      expect(stage.outcome(address)).toBe('admitted');
  });

  it('bans who goes on at many times of it', () => {
    const stage = new Stage({ admission: { rate: { perAddress: 1, burst: '1s' }, bans: { threshold: 10 } } });
    const outcomes = Array.from({ length: 130 }, () => stage.outcome());
    expect(outcomes.slice(1, 101)).toEqual(Array(100).fill('RATE_LIMITED'));
    expect(outcomes.at(-1)).toBe('ADDRESS_BANNED');
  });
});

describe('bans', () => {
  it('keep out who offends, but nobody who stands for many', () => {
    const stage = new Stage({ trustedProxies: ['203.0.113.1'] });
    for (const address of ['192.0.2.1', '127.0.0.1', '203.0.113.1']) {
      stage.gatekeeper.offence({ remoteAddress: address }, 1000, 'bad');
    }
    expect(stage.outcome('192.0.2.1')).toBe('ADDRESS_BANNED');
    expect(stage.outcome('127.0.0.1')).toBe('admitted');
    expect(stage.outcome('203.0.113.1')).toBe('admitted');
  });

  it('are possible for this machine too, when nobody is exempt', () => {
    const stage = new Stage({ admission: { exempt: ['none'] } });
    expect(stage.gatekeeper.offence({ remoteAddress: '127.0.0.1' }, 100, 'bad')).toBe(true);
    expect(stage.outcome('127.0.0.1')).toBe('ADDRESS_BANNED');
  });

  it('count malformed handshakes, but not silence', () => {
    const stage = new Stage({ admission: { bans: { threshold: 3 } } });
    const refusal = { error: 'HANDSHAKE_TIMEOUT' as const, message: '', remoteAddress: '192.0.2.1' };
    for (let count = 0; count < 10; count += 1) stage.gatekeeper.refused({ ...refusal, isSilent: true });
    for (let count = 0; count < 10; count += 1) stage.gatekeeper.refused({ ...refusal, error: 'NOT_AN_UPGRADE' });
    expect(stage.outcome()).toBe('admitted');
    for (let count = 0; count < 3; count += 1) stage.gatekeeper.refused(refusal);
    expect(stage.outcome()).toBe('ADDRESS_BANNED');
  });
});

describe('policies of the application', () => {
  it('come after the built-in ones, and each that admitted is released once', () => {
    const [first, second, third] = [new Recorder('a'), new Recorder('b', '192.0.2.9'), new Recorder('c')];
    const stage = new Stage({ admission: { deny: ['192.0.2.66'] } }, { policies: [first, second, third] });
    expect(stage.outcome('192.0.2.66')).toBe('ADDRESS_DENIED');
    const denied = stage.arrive('192.0.2.9');
    expect(denied).toMatchObject({ state: 'denied', denial: { error: 'POLICY_DENIED' }, isToldWhy: false });
    denied.release();
    const admitted = stage.arrive('192.0.2.1');
    admitted.release();
    admitted.release();
    expect(first.lines).toEqual(['+192.0.2.9', '-192.0.2.9', '+192.0.2.1', '-192.0.2.1']);
    expect(second.lines).toEqual(['+192.0.2.9', '+192.0.2.1', '-192.0.2.1']);
    expect(third.lines).toEqual(['+192.0.2.1', '-192.0.2.1']);
    expect(stage.record.refusals.snapshot().byPolicy).toEqual({ 'address-list': 1, b: 1 });
  });

  it('that throw deny with RECEIVER_FAILED, are told, and end nothing else', () => {
    const failing: AdmissionPolicy = {
      name: 'failing',
      connection: () => {
        throw new Error('broken');
      },
    };
    const before = new Recorder('before');
    const stage = new Stage({}, { policies: [before, failing] });
    expect(stage.outcome()).toBe('RECEIVER_FAILED');
    expect(stage.exceptions).toMatchObject([{ message: 'broken' }]);
    expect(before.lines).toEqual(['+192.0.2.1', '-192.0.2.1']);
  });

  it('that throw in release are told, and the others are released all the same', () => {
    const failing: AdmissionPolicy = {
      name: 'failing',
      release: () => {
        throw new Error('broken');
      },
    };
    const before = new Recorder('before');
    const stage = new Stage({}, { policies: [before, failing] });
    stage.arrive().release();
    expect(before.lines).toEqual(['+192.0.2.1', '-192.0.2.1']);
    expect(stage.exceptions).toHaveLength(1);
  });

  it('are asked about messages only where one wants that', () => {
    expect(new Stage({}, { policies: [new Recorder('a')] }).gatekeeper.readsMessages).toBe(false);
    const stage = new Stage(
      {},
      {
        policies: [
          {
            name: 'size',
            message: (_, { bytes }) => (bytes > 3 ? { error: 'RATE_LIMITED', message: 'big' } : undefined),
          },
          {
            name: 'kind',
            message: (_, { kind }) => {
              if (kind === 'text') throw new Error('broken');
              return undefined;
            },
          },
        ],
      },
    );
    const ask = (kind: 'text' | 'binary', bytes: number) =>
      stage.gatekeeper.message({} as never, { kind, bytes })?.error;
    expect(stage.gatekeeper.readsMessages).toBe(true);
    expect(ask('binary', 3)).toBeUndefined();
    expect(ask('text', 4)).toBe('RATE_LIMITED');
    expect(ask('text', 3)).toBe('RECEIVER_FAILED');
    expect(stage.record.refusals.snapshot().byPolicy).toEqual({ size: 1, kind: 1 });
    expect(stage.exceptions).toHaveLength(1);
  });
});

describe('onTcpConnect', () => {
  it.each([
    [undefined, 'admitted'],
    [true, 'admitted'],
    ['accept', 'admitted'],
    ['tcp', 'admitted'],
    [false, 'POLICY_DENIED'],
    ['reject', 'POLICY_DENIED'],
    ['perhaps', 'RECEIVER_FAILED'],
    [null, 'RECEIVER_FAILED'],
  ])('that answers %j', async (answer, outcome) => {
    const hook = { onTcpConnect: () => answer as undefined };
    expect(new Stage({}, hook).outcome()).toBe(outcome);
    const late = new Stage({}, { onTcpConnect: () => Promise.resolve(answer as undefined) });
    const pass = late.arrive();
    expect(pass.state).toBe('deciding');
    const settled = deferred<void>();
    pass.onSettled = () => settled.resolve();
    await settled.promise;
    expect(pass.denial?.error ?? pass.state).toBe(outcome);
    expect(pass.verdict).toBe(answer === 'tcp' ? 'tcp' : 'accept');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('that %s denies, is told, and releases what was granted', async (_, onTcpConnect) => {
    const policy = new Recorder('a');
    const stage = new Stage({}, { onTcpConnect, policies: [policy] });
    const pass = stage.arrive();
    await Promise.resolve();
    await Promise.resolve();
    expect(pass.denial).toMatchObject({ error: 'RECEIVER_FAILED' });
    pass.release();
    expect(policy.lines).toEqual(['+192.0.2.1', '-192.0.2.1']);
    expect(stage.exceptions).toMatchObject([{ message: 'broken' }]);
    expect(stage.record.refusals.snapshot().byPolicy).toEqual({ onTcpConnect: 1 });
  });

  it('is not asked about who is denied, and its late answer counts for nobody who has left', async () => {
    const answer = deferred<boolean>();
    const asked: string[] = [];
    const stage = new Stage(
      { admission: { deny: ['192.0.2.66'] } },
      {
        onTcpConnect: ({ remoteAddress }) => {
          asked.push(remoteAddress);
          return answer.promise;
        },
      },
    );
    stage.arrive('192.0.2.66');
    const pass = stage.arrive('192.0.2.1');
    pass.onSettled = () => expect.unreachable();
    pass.release();
    answer.resolve(true);
    await answer.promise;
    expect(asked).toEqual(['192.0.2.1']);
    expect(pass.state).toBe('released');
    expect(stage.gatekeeper.present).toBe(0);
  });
});

describe('a server that pauses when it is full', () => {
  const limits = { maxConnections: 3, reservedConnections: 1, overflow: 'pause' as const };

  it('lets wait who finds no room, and in the order of their coming lets them in', () => {
    const stage = new Stage({ limits });
    const [first, second] = [stage.arrive(), stage.arrive()];
    const waiting = [stage.arrive(), stage.arrive(), stage.arrive()];
    const order: number[] = [];
    for (const [index, pass] of waiting.entries()) pass.onSettled = () => order.push(index);
    expect(waiting.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(stage.gatekeeper.waiting).toBe(3);
    waiting[1]!.release();
    first.release();
    expect(order).toEqual([0]);
    second.release();
    expect(order).toEqual([0, 2]);
    expect(stage.gatekeeper).toMatchObject({ waiting: 0, present: 2 });
  });

  it('keeps the reserved room for control channels, before and after they have it', () => {
    const stage = new Stage({ limits });
    const clients = [stage.arrive(), stage.arrive(), stage.arrive()];
    expect(clients.map(({ state }) => state)).toEqual(['admitted', 'admitted', 'waiting']);
    const control = stage.arrive('192.0.2.1', 'control');
    const another = stage.arrive('192.0.2.1', 'control');
    expect([control.state, another.state]).toEqual(['admitted', 'waiting']);
    clients[0]!.release();
    expect([another.state, clients[2]!.state]).toEqual(['admitted', 'waiting']);
    another.release();
    expect(clients[2]!.state).toBe('admitted');
  });
});

describe('trusted proxies', () => {
  const proxies = { trustedProxies: ['10.0.0.0/8', '2001:db8::/32'] };
  const identified = (stage: Stage, from: string, ...rawHeaders: string[]): string => {
    const pass = stage.arrive(from);
    stage.gatekeeper.identify(pass, rawHeaders);
    return pass.peer.remoteAddress;
  };

  it.each([
    ['who comes by one', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['who comes by several', '10.0.0.1', '192.0.2.1, 10.0.0.7, 2001:db8::5', '192.0.2.1'],
    ['who makes up what is before him', '10.0.0.1', '127.0.0.1, 192.0.2.1', '192.0.2.1'],
    ['who makes up a proxy', '10.0.0.1', '127.0.0.1, 10.9.9.9, 192.0.2.1, 10.0.0.7', '192.0.2.1'],
    ['who comes from within', '10.0.0.1', '10.0.0.9, 10.0.0.8', '10.0.0.9'],
    ['who is hidden', '10.0.0.1', '192.0.2.1, unknown, 10.0.0.7', '10.0.0.7'],
    ['who is nobody', '10.0.0.1', "192.0.2.1' --", '10.0.0.1'],
    ['who tells nothing', '10.0.0.1', '', '10.0.0.1'],
    ['who is no proxy', '192.0.2.50', '127.0.0.1', '192.0.2.50'],
    ['a proxy that writes IPv4 as IPv6', '::ffff:10.0.0.1', '::ffff:192.0.2.1', '192.0.2.1'],
  ])('%s', (_, from, header, client) => {
    expect(identified(new Stage(proxies), from, 'X-Forwarded-For', header)).toBe(client);
  });

  it('are believed in one header only: the other may be the client’s', () => {
    const both = ['X-Forwarded-For', '192.0.2.1', 'Forwarded', 'for=192.0.2.2'];
    expect(identified(new Stage(proxies), '10.0.0.1', ...both)).toBe('192.0.2.1');
    expect(identified(new Stage({ ...proxies, forwardedHeader: 'forwarded' }), '10.0.0.1', ...both)).toBe('192.0.2.2');
    expect(identified(new Stage({ ...proxies, forwardedHeader: 'none' }), '10.0.0.1', ...both)).toBe('10.0.0.1');
  });

  it('may send their header in several fields, and a malformed Forwarded counts for nothing', () => {
    const fields = ['X-Forwarded-For', '127.0.0.1', 'x-forwarded-for', '192.0.2.1'];
    expect(identified(new Stage(proxies), '10.0.0.1', ...fields)).toBe('192.0.2.1');
    const stage = new Stage({ ...proxies, forwardedHeader: 'forwarded' });
    expect(identified(stage, '10.0.0.1', 'Forwarded', 'for=192.0.2.1;;x')).toBe('10.0.0.1');
  });

  it('tell scheme and host, of which nonsense is left out', () => {
    const stage = new Stage(proxies);
    const pass = stage.arrive('10.0.0.1');
    const fields = ['X-Forwarded-Proto', 'http, HTTPS', 'X-Forwarded-Host', 'example.com:8443'];
    stage.gatekeeper.identify(pass, fields);
    expect(pass.forwarded).toEqual({ proto: 'https', host: 'example.com:8443' });
    const odd = stage.arrive('10.0.0.1');
    stage.gatekeeper.identify(odd, ['X-Forwarded-Proto', '<b>', 'X-Forwarded-Host', 'a b']);
    expect(odd.forwarded).toEqual({ proto: undefined, host: undefined });
    const stranger = stage.arrive('192.0.2.1');
    stage.gatekeeper.identify(stranger, fields);
    expect(stranger.forwarded).toBeUndefined();
  });

  it('are let in, and whom they bring is asked about once, and released as who he is', () => {
    const policy = new Recorder('a', '192.0.2.9');
    const stage = new Stage({ ...proxies, admission: { deny: ['10.0.0.1'] } }, { policies: [policy] });
    const pass = stage.arrive('10.0.0.1');
    expect(pass.state).toBe('admitted');
    expect(policy.lines).toEqual([]);
    expect(stage.gatekeeper.identify(pass, ['X-Forwarded-For', '192.0.2.1'])).toBeUndefined();
    pass.release();
    const denied = stage.arrive('10.0.0.1');
    expect(stage.gatekeeper.identify(denied, ['X-Forwarded-For', '192.0.2.9'])).toMatchObject({
      error: 'POLICY_DENIED',
    });
    denied.release();
    const silent = stage.arrive('10.0.0.1');
    silent.release();
    expect(policy.lines).toEqual(['+192.0.2.1', '-192.0.2.1', '+192.0.2.9']);
    expect(stage.record.refusals.snapshot().byPolicy).toEqual({ a: 1 });
  });

  it('may tell by the PROXY protocol first, and by a header of the next proxy then', () => {
    const policy = new Recorder('a');
    const stage = new Stage(proxies, { policies: [policy] });
    const direct = stage.arrive('10.0.0.1');
    expect(stage.gatekeeper.become(direct, peerOf('192.0.2.1'))).toBeUndefined();
    // He is no proxy, so his header is not believed.
    expect(stage.gatekeeper.identify(direct, ['X-Forwarded-For', '127.0.0.1'])).toBeUndefined();
    expect(direct.peer.remoteAddress).toBe('192.0.2.1');
    direct.release();
    const chained = stage.arrive('10.0.0.1');
    stage.gatekeeper.become(chained, peerOf('10.0.0.2'));
    stage.gatekeeper.identify(chained, ['X-Forwarded-For', '192.0.2.2']);
    chained.release();
    expect(policy.lines).toEqual(['+192.0.2.1', '-192.0.2.1', '+192.0.2.2', '-192.0.2.2']);
  });

  it('that bring someone who is banned are not banned with him', () => {
    const stage = new Stage(proxies);
    stage.gatekeeper.offence({ remoteAddress: '192.0.2.1' }, 1000, 'bad');
    const pass = stage.arrive('10.0.0.1');
    expect(stage.gatekeeper.identify(pass, ['X-Forwarded-For', '192.0.2.1'])).toMatchObject({
      error: 'ADDRESS_BANNED',
    });
    expect(identified(stage, '10.0.0.1', 'X-Forwarded-For', '192.0.2.2')).toBe('192.0.2.2');
  });
});

describe('a cap for each user', () => {
  it('has a place again when one is given back, once', () => {
    const { gatekeeper, record } = new Stage({ limits: { maxConnectionsPerUser: 2 } });
    const take = () => gatekeeper.user('ada');
    const first = take();
    take();
    expect(take()).toMatchObject({ error: 'TOO_MANY_CONNECTIONS' });
    expect('release' in gatekeeper.user('bob')).toBe(true);
    if ('release' in first) {
      first.release();
      first.release();
    }
    expect('release' in take()).toBe(true);
    expect(take()).toMatchObject({ error: 'TOO_MANY_CONNECTIONS' });
    expect(record.refusals.snapshot().byPolicy).toEqual({ 'connections-per-user': 2 });
  });

  it('is off by default', () => {
    const { gatekeeper } = new Stage();
    for (let count = 0; count < 1000; count += 1) expect('release' in gatekeeper.user('ada')).toBe(true);
  });
});

describe('a flood of denials', () => {
  it('is told ten times a second, with how many were not told; and counted in full', () => {
    const stage = new Stage({ admission: { deny: ['192.0.2.1'] } });
    for (let count = 0; count < 1000; count += 1) stage.arrive();
    expect(stage.told).toHaveLength(10);
    stage.time += 100;
    stage.arrive();
    expect(stage.told).toHaveLength(11);
    expect(stage.told.at(-1)).toMatchObject({ suppressed: 990, policy: 'address-list', error: 'ADDRESS_DENIED' });
    expect(stage.told[0]?.suppressed).toBeUndefined();
    expect(stage.record.refusals.snapshot().total).toBe(1001);
  });

  it('is answered a hundred times a second, and cut otherwise', () => {
    const stage = new Stage({ limits: { maxConnectionsPerAddress: 1 } });
    stage.arrive();
    const answered = Array.from({ length: 1000 }, () => stage.arrive()).filter(({ isToldWhy }) => isToldWhy);
    expect(answered).toHaveLength(100);
    stage.time += 10;
    expect(stage.arrive().isToldWhy).toBe(true);
    expect(stage.arrive().isToldWhy).toBe(false);
  });
});

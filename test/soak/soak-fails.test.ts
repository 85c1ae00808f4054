/** Owns that a soak can fail: a planted fault of each kind is found. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../fuzz/random.js';
import { HeapTrend } from './heap.js';
import { Pattern, Verifier } from './pattern.js';
import { soak } from './soak.js';

describe('a soak fails', () => {
  it('when a byte of a message is changed on the way', async () => {
    const change = (data: Buffer): Buffer => {
      const changed = Buffer.from(data);
      // The name of a life is left alone: without it the target would not know who speaks.
      if (data.length > 1000) changed[500]! ^= 1;
      return changed;
    };
    const { faults } = await soak({ seed: 2, time: 1, round: 3000, sabotage: { change } });
    expect(faults[0]).toMatch(/^life .*\(messages.*byte \d+ is \d+, not \d+, at the target/);
  }, 60_000);

  it('when a socket is left open', async () => {
    const server = createServer((socket) => socket.on('error', () => {})).listen({ port: 0, host: '127.0.0.1' });
    const left: Socket[] = [];
    onTestFinished(() => {
      for (const socket of left) socket.destroy();
      server.close();
    });
    const lifeEnded = (): void => {
      const address = server.address();
      if (address !== null && typeof address === 'object') left.push(connect(address.port, '127.0.0.1'));
    };
    const { faults } = await soak({ seed: 3, time: 1, round: 400, patience: 4000, sabotage: { lifeEnded } });
    expect(faults[0]).toMatch(/everything that was opened is closed; instead: .*TCPSocketWrap/);
  }, 60_000);

  it('when a timer is left running', async () => {
    const left: NodeJS.Timeout[] = [];
    onTestFinished(() => {
      for (const timer of left) clearInterval(timer);
    });
    const lifeEnded = (): void => void left.push(setInterval(() => {}, 1000));
    const { faults } = await soak({ seed: 3, time: 1, round: 400, patience: 4000, sabotage: { lifeEnded } });
    expect(faults[0]).toMatch(/everything that was opened is closed; instead: .*Timeout/);
  }, 60_000);

  it('when memory grows from checkpoint to checkpoint', () => {
    const trend = new HeapTrend();
    const left: Buffer[] = [];
    for (let round = 0; round < 12; round += 1) {
      left.push(Buffer.alloc(3 * 2 ** 20, round));
      trend.sample();
    }
    expect(left).toHaveLength(12);
    expect(trend.fault()).toMatch(/^memory grew from .* over 10 checkpoints$/);
  });

  it('not for memory that goes up and down', () => {
    const trend = new HeapTrend();
    for (let round = 0; round < 12; round += 1) {
      const held = Buffer.alloc((round % 3) * 2 ** 20, round);
      trend.sample();
      expect(held.length).toBeGreaterThanOrEqual(0);
    }
    expect(trend.fault()).toBeUndefined();
  });
});

describe('a verifier', () => {
  const pattern = new Pattern(new Random(5).next(), 20_000);

  it('takes the bytes of its direction in any pieces, and no others', () => {
    const right = new Verifier(pattern);
    for (let at = 0; at < pattern.total; at += 777) {
      expect(right.bytes(pattern.at(at, Math.min(777, pattern.total - at)))).toBeUndefined();
    }
    expect(right.complete).toBe(true);
    expect(right.bytes(Buffer.from('x'))).toMatch(/^more than/);
    expect(new Verifier(pattern).bytes(pattern.at(1, 10))).toMatch(/^byte 0 is/);
  });

  it('sees a message whose border or type changed', () => {
    const { data, binary } = pattern.message(0, 0);
    expect(new Verifier(pattern).message(data, binary)).toBeUndefined();
    expect(new Verifier(pattern).message(data, !binary)).toMatch(/changed its type$/);
    expect(new Verifier(pattern).message(pattern.at(0, data.length + 1), binary)).toMatch(
      /^message 0 has \d+ bytes, not/,
    );
  });
});

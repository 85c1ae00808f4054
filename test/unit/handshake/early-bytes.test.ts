import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { holdEarlyBytes } from '../../../src/server/handshake/early-bytes.js';
import { readAll, socketPair } from './pair.js';

const never = (): void => {
  throw new Error('the client is said to have left');
};

describe('holdEarlyBytes', () => {
  it('keeps what came before the answer, and leaves the rest on the socket', async () => {
    const { server, client } = await socketPair({ pauseOnConnect: true });
    const early = holdEarlyBytes(server, Buffer.from('a'), 1000, never);
    client.write('b');
    await once(server, 'data');
    const held = early.release();
    expect(held.toString()).toBe('ab');
    expect(server.isPaused()).toBe(true);
    expect(['data', 'close'].map((name) => server.listenerCount(name))).toEqual([0, 0]);
    client.end('c');
    await expect(readAll(server)).resolves.toBe('c');
  });

  it('stops reading at its bound', async () => {
    const { server, client } = await socketPair({ pauseOnConnect: true });
    const early = holdEarlyBytes(server, Buffer.alloc(0), 10, never);
    client.end(Buffer.alloc(1_000_000, 'x'));
    await once(server, 'pause');
    const held = early.release();
    expect(held.length).toBeLessThanOrEqual(10 + 65_536);
    expect(held.length + (await readAll(server)).length).toBe(1_000_000);
  });

  it.each([
    ['ends', 'end'],
    ['resets', 'resetAndDestroy'],
  ] as const)('says once that a client which %s has left', async (_, how) => {
    const { server, client } = await socketPair({ pauseOnConnect: true, allowHalfOpen: true });
    server.on('error', () => {});
    let times = 0;
    const gone = new Promise<void>((resolve) =>
      holdEarlyBytes(server, Buffer.alloc(0), 10, () => {
        times += 1;
        resolve();
      }),
    );
    client[how]();
    await gone;
    server.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(times).toBe(1);
  });

  it('says nothing after the release', async () => {
    const { server, client } = await socketPair({ pauseOnConnect: true });
    holdEarlyBytes(server, Buffer.alloc(0), 10, never).release();
    client.end();
    await expect(readAll(server)).resolves.toBe('');
  });
});

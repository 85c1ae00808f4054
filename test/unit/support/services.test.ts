/** Owns the check that services are found or started, stop completely, or are said to be missing. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { findChromium, findMosquitto, findRedis, startMosquitto, startRedis } from '../../support/services.js';
import { connectTcp, refusedPort } from '../../support/tcp-peer.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('services', () => {
  test.each([
    ['Redis', findRedis],
    ['a Redis of our own', startRedis],
    ['Mosquitto', findMosquitto],
    ['a Mosquitto of our own', startMosquitto],
  ])('%s answers, or is said to be missing', async (_what, find) => {
    const service = await find();
    if (service.missing !== undefined) {
      expect(service.missing).toMatch(/install|answer|ended/);
      return;
    }
    (await connectTcp(service)).destroy();
    await service.stop();
    if (service.own) await expect(connectTcp(service)).rejects.toThrow('ECONNREFUSED');
  });

  test('an address that is named and does not answer is not replaced by another', async () => {
    vi.stubEnv('REDIS_URL', `redis://127.0.0.1:${await refusedPort()}`);
    expect(await findRedis()).toMatchObject({ missing: expect.stringContaining('REDIS_URL') });
    vi.stubEnv('CHROMIUM_PATH', '/nowhere/chromium');
    expect(findChromium()).toEqual({ missing: 'CHROMIUM_PATH is /nowhere/chromium, which cannot be run' });
  });
});

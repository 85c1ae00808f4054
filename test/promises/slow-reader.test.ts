/** Holds that the write stall deadline is one for a client that reads nothing, and not for one that reads slowly. */
import { once } from 'node:events';
import { setTimeout as pace } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stage, withoutTarget } from './setups.js';

const MESSAGE = Buffer.alloc(64 * 1024, 7);
const MESSAGES = 300;
const STALL = 2000;

describe('a client that reads slowly', () => {
  it('P8: gets everything that was queued for it, however much longer than the write stall deadline that takes', async () => {
    const stage = await Stage.start(withoutTarget, { timeouts: { writeStall: STALL } });
    const { client, receiver } = await stage.open();
    client.pauseReading();
    for (let sent = 0; sent < MESSAGES; sent += 1) receiver.connection.send(MESSAGE);
    expect(receiver.connection.bufferedBytes).toBeGreaterThan(1024 * 1024);

    const began = performance.now();
    // The pace of this client is what is tested: it takes one chunk, then waits for a fraction of the deadline.
    while (client.bytesReceived < MESSAGES * MESSAGE.length) {
      const chunk = once(client.socket, 'data');
      client.resumeReading();
      await chunk;
      client.pauseReading();
      await pace(STALL / 120);
    }
    client.resumeReading();
    for (let received = 0; received < MESSAGES; received += 1) {
      expect((await client.nextBinary()).equals(MESSAGE)).toBe(true);
    }
    expect(performance.now() - began).toBeGreaterThan(2 * STALL);
    expect(receiver.connection.state).toBe('open');
  });
});

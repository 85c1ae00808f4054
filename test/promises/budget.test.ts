/**
 * Owns promise P3 over all connections: what is held for all of them together is bounded, the slowest pay for it, and nobody else.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { encodeFrame } from '../support/frames.js';
import { everySetup, messageSetups, type Pair, Stage } from './setups.js';

const MESSAGE = randomBytes(64 * 1024);
const MIB = 2 ** 20;
const BUDGET = 4 * MIB;

const OPTIONS = { limits: { maxHeldBytes: BUDGET, maxQueuedBytes: 8 * MIB }, timeouts: { close: 60_000 } };

/** A client that reads nothing, with that much waiting for it. */
async function stalled(stage: Stage, bytes: number): Promise<Pair> {
  const pair = await stage.open();
  await pair.receiver.waitFor('open');
  pair.client.pauseReading();
  while (pair.receiver.connection.bufferedBytes < bytes) pair.receiver.connection.send(MESSAGE);
  return pair;
}

describe.each(everySetup)('P3: the memory of all connections on $name', (setup) => {
  it('P3: is bounded: the slowest are closed with 1013 and cut, and nobody else', async () => {
    const stage = await Stage.start(setup, OPTIONS);
    const good = await stage.open();
    await good.receiver.waitFor('open');
    const slow = await stalled(stage, 3 * MIB);
    const snapshot = stage.server.snapshot();
    expect(snapshot.heldBytes).toBeGreaterThanOrEqual(3 * MIB);
    expect(stage.told.reports).toEqual([]);
    const lesser = await stalled(stage, 2 * MIB);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause: 'OVERLOADED', status: 1013 });
    expect(slow.receiver.connection.state).toBe('closed');
    await eventually(() => stage.server.snapshot().heldBytes < BUDGET, 'less is held');
    expect([lesser.receiver.connection.state, good.receiver.connection.state]).toEqual(['open', 'open']);
    good.receiver.connection.send('well');
    expect(await good.client.nextText()).toBe('well');
    lesser.client.resumeReading();
    expect((await lesser.client.nextBinary()).equals(MESSAGE)).toBe(true);
    await eventually(() => stage.server.snapshot().heldBytes === 0, 'nothing is held');
  });

  it('P3: that is exhausted refuses new connections with 503, until there is room', async () => {
    const stage = await Stage.start(setup, OPTIONS);
    const slow = await stalled(stage, 6 * MIB);
    await eventually(() => slow.receiver.connection.state !== 'open', 'it is let go of');
    await expect(stage.openClient()).rejects.toThrow(/503/);
    expect(stage.told.rejected).toMatchObject([{ error: 'OVERLOADED', status: 503 }]);
    await stage.nextReport();
    await eventually(() => stage.server.snapshot().heldBytes === 0, 'nothing is held');
    const next = await stage.open();
    await next.receiver.waitFor('open');
  });
});

describe.each(messageSetups)('P3: messages that are not complete on $name', (setup) => {
  it('P3: count as well', async () => {
    const stage = await Stage.start(setup, OPTIONS);
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendRaw(encodeFrame({ opcode: 2, payload: Buffer.alloc(3 * MIB), fin: false, masked: true }));
    await eventually(() => stage.server.snapshot().heldBytes >= 3 * MIB, 'it is counted');
    client.sendRaw(encodeFrame({ opcode: 0, payload: Buffer.alloc(3 * MIB), fin: false, masked: true }));
    expect((await client.expectClose()).code).toBe(1013);
    expect(await stage.nextReport()).toMatchObject({ cause: 'OVERLOADED', status: 1013 });
  });
});

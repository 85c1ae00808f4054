/**
 * Owns the throttle on every data path: everything arrives, slower, and the wait for our own rate is taken for nothing else: no
 * backpressure, no dead peer, no stalled write (P2, P8, P9). Rates themselves are held on simulated time and in the benchmark.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { accept } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { Opcode } from '../support/raw-client.js';
import { answerPings, everySetup, proxySetups, readPayload, Stage, wsSetups } from './setups.js';

/** 64 KiB take about a second. */
const RATE = '512kbit';
const DATA = randomBytes(64 * 1024);

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe.each(proxySetups)('throttled on $name', (setup) => {
  it('P2: what the client sends arrives whole and in order, at the rate of reading', async () => {
    const stage = await Stage.start(setup, { throttle: { read: RATE } });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    for (let at = 0; at < DATA.length; at += 4096) client.sendBinary(DATA.subarray(at, at + 4096));
    let arrived: Buffer | undefined;
    const elapsed = await took(async () => {
      arrived = await target.read(DATA.length);
    });
    expect(arrived?.equals(DATA)).toBe(true);
    expect(elapsed).toBeGreaterThan(700);
  });

  it('P2: what the target sends arrives whole and in order, at the rate of writing, and is no backpressure', async () => {
    const stage = await Stage.start(setup, { throttle: { write: RATE }, timeouts: { pressureDwell: 1 } });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    target.send(DATA);
    let arrived: Buffer | undefined;
    const elapsed = await took(async () => {
      arrived = await readPayload(client, DATA.length);
    });
    expect(arrived?.equals(DATA)).toBe(true);
    expect(elapsed).toBeGreaterThan(700);
    expect(receiver.names).not.toContain('throttled');
  });

  it('P9: a client that cannot be heard, because it is read at its rate, is not judged dead', async () => {
    const stage = await Stage.start(setup, { throttle: { read: RATE }, heartbeat: { interval: 100, timeout: 50 } });
    const { client, target } = await stage.open();
    answerPings(target.ws);
    // At once, so that nothing more comes from the socket while it is handed on.
    for (let at = 0; at < DATA.length; at += 4096) client.sendBinary(DATA.subarray(at, at + 4096));
    expect((await target.read(DATA.length)).equals(DATA)).toBe(true);
    expect(stage.told.reports).toEqual([]);
  });
});

describe.each(everySetup)('sends of the application, throttled on $name', (setup) => {
  it('P8: are written at the rate, and no stalled write is seen in it', async () => {
    const stage = await Stage.start(setup, {
      throttle: { write: RATE },
      limits: { highWaterMark: 1024 },
      timeouts: { pressureDwell: 1, writeStall: 400 },
    });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    const elapsed = await took(async () => {
      expect(receiver.connection.send(DATA)).toBe('queued');
      expect((await client.nextBinary()).equals(DATA)).toBe(true);
    });
    expect(elapsed).toBeGreaterThan(700);
    // What waits is more than the high water mark, whoever it waits for.
    await receiver.waitFor('unthrottled');
    expect(stage.told.reports).toEqual([]);
  });

  it('P9: do not hold up heartbeats for longer than one frame, and whoever answers after it is not judged dead', async () => {
    const stage = await Stage.start(setup, { throttle: { write: RATE }, heartbeat: { interval: 200, timeout: 200 } });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    answerPings(target.ws);
    receiver.connection.send(DATA);
    await client.nextBinary();
    client.sendPong((await client.nextFrame(Opcode.Ping)).payload);
    client.sendPong((await client.nextFrame(Opcode.Ping)).payload);
    expect(stage.told.reports).toEqual([]);
  });

  it('P8: and what waits for a rate do not keep a Close from being written in time', async () => {
    const stage = await Stage.start(setup, { throttle: { read: 8000, write: 8000 }, timeouts: { close: 5000 } });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendBinary(DATA);
    receiver.connection.send(DATA);
    receiver.connection.close(4000, 'enough');
    expect((await client.nextBinary()).equals(DATA)).toBe(true);
    expect(await client.expectClose()).toMatchObject({ code: 4000, reason: 'enough' });
    client.sendClose(4000);
    await target.answer();
    await client.waitForEnd();
    expect(await stage.nextReport()).toMatchObject({ status: 4000, codeSent: 4000, codeReceived: 4000 });
  });

  it('are as fast as the connection is told to be while it is open', async () => {
    const stage = await Stage.start(setup, { throttle: { read: 8000, write: 8000 } });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    const { connection } = receiver;
    connection.send(DATA);
    await eventually(() => connection.bufferedBytes > 0, 'it waits');
    connection.limitRate({ write: 0 });
    expect((await client.nextBinary()).equals(DATA)).toBe(true);
    connection.limitRate({ write: RATE });
    const elapsed = await took(async () => {
      connection.send(DATA);
      await client.nextBinary();
    });
    expect(elapsed).toBeGreaterThan(700);
    expect(() => connection.limitRate({ read: 'fast' })).toThrow(/throttle\.read: got "fast"; expected bits a second/);
  });
});

describe.each(wsSetups)('one connection on $name', (setup) => {
  it('may have rates of its own, from its acceptance or from later on, and its neighbour has none', async () => {
    let count = 0;
    const stage = await Stage.start(setup, {
      callbacks: { onUpgradeRequest: () => (count++ === 0 ? accept({ throttle: { read: RATE, write: RATE } }) : true) },
    });
    const slow = await stage.open();
    const fast = await stage.open();
    await slow.receiver.waitFor('open');
    await fast.receiver.waitFor('open');
    slow.client.sendBinary(DATA);
    const slowly = slow.target.read(DATA.length);
    for (let round = 0; round < 20; round += 1) {
      fast.client.sendBinary(DATA);
      expect((await fast.target.read(DATA.length)).equals(DATA)).toBe(true);
      fast.target.send(DATA);
      expect((await readPayload(fast.client, DATA.length)).equals(DATA)).toBe(true);
    }
    fast.receiver.connection.limitRate({ write: RATE });
    fast.target.send(DATA);
    expect(await took(() => readPayload(fast.client, DATA.length))).toBeGreaterThan(700);
    expect((await slowly).equals(DATA)).toBe(true);
  });

  it('is refused with a rate that is none', async () => {
    const stage = await Stage.start(setup, {
      callbacks: { onUpgradeRequest: () => accept({ throttle: { read: '10 parsec' } }) },
    });
    await expect(stage.openClient()).rejects.toThrow(/500/);
    await stage.until(({ exceptions }) => exceptions.length === 1);
    expect(stage.told.exceptions).toMatchObject([{ code: 'INVALID_OPTION' }]);
  });
});

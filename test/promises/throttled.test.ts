/** Owns promise P3 as the application sees it: `onThrottled` and `onUnthrottled`, and what `send` answers meanwhile. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { Flood, MESSAGE_BYTES, readFlood } from './floods.js';
import { everySetup, type Pair, proxySetups, readPayload, Stage } from './setups.js';

const MESSAGE = randomBytes(MESSAGE_BYTES);

/** What the receiver was told about pressure. */
function pressure({ receiver }: Pair): string[] {
  return receiver.names.filter((name) => name === 'throttled' || name === 'unthrottled');
}

/** Sends until a send has to wait and the connection is throttled; answers with the number of messages. */
function sendUntilThrottled({ receiver: { connection } }: Pair): number {
  for (let count = 1; ; count += 1) {
    expect(['accepted', 'queued']).toContain(connection.send(MESSAGE));
    if (connection.throttled) return count;
  }
}

describe.each(everySetup)('P3: sends of the application on $name', (setup) => {
  it('P3: beyond the high water mark throttle, and unthrottle when the client has read', async () => {
    const stage = await Stage.start(setup);
    const pair = await stage.open();
    const { client, receiver } = pair;
    await receiver.waitFor('open');
    for (let round = 0; round < 3; round += 1) {
      client.pauseReading();
      const sent = sendUntilThrottled(pair);
      await receiver.waitFor('throttled');
      expect(receiver.connection.send('one more')).toBe('queued');
      client.resumeReading();
      await receiver.waitFor('unthrottled');
      expect(receiver.connection.throttled).toBe(false);
      for (let count = 0; count < sent; count += 1) expect((await client.nextBinary()).equals(MESSAGE)).toBe(true);
      expect(await client.nextText()).toBe('one more');
    }
    expect(pressure(pair)).toEqual([
      'throttled',
      'unthrottled',
      'throttled',
      'unthrottled',
      'throttled',
      'unthrottled',
    ]);
  });

  it('P3: beyond maxQueuedBytes are dropped whole and said to be, and those before arrive', async () => {
    const stage = await Stage.start(setup, { limits: { maxQueuedBytes: 2 ** 20 } });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.pauseReading();
    const answers: string[] = [];
    while (answers.at(-1) !== 'dropped') answers.push(receiver.connection.send(MESSAGE));
    expect(receiver.connection.bufferedBytes).toBeLessThanOrEqual(2 ** 20 + 2 * MESSAGE_BYTES);
    expect(receiver.connection.send('dropped as well')).toBe('dropped');
    client.resumeReading();
    for (let count = 1; count < answers.length; count += 1) {
      expect((await client.nextBinary()).equals(MESSAGE)).toBe(true);
    }
    await eventually(() => receiver.connection.bufferedBytes === 0, 'everything was written');
    expect(receiver.connection.send('now it fits')).toBe('accepted');
    expect(await client.nextText()).toBe('now it fits');
  });

  it('P3: are accepted and never throttle while the client reads', async () => {
    const stage = await Stage.start(setup, { timeouts: { pressureDwell: 5000 } });
    const pair = await stage.open();
    await pair.receiver.waitFor('open');
    for (let count = 0; count < 200; count += 1) {
      pair.receiver.connection.send(MESSAGE.subarray(0, 1000));
      expect(await pair.client.nextBinary()).toHaveLength(1000);
    }
    expect(pressure(pair)).toEqual([]);
  });

  it('P3: end throttled without an onUnthrottled when the connection is cut', async () => {
    const stage = await Stage.start(setup);
    const pair = await stage.open();
    await pair.receiver.waitFor('open');
    pair.client.pauseReading();
    sendUntilThrottled(pair);
    await pair.receiver.waitFor('throttled');
    pair.receiver.connection.terminate();
    await pair.receiver.waitFor('closed');
    expect(pair.receiver.names.slice(-2)).toEqual(['throttled', 'closed']);
    expect((await stage.nextReport()).undeliveredBytes).toBeGreaterThan(0);
    expect(pair.receiver.connection.throttled).toBe(false);
  });
});

describe.each(proxySetups)('P3: pressure between target and client on $name', (setup) => {
  it('P3: throttles while the client does not read, in turns, and tells nothing else', async () => {
    const stage = await Stage.start(setup);
    const pair = await stage.open();
    const { client, target, receiver } = pair;
    let read = 0;
    for (let round = 0; round < 3; round += 1) {
      client.pauseReading();
      const flood = Flood.fromTarget(target);
      const flooding = flood.send(5000);
      await receiver.waitFor('throttled');
      flood.stop();
      client.resumeReading();
      await receiver.waitFor('unthrottled');
      await flooding;
      expect(await readFlood((bytes) => readPayload(client, bytes), 0, flood.accepted)).toBe(-1);
      read += flood.accepted;
    }
    expect(receiver.connection.snapshot().sent.bytes).toBe(read * MESSAGE_BYTES);
    const told = pressure(pair);
    expect(told.filter((name) => name === 'throttled')).toHaveLength(told.length / 2);
    expect(told.every((name, index) => name === (index % 2 === 0 ? 'throttled' : 'unthrottled'))).toBe(true);
  });

  it('P3: is no state while both sides keep up, however much passes', async () => {
    const stage = await Stage.start(setup, { timeouts: { pressureDwell: 5000 } });
    const pair = await stage.open();
    const flood = Flood.fromTarget(pair.target);
    const back = Flood.fromClient(pair.client);
    const [, , there, here] = await Promise.all([
      flood.send(300),
      back.send(300),
      readFlood((bytes) => readPayload(pair.client, bytes), 0, 300),
      readFlood((bytes) => pair.target.read(bytes), 0, 300),
    ]);
    expect([there, here]).toEqual([-1, -1]);
    expect(pressure(pair)).toEqual([]);
  });

  it('P3: a flood both ways with both readers stopped goes on both ways when they read', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.pauseReading();
    target.connection.pauseReading();
    const floods = [Flood.fromTarget(target), Flood.fromClient(client)];
    const flooding = floods.map((flood) => flood.send(5000));
    await receiver.waitFor('throttled');
    for (const flood of floods) flood.stop();
    client.resumeReading();
    target.connection.resumeReading();
    await Promise.all(flooding);
    expect(await readFlood((bytes) => readPayload(client, bytes), 0, floods[0]!.accepted)).toBe(-1);
    expect(await readFlood((bytes) => target.read(bytes), 0, floods[1]!.accepted)).toBe(-1);
  });
});

/** Owns what becomes of sends to a client that does not read, on every data path (P3): bounded, as the options say, and accounted for. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { everySetup, Stage } from './setups.js';

const MESSAGE = randomBytes(64 * 1024);
const LIMIT = 2 ** 20;

describe.each(everySetup)('P3: sends to a client that does not read, on $name', (setup) => {
  async function stalled(outbound: object) {
    const stage = await Stage.start(setup, { limits: { maxQueuedBytes: LIMIT }, outbound, timeouts: { close: 1000 } });
    const pair = await stage.open();
    await pair.receiver.waitFor('open');
    pair.client.pauseReading();
    const { connection } = pair.receiver;
    while (connection.bufferedBytes <= LIMIT) connection.send(MESSAGE);
    return { stage, connection, ...pair };
  }

  it('P3: give the client the newest with drop-oldest, and the report counts the others', async () => {
    const { stage, connection, client, target } = await stalled({ overflow: 'drop-oldest' });
    const before = connection.snapshot().sent.messages;
    for (let count = 0; count < 40; count += 1) expect(connection.send(`news ${count}`)).toBe('queued');
    expect(connection.bufferedBytes).toBeLessThanOrEqual(LIMIT + 100);
    connection.close(1000, 'done');
    client.resumeReading();
    let bulk = 0;
    const news: string[] = [];
    while (news.length < 40) {
      const { kind, data } = await client.nextMessage();
      if (kind === 'text') news.push(data.toString());
      else if (data.equals(MESSAGE)) bulk += 1;
    }
    expect(news).toEqual(Array.from({ length: 40 }, (_, count) => `news ${count}`));
    client.sendClose((await client.expectClose()).code);
    await target.answer();
    const report = await stage.nextReport();
    expect(report.dropped).toEqual({ messages: before - bulk, bytes: (before - bulk) * MESSAGE.length });
    expect(report.dropped.messages).toBeGreaterThan(0);
    expect(report.sent.messages).toBe(bulk + 40);
    expect(report.undeliveredBytes).toBe(0);
  });

  it('P3: let what is more important overtake, between two frames', async () => {
    const { connection, client } = await stalled({ priorities: { text: 0, binary: 1 }, overflow: 'drop-newest' });
    expect(connection.send(MESSAGE)).toBe('dropped');
    const behind = connection.snapshot().sent.messages;
    expect(connection.send('urgent')).toBe('queued');
    client.resumeReading();
    let before = 0;
    while ((await client.nextMessage()).kind === 'binary') before += 1;
    // Those that the system had already, and at most one that had begun.
    expect(before).toBeLessThan(behind - 8);
  });

  it('P3: close it with 1008 when they are told to', async () => {
    const { stage, connection, client, target } = await stalled({ overflow: 'close' });
    expect(connection.send(MESSAGE)).toBe('closed');
    expect([connection.state, connection.send('more')]).toEqual(['closing', 'closed']);
    client.resumeReading();
    expect((await client.expectClose()).code).toBe(1008);
    client.sendClose(1008);
    await target.answer();
    expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause: 'SEND_OVERFLOW', status: 1008 });
  });

  it('P3: are gone with clearQueue, and what has begun is not cut', async () => {
    const { connection, client } = await stalled({});
    const sent = connection.snapshot().sent.messages;
    const cleared = connection.clearQueue();
    expect(cleared).toBeGreaterThan(8);
    connection.send('after it');
    client.resumeReading();
    for (let count = 0; count < sent - cleared; count += 1) {
      expect((await client.nextBinary()).equals(MESSAGE)).toBe(true);
    }
    expect(await client.nextText()).toBe('after it');
  });
});

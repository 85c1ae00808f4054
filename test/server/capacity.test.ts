/** Owns what happens when as many connections are there as may be, and what a send answers when too much waits. */
import { describe, expect, it } from 'vitest';
import { ERRORS, type SendResult, TidegateError } from '../../src/index.js';
import { deferred } from '../support/events.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { startReceivers } from './stage.js';

describe('limits.maxConnections', () => {
  it('refuses one more with 503 and Retry-After, and serves again when one is gone', async () => {
    const { server, open, handshake, events } = await startReceivers({ limits: { maxConnections: 2 } });
    const clients = [await open(), await open()];
    expect(server.snapshot().chart).toEqual({ running: { admission: 'full', heartbeat: 'beating' } });
    const answer = await handshake();
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await events.rejections.next()).toMatchObject({
      error: 'CAPACITY_REACHED',
      status: 503,
      message: expect.stringMatching(/^2 /),
    });
    expect(answer.body).toBe(`${ERRORS.CAPACITY_REACHED.help}\n`);
    clients[0]!.sendClose(1000);
    await events.reports.next();
    expect(server.snapshot().chart).toEqual({ running: { admission: 'accepting', heartbeat: 'beating' } });
    await open();
    expect((await handshake()).status).toBe(503);
  });

  it('counts handshakes that are not answered, and frees their place when they are refused', async () => {
    const gate = deferred<boolean>();
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => gate.promise }));
    const { open, handshake, events } = await startReceivers({
      limits: { maxConnections: 1 },
      receiver: receivers.create,
    });
    const first = handshake();
    await receivers.nextReceiver();
    expect((await handshake()).status).toBe(503);
    gate.resolve(false);
    expect((await first).status).toBe(403);
    expect(events.lines).toEqual(['startup 1', 'rejected CAPACITY_REACHED', 'rejected REJECTED']);
    await expect(open()).rejects.toThrow('403');
  });

  it('is without a bound when it is 0', async () => {
    const { server, open } = await startReceivers({ limits: { maxConnections: 0 } });
    for (let n = 0; n < 5; n += 1) await open();
    expect(server.connections).toHaveLength(5);
  });
});

describe('connection.send()', () => {
  it('is accepted, then queued, then dropped whole; what was accepted or queued arrives in order (P2, P3)', async () => {
    const { server, open } = await startReceivers({
      limits: { highWaterMark: 16 * 1024, maxQueuedBytes: 512 * 1024 },
    });
    const client = await open();
    const connection = server.connection('conn-1')!;
    client.pauseReading();
    const results: SendResult[] = [];
    const kept: number[] = [];
    const message = Buffer.alloc(64 * 1024);
    for (let n = 0; results.filter((result) => result === 'dropped').length < 3; n += 1) {
      message.writeUInt32BE(n, 0);
      const result = connection.send(Buffer.from(message));
      results.push(result);
      if (result !== 'dropped') kept.push(n);
    }
    // A bound in bytes, checked before a message: at most one message more is held.
    expect(connection.bufferedBytes).toBeLessThanOrEqual(512 * 1024 + 65 * 1024);
    expect(results.at(-1)).toBe('dropped');
    expect(results).toContain('queued');
    expect(server.send('conn-1', 'also dropped')).toBe('dropped');
    client.resumeReading();
    for (const n of kept) expect((await client.nextBinary()).readUInt32BE(0)).toBe(n);
    expect(connection.send('again')).toBe('accepted');
    expect(await client.nextText()).toBe('again');
    expect(connection.snapshot().sent.messages).toBe(kept.length + 1);
  });

  it('drops an ordinary message, too, and no other client notices', async () => {
    const { server, open } = await startReceivers({ limits: { highWaterMark: 16 * 1024, maxQueuedBytes: 64 * 1024 } });
    const slow = await open();
    const quick = await open();
    slow.pauseReading();
    while (server.send('conn-1', Buffer.alloc(32 * 1024)) !== 'dropped');
    expect(server.send('conn-2', 'hello')).toBe('accepted');
    expect(await quick.nextText()).toBe('hello');
  });

  it('is closed once the connection is closing, and what was accepted before still arrives', async () => {
    const { server, open, events } = await startReceivers();
    const client = await open();
    const connection = server.connection('conn-1')!;
    expect(connection.send('last')).toBe('accepted');
    connection.close(4000, 'done');
    expect(connection.state).toBe('closing');
    expect(connection.send('too late')).toBe('closed');
    expect(connection.ping()).toBe('closed');
    expect(await client.nextText()).toBe('last');
    expect(await client.answerClose()).toMatchObject({ code: 4000, reason: 'done', end: 'fin' });
    await events.reports.next();
    expect(connection.send('much too late')).toBe('closed');
  });

  it('is closed before the connection is open', async () => {
    const sent: SendResult[] = [];
    const { open } = await startReceivers({
      receiver: () =>
        new QuietReceiver({ onUpgradeRequest: (_, { connection }) => void sent.push(connection.send('early')) }),
    });
    await open();
    expect(sent).toEqual(['closed']);
  });
});

describe('connection.close()', () => {
  it('cuts a long reason at a character (RFC 6455 section 5.5)', async () => {
    const { server, open } = await startReceivers();
    const client = await open();
    server.connection('conn-1')!.close(1000, 'é'.repeat(100));
    expect((await client.answerClose()).reason).toBe('é'.repeat(61));
  });

  it('throws INVALID_CLOSE_CODE for a number that may not be sent, and closes nothing (P4)', async () => {
    const { server, open } = await startReceivers();
    const client = await open();
    const connection = server.connection('conn-1')!;
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5]) {
      const wrong = () => connection.close(JSON.parse(String(code)));
      expect(wrong).toThrow(TidegateError);
      expect(wrong).toThrow(expect.objectContaining({ code: 'INVALID_CLOSE_CODE' }));
    }
    expect(connection.state).toBe('open');
    connection.close();
    connection.close(4000, 'a second time');
    expect(await client.answerClose()).toMatchObject({ code: 1000, reason: '' });
    expect(client.received).toHaveLength(1);
  });

  it('ends after timeouts.close when the client never answers, and reports 1006 (P8)', async () => {
    const { server, open, events } = await startReceivers({ timeouts: { close: 60 } });
    const client = await open();
    server.connection('conn-1')!.close(4000);
    await client.expectClose();
    await client.waitForEnd();
    expect(await events.reports.next()).toMatchObject({
      initiator: 'application',
      status: 1006,
      codeSent: 4000,
      codeReceived: undefined,
    });
  });
});

describe('connection.terminate()', () => {
  it('cuts without a Close frame, reports 1006, and what waits is counted as undelivered', async () => {
    const { server, open, events } = await startReceivers({ limits: { highWaterMark: 16 * 1024 } });
    const client = await open();
    client.pauseReading();
    const connection = server.connection('conn-1')!;
    while (connection.bufferedBytes < 256 * 1024) connection.send(Buffer.alloc(64 * 1024));
    connection.terminate();
    connection.terminate();
    const report = await events.reports.next();
    expect(report).toMatchObject({ initiator: 'application', cause: 'terminated', status: 1006, codeSent: undefined });
    expect(report.undeliveredBytes).toBeGreaterThanOrEqual(256 * 1024 - 65 * 1024);
    client.destroy();
  });
});

/** Owns promise P4 as the `disconnected` event tells it: who, why, with which codes, and how much went each way. */
import { describe, expect, it } from 'vitest';
import type { CloseReport, Connection } from '../../src/index.js';
import { waitForEvent } from '../support/events.js';
import { Opcode } from '../support/raw-client.js';
import { everySetup, readPayload, Stage } from './setups.js';

describe.each(everySetup)('P4: the report on $name', (setup) => {
  it('P4: counts messages and payload bytes each way, without control frames, and how long it took', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendText('é');
    client.sendBinary(Buffer.alloc(70_000));
    client.sendPing('not counted');
    for (const fin of [false, true]) {
      client.sendFrame({ opcode: fin ? Opcode.Continuation : Opcode.Text, payload: 'half', fin });
    }
    receiver.connection.send('from the application');
    let bytes = 20;
    if (setup.target !== 'none') {
      await target.read(70_010);
      target.send(Buffer.alloc(1000));
      bytes += 1000;
    }
    await readPayload(client, bytes);
    client.sendClose(4000, 'done');
    await target.answer();
    await client.expectClose();
    const report = await stage.nextReport();
    expect(report).toMatchObject({
      initiator: 'downstream',
      cause: 'closed',
      status: 4000,
      reason: 'done',
      codeSent: 4000,
      codeReceived: 4000,
      received: { messages: 3, bytes: 70_010 },
      sent: { messages: setup.target === 'none' ? 1 : 2, bytes },
      undeliveredBytes: 0,
      dropped: { messages: 0, bytes: 0 },
    });
    expect(report.durationMs).toBeGreaterThanOrEqual(0);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('P4: comes with its connection, after onClosed, and the connection is not among the open ones', async () => {
    const stage = await Stage.start(setup);
    const { client, receiver } = await stage.open();
    const told = waitForEvent<[Connection, CloseReport]>(stage.server, 'disconnected').then(([connection, report]) => ({
      connection,
      report,
      names: [...receiver.names],
      open: stage.server.connections.length,
    }));
    client.reset();
    const { connection, report, names, open } = await told;
    expect(connection).toBe(receiver.connection);
    expect(names.at(-1)).toBe('closed');
    expect([connection.state, open]).toEqual(['closed', 0]);
    expect(receiver.entriesOf('closed')[0]).toEqual(['closed', report.status, report.reason]);
    expect(stage.server.connection(connection.id)).toBeUndefined();
    expect(stage.server.send(connection.id, 'too late')).toBe('unknown');
  });

  it('P4: names the rule that was broken, with the code that was sent for it', async () => {
    const stage = await Stage.start(setup, { limits: { maxMessageBytes: 1000 }, timeouts: { close: '1h' } });
    const broken: Array<[number, string, (client: Awaited<ReturnType<Stage['openClient']>>) => void]> = [
      [1002, 'PROTOCOL_ERROR', (client) => client.sendFrame({ opcode: 3 })],
      [1002, 'PROTOCOL_ERROR', (client) => client.sendFrame({ opcode: Opcode.Text, payload: 'x', masked: false })],
      [1002, 'PROTOCOL_ERROR', (client) => client.sendFrame({ opcode: Opcode.Text, rsv1: true })],
      [1002, 'PROTOCOL_ERROR', (client) => client.sendFrame({ opcode: Opcode.Continuation, payload: 'x' })],
      [1009, 'MESSAGE_TOO_BIG', (client) => client.sendBinary(Buffer.alloc(1001))],
    ];
    for (const [code, cause, offend] of broken) {
      const { client, target, receiver } = await stage.open();
      const answered = target.answer();
      offend(client);
      // The client's answer is not waited for: nothing of it can be read any more.
      expect((await client.expectClose()).code).toBe(code);
      expect(await client.waitForEnd()).toBe('fin');
      expect((await receiver.waitFor('closed'))[1]).toBe(code);
      expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause, status: code, codeSent: code });
      await answered;
    }
  });
});

/** Owns promise P4 for Close frames: code and reason cross the server both ways, and only what may travel does. */
import { describe, expect, it } from 'vitest';
import { type CloseCode, MAX_CLOSE_REASON_BYTES } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { Opcode } from '../support/raw-client.js';
import { afterFirstClose, closeCodes, everySetup, Stage, tcpSetups, wsSetups } from './setups.js';

const CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const FORBIDDEN = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];

describe.each(wsSetups)('P4: Close frames cross $name', (setup) => {
  it.each(CODES)('P4: %i with its reason, from the target to the client and back', async (code) => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    target.ws!.sendClose(code, 'because é');
    expect(await client.expectClose()).toEqual({ code, reason: 'because é' });
    client.sendClose(code, 'answer');
    expect(await target.ws!.expectClose()).toEqual({ code, reason: 'answer' });
    target.ws!.end();
    expect(await client.waitForEnd()).toBe('fin');
    expect(await receiver.waitFor('closed')).toEqual(['closed', code, 'answer']);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'upstream',
      cause: 'closed',
      codeSent: code,
      codeReceived: code,
    });
  });

  it.each(CODES)('P4: %i with its reason, from the client to the target and back', async (code) => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.sendClose(code, 'because é');
    expect(await target.ws!.expectClose()).toEqual({ code, reason: 'because é' });
    target.ws!.sendClose(code, 'answer');
    expect(await client.expectClose()).toEqual({ code, reason: 'answer' });
    target.ws!.end();
    expect(await client.waitForEnd()).toBe('fin');
    expect(await receiver.waitFor('closed')).toEqual(['closed', code, 'because é']);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'downstream',
      cause: 'closed',
      status: code,
      codeSent: code,
      codeReceived: code,
    });
  });

  it('P4: an empty Close stays empty on the wire, both ways, and is reported as 1005', async () => {
    const stage = await Stage.start(setup);
    const fromClient = await stage.open();
    fromClient.client.sendClose();
    expect((await fromClient.target.ws!.nextFrame(Opcode.Close)).payload).toHaveLength(0);
    fromClient.target.ws!.sendClose();
    expect((await fromClient.client.nextFrame(Opcode.Close)).payload).toHaveLength(0);
    fromClient.target.ws!.end();
    expect(await fromClient.receiver.waitFor('closed')).toEqual(['closed', 1005, '']);

    const fromTarget = await stage.open();
    fromTarget.target.ws!.sendClose();
    expect((await fromTarget.client.nextFrame(Opcode.Close)).payload).toHaveLength(0);
    fromTarget.client.sendClose();
    expect((await fromTarget.target.ws!.nextFrame(Opcode.Close)).payload).toHaveLength(0);
    fromTarget.target.ws!.end();
    expect(await fromTarget.receiver.waitFor('closed')).toEqual(['closed', 1005, '']);
  });

  it.each(FORBIDDEN)('P4: %i of the target never reaches the client, which gets 1011', async (code) => {
    const stage = await Stage.start(setup);
    const { client, target } = await stage.open();
    target.ws!.sendClose(code, 'forbidden');
    expect((await client.answerClose()).code).toBe(1011);
    expect((await target.ws!.expectClose()).code).toBe(1002);
  });

  it('P4: both sides close at once, each gets one Close and nobody waits for a deadline', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const { client, target, receiver } = await stage.open();
    client.sendClose(4001, 'client');
    target.ws!.sendClose(4002, 'target');
    const [atClient, atTarget] = await Promise.all([client.expectClose(), target.ws!.expectClose()]);
    expect([4001, 4002]).toContain(atClient.code);
    expect(atTarget.code).toBe(4001);
    target.ws!.end();
    await client.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 4001, 'client']);
    await target.ws!.waitForEnd();
    expect([closeCodes(client).length, closeCodes(target.ws!).length]).toEqual([1, 1]);
  });

  it('P4: a Close is passed on when it comes, not when TCP is down', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const first = await stage.open();
    first.target.ws!.sendClose(4404, 'no such room');
    expect(await first.client.expectClose()).toEqual({ code: 4404, reason: 'no such room' });
    expect(first.target.ws!.ended).toBeUndefined();
    const second = await stage.open();
    second.client.sendClose(4001);
    expect((await second.target.ws!.expectClose()).code).toBe(4001);
    expect(second.client.ended).toBeUndefined();
    expect(closeCodes(second.client)).toEqual([]);
  });
});

describe.each(everySetup)('P4: Close frames of the client on $name', (setup) => {
  it.each(FORBIDDEN)('P4: %i is a protocol error, answered with 1002', async (code) => {
    const stage = await Stage.start(setup, { timeouts: { close: '1h' } });
    const { client, target, receiver } = await stage.open();
    client.sendClose(code, 'forbidden');
    expect((await client.expectClose()).code).toBe(1002);
    // Nothing more is read from this client, so TCP ends without its answer.
    expect(await client.waitForEnd()).toBe('fin');
    if (target.ws !== undefined) {
      const passed = await target.ws.expectClose();
      expect(FORBIDDEN).not.toContain(passed.code);
      target.ws.sendClose(passed.code);
      target.ws.end();
    }
    expect((await receiver.waitFor('closed'))[1]).toBe(1002);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause: 'PROTOCOL_ERROR', codeSent: 1002 });
  });

  it('P4: what follows a Close is ignored, and the Close comes behind every answer before it', async () => {
    const stage = await Stage.start(setup);
    const { client, target } = await stage.open();
    client.sendRaw(
      Buffer.concat([
        client.encode({ opcode: Opcode.Text, payload: 'last' }),
        client.encode({ opcode: Opcode.Close, payload: Buffer.from([0x03, 0xe8]) }),
        client.encode({ opcode: Opcode.Text, payload: 'ignored' }),
      ]),
    );
    if (setup.target !== 'none') expect((await target.read(4)).toString()).toBe('last');
    await target.answer();
    expect((await client.expectClose()).code).toBe(1000);
    expect(await client.waitForEnd()).toBe('fin');
    expect(afterFirstClose(client)).toBe(0);
    if (target.ws !== undefined) expect(afterFirstClose(target.ws)).toBe(0);
  });
});

describe.each(everySetup)('P4: closes of the application on $name', (setup) => {
  it('P4: go to the client and to the target, and both sides of the handshake are reported', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    receiver.connection.close(4005, 'enough');
    expect(await client.expectClose()).toEqual({ code: 4005, reason: 'enough' });
    client.sendClose(4006, 'well');
    if (target.ws !== undefined) expect(await target.ws.expectClose()).toEqual({ code: 4005, reason: 'enough' });
    expect(await client.waitForEnd()).toBe('fin');
    expect(await receiver.waitFor('closed')).toEqual(['closed', 4006, 'well']);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'application',
      cause: 'closed',
      status: 4006,
      codeSent: 4005,
      codeReceived: 4006,
    });
  });

  it('P4: refuse codes that may not travel, and stay open', async () => {
    const { client, receiver } = await (await Stage.start(setup)).open();
    await receiver.waitFor('open');
    for (const code of FORBIDDEN) {
      expect(() => receiver.connection.close(code as CloseCode)).toThrow(/Close frame/);
    }
    receiver.connection.send('still here');
    expect(await client.nextText()).toBe('still here');
  });

  it('P4: cut a long reason at a character', async () => {
    const { client, receiver } = await (await Stage.start(setup)).open();
    await receiver.waitFor('open');
    receiver.connection.close(4000, '€'.repeat(100));
    const { reason } = await client.answerClose();
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(MAX_CLOSE_REASON_BYTES);
    expect(reason).toBe('€'.repeat(41));
  });

  it('P4: come behind everything that was sent, also to a client that reads slowly', async () => {
    const stage = await Stage.start(setup);
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.pauseReading();
    let sent = 0;
    for (; !receiver.connection.throttled; sent += 1) receiver.connection.send(Buffer.alloc(100_000, sent));
    receiver.connection.close(4007, 'after all');
    expect(receiver.connection.send('too late')).toBe('closed');
    client.resumeReading();
    for (let index = 0; index < sent; index += 1) {
      expect((await client.nextBinary()).equals(Buffer.alloc(100_000, index))).toBe(true);
    }
    expect(await client.answerClose()).toMatchObject({ code: 4007, end: 'fin' });
    expect((await stage.nextReport()).undeliveredBytes).toBe(0);
  });
});

describe.each(tcpSetups)('P4: Close frames and a TCP target on $name', (setup) => {
  it('P4: the client’s Close is echoed, and the target gets a FIN behind every byte', async () => {
    const stage = await Stage.start(setup);
    const { client, target, receiver } = await stage.open();
    client.sendBinary(Buffer.alloc(500_000, 1));
    client.sendClose(4001, 'done');
    expect(await client.expectClose()).toMatchObject({ code: 4001 });
    expect(await target.read(500_000)).toHaveLength(500_000);
    expect(await target.tcp!.waitForEnd()).toBe('fin');
    expect(await receiver.waitFor('closed')).toEqual(['closed', 4001, 'done']);
    await eventually(() => stage.tcp!.openConnections === 0, 'the target’s connection is gone');
  });
});

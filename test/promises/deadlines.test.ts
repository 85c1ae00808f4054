/** Owns promises P4 and P8 where somebody waits for a peer: every such state has a deadline, and ends in truth. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred, eventually } from '../support/events.js';
import { Opcode, RawClient } from '../support/raw-client.js';
import { connectTcp, unansweredPort } from '../support/tcp-peer.js';
import { Flood } from './floods.js';
import { closeCodes, everySetup, messageSetups, proxySetups, Stage, wsSetups } from './setups.js';

const CLOSE = 250;

describe.each(wsSetups)('P8: the close deadline on $name', (setup) => {
  it('P4: a client whose target never answers the Close gets its answer at the deadline', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: CLOSE } });
    const { client, target, receiver } = await stage.open();
    client.sendClose(4001, 'waiting');
    expect((await target.ws!.expectClose()).code).toBe(4001);
    expect((await client.expectClose()).code).toBe(4001);
    await client.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 4001, 'waiting']);
    await target.ws!.waitForEnd();
    expect(closeCodes(client)).toEqual([4001]);
    expect(await stage.nextReport()).toMatchObject({ codeSent: 4001, codeReceived: 4001 });
  });

  it('P4: a target whose client never answers the Close is cut at the deadline, like the client', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: CLOSE } });
    const { client, target } = await stage.open();
    target.ws!.sendClose(4002);
    expect((await client.expectClose()).code).toBe(4002);
    await Promise.all([client.waitForEnd(), target.ws!.waitForEnd()]);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'upstream',
      codeSent: 4002,
      codeReceived: undefined,
      status: 1006,
    });
  });

  it('P8: a target that answers the Close and never ends TCP is cut at the deadline', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: CLOSE } });
    const { client, target } = await stage.open();
    client.sendClose(1000);
    await target.ws!.expectClose();
    target.ws!.sendClose(1000);
    expect((await client.expectClose()).code).toBe(1000);
    await target.ws!.waitForEnd();
    await eventually(() => stage.upstream!.openConnections === 0, 'the connection to the target is gone');
  });
});

describe.each(everySetup)('P8: the close deadline on $name', (setup) => {
  it('P4: a client that never answers our Close is cut, and reported as 1006', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: CLOSE } });
    const { client, target, receiver } = await stage.open();
    const answered = target.answer();
    await receiver.waitFor('open');
    receiver.connection.close(4000, 'anybody?');
    expect((await client.expectClose()).code).toBe(4000);
    await client.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    expect(await stage.nextReport()).toMatchObject({
      initiator: 'application',
      status: 1006,
      codeSent: 4000,
      codeReceived: undefined,
    });
    await answered;
  });

  it('P4: a client that answers and never ends TCP is cut at the deadline, and reported with its code', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: CLOSE } });
    const { client, target, receiver } = await stage.open({ allowHalfOpen: true });
    const answered = target.answer();
    await receiver.waitFor('open');
    receiver.connection.close(4000);
    await client.expectClose();
    client.sendClose(4000);
    expect(await client.waitForEnd()).toBe('fin');
    expect((await receiver.waitFor('closed'))[1]).toBe(4000);
    expect(await stage.nextReport()).toMatchObject({ status: 4000, codeSent: 4000, codeReceived: 4000 });
    // Whoever goes on writing to a socket that is gone gets a reset.
    await eventually(() => {
      client.sendPing();
      return client.connection.error !== undefined;
    }, 'the socket is gone');
    await answered;
  });

  it('P4: a client that stops reading before our Close is cut at the deadline, and what is lost is counted', async () => {
    const stage = await Stage.start(setup, { timeouts: { close: CLOSE } });
    const { client, target, receiver } = await stage.open();
    const answered = target.answer();
    await receiver.waitFor('open');
    client.pauseReading();
    while (!receiver.connection.throttled) receiver.connection.send(Buffer.alloc(100_000));
    receiver.connection.close(1001);
    const report = await stage.nextReport();
    expect(report).toMatchObject({
      initiator: 'application',
      status: 1006,
      codeSent: undefined,
      codeReceived: undefined,
    });
    expect(report.undeliveredBytes).toBeGreaterThan(0);
    await answered;
  });

  it('P8: a pending onOpen does not keep a connection for ever whose client is gone', async () => {
    const stage = await Stage.start(setup, {
      timeouts: { close: CLOSE },
      callbacks: { onOpen: () => deferred().promise },
    });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.reset();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    await stage.nextReport();
  });
});

describe.each(everySetup)('P8: the handshake deadline on $name', (setup) => {
  it('P8: a request that never becomes complete is answered 408', async () => {
    const stage = await Stage.start(setup, { timeouts: { handshake: 200 } });
    const answer = await RawClient.handshake({ port: stage.port, rawRequest: 'GET / HTTP/1.1\r\nHost: x\r\n' });
    expect(answer.status).toBe(408);
    await answer.waitForEnd();
  });

  it('P8: a connection that never says anything is ended', async () => {
    const stage = await Stage.start(setup, { timeouts: { handshake: 200 } });
    const silent = await connectTcp({ port: stage.port });
    onTestFinished(() => silent.destroy());
    await silent.waitForEnd();
  });

  it('P8: a decision that never comes is answered 503, and its signal aborts', async () => {
    const stage = await Stage.start(setup, {
      timeouts: { handshake: 200 },
      callbacks: { onUpgradeRequest: () => deferred<boolean>().promise },
    });
    const answer = await RawClient.handshake({ port: stage.port });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    const { request } = await stage.nextReceiver();
    expect(request?.signal.reason).toMatchObject({ code: 'DECISION_TIMEOUT' });
    expect(stage.told.rejected).toMatchObject([{ status: 503, error: 'DECISION_TIMEOUT' }]);
  });
});

describe.each(wsSetups)('P8: the dial deadline on $name', (setup) => {
  it('P8: a target that takes the connection and never answers the handshake is 504', async () => {
    const stage = await Stage.start(setup, { timeouts: { dial: 200 }, upstream: { answer: 'nothing' } });
    expect((await RawClient.handshake({ port: stage.port })).status).toBe(504);
    expect(stage.told.rejected).toMatchObject([{ status: 504, error: 'UPSTREAM_TIMEOUT' }]);
    await eventually(() => stage.upstream!.openConnections === 0, 'the dial was given up');
  });
});

describe.each(proxySetups)('P8: the dial deadline on $name', (setup) => {
  it('P8: a target that takes no connection is 504, or 1014 once the client has its 101', async () => {
    const unanswered = await unansweredPort();
    onTestFinished(() => unanswered.close());
    const scheme = setup.target === 'ws' ? 'ws' : 'tcp';
    const callbacks = {
      onUpgradeRequest: () => ({ kind: 'accept' as const, target: `${scheme}://127.0.0.1:${unanswered.port}` }),
    };
    const before = await Stage.start(setup, { timeouts: { dial: 200 }, callbacks });
    expect((await RawClient.handshake({ port: before.port })).status).toBe(504);
    const after = await Stage.start(setup, {
      timeouts: { dial: 200 },
      callbacks,
      connectUpstream: 'after-accept',
    });
    expect((await (await after.openClient()).answerClose()).code).toBe(1014);
    expect(await after.nextReport()).toMatchObject({
      initiator: 'upstream',
      cause: 'UPSTREAM_TIMEOUT',
      codeSent: 1014,
    });
  });

  it('P8: a target that stops reading is given up at the write stall deadline, and the client gets 1013', async () => {
    const stage = await Stage.start(setup, { timeouts: { writeStall: 300, close: CLOSE } });
    const { client, target } = await stage.open();
    target.connection.pauseReading();
    const flood = Flood.fromClient(client);
    const flooding = flood.send(5000);
    expect((await client.answerClose()).code).toBe(1013);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'upstream', cause: 'WRITE_STALLED', codeSent: 1013 });
    flood.stop();
    await flooding.catch(() => {});
  });

  it('P8: a client that stops reading is given up at the write stall deadline', async () => {
    const stage = await Stage.start(setup, { timeouts: { writeStall: 300, close: CLOSE } });
    const { client, target } = await stage.open();
    const answered = target.answer();
    client.pauseReading();
    const flood = Flood.fromTarget(target);
    const flooding = flood.send(5000);
    const report = await stage.nextReport();
    expect(report).toMatchObject({ initiator: 'proxy', cause: 'WRITE_STALLED', status: 1008, codeSent: undefined });
    expect(report.undeliveredBytes).toBeGreaterThan(0);
    flood.stop();
    await flooding.catch(() => {});
    await answered.catch(() => {});
  });
});

describe.each(everySetup)('P8: idle and lifetime on $name', (setup) => {
  it('P8: an idle connection is asked about, kept once, and then closed with 1001', async () => {
    let kept = 0;
    const stage = await Stage.start(setup, {
      timeouts: { idle: 160, close: CLOSE },
      callbacks: {
        onIdleTimeout: () => {
          kept += 1;
          return kept === 1;
        },
      },
    });
    const { client, target } = await stage.open();
    const answered = target.answer();
    expect((await client.answerClose()).code).toBe(1001);
    expect(kept).toBe(2);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause: 'IDLE_TIMEOUT', status: 1001 });
    await answered;
  });

  it('P8: a connection ends with 1001 when its lifetime is over, however busy it is', async () => {
    const stage = await Stage.start(setup, { timeouts: { lifetime: 300, close: CLOSE } });
    const { client, target } = await stage.open();
    const answered = target.answer();
    const closing = client.answerClose();
    await eventually(() => {
      client.sendPing();
      return client.received.some(({ opcode }) => opcode === Opcode.Close);
    }, 'its lifetime is over');
    expect((await closing).code).toBe(1001);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause: 'LIFETIME_EXCEEDED' });
    await answered;
  });

  it('P8: stopping cuts a client that never answers at the drain deadline', async () => {
    const stage = await Stage.start(setup, { timeouts: { drain: 200, close: '1h' } });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    await stage.server.stop();
    expect(closeCodes(client)).toEqual([1001]);
    expect(await stage.nextReport()).toMatchObject({ initiator: 'operator', codeSent: 1001, status: 1006 });
  });
});

describe.each(messageSetups)('P8: a callback that never settles on $name', (setup) => {
  it('P8: does not keep the connection after its client has closed', async () => {
    const stage = await Stage.start(setup, {
      timeouts: { close: CLOSE },
      callbacks: { onText: () => deferred().promise.then(() => undefined) },
    });
    const { client, target, receiver } = await stage.open();
    const answered = target.answer();
    client.sendText('never done');
    client.sendClose(1000);
    expect((await client.expectClose()).code).toBe(1000);
    await client.waitForEnd();
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1000, '']);
    await answered;
  });
});

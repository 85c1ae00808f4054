/** Owns what both sides see when one of them breaks its TCP connection, and that nothing is kept of either (P4, P5, P7). */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { RawClient } from '../support/raw-client.js';
import { emptied } from './running.js';
import { isWebSocket, PROXY_WAYS, WAYS, Way, WEBSOCKET_WAYS } from './way.js';

const timeouts = { close: '5s' } as const;

describe.each(PROXY_WAYS)('on the way "%s"', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server: { timeouts } });
  });
  afterAll(() => way.stop());

  it('P4: a reset of the target is 1011 for the client, and onClosed says so', async () => {
    const pair = await way.open();
    (isWebSocket(name) ? pair.upstream : pair.peer).reset();
    const { code, end } = await pair.client.answerClose();
    expect({ code, end }).toEqual({ code: 1011, end: 'fin' });
    const [, status] = await pair.receiver.waitFor('closed');
    expect(status).toBe(1011);
    expect(await way.running.reports.next()).toMatchObject({
      initiator: 'upstream',
      cause: 'UPSTREAM_LOST',
      codeSent: 1011,
      codeReceived: 1011,
    });
  });

  it('P2: what the target sent before its reset is not held back', async () => {
    const pair = await way.open();
    if (isWebSocket(name)) pair.upstream.sendText('last words');
    else pair.peer.write('last words');
    expect((await pair.client.nextMessage()).data.toString()).toBe('last words');
    (isWebSocket(name) ? pair.upstream : pair.peer).reset();
    expect((await pair.client.answerClose()).code).toBe(1011);
    await way.running.reports.next();
  });

  it('P4: a reset of the client is 1006 for the receiver, and the target is told, never with 1006', async () => {
    const pair = await way.open();
    pair.client.reset();
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    if (isWebSocket(name)) expect((await pair.upstream.expectClose()).code).toBe(1011);
    else await pair.peer.waitForEnd();
    expect(await way.running.reports.next()).toMatchObject({ initiator: 'downstream', cause: 'CONNECTION_RESET' });
    await emptied(way.running.server);
    (isWebSocket(name) ? pair.upstream : pair.peer).end();
  });

  it('P4: a client whose TCP ends without a Close is 1006 as well', async () => {
    const pair = await way.open();
    pair.client.end();
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1006, '']);
    if (isWebSocket(name)) expect((await pair.upstream.expectClose()).code).toBe(1011);
    else await pair.peer.waitForEnd();
    await way.running.reports.next();
  });

  it('P5: a reset of one connection disturbs no other', async () => {
    const quiet = await way.open();
    for (let round = 0; round < 10; round += 1) {
      const pair = await way.open();
      if (round % 2 === 0) pair.client.reset();
      else {
        (isWebSocket(name) ? pair.upstream : pair.peer).reset();
        await pair.client.answerClose();
      }
      await pair.receiver.waitFor('closed');
    }
    quiet.client.sendBinary(Buffer.from('undisturbed'));
    if (isWebSocket(name)) expect((await quiet.upstream.nextBinary()).toString()).toBe('undisturbed');
    else expect((await quiet.peer.read(11)).toString()).toBe('undisturbed');
    expect(quiet.client.received).toEqual([]);
  });
});

describe.each(WEBSOCKET_WAYS)('on the way "%s"', (name) => {
  it('P4: a target that ends TCP without a Close is 1011 for the client', async () => {
    const way = await Way.start(name, { server: { timeouts } });
    onTestFinished(() => way.stop());
    const pair = await way.open();
    pair.upstream.end();
    expect((await pair.client.answerClose()).code).toBe(1011);
  });
});

describe.each(['stream', 'messages to tcp'] as const)('on the way "%s"', (name) => {
  it('P4: a target that ends TCP in order is 1000 for the client, behind everything it sent', async () => {
    const way = await Way.start(name, { server: { timeouts } });
    onTestFinished(() => way.stop());
    const pair = await way.open();
    pair.peer.end(Buffer.alloc(500_000, 'x'));
    let bytes = 0;
    while (bytes < 500_000) bytes += (await pair.client.nextBinary()).length;
    expect((await pair.client.answerClose()).code).toBe(1000);
  });
});

describe('P7: a thousand resets', () => {
  it.each(WAYS)(
    'on the way "%s" leave no descriptor, timer or connection',
    async (name) => {
      const way = await Way.start(name, { server: { timeouts: { close: 50 } } });
      onTestFinished(() => way.stop());
      const { client } = await way.open();
      client.reset();
      await emptied(way.running.server);
      const before = holdings();
      for (let batch = 0; batch < 20; batch += 1) {
        const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.open({ port: way.running.port })));
        const peers = name === 'messages alone' ? [] : await way.nextPeers(50);
        clients.forEach((one, index) => {
          if (index % 3 !== 1 || peers.length === 0) one.reset();
          else one.discard();
        });
        // Which peer belongs to which client is left open: some pairs are reset at both ends at once.
        peers.forEach((one, index) => {
          if (index % 3 !== 0) one.reset();
          else one.discard();
        });
        await Promise.all(clients.map((one) => one.connection.closed()));
        await emptied(way.running.server);
        for (const one of peers) one.destroy();
      }
      await expectQuiet(before);
      expect(way.running.reports.all.length).toBe(1001);
      expect(way.running.exceptions.all).toEqual([]);
    },
    60_000,
  );
});

/** Owns promise P6: the client learns before its 101 what became of the target, in the target's own words where it has any. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { accept, ProxyServer, type RejectedUpgrade, reject } from '../../src/index.js';
import { deferred, eventually, waitForEvent } from '../support/events.js';
import { RawClient, requestBytes } from '../support/raw-client.js';
import { connectTcp, refusedPort } from '../support/tcp-peer.js';
import { everySetup, proxySetups, Stage, wsSetups } from './setups.js';

function ask(stage: Stage, options = {}) {
  return RawClient.handshake({ port: stage.port, ...options });
}

describe.each(proxySetups)('P6: the target is asked first on $name', (setup) => {
  const to = (host: string, port: number) => `${setup.target}://${host}:${port}`;

  it('P6: one that refuses the connection is 502', async () => {
    const target = to('127.0.0.1', await refusedPort());
    const stage = await Stage.start(setup, { callbacks: { onUpgradeRequest: () => accept({ target }) } });
    const answer = await ask(stage);
    expect(answer.status).toBe(502);
    expect(await answer.waitForEnd()).toBe('fin');
    expect(stage.told.rejected).toMatchObject([{ status: 502, error: 'UPSTREAM_REFUSED' }]);
    expect(stage.told.opened).toEqual([]);
  });

  it('P6: a name that does not exist is 502 and says so', async () => {
    const target = to('no-such-host.invalid', 80);
    const stage = await Stage.start(setup, { callbacks: { onUpgradeRequest: () => accept({ target }) } });
    expect((await ask(stage)).status).toBe(502);
    expect(stage.told.rejected).toMatchObject([{ status: 502, error: 'UPSTREAM_NOT_FOUND' }]);
  });

  it('P6: a target that is none is 500, and so is none at all', async () => {
    const stage = await Stage.start(setup, {
      callbacks: { onUpgradeRequest: ({ path }) => accept({ target: path.slice(1) }) },
    });
    expect((await ask(stage, { path: '/nonsense' })).status).toBe(500);
    expect((await ask(stage, { path: '/http://127.0.0.1:1' })).status).toBe(500);
    expect(stage.told.rejected.map(({ error }) => error)).toEqual(['INVALID_TARGET', 'INVALID_TARGET']);
    const server = new ProxyServer({ listen: '127.0.0.1:0' });
    onTestFinished(() => server.stop());
    const rejected = waitForEvent<[RejectedUpgrade]>(server, 'rejected');
    const [address] = await server.start();
    expect((await RawClient.handshake({ port: address!.port })).status).toBe(500);
    expect((await rejected)[0].error).toBe('NO_TARGET');
  });

  it('P6: the target sees no connection when the application refuses', async () => {
    const stage = await Stage.start(setup, { callbacks: { onUpgradeRequest: () => reject(404, { body: 'no room' }) } });
    const answer = await ask(stage);
    expect([answer.status, answer.body]).toEqual([404, 'no room']);
    await stage.server.stop();
    expect(stage.upstream?.accepted ?? stage.tcp?.connections.length).toBe(0);
  });
});

describe.each(wsSetups)('P6: a target’s own refusal on $name', (setup) => {
  it('P6: a client that leaves during the dial takes the dial with it', async () => {
    const stage = await Stage.start(setup, { upstream: { answer: 'nothing' } });
    const client = await connectTcp({ port: stage.port });
    client.write(requestBytes({ port: stage.port }));
    await eventually(() => stage.upstream!.peers.length === 1, 'the target was asked');
    client.destroy();
    await stage.until(({ rejected }) => rejected.length === 1);
    await eventually(() => stage.upstream!.openConnections === 0, 'the dial was given up');
    expect(stage.told.rejected).toMatchObject([{ error: 'DOWNSTREAM_GONE' }]);
    expect(stage.told.opened).toEqual([]);
  });

  it('P6: reaches the client with its status, reason, headers and body', async () => {
    const stage = await Stage.start(setup, {
      upstream: {
        answer: {
          status: 401,
          statusText: 'Who Are You',
          headers: { 'WWW-Authenticate': 'Basic realm="backend"', 'Set-Cookie': ['a=1', 'b=2'], 'X-Why': 'no token' },
          body: '{"error":"login"}',
        },
      },
    });
    const answer = await ask(stage);
    expect(answer).toMatchObject({ status: 401, statusText: 'Who Are You', body: '{"error":"login"}' });
    expect(answer.headers).toMatchObject({ 'www-authenticate': 'Basic realm="backend"', 'x-why': 'no token' });
    expect(answer.headerLines.filter((line) => /^set-cookie/i.test(line))).toHaveLength(2);
    expect(stage.told.rejected).toMatchObject([{ status: 401, error: 'UPSTREAM_REJECTED' }]);
    expect((await stage.nextReceiver()).names).toEqual(['upgrade']);
  });

  it.each([302, 403, 404, 429, 500, 503])('P6: %i stays %i', async (status) => {
    const stage = await Stage.start(setup, {
      upstream: { answer: { status, headers: { Location: '/x', 'Retry-After': '7' } } },
    });
    const answer = await ask(stage);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ location: '/x', 'retry-after': '7' });
  });

  it('P6: a target that answers 101 wrongly is 502', async () => {
    const stage = await Stage.start(setup, { upstream: { wrongAccept: true } });
    expect((await ask(stage)).status).toBe(502);
    expect(stage.told.rejected).toMatchObject([{ error: 'UPSTREAM_BAD_HANDSHAKE' }]);
  });

  it('P6: a target that hangs up instead of answering is 502', async () => {
    const stage = await Stage.start(setup, {
      upstream: { onUpgrade: (_head, peer) => peer.reset() },
    });
    expect((await ask(stage)).status).toBe(502);
  });

  it('P6: the subprotocol is the target’s choice, and known before the 101', async () => {
    const stage = await Stage.start(setup, { upstream: { subprotocol: 'chat.v1' } });
    const answer = await ask(stage, { subprotocols: ['chat.v2', 'chat.v1'] });
    onTestFinished(() => answer.client?.destroy());
    expect(answer.headers['sec-websocket-protocol']).toBe('chat.v1');
    expect((await stage.nextReceiver()).connection.subprotocol).toBe('chat.v1');
  });
});

describe.each(everySetup)('P6: the decision of the application on $name', (setup) => {
  it('P6: a client that leaves meanwhile aborts the signal, and a late answer does nothing', async () => {
    const decision = deferred<boolean>();
    const stage = await Stage.start(setup, { callbacks: { onUpgradeRequest: () => decision.promise } });
    const client = await connectTcp({ port: stage.port });
    client.write(requestBytes({ port: stage.port }));
    const receiver = await stage.nextReceiver();
    await receiver.waitFor('upgrade');
    expect(receiver.request!.signal.aborted).toBe(false);
    client.reset();
    await stage.until(({ rejected }) => rejected.length === 1);
    expect(receiver.request!.signal.reason).toMatchObject({ code: 'DOWNSTREAM_GONE' });
    decision.resolve(true);
    await stage.server.stop();
    expect(receiver.names).toEqual(['upgrade']);
    expect(stage.told.opened).toEqual([]);
  });

  it('P6: the signal never aborts after the answer', async () => {
    const stage = await Stage.start(setup);
    const { client, receiver } = await stage.open();
    client.reset();
    await receiver.waitFor('closed');
    expect(receiver.request!.signal.aborted).toBe(false);
  });

  it('P6: stopping answers a handshake that is under way with 503 and Retry-After', async () => {
    const stage = await Stage.start(setup, { callbacks: { onUpgradeRequest: () => deferred<boolean>().promise } });
    const answer = ask(stage);
    await (await stage.nextReceiver()).waitFor('upgrade');
    await Promise.all([stage.server.stop(), answer]);
    expect((await answer).status).toBe(503);
    expect((await answer).headers['retry-after']).toBeDefined();
  });

  it('P6: a full server answers 503 and Retry-After, and takes clients again when one has left', async () => {
    const stage = await Stage.start(setup, { limits: { maxConnections: 1 } });
    const { client, receiver } = await stage.open();
    const answer = await ask(stage);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    client.reset();
    await receiver.waitFor('closed');
    await stage.nextReport();
    await stage.open();
  });
});

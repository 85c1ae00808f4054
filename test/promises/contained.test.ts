/** Owns promise P5: a callback that throws or rejects ends its own connection, and neither the server nor a neighbour. */
import { describe, expect, it } from 'vitest';
import { ConnectionReceiver, ProxyServer, reject, type TidegateError } from '../../src/index.js';
import { eventually, waitForEvent } from '../support/events.js';
import { Opcode, RawClient } from '../support/raw-client.js';
import { type MessageOverrides, RecordingReceiver } from '../support/recording-receiver.js';
import { everySetup, messageSetups, type Pair, proxySetups, type Setup, Stage } from './setups.js';

const FAILURE = new Error('on purpose');

type Failing = keyof MessageOverrides;

function throws(): never {
  throw FAILURE;
}

function rejects(): never {
  return Promise.reject(FAILURE) as never;
}

/** Both ways in which a callback fails. */
const ways = { throws, rejects };

/** A stage whose callbacks fail for clients that ask for `/fail`, with a neighbour for whom they do not. */
async function startFailing(setup: Setup, name: Failing, fail: () => never, options = {}) {
  const callbacks: MessageOverrides = {
    [name]: (...parameters: unknown[]) => {
      const receiver = parameters.at(-1) as RecordingReceiver;
      return receiver.connection.request.path === '/fail' ? fail() : undefined;
    },
  };
  const stage = await Stage.start(setup, { callbacks, timeouts: { close: 1000 }, ...options });
  const neighbour = await stage.open({ path: '/neighbour' });
  return { stage, neighbour };
}

/** The neighbour can still say and hear something, and somebody new can come. */
async function expectUnaffected(stage: Stage, neighbour: Pair): Promise<void> {
  for (const { client, target, receiver } of [neighbour, await stage.open({ path: '/newcomer' })]) {
    client.sendText('hello');
    if (stage.setup.target !== 'none') expect((await target.read(5)).toString()).toBe('hello');
    receiver.connection.send('welcome');
    expect(await client.nextText()).toBe('welcome');
    expect(receiver.names).not.toContain('closed');
  }
}

/** The connection that failed is told 1011, reported, and its error is told as an exception. */
async function expectInternalError(stage: Stage, { client, target, receiver }: Pair): Promise<void> {
  const answered = target.answer();
  expect((await client.answerClose()).code).toBe(1011);
  expect((await receiver.waitFor('closed'))[1]).toBe(1011);
  expect(stage.told.exceptions).toEqual([FAILURE]);
  expect(await stage.nextReport()).toMatchObject({ cause: 'RECEIVER_FAILED', status: 1011, codeSent: 1011 });
  await answered;
}

describe.each(everySetup)('P5: callbacks that fail on $name', (setup) => {
  it.each(Object.entries(ways))('P5: onUpgradeRequest that %s is 500 and no callback more', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onUpgradeRequest', fail);
    const answer = await RawClient.handshake({ port: stage.port, path: '/fail' });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('on purpose');
    await neighbour.receiver.waitFor('open');
    expect(stage.told.exceptions).toEqual([FAILURE]);
    expect((await stage.nextReceiver()).names).toEqual(['upgrade']);
    expect(stage.told.rejected).toMatchObject([{ status: 500, error: 'RECEIVER_FAILED', path: '/fail' }]);
    await expectUnaffected(stage, neighbour);
  });

  it.each(Object.entries(ways))('P5: onOpen that %s is 1011', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onOpen', fail);
    await expectInternalError(stage, await stage.open({ path: '/fail' }));
    await expectUnaffected(stage, neighbour);
  });

  it.each(Object.entries(ways))('P5: onClosed that %s is an exception and nothing else', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onClosed', fail);
    const { client, target, receiver } = await stage.open({ path: '/fail' });
    const answered = target.answer();
    client.sendClose(4000);
    await client.expectClose();
    await receiver.waitFor('closed');
    await stage.until(({ exceptions }) => exceptions.length === 1);
    expect(stage.told.exceptions).toEqual([FAILURE]);
    expect(await stage.nextReport()).toMatchObject({ status: 4000, cause: 'closed' });
    expect(receiver.names).toEqual(['upgrade', 'open', 'closed']);
    await answered;
    await expectUnaffected(stage, neighbour);
  });

  it.each(Object.entries(ways))('P5: onThrottled that %s is 1011', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onThrottled', fail);
    const pair = await stage.open({ path: '/fail' });
    await pair.receiver.waitFor('open');
    pair.client.pauseReading();
    while (!pair.receiver.names.includes('throttled')) pair.receiver.connection.send(Buffer.alloc(100_000));
    pair.client.resumeReading();
    await expectInternalError(stage, pair);
    await expectUnaffected(stage, neighbour);
  });

  it.each(Object.entries(ways))('P5: onUnthrottled that %s is 1011', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onUnthrottled', fail);
    const pair = await stage.open({ path: '/fail' });
    await pair.receiver.waitFor('open');
    pair.client.pauseReading();
    while (!pair.receiver.connection.throttled) pair.receiver.connection.send(Buffer.alloc(100_000));
    pair.client.resumeReading();
    await expectInternalError(stage, pair);
    await expectUnaffected(stage, neighbour);
  });

  it('P5: onBeforeHeartbeat that throws is 1011', async () => {
    const heartbeat = { interval: 100, timeout: 100 };
    const { stage, neighbour } = await startFailing(setup, 'onBeforeHeartbeat', throws, { heartbeat });
    const pair = await stage.open({ path: '/fail' });
    const living = keepAlive(neighbour, () => stage.told.reports.length > 0);
    await expectInternalError(stage, pair);
    await living;
  });

  it('P5: onIdleTimeout that throws is 1011', async () => {
    const timeouts = { close: 1000, idle: 160 };
    const stage = await Stage.start(setup, { callbacks: { onIdleTimeout: () => throws() }, timeouts });
    await expectInternalError(stage, await stage.open());
  });
});

/** Answers the heartbeat until something has happened. */
async function keepAlive({ client, target }: Pair, done: () => boolean): Promise<void> {
  await eventually(() => {
    for (const peer of [client, target.ws]) {
      if (peer?.received.at(-1)?.opcode === Opcode.Ping) peer.sendPong(peer.received.at(-1)!.payload);
    }
    return done();
  }, 'the other connection has failed');
}

describe.each(messageSetups)('P5: message callbacks that fail on $name', (setup) => {
  it.each(Object.entries(ways))('P5: onText that %s is 1011, and nothing more is delivered', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onText', fail);
    const pair = await stage.open({ path: '/fail' });
    for (let count = 0; count < 5; count += 1) pair.client.sendText('once');
    await expectInternalError(stage, pair);
    expect(pair.receiver.entriesOf('text')).toHaveLength(1);
    await expectUnaffected(stage, neighbour);
  });

  it.each(Object.entries(ways))('P5: onBinary that %s is 1011', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onBinary', fail);
    const pair = await stage.open({ path: '/fail' });
    pair.client.sendBinary(Buffer.from([1]));
    await expectInternalError(stage, pair);
    await expectUnaffected(stage, neighbour);
  });

  it.each(Object.entries(ways))('P5: onFragment that %s is 1011', async (_, fail) => {
    const { stage, neighbour } = await startFailing(setup, 'onFragment', fail, { fragments: 'fragments' });
    const pair = await stage.open({ path: '/fail' });
    pair.client.sendFrame({ opcode: Opcode.Text, payload: 'half', fin: false });
    await expectInternalError(stage, pair);
    await expectUnaffected(stage, neighbour);
  });
});

describe.each(messageSetups.filter(({ target }) => target !== 'none'))(
  'P5: target callbacks that fail on $name',
  (setup) => {
    it.each(Object.entries(ways))('P5: one for messages of the target that %s is 1011', async (_, fail) => {
      const { stage, neighbour } = await startFailing(setup, 'onUpstreamBinary', fail);
      const pair = await stage.open({ path: '/fail' });
      pair.target.send(Buffer.from('never'));
      await expectInternalError(stage, pair);
      expect(pair.client.received.every(({ opcode }) => opcode === Opcode.Close)).toBe(true);
      await expectUnaffected(stage, neighbour);
    });
  },
);

describe('P5: attach and listeners that fail', () => {
  it('P5: a factory that throws is 500, and an exception', async () => {
    const server = new ProxyServer({
      listen: '127.0.0.1:0',
      target: 'tcp://127.0.0.1:1',
      receiver: ({ path }) => {
        if (path === '/fail') throw FAILURE;
        return new RecordingReceiver({ onUpgradeRequest: () => reject(418) });
      },
    });
    const exceptions: unknown[] = [];
    server.on('exception', (error) => exceptions.push(error));
    const [address] = await server.start();
    const ask = async (path: string) => (await RawClient.handshake({ port: address!.port, path })).status;
    expect(await ask('/fail')).toBe(500);
    expect(await ask('/')).toBe(418);
    expect(exceptions).toEqual([FAILURE]);
    await server.stop();
  });

  it('P5: attach that throws is 500', async () => {
    class Unattachable extends ConnectionReceiver {
      override attach(): void {
        throw FAILURE;
      }
    }
    const server = new ProxyServer({
      listen: '127.0.0.1:0',
      target: 'tcp://127.0.0.1:1',
      receiver: () => new Unattachable(),
    });
    const [address] = await server.start();
    const exception = waitForEvent<[Error]>(server, 'exception');
    expect((await RawClient.handshake({ port: address!.port })).status).toBe(500);
    expect((await exception)[0]).toBe(FAILURE);
    await server.stop();
  });

  it.each(proxySetups)('P5: listeners of the server that throw reach no connection on $name', async (setup) => {
    const stage = await Stage.start(setup, { timeouts: { close: 200 } });
    for (const name of ['connection', 'disconnected', 'rejected', 'exception', 'shutdown'] as const) {
      stage.server.prependListener(name, () => {
        throw FAILURE;
      });
    }
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendText('hello');
    expect((await target.read(5)).toString()).toBe('hello');
    receiver.connection.terminate();
    await receiver.waitFor('closed');
    expect(receiver.names.filter((name) => name !== 'text')).toEqual(['upgrade', 'open', 'closed']);
    expect((await RawClient.handshake({ port: stage.port, omitHeaders: ['Upgrade'] })).status).toBe(426);
    await stage.server.stop();
    expect(stage.server.state).toBe('stopped');
  });

  it.each(Object.entries(ways))('P5: a listener that %s is told as an exception', async (_, fail) => {
    const stage = await Stage.start(everySetup[0]!);
    stage.server.prependListener('connection', fail);
    await stage.open();
    await stage.until(({ exceptions }) => exceptions.length === 1);
    expect(stage.told.exceptions).toEqual([FAILURE]);
  });

  it('P5: an answer that is no decision is 500 with its code', async () => {
    const stage = await Stage.start(everySetup[0]!, {
      callbacks: { onUpgradeRequest: () => 'yes' as unknown as boolean },
    });
    expect((await RawClient.handshake({ port: stage.port })).status).toBe(500);
    await stage.until(({ rejected }) => rejected.length === 1);
    expect((stage.told.exceptions[0] as TidegateError).code).toBe('INVALID_DECISION');
  });
});

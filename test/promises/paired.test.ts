/** Owns promise P1: `onOpen` and `onClosed` come in pairs, however a connection ends. */
import { describe, expect, it } from 'vitest';
import { reject } from '../../src/index.js';
import { RawClient } from '../support/raw-client.js';
import type { RecordingReceiver } from '../support/recording-receiver.js';
import { everySetup, type Pair, proxySetups, type Setup, Stage } from './setups.js';

/** Waits until everything has ended, and tells the story of the receiver without its messages. */
async function story(stage: Stage, { receiver }: Pick<Pair, 'receiver'>): Promise<string[]> {
  await receiver.waitFor('closed');
  await stage.nextReport();
  await stage.server.stop({ drainTimeout: 0 });
  expect(stage.told.reports).toHaveLength(1);
  expect(stage.told.opened).toHaveLength(1);
  expect(receiver.overlapping).toEqual([]);
  return receiver.names.filter((name) => name !== 'text' && name !== 'binary');
}

const pairedStory = ['upgrade', 'open', 'closed'];

const endings: Record<string, (pair: Pair, stage: Stage) => void | Promise<unknown>> = {
  'the client closes': async ({ client, target }) => {
    client.sendClose(1000);
    await target.answer();
  },
  'the client resets': ({ client }) => client.reset(),
  'the client ends TCP': ({ client }) => client.end(),
  'the application closes': async ({ client, target, receiver }) => {
    receiver.connection.close(4000, 'enough');
    await Promise.all([client.answerClose(), target.answer()]);
  },
  'the application closes twice and then terminates': ({ receiver: { connection } }) => {
    connection.close();
    connection.close(1001);
    connection.terminate();
    connection.terminate();
  },
  'the application terminates': ({ receiver }) => receiver.connection.terminate(),
  'the operator cuts all': (_pair, { server }) => void server.terminateAll(),
  'the operator disconnects all': async ({ client, target }, { server }) => {
    await Promise.all([server.disconnectAll(), client.answerClose(), target.answer()]);
  },
  'the server stops': async ({ client, target }, { server }) => {
    await Promise.all([server.stop(), client.answerClose(), target.answer()]);
  },
  'the server stops at once': (_pair, { server }) => server.stop({ drainTimeout: 0 }),
  'the client breaks a rule': async ({ client, target }) => {
    client.sendFrame({ opcode: 3 });
    await Promise.all([client.answerClose(), target.answer()]);
  },
};

const targetEndings: Record<string, (pair: Pair, stage: Stage) => void | Promise<unknown>> = {
  'the target resets': async ({ client, target }) => {
    target.connection.reset();
    await client.answerClose();
  },
  'the target ends TCP': async ({ client, target }) => {
    target.connection.end();
    await client.answerClose();
  },
  'both ends reset at once': ({ client, target }) => {
    client.reset();
    target.connection.reset();
  },
};

describe.each(everySetup)('P1: callbacks are paired on $name', (setup: Setup) => {
  const cases = setup.target === 'none' ? endings : { ...endings, ...targetEndings };
  it.each(Object.entries(cases))('P1: one onOpen and one onClosed when %s', async (_name, end) => {
    const stage = await Stage.start(setup, { timeouts: { close: 2000 } });
    const pair = await stage.open();
    await pair.receiver.waitFor('open');
    await end(pair, stage);
    expect(await story(stage, pair)).toEqual(pairedStory);
  });

  it('P1: nothing is delivered after onClosed, and everything before it once', async () => {
    const stage = await Stage.start(setup);
    const pair = await stage.open();
    const { client, target, receiver } = pair;
    for (let count = 0; count < 50; count += 1) client.sendText(`message ${count}`);
    client.sendClose(1000);
    client.sendText('too late');
    client.sendText('too late');
    await target.answer();
    expect(await story(stage, pair)).toEqual(pairedStory);
    expect(receiver.names.at(-1)).toBe('closed');
    if (setup.path === 'messages') expect(receiver.entriesOf('text')).toHaveLength(50);
    expect(receiver.connection.send('never')).toBe('closed');
    expect(receiver.connection.ping()).toBe('closed');
  });

  it('P1: a refused upgrade gets neither onOpen nor onClosed', async () => {
    const stage = await Stage.start(setup, { callbacks: { onUpgradeRequest: () => reject(418) } });
    const answer = await RawClient.handshake({ port: stage.port });
    expect(answer.status).toBe(418);
    await stage.until(({ rejected }) => rejected.length === 1);
    await stage.server.stop();
    expect((await stage.nextReceiver()).names).toEqual(['upgrade']);
    expect(stage.told).toMatchObject({ opened: [], reports: [], rejected: [{ status: 418 }] });
  });

  it('P1: a client that leaves during the decision gets neither onOpen nor onClosed', async () => {
    let decide: (answer: boolean) => void = () => {};
    const stage = await Stage.start(setup, {
      callbacks: {
        onUpgradeRequest: () =>
          new Promise((resolve) => {
            decide = resolve;
          }),
      },
    });
    const answer = RawClient.handshake({ port: stage.port, allowHalfOpen: true });
    answer.catch(() => {});
    const receiver = await stage.nextReceiver();
    await receiver.waitFor('upgrade');
    expect(stage.server.terminateAll()).toBe(1);
    expect((await answer).status).toBe(503);
    decide(true);
    await stage.until(({ rejected }) => rejected.length === 1);
    await stage.server.stop();
    expect(receiver.names).toEqual(['upgrade']);
    expect(stage.told.reports).toEqual([]);
  });

  it('P1: one onClosed when onOpen throws', async () => {
    const stage = await Stage.start(setup, {
      callbacks: {
        onOpen: () => {
          throw new Error('on purpose');
        },
      },
    });
    const pair = await stage.open();
    expect((await pair.client.answerClose()).code).toBe(1011);
    expect(await story(stage, pair)).toEqual(pairedStory);
  });

  it('P1: one onClosed when onOpen terminates, closes and sends', async () => {
    const stage = await Stage.start(setup, {
      callbacks: {
        onOpen: (_request, { connection }) => {
          connection.send('hello');
          connection.close(4001, 'bye');
          connection.terminate();
        },
      },
    });
    const client = await stage.openClient();
    expect(await story(stage, { receiver: await stage.nextReceiver() })).toEqual(pairedStory);
    await client.waitForEnd();
  });

  it('P1: onClosed waits for an onOpen that is not done, and comes once', async () => {
    let finish: () => void = () => {};
    const stage = await Stage.start(setup, {
      callbacks: {
        onOpen: () =>
          new Promise((resolve) => {
            finish = resolve;
          }),
      },
    });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendText('early');
    client.reset();
    receiver.connection.terminate();
    expect(receiver.names).toEqual(['upgrade', 'open']);
    finish();
    expect(await story(stage, { receiver })).toEqual(pairedStory);
  });

  it('P1: onClosed comes once when onClosed itself closes, sends and terminates', async () => {
    const stage = await Stage.start(setup, {
      callbacks: {
        onClosed: (_status, _reason, { connection }) => {
          connection.send('late');
          connection.close();
          connection.terminate();
          connection.pause();
          connection.resume();
        },
      },
    });
    const pair = await stage.open();
    pair.client.reset();
    expect(await story(stage, pair)).toEqual(pairedStory);
  });
});

describe.each(proxySetups)('P1: callbacks are paired around the dial on $name', (setup) => {
  it('P1: a refused dial gets neither onOpen nor onClosed', async () => {
    const stage = await Stage.start(setup);
    await stage.upstream?.close();
    await stage.tcp?.close();
    expect((await RawClient.handshake({ port: stage.port })).status).toBe(502);
    await stage.until(({ rejected }) => rejected.length === 1);
    expect((await stage.nextReceiver()).names).toEqual(['upgrade']);
    expect(stage.told.reports).toEqual([]);
  });

  it('P1: a dial that fails after the 101 gets both', async () => {
    const stage = await Stage.start(setup, { connectUpstream: 'after-accept' });
    await stage.upstream?.close();
    await stage.tcp?.close();
    const client = await stage.openClient();
    expect((await client.answerClose()).code).toBe(1014);
    expect(await story(stage, { receiver: await stage.nextReceiver() })).toEqual(pairedStory);
  });
});

describe('P1: messages that wait for a callback', () => {
  it('P1: are not delivered any more once the application closed', async () => {
    const setup = everySetup.find(({ target }) => target === 'none')!;
    const stage = await Stage.start(setup, {
      callbacks: {
        onText: async (text: string, { connection }: RecordingReceiver) => {
          if (text === 'close') connection.close(4002);
        },
      },
    });
    const { client, receiver } = await stage.open();
    for (const text of ['one', 'close', 'two', 'three']) client.sendText(text);
    expect((await client.answerClose()).code).toBe(4002);
    await receiver.waitFor('closed');
    expect(receiver.entriesOf('text').map(([, text]) => text)).toEqual(['one', 'close']);
  });
});

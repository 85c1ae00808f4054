/** Owns promise P5 for what a program without types may return: it ends one connection, and never the process. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import type { MessageOverrides } from '../support/recording-receiver.js';
import { messageSetups, type Setup, Stage, withoutTarget } from './setups.js';

const replies: ReadonlyArray<[what: string, reply: unknown]> = [
  ['a number', 5],
  ['true', true],
  ['null', null],
  ['an object', { text: 'x' }],
  ['a promise of a number', Promise.resolve(5)],
];

function answering(name: keyof MessageOverrides, reply: unknown): MessageOverrides {
  return { [name]: () => reply as never };
}

async function expectRefused(stage: Stage, say: (pair: Awaited<ReturnType<Stage['open']>>) => void): Promise<void> {
  const pair = await stage.open();
  const answered = pair.target.answer();
  say(pair);
  expect((await pair.client.answerClose()).code).toBe(1011);
  expect(stage.told.exceptions).toMatchObject([
    { code: 'INVALID_MESSAGE', message: expect.stringContaining('returned') },
  ]);
  expect(await stage.nextReport()).toMatchObject({ cause: 'RECEIVER_FAILED', status: 1011 });
  await answered;
  await eventually(() => stage.server.connections.length === 0, 'the connection is gone');
}

const withTarget = messageSetups.filter((setup: Setup) => setup.target !== 'none');

describe.each(withTarget)('P5: replies that cannot be sent on $name', (setup) => {
  it.each(replies)('P5: onText that returns %s is 1011', async (_, reply) => {
    const stage = await Stage.start(setup, { callbacks: answering('onText', reply), timeouts: { close: 1000 } });
    await expectRefused(stage, ({ client }) => client.sendText('x'));
  });

  it('P5: onFragment that returns a string is 1011', async () => {
    const callbacks = answering('onFragment', 'text');
    const stage = await Stage.start(setup, { callbacks, fragments: 'fragments', timeouts: { close: 1000 } });
    await expectRefused(stage, ({ client }) => client.sendText('x'));
  });

  it('P5: a callback for the target that returns a number is 1011', async () => {
    const stage = await Stage.start(setup, { callbacks: answering('onUpstreamBinary', 5), timeouts: { close: 1000 } });
    await expectRefused(stage, ({ target }) => target.send(Buffer.from('x')));
  });
});

describe('P5: replies where nothing is passed on', () => {
  it.each(replies)('P5: onText that returns %s has no effect without a target', async (_, reply) => {
    const stage = await Stage.start(withoutTarget, { callbacks: answering('onText', reply) });
    const { client, receiver } = await stage.open();
    client.sendText('x');
    await receiver.waitFor('text');
    receiver.connection.send('still here');
    expect(await client.nextText()).toBe('still here');
    expect(stage.told.exceptions).toEqual([]);
  });
});

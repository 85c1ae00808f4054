/** Owns `connectUpstream: 'after-accept'`: the client has its 101 while the target is still being dialled. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { refusedPort } from '../support/tcp-peer.js';
import { startProxy, startTcp, startUpstream } from './stage.js';

const AFTER = { connectUpstream: 'after-accept' } as const;

describe('connectUpstream: after-accept', () => {
  it('answers 101 first, holds what the client sends meanwhile, and loses none of it (P2)', async () => {
    let accept: (() => void) | undefined;
    const target = await startUpstream({
      onUpgrade: (_, peer) => {
        accept = () => peer.accept();
      },
    });
    const { open, server } = await startProxy({ target: target.url, ...AFTER });
    const client = await open();
    client.sendText('one');
    client.sendText('two');
    await client.drained();
    await eventually(() => accept !== undefined, 'the target is asked');
    expect(server.snapshot().connections[0]).toMatchObject({
      state: 'open',
      chart: { open: { inbound: 'paused' } },
    });
    accept?.();
    const upstream = await target.nextConnection();
    expect([await upstream.nextText(), await upstream.nextText()]).toEqual(['one', 'two']);
    upstream.sendText('back');
    expect(await client.nextText()).toBe('back');
    expect(server.snapshot().connections[0]).toMatchObject({ chart: { open: { inbound: 'reading' } } });
  });

  it('does the same with a byte target', async () => {
    const target = await startTcp();
    const { open } = await startProxy({ target: target.url, ...AFTER });
    const client = await open();
    client.sendText('one');
    const upstream = await target.nextConnection();
    expect((await upstream.read(3)).toString()).toBe('one');
    upstream.write('back');
    expect((await client.nextBinary()).toString()).toBe('back');
  });

  it('does the same for a receiver that looks at messages', async () => {
    const target = await startUpstream();
    const receivers = receiverFactory({ onText: (text) => `${text}!` });
    const { open } = await startProxy({ target: target.url, receiver: receivers.create, ...AFTER });
    const client = await open();
    client.sendText('one');
    expect(await (await target.nextConnection()).nextText()).toBe('one!');
  });

  it('closes with 1014 when the target cannot be reached, and onClosed follows onOpen (P1, P6)', async () => {
    const receivers = receiverFactory();
    const { open, events } = await startProxy({
      target: `tcp://127.0.0.1:${await refusedPort()}`,
      receiver: receivers.create,
      ...AFTER,
    });
    const client = await open();
    expect(await client.answerClose()).toMatchObject({ code: 1014, end: 'fin' });
    expect(await events.reports.next()).toMatchObject({
      initiator: 'upstream',
      cause: 'UPSTREAM_REFUSED',
      codeSent: 1014,
    });
    expect((await receivers.nextReceiver()).names).toEqual(['upgrade', 'open', 'closed']);
    expect(events.rejections.all).toEqual([]);
  });

  it('closes with 1014 when a WebSocket target answers anything but 101', async () => {
    const target = await startUpstream({ answer: { status: 401, body: 'who are you?' } });
    const { open, events } = await startProxy({ target: target.url, ...AFTER });
    const client = await open();
    expect((await client.answerClose()).code).toBe(1014);
    expect(await events.reports.next()).toMatchObject({ cause: 'UPSTREAM_REJECTED' });
  });

  it('closes with 1014 when the target does not answer in time (P8)', async () => {
    const target = await startUpstream({ answer: 'nothing' });
    const { open, events } = await startProxy({ target: target.url, ...AFTER, timeouts: { dial: 60 } });
    const client = await open();
    expect((await client.answerClose()).code).toBe(1014);
    expect(await events.reports.next()).toMatchObject({ cause: 'UPSTREAM_TIMEOUT' });
  });

  it('gives the dial up when the client leaves', async () => {
    const target = await startUpstream({ answer: 'nothing' });
    const { open, events } = await startProxy({ target: target.url, ...AFTER });
    const client = await open();
    const upstream = await target.nextConnection();
    client.reset();
    expect((await events.reports.next()).status).toBe(1006);
    await upstream.waitForEnd();
  });

  it('gives the dial up when the server closes the connection', async () => {
    const target = await startUpstream({ answer: 'nothing' });
    const { open, server } = await startProxy({ target: target.url, ...AFTER });
    const client = await open();
    const upstream = await target.nextConnection();
    server.connection('conn-1')!.close(4000);
    expect((await client.answerClose()).code).toBe(4000);
    await upstream.waitForEnd();
  });

  it('lets the application send before the target is there', async () => {
    const target = await startUpstream({ answer: 'nothing' });
    const receivers = receiverFactory({ onOpen: (_, { connection }) => void connection.send('please wait') });
    const { open } = await startProxy({ target: target.url, receiver: receivers.create, ...AFTER });
    expect(await (await open()).nextText()).toBe('please wait');
  });
});

/** Holds what a client may do between an early 101 and its first message, and that nothing is dialled or made before. */
import { describe, expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../../src/index.js';
import { encodeFrame, Opcode } from '../../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../../support/recording-receiver.js';
import { inSeconds, SECRET, sign } from '../../support/tokens.js';
import { startEcho, startProxy, startReceivers, startUpstream } from '../stage.js';
import { PASSWORD } from './ways.js';

const FIRST: ProxyServerOptions['authentication'] = { firstMessage: true, jwt: { secret: SECRET } };

async function stage(options: Partial<ProxyServerOptions> = {}) {
  const echo = await startEcho();
  let receivers = 0;
  const running = await startProxy({
    target: echo.url,
    authentication: FIRST,
    receiver: () => {
      receivers += 1;
      return new QuietReceiver();
    },
    ...options,
  });
  return { ...running, echo, made: () => receivers };
}

describe('a first message', () => {
  it('that is a token lets in; what comes behind it at once is the first that the target gets', async () => {
    const { open, echo, events, server, made } = await stage();
    const client = await open();
    expect(server.snapshot().connections).toMatchObject([{ state: 'handshaking' }]);
    expect(echo.connections).toHaveLength(0);
    expect(made()).toBe(0);
    client.sendText(await sign());
    client.sendBinary(Buffer.from('one'));
    client.sendText('two');
    let echoed = '';
    while (echoed.length < 6) echoed += (await client.nextBinary()).toString();
    expect(echoed).toBe('onetwo');
    expect((await events.connections.next()).principal).toMatchObject({ name: 'ada', scheme: 'bearer' });
    expect(made()).toBe(1);
  });

  it('may come in fragments, with pings in between, and with the handshake', async () => {
    const { open, events } = await stage();
    const token = Buffer.from(await sign());
    const frames = [
      { opcode: Opcode.Ping, payload: Buffer.from('are you there') },
      { opcode: Opcode.Text, fin: false, payload: token.subarray(0, 10) },
      { opcode: Opcode.Continuation, fin: false, payload: Buffer.alloc(0) },
      { opcode: Opcode.Ping, payload: Buffer.alloc(0) },
      { opcode: Opcode.Continuation, payload: token.subarray(10) },
      { opcode: Opcode.Binary, payload: Buffer.from('hello') },
    ];
    const head = Buffer.concat(frames.map((frame) => encodeFrame({ masked: true, ...frame })));
    const client = await open({ head });
    expect((await client.nextFrame()).payload.toString()).toBe('are you there');
    expect((await client.nextFrame()).opcode).toBe(Opcode.Pong);
    expect((await client.nextBinary()).toString()).toBe('hello');
    expect((await events.connections.next()).principal?.name).toBe('ada');
  });

  it('may come byte by byte', async () => {
    const { open, events } = await stage();
    const client = await open();
    const bytes = encodeFrame({ masked: true, opcode: Opcode.Text, payload: Buffer.from(await sign()) });
    for (const byte of bytes) client.sendRaw(Buffer.from([byte]));
    expect((await events.connections.next()).principal?.name).toBe('ada');
  });

  it('may say its scheme, as Authorization would', async () => {
    const { open, events } = await stage({ authentication: { firstMessage: true, users: { ada: PASSWORD } } });
    const client = await open();
    client.sendText(`Basic ${Buffer.from(`ada:${PASSWORD}`).toString('base64')}`);
    expect((await events.connections.next()).principal).toMatchObject({ name: 'ada', scheme: 'basic' });
  });

  it('is not waited for when the handshake has credentials, and is a message like any other then', async () => {
    const { open } = await stage();
    const token = await sign();
    const client = await open({ headers: { Authorization: `Bearer ${token}` } });
    client.sendText('hello');
    expect((await client.nextBinary()).toString()).toBe('hello');
  });

  it.each<[string, string | Buffer, string]>([
    ['a wrong token', 'n0t-a-token', 'INVALID_CREDENTIALS'],
    ['several words', 'let me in', 'INVALID_CREDENTIALS'],
    ['nothing', '', 'INVALID_CREDENTIALS'],
    ['bytes', Buffer.from('n0t-a-token'), 'INVALID_CREDENTIALS'],
  ])('that is %s is refused with 1008', async (_, message, error) => {
    const { open, echo, events, server, made } = await stage();
    const client = await open();
    if (typeof message === 'string') client.sendText(message);
    else client.sendBinary(message);
    expect(await client.answerClose()).toMatchObject({ code: 1008, reason: expect.not.stringContaining('n0t') });
    expect(await events.rejections.next()).toMatchObject({ error, status: 101 });
    expect(events.lines).toEqual(['startup 1', `rejected ${error}`]);
    expect(echo.connections).toHaveLength(0);
    expect(made()).toBe(0);
    expect(server.snapshot().connections).toEqual([]);
  });

  it('that is an expired token, or one for another close code, is refused with that', async () => {
    const { open, events } = await stage({ authentication: { ...FIRST, rejectCode: 4401 } });
    const client = await open();
    client.sendText(await sign(SECRET, { exp: inSeconds(-60) }));
    expect(await client.answerClose()).toMatchObject({ code: 4401 });
    expect(await events.rejections.next()).toMatchObject({ error: 'CREDENTIALS_EXPIRED' });
  });

  it.each<[string, Buffer, number, string]>([
    [
      'breaks the protocol',
      encodeFrame({ masked: false, opcode: Opcode.Text, payload: Buffer.from('x') }),
      1002,
      'PROTOCOL_ERROR',
    ],
    [
      'is no UTF-8',
      encodeFrame({ masked: true, opcode: Opcode.Text, payload: Buffer.from([0xff]) }),
      1007,
      'INVALID_UTF8',
    ],
    [
      'is too long',
      encodeFrame({ masked: true, opcode: Opcode.Text, payload: Buffer.alloc(20_000, 'x') }),
      1009,
      'MESSAGE_TOO_BIG',
    ],
    [
      'is never whole',
      Buffer.concat(
        Array.from({ length: 20 }, (_, index) =>
          encodeFrame({ masked: true, opcode: index === 0 ? 1 : 0, fin: false, payload: Buffer.alloc(1, 'x') }),
        ),
      ),
      1008,
      'TOO_MANY_FRAGMENTS',
    ],
    [
      'comes behind too many pings',
      Buffer.concat(Array.from({ length: 20 }, () => encodeFrame({ masked: true, opcode: Opcode.Ping }))),
      1008,
      'RATE_LIMITED',
    ],
  ])('that %s is refused', async (_, bytes, code, error) => {
    const { open, events, made } = await stage();
    const client = await open();
    client.sendRaw(bytes);
    let frame = await client.nextFrame();
    while (frame.opcode === Opcode.Pong) frame = await client.nextFrame();
    expect(frame.opcode).toBe(Opcode.Close);
    expect(frame.payload.readUInt16BE(0)).toBe(code);
    expect(await events.rejections.next()).toMatchObject({ error, status: 101 });
    expect(made()).toBe(0);
  });

  it('that does not come is not waited for any longer than it may take', async () => {
    const { open, events } = await stage({ authentication: { ...FIRST, timeout: 60 } });
    const client = await open();
    expect(await client.answerClose()).toMatchObject({ code: 1008 });
    expect(await events.rejections.next()).toMatchObject({ error: 'AUTHENTICATION_TIMEOUT', status: 101 });
  });

  it('that does not come within the deadline of the handshake is told the same', async () => {
    const { open, events } = await stage({ timeouts: { handshake: 60 } });
    const client = await open();
    expect(await client.answerClose()).toMatchObject({ code: 1008 });
    expect(await events.rejections.next()).toMatchObject({ error: 'AUTHENTICATION_TIMEOUT', status: 101 });
  });

  it('from a client that closes or leaves instead is not waited for', async () => {
    const { open, events, server } = await stage();
    const polite = await open();
    polite.sendClose(1001);
    expect(await polite.expectClose()).toMatchObject({ code: 1000 });
    expect(await events.rejections.next()).toMatchObject({ error: 'DOWNSTREAM_GONE' });
    (await open()).destroy();
    expect(await events.rejections.next()).toMatchObject({ error: 'DOWNSTREAM_GONE' });
    expect(server.snapshot().connections).toEqual([]);
  });

  it('is not waited for by a server that stops', async () => {
    const { open, server, events } = await stage();
    const client = await open();
    const stopped = server.stop();
    expect(await client.answerClose()).toMatchObject({ code: 1001 });
    await stopped;
    expect(events.lines).toContain('rejected SHUTTING_DOWN');
  });
});

describe('after the first message', () => {
  it('a receiver that refuses closes, and a target that is down closes with 1014', async () => {
    const token = await sign();
    const refusing = await stage({
      receiver: () =>
        new (class extends QuietReceiver {
          override onUpgradeRequest = () => false;
        })(),
    });
    const one = await refusing.open();
    one.sendText(token);
    expect(await one.answerClose()).toMatchObject({ code: 1008 });
    expect(await refusing.events.rejections.next()).toMatchObject({ error: 'REJECTED', status: 101 });

    const down = await startUpstream();
    await down.close();
    const { open, events } = await stage({ target: down.url });
    const two = await open();
    two.sendText(token);
    expect(await two.answerClose()).toMatchObject({ code: 1014 });
    expect(await events.rejections.next()).toMatchObject({ error: 'UPSTREAM_REFUSED', status: 101 });
  });

  it('a WebSocket target is offered the subprotocol that the client was answered with, and no extension', async () => {
    const target = await startUpstream();
    const { open } = await startProxy({ target: target.url, authentication: FIRST, compression: true });
    const client = await open({ subprotocols: ['two', 'one'], extensions: 'permessage-deflate' });
    expect(client.subprotocol).toBe('two');
    expect(client.answer.headers['sec-websocket-extensions']).toBeUndefined();
    client.sendText(await sign());
    client.sendText('hello');
    const peer = await target.nextConnection();
    expect(peer.headers['sec-websocket-protocol']).toBe('two');
    expect(peer.headers['sec-websocket-extensions']).toBeUndefined();
    expect(await peer.nextText()).toBe('hello');
    peer.sendText('back');
    expect(await client.nextText()).toBe('back');
  });

  it('works before receivers without target, and when the target is dialled after the 101', async () => {
    const receivers = receiverFactory();
    const running = await startReceivers({ authentication: FIRST, receiver: receivers.create });
    const client = await running.open();
    client.sendText(await sign());
    expect((await running.events.connections.next()).principal?.name).toBe('ada');
    client.sendClose(1000);
    await running.events.reports.next();

    const { open } = await stage({ connectUpstream: 'after-accept' });
    const other = await open();
    other.sendText(await sign());
    other.sendText('hello');
    expect((await other.nextBinary()).toString()).toBe('hello');
  });
});

/** Owns the check that the raw upstream of the test kit speaks with an independent client: `ws`. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { waitForEvent } from '../../support/events.js';
import { encodeFrame, Opcode, RawClient } from '../../support/raw-client.js';
import { RawUpstream, type RawUpstreamOptions } from '../../support/raw-upstream.js';
import { connectTcp } from '../../support/tcp-peer.js';

async function start(options?: RawUpstreamOptions): Promise<RawUpstream> {
  const upstream = await RawUpstream.start(options);
  onTestFinished(() => upstream.close());
  return upstream;
}

describe('RawUpstream', () => {
  test('accepts, shows the request and exchanges frames', async () => {
    const upstream = await start();
    const client = new WebSocket(`${upstream.url}/chat?room=1`, {
      headers: { 'x-one': '1' },
      perMessageDeflate: false,
    });
    const peer = await upstream.nextConnection();
    await waitForEvent(client, 'open');
    expect(peer.requestLine).toBe('GET /chat?room=1 HTTP/1.1');
    expect(peer.requestHead).toMatch(/\r\nx-one: 1\r\n/i);
    client.send('hi');
    expect(await peer.nextFrame()).toMatchObject({ opcode: Opcode.Text, fin: true, masked: true });
    const message = waitForEvent<[Buffer, boolean]>(client, 'message');
    peer.sendFrame({ opcode: Opcode.Binary, payload: 'a', fin: false });
    peer.sendFrame({ opcode: Opcode.Continuation, payload: 'b' });
    expect(await message).toEqual([Buffer.from('ab'), true]);
    const closed = waitForEvent<[number, Buffer]>(client, 'close');
    peer.sendClose(1012, 'again soon');
    expect(await peer.expectClose()).toEqual({ code: 1012, reason: 'again soon' });
    peer.end();
    expect((await closed).map(String)).toEqual(['1012', 'again soon']);
  });

  test('sends first frames in the same segment as the 101', async () => {
    const upstream = await start({ firstBytes: encodeFrame({ opcode: Opcode.Text, payload: 'early' }) });
    const client = new WebSocket(upstream.url);
    const [data] = await waitForEvent<[Buffer]>(client, 'message');
    expect(data.toString()).toBe('early');
    client.terminate();
  });

  test('answers with a subprotocol only when asked to', async () => {
    const plain = await RawClient.open({ port: (await start()).port, subprotocols: ['b', 'a'] });
    expect(plain.subprotocol).toBe('');
    const first = await RawClient.open({
      port: (await start({ subprotocol: 'first' })).port,
      subprotocols: ['b', 'a'],
    });
    expect(first.subprotocol).toBe('b');
  });

  test('refuses with a status, headers and a body', async () => {
    const upstream = await start({ answer: { status: 401, headers: { 'WWW-Authenticate': 'Basic' }, body: 'who?' } });
    const client = new WebSocket(upstream.url);
    client.on('error', () => {});
    const [, response] = await waitForEvent<[unknown, IncomingMessage]>(client, 'unexpected-response');
    expect(response.statusCode).toBe(401);
    client.terminate();
    const answer = await RawClient.handshake({ port: upstream.port });
    expect(answer).toMatchObject({ status: 401, body: 'who?', headers: { 'www-authenticate': 'Basic' } });
  });

  test('answers with a wrong accept value', async () => {
    const upstream = await start({ wrongAccept: true });
    const client = new WebSocket(upstream.url);
    await expect(waitForEvent(client, 'open')).rejects.toThrow('Invalid Sec-WebSocket-Accept');
    await expect(RawClient.open({ port: upstream.port })).rejects.toThrow('Sec-WebSocket-Accept is wrong');
  });

  test('answers nothing, and sees the client go', async () => {
    const upstream = await start({ answer: 'nothing' });
    const client = new WebSocket(upstream.url);
    client.on('error', () => {});
    const peer = await upstream.nextConnection();
    client.terminate();
    expect(['fin', 'reset']).toContain(await peer.waitForEnd());
  });

  test('leaves the answer to the test', async () => {
    const upstream = await start({
      onUpgrade: (head, peer) => {
        if (head.startsWith('GET /no ')) peer.refuse({ status: 404 });
        else peer.accept({ headers: ['X-Served-By: test'] });
      },
    });
    expect(await RawClient.handshake({ port: upstream.port, path: '/no' })).toMatchObject({ status: 404 });
    const client = await RawClient.open({ port: upstream.port });
    expect(client.answer.headers['x-served-by']).toBe('test');
  });

  test('rejects a frame that is not masked', async () => {
    const upstream = await start();
    const client = await RawClient.open({ port: upstream.port });
    client.sendFrame({ opcode: Opcode.Text, payload: 'bare', masked: false });
    await expect((await upstream.nextConnection()).nextFrame()).rejects.toThrow('was not masked');
  });

  test('resets, and counts connections that send no request', async () => {
    const upstream = await start();
    const client = await RawClient.open({ port: upstream.port });
    (await upstream.nextConnection()).reset();
    expect(await client.waitForEnd()).toBe('reset');
    const bare = await connectTcp({ port: upstream.port });
    bare.end();
    expect(await bare.waitForEnd()).toBe('fin');
    expect([upstream.accepted, upstream.peers.length]).toEqual([2, 1]);
  });
});

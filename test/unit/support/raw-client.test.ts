/** Owns the check that the raw client of the test kit speaks with an independent server: `ws`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { deferred, waitForEvent } from '../../support/events.js';
import { encodeFrame, Opcode, RawClient } from '../../support/raw-client.js';
import { refusedPort } from '../../support/tcp-peer.js';

async function startServer(onSocket: (socket: WebSocket) => void, perMessageDeflate = false): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  await waitForEvent(server, 'listening');
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const echo = (socket: WebSocket): void => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
};

describe('RawClient', () => {
  test('exchanges text, binary and fragmented messages of every length encoding', async () => {
    const client = await RawClient.open({ port: await startServer(echo) });
    client.sendText('grüße');
    expect(await client.nextText()).toBe('grüße');
    for (const size of [0, 125, 126, 65_535, 65_536, 1_000_000]) {
      const data = Buffer.alloc(size, size % 251);
      client.sendBinary(data);
      expect((await client.nextBinary()).equals(data)).toBe(true);
    }
    client.sendFrame({ opcode: Opcode.Text, payload: 'in ', fin: false });
    client.sendPing('between');
    client.sendFrame({ opcode: Opcode.Continuation, payload: 'parts' });
    expect(await client.nextMessage()).toMatchObject({ kind: 'text', text: 'in parts', rsv1: false, frames: 1 });
    expect(client.received.filter((frame) => frame.opcode === Opcode.Pong)[0]?.payload.toString()).toBe('between');
    client.destroy();
  });

  test('sends bytes in the same segment as the handshake', async () => {
    const head = Buffer.concat(
      ['one', 'two'].map((payload) => encodeFrame({ opcode: Opcode.Text, payload, masked: true })),
    );
    const client = await RawClient.open({ port: await startServer(echo), head });
    expect([await client.nextText(), await client.nextText()]).toEqual(['one', 'two']);
    client.destroy();
  });

  test('closes with a code and sees the answer and the end', async () => {
    const status = deferred<[number, string]>();
    const port = await startServer((socket) =>
      socket.on('close', (code, reason) => status.resolve([code, reason.toString()])),
    );
    const client = await RawClient.open({ port });
    client.sendClose(4000, 'enough');
    expect(await client.expectClose()).toEqual({ code: 4000, reason: 'enough' });
    expect(await client.waitForEnd()).toBe('fin');
    expect(await status.promise).toEqual([4000, 'enough']);
  });

  test('reports an empty Close as 1005, and answers one when asked to', async () => {
    const client = await RawClient.open({ port: await startServer((socket) => socket.close()) });
    expect(await client.answerClose()).toEqual({ code: 1005, reason: '', end: 'fin' });
  });

  test.each([
    ['an unmasked frame', { opcode: Opcode.Text, payload: 'x', masked: false }, 1002],
    ['a reserved bit', { opcode: Opcode.Text, payload: 'x', rsv2: true }, 1002],
    ['a reserved opcode', { opcode: 3 }, 1002],
    ['text that is not UTF-8', { opcode: Opcode.Text, payload: Buffer.from([0xff]) }, 1007],
    ['an announced length beyond the limit', { opcode: Opcode.Binary, lengthOverride: 2n ** 40n }, 1009],
  ])('can send %s', async (_what, frame, code) => {
    const client = await RawClient.open({ port: await startServer(() => {}) });
    client.sendFrame(frame);
    expect(await client.expectClose()).toMatchObject({ code });
    client.destroy();
  });

  test('can write a length longer than necessary', () => {
    expect(encodeFrame({ opcode: 1, payload: 'a', lengthEncoding: 16 })).toEqual(Buffer.from([0x81, 126, 0, 1, 0x61]));
    expect(encodeFrame({ opcode: 1, payload: 'a', lengthEncoding: 64 }).length).toBe(11);
  });

  test('gives status, headers and body of any answer', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(503, { 'retry-after': '7' });
      response.write('not ');
      response.end('now');
    });
    server.listen(0, '127.0.0.1');
    await waitForEvent(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const answer = await RawClient.handshake({ port, headers: ['Connection: close'], omitHeaders: ['Upgrade'] });
    expect(answer).toMatchObject({ status: 503, body: 'not now', client: undefined });
    expect(answer.headers['retry-after']).toBe('7');
    expect(await answer.waitForEnd()).toBe('fin');
    await expect(RawClient.open({ port, omitHeaders: ['Upgrade'] })).rejects.toThrow('answered 503');
  });

  test('offers subprotocols and replaces default headers', async () => {
    const port = await startServer(() => {});
    const client = await RawClient.open({
      port,
      subprotocols: ['a', 'b'],
      headers: { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    });
    expect(client.subprotocol).toBe('a');
    client.destroy();
    expect(await RawClient.handshake({ port, headers: { 'Sec-WebSocket-Version': '12' } })).toMatchObject({
      status: 400,
    });
  });

  test('shows compressed frames as they are', async () => {
    const port = await startServer((socket) => socket.send('x'.repeat(2_000)), true);
    const client = await RawClient.open({ port, extensions: 'permessage-deflate' });
    expect(client.answer.headers['sec-websocket-extensions']).toContain('permessage-deflate');
    expect((await client.nextMessage()).rsv1).toBe(true);
    client.destroy();
  });

  test('resets, and tells a reset of the other side from its FIN', async () => {
    const closed = deferred<number>();
    const client = await RawClient.open({
      port: await startServer((socket) => socket.on('close', (code) => closed.resolve(code))),
    });
    client.reset();
    expect(await closed.promise).toBe(1006);
    await expect(client.nextFrame()).rejects.toThrow('this side cut the connection');
  });

  test('rejects what can never come any more and says what came', async () => {
    const port = await startServer((socket) => {
      socket.send('last words', () => socket.terminate());
    });
    const client = await RawClient.open({ port });
    await expect(client.nextFrame(Opcode.Close)).rejects.toThrow('last words');
    await expect(RawClient.open({ port: await refusedPort() })).rejects.toThrow('ECONNREFUSED');
  });

  test('stops reading so that the sender is held up, and goes on', async () => {
    const size = 32 * 2 ** 20;
    const socket = deferred<WebSocket>();
    const client = await RawClient.open({ port: await startServer(socket.resolve) });
    client.pauseReading();
    const server = await socket.promise;
    const sent = deferred();
    server.send(Buffer.alloc(size), () => sent.resolve());
    client.sendText('read me');
    await waitForEvent(server, 'message');
    expect(server.bufferedAmount).toBeGreaterThan(0);
    client.resumeReading();
    expect((await client.nextBinary()).length).toBe(size);
    await sent.promise;
    client.destroy();
  });
});

/** Owns the check of the byte peers of the test kit, and that they leave nothing behind. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { connectTcp, refusedPort, TcpPeer, type TcpPeerOptions, unansweredPort } from '../../support/tcp-peer.js';

async function start(options?: TcpPeerOptions): Promise<TcpPeer> {
  const peer = await TcpPeer.start(options);
  onTestFinished(() => peer.close());
  return peer;
}

describe('TcpPeer', () => {
  test('reads exactly what is asked for, in the order of asking', async () => {
    const peer = await start();
    const client = await connectTcp({ port: peer.port });
    const connection = await peer.nextConnection();
    const reads = [connection.read(4), connection.read(1), connection.readUntil('\n'), connection.readAll()];
    client.write('abc');
    client.write('defg\nrest');
    client.end();
    expect((await Promise.all(reads)).map(String)).toEqual(['abcd', 'e', 'fg\n', 'rest']);
    connection.write('still open');
    connection.end();
    expect(String(await client.readAll())).toBe('still open');
  });

  test('tells a FIN from an RST on both sides', async () => {
    const peer = await start();
    const first = await connectTcp({ port: peer.port });
    (await peer.nextConnection()).end();
    expect(await first.waitForEnd()).toBe('fin');
    first.end();
    const second = await connectTcp({ port: peer.port });
    const connection = await peer.nextConnection();
    second.reset();
    expect(await connection.waitForEnd()).toBe('reset');
    await expect(connection.read(1)).rejects.toThrow('the connection was reset');
    await expect(second.waitForEnd()).rejects.toThrow('this side cut the connection');
  });

  test('echoes, and answers a FIN', async () => {
    const peer = await TcpPeer.echo();
    onTestFinished(() => peer.close());
    const client = await connectTcp({ port: peer.port });
    const data = Buffer.alloc(300_000, 'echo');
    client.end(data);
    expect((await client.readAll()).equals(data)).toBe(true);
  });

  test('listens on a Unix socket', async () => {
    const peer = await start({ unix: true });
    expect(peer.url).toMatch(/^unix:\/.+\.sock$/);
    const client = await connectTcp({ socketPath: peer.url.slice('unix:'.length) });
    client.write('hi');
    const connection = await peer.nextConnection();
    expect(String(await connection.read(2))).toBe('hi');
    connection.reset();
    expect(await client.waitForEnd()).toBe('fin');
    client.destroy();
  });

  test('is a black hole that holds its writer up', async () => {
    const peer = await TcpPeer.blackHole();
    onTestFinished(() => peer.close());
    const client = await connectTcp({ port: peer.port });
    const connection = await peer.nextConnection();
    client.write(Buffer.alloc(32 * 2 ** 20));
    const drained = client.drained();
    expect(client.socket.writableLength).toBeGreaterThan(0);
    expect(connection.bytesReceived).toBe(0);
    connection.discard();
    connection.resumeReading();
    await drained;
    expect(client.socket.writableLength).toBe(0);
    client.destroy();
  });

  test('gives addresses that refuse or do not answer', async () => {
    await expect(connectTcp({ port: await refusedPort() })).rejects.toThrow('ECONNREFUSED');
    const unanswered = await unansweredPort();
    onTestFinished(() => unanswered.close());
    expect(unanswered.url).toBe(`tcp://127.0.0.1:${unanswered.port}`);
  });

  test('leaves nothing behind', async () => {
    await (await start()).close();
    const before = holdings();
    const peer = await TcpPeer.start();
    const client = await connectTcp({ port: peer.port });
    const connection = await peer.nextConnection();
    await expect(expectQuiet(before, { within: 0.05 })).rejects.toThrow('more TCPSocketWrap');
    client.destroy();
    await connection.waitForEnd();
    await peer.close();
    await expectQuiet(before);
  });
});

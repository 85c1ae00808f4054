/** Owns what a listening socket shows of its own death, and what the errors of accept(2) say of it. */
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acceptFault, socketFault } from '../../../src/server/watchdog/listening-socket.js';

async function listen(): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as net.AddressInfo).port };
}

const at = (port: number, host = '127.0.0.1') => ({ host, port, url: `ws://${host}:${port}` });

describe('a listening socket', () => {
  it('is in order where it was bound', async () => {
    const { server, port } = await listen();
    expect(socketFault(server, at(port))).toBe(undefined);
  });

  it('that was closed says so', async () => {
    const { server, port } = await listen();
    server.close();
    expect(socketFault(server, at(port))).toMatchObject({ message: 'it was closed', foreign: false });
  });

  it('with another name is somebody else’s', async () => {
    const { server, port } = await listen();
    expect(socketFault(server, at(port + 1))?.foreign).toBe(true);
    expect(socketFault(server, at(port, '127.0.0.2'))?.foreign).toBe(true);
  });
});

describe('the error of an accept', () => {
  it.each([
    ['EMFILE', 'shortage'],
    ['ENFILE', 'shortage'],
    ['ENOBUFS', 'shortage'],
    ['ENOMEM', 'shortage'],
    ['EBADF', 'socket'],
    ['EINVAL', 'socket'],
    ['ENOTSOCK', 'socket'],
    ['ECONNABORTED', 'connection'],
    ['EPERM', 'connection'],
    ['EPROTO', 'connection'],
    ['ENETDOWN', 'connection'],
    ['', 'connection'],
  ])('%s is one of the %s', (code, fault) => expect(acceptFault(code)).toBe(fault));
});

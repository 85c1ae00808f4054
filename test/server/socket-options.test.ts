/** Owns that the options of listening sockets reach them: by what a client or another listener can see of them. */
import cluster from 'node:cluster';
import net from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { ReceiverServer } from '../../src/index.js';
import { resolveProxyOptions } from '../../src/server/config/options.js';
import { RawClient } from '../support/raw-client.js';
import { startReceivers, stopAfterTest } from './stage.js';

/** What each listening socket was asked for. */
function listened(): Record<string, unknown>[] {
  const spy = vi.spyOn(net.Server.prototype, 'listen');
  return new Proxy([], {
    get: (_, key) =>
      Reflect.get(
        spy.mock.calls.map(([options]) => options),
        key,
      ),
  });
}

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = net.createServer().on('error', () => resolve(false));
  server.listen(0, '::1', () => server.close(() => resolve(true)));
});

describe('a listener', () => {
  it('takes the options of all, unless it has its own', async () => {
    const asked = listened();
    await startReceivers({
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port: 0, backlog: 7, exclusive: false },
      ],
      socket: { backlog: 20, exclusive: true },
    });
    expect(asked[0]).toMatchObject({ backlog: 20, exclusive: true, ipv6Only: false });
    expect(asked[1]).toMatchObject({ backlog: 7, exclusive: false, ipv6Only: false });
  });

  it('still carries messages when small writes may be gathered', async () => {
    const { open } = await startReceivers({
      socket: { noDelay: false },
      listen: { host: '127.0.0.1', port: 0, keepAlive: 0 },
    });
    const client = await open();
    client.sendPing('there?');
    expect((await client.nextFrame()).payload.toString()).toBe('there?');
  });

  it.runIf(hasIpv6)('on :: takes IPv4 clients, unless it is for IPv6 only', async () => {
    const both = await startReceivers({ listen: '[::]:0' });
    expect((await both.handshake({ host: '127.0.0.1' })).status).toBe(101);
    const one = await startReceivers({ listen: { host: '::', port: 0, ipv6Only: true } });
    await expect(RawClient.handshake({ port: one.port, host: '127.0.0.1' })).rejects.toThrow(/ECONNREFUSED/);
    expect((await one.handshake({ host: '::1' })).status).toBe(101);
  });

  it.runIf(hasIpv6)('on :: sees IPv4 clients as IPv4, also in lists', async () => {
    const { handshake, events } = await startReceivers({
      listen: '[::]:0',
      admission: { deny: ['127.0.0.2'], allow: ['127.0.0.0/8'] },
    });
    expect((await handshake({ host: '127.0.0.1' })).status).toBe(101);
    expect((await events.connections.next()).request.remoteAddress).toBe('127.0.0.1');
    await expect(handshake({ host: '127.0.0.1', localAddress: '127.0.0.2' })).rejects.toThrow();
    await expect(handshake({ host: '::1' })).rejects.toThrow();
  });

  it('shares its address where this Node.js can, and says so where it cannot', async () => {
    const server = new ReceiverServer({
      listen: { host: '127.0.0.1', port: 0, reusePort: true },
      receiver: () => ({}) as never,
    });
    stopAfterTest(server);
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const can = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
    if (can) await server.start();
    else
      await expect(server.start()).rejects.toMatchObject({
        code: 'LISTEN_FAILED',
        message: /reusePort needs Node\.js/,
      });
    expect(cluster.isPrimary).toBe(true);
  });
});

it.each<[object, RegExp]>([
  [{ listen: { port: 1, backlog: 0 } }, /listen.backlog: got 0; expected a whole number from 1 to 65535/],
  [{ listen: { port: 1, role: 'boss' } }, /listen.role: got "boss"; expected 'client' or 'control'/],
  [{ listen: { port: 1, noDelay: 'yes' } }, /listen.noDelay: got "yes"; expected true or false/],
  [
    { admission: { allow: ['10.0.0.0/33'] } },
    /admission.allow\[0\]: got "10.0.0.0\/33"; expected a prefix from 0 to 32/,
  ],
  [
    { admission: { deny: ['10.0.0.1/8'] } },
    /admission.deny\[0\]: got "10.0.0.1\/8"; expected no bits behind the prefix/,
  ],
  [{ admission: { deny: '10.0.0.1' } }, /admission.deny: got "10.0.0.1"; expected a list of IP addresses and ranges/],
  [{ trustedProxies: ['proxy.local'] }, /trustedProxies\[0\]: got "proxy.local"; expected an IP address, a range/],
  [{ limits: { maxConnections: 5, reservedConnections: 5 } }, /limits.reservedConnections: got 5; expected less than/],
  [{ limits: { overflow: 'drop' } }, /limits.overflow: got "drop"; expected 'refuse' or 'pause'/],
  [{ forwardedHeader: 'x-real-ip' }, /forwardedHeader: got "x-real-ip"/],
])('%j is refused, and it is said why', (options, message) => {
  expect(() => resolveProxyOptions(options)).toThrow(message);
});

it('resolved options with lists and listeners resolve to themselves', () => {
  const given = {
    listen: { port: 1, role: 'control', backlog: 3, keepAlive: '5s' },
    admission: { deny: ['10.0.0.0/8'], exempt: ['none'] },
    trustedProxies: ['loopback'],
  };
  const once = resolveProxyOptions(given);
  expect(resolveProxyOptions(once)).toEqual(once);
  expect(once.listen).toEqual([{ host: undefined, port: 1, role: 'control', backlog: 3, keepAlive: 5000 }]);
});

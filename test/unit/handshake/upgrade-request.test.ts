import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { UpgradeRequest } from '../../../src/receivers/upgrade-request.js';
import { createUpgradeRequest } from '../../../src/server/handshake/upgrade-request.js';
import { localhostCertificate } from '../../support/tls.js';

const { signal } = new AbortController();

/** Lets Node parse a real request, and makes an UpgradeRequest of it. */
function requestOf(
  url: string,
  headers: string[],
  options: { secure?: boolean; host?: string } = {},
): Promise<UpgradeRequest> {
  return new Promise((resolve, reject) => {
    const server = options.secure ? https.createServer(localhostCertificate) : http.createServer();
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    server.on('upgrade', (req: IncomingMessage, socket) => {
      onTestFinished(() => void socket.destroy());
      try {
        resolve(createUpgradeRequest(req, req.socket, signal));
      } catch (error) {
        reject(error);
      }
    });
    server.listen(0, options.host ?? '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const client = options.secure
        ? tls.connect({
            port,
            host: '127.0.0.1',
            servername: 'localhost',
            ca: localhostCertificate.cert,
            ALPNProtocols: ['http/1.1'],
          })
        : net.connect(port, '127.0.0.1');
      onTestFinished(() => void client.destroy());
      client.on('error', reject);
      client.write(
        `GET ${url} HTTP/1.1\r\n${['Upgrade: websocket', 'Connection: Upgrade', ...headers].join('\r\n')}\r\n\r\n`,
      );
    });
  });
}

describe('createUpgradeRequest', () => {
  it('shows what the client asked for', async () => {
    const request = await requestOf('/a%20b?room=1&room=2&x=%C3%A9', [
      'Host: example',
      'Origin: https://page',
      'Sec-WebSocket-Protocol: a, b',
      'Sec-WebSocket-Protocol: c',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=10, x',
    ]);
    expect(request).toMatchObject({
      method: 'GET',
      url: '/a%20b?room=1&room=2&x=%C3%A9',
      path: '/a%20b',
      host: 'example',
      origin: 'https://page',
      subprotocols: ['a', 'b', 'c'],
      remoteAddress: '127.0.0.1',
      localAddress: '127.0.0.1',
      tls: undefined,
      signal,
    });
    expect(request.query.getAll('room')).toEqual(['1', '2']);
    expect(request.query.get('x')).toBe('é');
    expect(request.extensions.map(({ name, parameters }) => [name, { ...parameters }])).toEqual([
      ['permessage-deflate', { client_max_window_bits: [true], server_max_window_bits: ['10'] }],
      ['x', {}],
    ]);
    expect(request.remotePort).toBeGreaterThan(0);
    expect(request.localPort).toBeGreaterThan(0);
  });

  it('joins repeated headers, and takes any name for a name', async () => {
    const { headers, rawHeaders } = await requestOf('/', [
      'Cookie: a=1',
      'Cookie: b=2',
      'X-A: 1',
      'x-a: 2',
      '__proto__: y',
    ]);
    expect(headers.cookie).toBe('a=1; b=2');
    expect(headers['x-a']).toBe('1, 2');
    expect(Object.entries(headers)).toContainEqual(['__proto__', 'y']);
    expect(headers.constructor).toBeUndefined();
    expect(rawHeaders).toContain('x-a');
  });

  it('has empty lists and strings for what was not sent', async () => {
    const request = await requestOf('/', []);
    expect(request).toMatchObject({ host: '', origin: undefined, subprotocols: [], extensions: [], path: '/' });
    expect(request.query.size).toBe(0);
  });

  it.each([
    ['http://example/a?b=1', '/a', '1'],
    ['http://example?b=1', '/', '1'],
    ['//example/a?b=1?c', '//example/a', '1?c'],
  ])('splits %s at the query', async (url, path, b) => {
    const request = await requestOf(url, []);
    expect([request.path, request.query.get('b')]).toEqual([path, b]);
  });

  it('shows an IPv4 client of a dual-stack listener by its IPv4 address', async () => {
    await expect(requestOf('/', [], { host: '::' })).resolves.toMatchObject({ remoteAddress: '127.0.0.1' });
  });

  it.each([
    ['Sec-WebSocket-Protocol', 'a,,b'],
    ['Sec-WebSocket-Protocol', 'a, a'],
    ['Sec-WebSocket-Protocol', ''],
    ['Sec-WebSocket-Extensions', 'a; =1'],
    ['Sec-WebSocket-Extensions', ','],
  ])('refuses a malformed %s: %s', async (name, value) => {
    await expect(requestOf('/', [`${name}: ${value}`])).rejects.toMatchObject({
      code: 'BAD_HANDSHAKE',
      message: expect.stringContaining(name),
    });
  });

  it('shows what TLS says', async () => {
    const request = await requestOf('/', [], { secure: true });
    expect(request.tls).toEqual({
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      servername: 'localhost',
      alpnProtocol: 'http/1.1',
      authorized: false,
      peerName: undefined,
    });
  });
});

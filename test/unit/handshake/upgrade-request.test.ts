/** Owns the view of a request that receivers get, on wires of both layers and with TLS. */
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseRequestHead } from '../../../src/protocol/http-head.js';
import type { UpgradeRequest } from '../../../src/receivers/upgrade-request.js';
import { DecisionSignal } from '../../../src/server/handshake/decision-signal.js';
import { createUpgradeRequest } from '../../../src/server/handshake/upgrade-request.js';
import type { Wire } from '../../../src/server/wires/wire.js';
import { chooseLayer } from '../../../src/server/wires/wire-layer.js';
import { deferred, waitForEvent } from '../../support/events.js';
import { localhostCertificate } from '../../support/tls.js';
import { LAYERS, SETTINGS } from '../../support/wires.js';

interface Options {
  readonly secure?: boolean;
  readonly host?: string;
  readonly layer?: (typeof LAYERS)[number];
  readonly decision?: DecisionSignal;
}

/** Takes a real connection as a wire, and makes an UpgradeRequest of it and a head. */
async function requestOf(url: string, headers: string[], options: Options = {}): Promise<UpgradeRequest> {
  const { secure = false, host = '127.0.0.1', layer = chooseLayer('auto'), decision = new DecisionSignal() } = options;
  const server = secure
    ? tls.createServer({ ...localhostCertificate, ALPNProtocols: ['http/1.1'] })
    : net.createServer({ pauseOnConnect: true });
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  server.listen(0, host);
  await waitForEvent(server, 'listening');
  const accepted = deferred<Wire>();
  if (secure) server.on('secureConnection', (socket: net.Socket) => accepted.resolve(layer.wireOf(socket, SETTINGS)));
  else layer.accept(server, SETTINGS, { opened: (wire) => accepted.resolve(wire), gone() {} });
  const { port } = server.address() as AddressInfo;
  const to = { port, host: '127.0.0.1' };
  const client = secure
    ? tls.connect({ ...to, servername: 'localhost', ca: localhostCertificate.cert, ALPNProtocols: ['http/1.1'] })
    : net.connect(to);
  onTestFinished(() => void client.destroy());
  client.on('error', accepted.reject);
  const wire = await accepted.promise;
  onTestFinished(() => wire.terminate());
  const fields = ['Upgrade: websocket', 'Connection: Upgrade', ...headers];
  const head = parseRequestHead(`GET ${url} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  if ('fault' in head) throw new Error(head.fault);
  return createUpgradeRequest(head, wire, decision);
}

describe('createUpgradeRequest', () => {
  it('shows what the client asked for', async () => {
    const decision = new DecisionSignal();
    const request = await requestOf(
      '/a%20b?room=1&room=2&x=%C3%A9',
      [
        'Host: example',
        'Origin: https://page',
        'Sec-WebSocket-Protocol: a, b',
        'Sec-WebSocket-Protocol: c',
        'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=10, x',
      ],
      { decision },
    );
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
    });
    expect(request.signal).toBe(decision.signal);
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

  it.each(LAYERS.map((layer) => [layer.kind, layer] as const))(
    'shows an IPv4 client of a dual-stack listener by its IPv4 address, on a %s wire',
    async (_, layer) => {
      await expect(requestOf('/', [], { host: '::', layer })).resolves.toMatchObject({
        remoteAddress: '127.0.0.1',
        localAddress: '127.0.0.1',
      });
    },
  );

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
      resumed: false,
      authorized: false,
      peerName: undefined,
      peerCertificate: undefined,
    });
  });
});

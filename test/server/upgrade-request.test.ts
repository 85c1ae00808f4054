/** Owns what a receiver learns about an upgrade request from a running server, and when its signal aborts. */
import { describe, expect, it } from 'vitest';
import { ConnectionReceiver, type UpgradeRequest } from '../../src/index.js';
import { requestBytes } from '../support/raw-client.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { connectTcp } from '../support/tcp-peer.js';
import { localhostCertificate, otherCertificate } from '../support/tls.js';
import { type startProxy, startReceivers } from './stage.js';

/** A server that keeps the requests it saw. */
async function asking(options: Parameters<typeof startReceivers>[0] = {}) {
  const requests: UpgradeRequest[] = [];
  const running = await startReceivers({
    ...options,
    receiver: (request) => {
      requests.push(request);
      return new ConnectionReceiver();
    },
  });
  return { ...running, requests };
}

describe('the upgrade request', () => {
  it('has the url, the path and the query as they were sent', async () => {
    const { open, requests } = await asking();
    await open({ path: '/a%20room/x?name=J%C3%BCrgen&tag=1&tag=2&flag' });
    const { method, url, path, query } = requests[0]!;
    expect([method, url, path]).toEqual(['GET', '/a%20room/x?name=J%C3%BCrgen&tag=1&tag=2&flag', '/a%20room/x']);
    expect(query.get('name')).toBe('Jürgen');
    expect(query.getAll('tag')).toEqual(['1', '2']);
    expect(query.has('flag')).toBe(true);
  });

  it('has headers by lower-case name, joined when they came more than once, and raw as they were sent', async () => {
    const { open, requests } = await asking();
    await open({
      headers: [
        'X-Forwarded-For: 10.0.0.1',
        'Cookie: a=1',
        'x-forwarded-for: 10.0.0.2',
        'COOKIE: b=2',
        'Origin: https://app.example',
      ],
    });
    const { headers, rawHeaders, origin, host } = requests[0]!;
    expect(headers['x-forwarded-for']).toBe('10.0.0.1, 10.0.0.2');
    expect(headers.cookie).toBe('a=1; b=2');
    expect(origin).toBe('https://app.example');
    expect(host).toBe(headers.host);
    expect(rawHeaders.filter((_, index) => index % 2 === 0)).toEqual(expect.arrayContaining(['COOKIE', 'Cookie']));
  });

  it('has no own key for a header that was not sent, whatever its name', async () => {
    const { open, requests } = await asking();
    await open();
    const { headers, origin } = requests[0]!;
    expect(origin).toBeUndefined();
    expect(headers['constructor' as string]).toBeUndefined();
    expect(headers['__proto__' as string]).toBeUndefined();
  });

  it('has the subprotocols in the order of preference, and the extensions with their parameters', async () => {
    const { open, requests } = await asking();
    await open({
      subprotocols: ['v2.chat', 'v1.chat'],
      extensions: 'permessage-deflate; client_max_window_bits; server_max_window_bits=10, x-other',
    });
    const { subprotocols, extensions } = requests[0]!;
    expect(subprotocols).toEqual(['v2.chat', 'v1.chat']);
    expect(extensions).toEqual([
      { name: 'permessage-deflate', parameters: { client_max_window_bits: [true], server_max_window_bits: ['10'] } },
      { name: 'x-other', parameters: {} },
    ]);
  });

  it('has both addresses', async () => {
    const { open, requests, port } = await asking();
    const client = await open({ localAddress: '127.0.0.2' });
    expect(requests[0]).toMatchObject({
      remoteAddress: '127.0.0.2',
      remotePort: client.socket.localPort,
      localAddress: '127.0.0.1',
      localPort: port,
      tls: undefined,
    });
  });

  it('has what TLS says', async () => {
    const { key, cert } = localhostCertificate;
    const { open, requests } = await asking({ listen: { host: '127.0.0.1', port: 0, tls: { key, cert } } });
    await open({ tls: { ca: cert, servername: 'localhost', ALPNProtocols: ['http/1.1'] } });
    expect(requests[0]!.tls).toEqual({
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

  it('has the name in a verified certificate of the client', async () => {
    const { key, cert } = localhostCertificate;
    const tls = { key, cert, ca: otherCertificate.cert, clientAuth: 'request' as const };
    const { open, requests } = await asking({ listen: { host: '127.0.0.1', port: 0, tls } });
    await open({ tls: { ca: cert, servername: 'localhost', ...otherCertificate } });
    expect(requests[0]!.tls).toMatchObject({ authorized: true, peerName: expect.any(String) });
  });
});

describe('the signal of an upgrade request', () => {
  /** A server whose decision never comes, and the signal of its first request. */
  async function deciding(options: Parameters<typeof startProxy>[0] = {}) {
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => new Promise(() => {}) }));
    const running = await startReceivers({ ...options, receiver: receivers.create });
    const signalOf = async () => {
      const receiver = await receivers.nextReceiver();
      await receiver.waitFor('upgrade');
      const { signal } = receiver.request!;
      const aborted = new Promise<unknown>((resolve) => {
        if (signal.aborted) resolve(signal.reason);
        else signal.addEventListener('abort', () => resolve(signal.reason));
      });
      return { receiver, signal, aborted };
    };
    return { ...running, signalOf };
  }

  it.each(['end', 'reset'] as const)('aborts with DOWNSTREAM_GONE when the client leaves (%s)', async (how) => {
    const { port, signalOf, events } = await deciding();
    const client = await connectTcp({ port });
    client.write(requestBytes({ port }));
    const { receiver, signal, aborted } = await signalOf();
    expect(signal.aborted).toBe(false);
    client[how]();
    expect(await aborted).toMatchObject({ code: 'DOWNSTREAM_GONE' });
    expect(await events.rejections.next()).toMatchObject({ error: 'DOWNSTREAM_GONE' });
    expect(receiver.names).toEqual(['upgrade']);
    client.destroy();
  });

  it('aborts with DECISION_TIMEOUT when the decision takes too long, and the client gets 503 (P8)', async () => {
    const { handshake, signalOf, events } = await deciding({ timeouts: { handshake: 60 } });
    const answered = handshake();
    const { aborted } = await signalOf();
    expect(await aborted).toMatchObject({ code: 'DECISION_TIMEOUT' });
    expect((await answered).status).toBe(503);
    expect(await events.rejections.next()).toMatchObject({ error: 'DECISION_TIMEOUT', status: 503 });
  });

  it('aborts with SHUTTING_DOWN when the server stops, and the client gets 503', async () => {
    const { server, handshake, signalOf } = await deciding();
    const answered = handshake();
    const { aborted } = await signalOf();
    const stopped = server.stop();
    expect(await aborted).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect((await answered).status).toBe(503);
    await stopped;
  });

  it('never aborts after the answer', async () => {
    const { open, events, requests } = await asking();
    const client = await open();
    client.reset();
    await events.reports.next();
    expect(requests[0]!.signal.aborted).toBe(false);
  });

  it('does not abort for the refusal of the receiver itself', async () => {
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => false }));
    const { handshake } = await startReceivers({ receiver: receivers.create });
    await handshake();
    expect((await receivers.nextReceiver()).request!.signal.aborted).toBe(false);
  });
});

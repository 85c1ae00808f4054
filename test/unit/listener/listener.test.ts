/** Owns what a listener does with a connection up to the end of its request head, on both socket layers and with TLS. */
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TicketKeys } from '../../../src/server/tls/ticket-keys.js';
import { TlsListening } from '../../../src/server/tls/tls-listening.js';
import type { WireLayer } from '../../../src/server/wires/wire-layer.js';
import { eventually } from '../../support/events.js';
import { listenWith, localhostCertificate } from '../../support/tls.js';
import { LAYERS } from '../../support/wires.js';
import { closed, Harness, type HarnessOptions, handshake, received } from './harness.js';

/** TLS whose certificate was there when the options were read, and is not when the listener begins. */
function goneCertificate(): TlsListening {
  const listening = listenWith(localhostCertificate);
  const config = { ...listening.config, cert: ['/nowhere'] };
  return new TlsListening(config, { hooks: {}, tickets: new TicketKeys(), exception: () => {} });
}

const start = (layer: WireLayer, options?: HarnessOptions): Promise<Harness> => new Harness(layer, options).bind();

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))('binding on the %s layer', (_, layer) => {
  it('says where it is bound', async () => {
    const harness = new Harness(layer);
    const bound = await harness.listener.bind();
    expect(bound).toEqual({ host: '127.0.0.1', port: bound.port, url: `ws://127.0.0.1:${bound.port}` });
    const secure = await new Harness(layer, { host: '::1', tls: localhostCertificate }).listener.bind();
    expect(secure.url).toBe(`wss://[::1]:${secure.port}`);
    const everywhere = await new Harness(layer, { host: undefined }).listener.bind();
    expect(everywhere.url).toBe(`ws://localhost:${everywhere.port}`);
  });

  it('rejects with the address when it is taken', async () => {
    const { port } = await start(layer);
    await expect(new Harness(layer, { port }).listener.bind()).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it.each<[string, HarnessOptions]>([
    ['an address of another machine', { host: '192.0.2.1' }],
    ['a certificate that cannot be had any more', { tls: goneCertificate() }],
  ])('rejects %s', async (_what, options) => {
    const { listener } = new Harness(layer, options);
    await expect(listener.bind()).rejects.toMatchObject({ code: 'LISTEN_FAILED', cause: expect.any(Error) });
  });

  it.each([undefined, localhostCertificate])('leaves no handle behind when it is closed', async (certificate) => {
    const open = () => process.getActiveResourcesInfo().filter((name) => /^TCP|^TLS/.test(name)).length;
    const harness = await start(layer, { tls: certificate });
    const clients = [harness.connect(), harness.connect(certificate !== undefined)];
    clients[1]?.write(handshake());
    const { wire, record } = await harness.arrival();
    const gone = clients.map(closed);
    for (const one of clients) one.destroy();
    wire.terminate();
    await harness.listener.close();
    await Promise.all([...gone, record.saw('closed')]);
    await eventually(() => open() === 0, 'every handle is closed');
  });

  it('cuts what is still there when it is told to, also what was handed over, and waits for it', async () => {
    const harness = await start(layer);
    const clients = [harness.connect(), harness.connect(), harness.connect()];
    for (const client of clients.slice(1)) client.write(handshake());
    const arrivals = [await harness.arrival(), await harness.arrival()];
    const answers = clients.map(received);
    await harness.listener.close();
    await harness.listener.terminateAll();
    expect(arrivals.map(({ wire, record }) => [wire.closed, record.told])).toEqual([
      [true, ['closed']],
      [true, ['closed']],
    ]);
    expect(await Promise.all(answers)).toEqual(['', '', '']);
    await harness.listener.terminateAll();
  });

  it('can be closed and bound again to the same port, and not twice at once', async () => {
    const { listener, port } = await start(layer);
    await expect(listener.bind()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    await listener.close();
    await listener.close();
    const again = new Harness(layer, { port });
    await expect(again.listener.bind()).resolves.toMatchObject({ port });
    await again.listener.close();
    await expect(listener.bind()).resolves.toMatchObject({ host: '127.0.0.1' });
  });
});

describe.each([
  ...LAYERS.map((layer) => [`TCP on the ${layer.kind} layer`, layer, undefined] as const),
  ...LAYERS.map((layer) => [`TLS on the ${layer.kind} layer`, layer, localhostCertificate] as const),
])('a handshake over %s', (_, layer, certificate) => {
  const secure = certificate !== undefined;

  it('is handed over with every byte that follows its head, and is not read until it is told to', async () => {
    const harness = await start(layer, { tls: certificate });
    const client = harness.connect(secure);
    const rest = 'z'.repeat(200_000);
    client.write(`${handshake()}first`);
    client.write(rest);
    const { head, wire, record } = await harness.arrival();
    expect(head).toMatchObject({ method: 'GET', url: '/x', httpVersion: '1.1' });
    expect(head.rawHeaders.slice(0, 2)).toEqual(['Host', 'h']);
    expect([record.told, wire.tls !== undefined]).toEqual([[], secure]);
    wire.read();
    expect((await record.received(5 + rest.length)).toString()).toBe(`first${rest}`);
  });

  it('is handed over when it comes byte by byte', async () => {
    const harness = await start(layer, { tls: certificate });
    const client = harness.connect(secure);
    for (const byte of handshake()) await new Promise((resolve) => client.write(byte, resolve));
    client.write('after');
    const { wire, record } = await harness.arrival();
    wire.read();
    expect(await record.next(5)).toBe('after');
  });

  it('leaves its wire to whoever takes it, and survives a reset', async () => {
    const harness = await start(layer, { tls: certificate });
    const client = harness.connect(secure);
    client.write(handshake());
    const { wire, record } = await harness.arrival();
    // Node 20 cannot reset a TLS connection; there the client just goes.
    if (secure) client.destroy();
    else client.resetAndDestroy();
    wire.read();
    await record.saw(secure ? 'end' : 'closed');
    expect(record.told).toEqual([secure ? 'end' : 'closed']);
    expect(harness.refusals).toEqual([]);
  });

  it('outlives the deadline and the listener once it was handed over', async () => {
    const harness = await start(layer, { tls: certificate, handshakeTimeout: 60 });
    const client = harness.connect(secure);
    client.write(handshake());
    const { wire, record } = await harness.arrival();
    // A second connection that runs into the deadline shows that the time of the first one has passed.
    await received(harness.connect());
    await harness.listener.close();
    client.write('still');
    wire.read();
    expect(await record.next(5)).toBe('still');
    wire.write(Buffer.from('here'));
    wire.end();
    expect(await received(client)).toBe('here');
  });

  it('is cut at the deadline when its head never ends', async () => {
    // Long enough for the TLS handshake, which is a part of it, on a busy machine.
    const harness = await start(layer, { tls: certificate, handshakeTimeout: 1000 });
    const begin = performance.now();
    const client = harness.connect(secure);
    client.write('GET / HTTP/1.1\r\n');
    const trickle = setInterval(() => client.write('X: y\r\n'), 5);
    onTestFinished(() => clearInterval(trickle));
    const answer = await received(client);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*\r\n\r\n./);
    expect(performance.now() - begin).toBeGreaterThan(990);
    expect(harness.refusals).toEqual([
      expect.objectContaining({ error: 'HANDSHAKE_TIMEOUT', status: 408, remoteAddress: '127.0.0.1' }),
    ]);
  });

  it('is cut at the deadline when nothing is sent at all', async () => {
    const harness = await start(layer, { tls: certificate, handshakeTimeout: 50 });
    await expect(received(harness.connect())).resolves.toBe('');
    expect(harness.refusals).toEqual([
      expect.objectContaining({ error: 'HANDSHAKE_TIMEOUT', status: 408, remoteAddress: '127.0.0.1' }),
    ]);
  });

  it('is answered 431 when its head is too large', async () => {
    const harness = await start(layer, { tls: certificate });
    const client = harness.connect(secure);
    client.write(handshake([`X: ${'x'.repeat(100_000)}`]));
    expect(await received(client)).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(harness.refusals).toEqual([expect.objectContaining({ error: 'HANDSHAKE_TOO_BIG', status: 431 })]);
  });

  it('is answered 400 when it is not HTTP', async () => {
    const harness = await start(layer, { tls: certificate });
    const client = harness.connect(secure);
    client.write('SSH-2.0-x\r\n\r\nmore');
    expect(await received(client)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(harness.refusals).toEqual([expect.objectContaining({ error: 'UNKNOWN_PROTOCOL', status: 400 })]);
  });

  it('is cut when the listener closes before it is complete', async () => {
    const harness = await start(layer, { tls: certificate });
    const client = harness.connect(secure);
    const complete = harness.connect(secure);
    client.write('GET / HT');
    await new Promise((resolve) => client.once(secure ? 'secureConnect' : 'connect', resolve));
    // The handshake of a later connection shows that the earlier one has been accepted.
    complete.write(handshake());
    await harness.arrival();
    const answer = received(client);
    await harness.listener.close();
    await expect(answer).resolves.toBe('');
    expect(harness.refusals).toEqual([]);
  });
});

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))(
  'what is not a handshake, on the %s layer',
  (_, layer) => {
    it('hands over an upgrade to another protocol, for the validation to judge', async () => {
      const harness = await start(layer);
      harness.connect().write(handshake().replace('websocket', 'h2c'));
      expect((await harness.arrival()).head.rawHeaders.slice(-2)).toEqual(['Upgrade', 'h2c']);
    });

    it('reports a failed TLS handshake and goes on', async () => {
      const harness = await start(layer, { tls: localhostCertificate });
      const plain = harness.connect();
      plain.write(handshake());
      await received(plain);
      expect(harness.refusals).toEqual([
        expect.objectContaining({ error: 'BAD_HANDSHAKE', message: expect.stringContaining('TLS') }),
      ]);
      const distrustful = tls.connect({ port: harness.port, host: '127.0.0.1', servername: 'localhost' });
      distrustful.on('error', () => {});
      await closed(distrustful);
      harness.connect(true).write(handshake());
      await harness.arrival();
    });

    it('survives clients that reset at any point', async () => {
      const harness = await start(layer);
      for (const text of ['', 'GET', handshake().slice(0, -2), 'GET / HTTP/1.1\r\n\r\n', 'nonsense\r\n\r\n']) {
        const client = harness.connect();
        await new Promise((resolve) => client.once('connect', resolve));
        client.write(text);
        client.resetAndDestroy();
        await closed(client);
      }
      harness.connect().write(handshake());
      await harness.arrival();
      expect(harness.errors).toEqual([]);
    });

    it('with as many headers as it may have is taken, and with one more refused', async () => {
      const harness = await start(layer, { maxHeaderCount: 8 });
      const fields = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: y`);
      harness.connect().write(handshake(fields(5)));
      expect((await harness.arrival()).head.rawHeaders.length).toBe(16);
      const client = harness.connect();
      client.write(handshake(fields(6)));
      expect(await received(client)).toMatch(/^HTTP\/1\.1 431 /);
      expect(harness.refusals).toMatchObject([
        { error: 'HANDSHAKE_TOO_BIG', message: 'the request head has more than 8 header fields' },
      ]);
    });

    it('keeps hundreds of headers, and their order', async () => {
      const harness = await start(layer, { maxHandshakeBytes: 60_000 });
      harness.connect().write(handshake(Array.from({ length: 3000 }, (_, index) => `X-${index}: y`)));
      expect((await harness.arrival()).head.rawHeaders).toHaveLength(6006);
    });

    it('is refused as soon as its first line is wrong, however slowly the rest comes', async () => {
      const harness = await start(layer);
      const client = harness.connect();
      client.write('EHLO mail.example\r\n');
      expect(await received(client)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(harness.refusals).toMatchObject([{ error: 'UNKNOWN_PROTOCOL', message: expect.stringContaining('EHLO') }]);
    });

    it('is refused when it consists of more empty lines than a head may have bytes', async () => {
      const harness = await start(layer);
      const client = harness.connect();
      client.write('\r\n'.repeat(2000));
      expect(await received(client)).toMatch(/^HTTP\/1\.1 431 /);
    });

    it('is answered 400 when it ends within its head, and not at all when it ends before', async () => {
      const harness = await start(layer);
      const client = harness.connect();
      client.end('GET / HT');
      expect(await received(client)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      const silent = harness.connect();
      silent.end();
      expect(await received(silent)).toBe('');
      expect(harness.refusals).toHaveLength(1);
    });

    it('does not keep a later request of the same connection from the callee', async () => {
      const harness = await start(layer);
      harness.connect().write(`${handshake()}${handshake(['X-Second: 1'])}`);
      const { wire, record } = await harness.arrival();
      wire.read();
      await record.received(handshake(['X-Second: 1']).length);
      expect(record.text).toBe(handshake(['X-Second: 1']));
    });
  },
);

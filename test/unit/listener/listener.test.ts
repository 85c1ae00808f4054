import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TidegateError } from '../../../src/receivers/errors.js';
import { writeRefusal } from '../../../src/server/handshake/answer.js';
import { Listener, type ListenerOptions, type ListenerRefusal } from '../../../src/server/listener/listener.js';
import { localhostCertificate } from '../../support/tls.js';

interface Upgrade {
  readonly req: IncomingMessage;
  readonly socket: net.Socket;
  readonly head: Buffer;
}

/** A bound listener that records what it hands over, and lets a test wait for it. */
class Harness {
  readonly refusals: ListenerRefusal[] = [];
  readonly errors: TidegateError[] = [];
  readonly listener: Listener;
  port = 0;
  readonly #upgrades: Upgrade[] = [];
  readonly #waiting: Array<(upgrade: Upgrade) => void> = [];

  constructor(options: Partial<ListenerOptions> = {}) {
    this.listener = new Listener({
      host: '127.0.0.1',
      port: 0,
      handshakeTimeout: 10_000,
      maxHandshakeBytes: 2048,
      highWaterMark: 16_384,
      keepAlive: 1000,
      onUpgrade: (req, socket, head) => {
        onTestFinished(() => void socket.destroy());
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#upgrades.push({ req, socket, head });
        else waiting({ req, socket, head });
      },
      onRefused: (info) => void this.refusals.push(info),
      onError: (error) => void this.errors.push(error),
      ...options,
    });
    onTestFinished(() => this.listener.close());
  }

  async bind(): Promise<this> {
    this.port = (await this.listener.bind()).port;
    return this;
  }

  upgrade(): Promise<Upgrade> {
    const ready = this.#upgrades.shift();
    return ready === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(ready);
  }

  connect(secure = false): net.Socket {
    const to = { port: this.port, host: '127.0.0.1' };
    const socket = secure
      ? tls.connect({ ...to, servername: 'localhost', ca: localhostCertificate.cert })
      : net.connect(to);
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  }
}

const start = (options?: Partial<ListenerOptions>): Promise<Harness> => new Harness(options).bind();

const handshake = (extra: string[] = []): string =>
  `${['GET /x HTTP/1.1', 'Host: h', 'Connection: Upgrade', 'Upgrade: websocket', ...extra].join('\r\n')}\r\n\r\n`;

/** Everything the other side sent until the connection ended, however it ended. */
function received(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => resolve(text));
  });
}

function closed(socket: net.Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

async function readExactly(socket: net.Socket, bytes: number): Promise<string> {
  let text = '';
  if (bytes === 0) return text;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.length >= bytes) return text;
  }
  return text;
}

describe('binding', () => {
  it('says where it is bound', async () => {
    const harness = new Harness();
    const bound = await harness.listener.bind();
    expect(bound).toEqual({ host: '127.0.0.1', port: bound.port, url: `ws://127.0.0.1:${bound.port}` });
    const secure = await new Harness({ host: '::1', tls: localhostCertificate }).listener.bind();
    expect(secure.url).toBe(`wss://[::1]:${secure.port}`);
    const everywhere = await new Harness({ host: undefined }).listener.bind();
    expect(everywhere.url).toBe(`ws://localhost:${everywhere.port}`);
  });

  it('rejects with the address when it is taken', async () => {
    const { port } = await start();
    await expect(new Harness({ port }).listener.bind()).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it.each<[string, Partial<ListenerOptions>]>([
    ['an address of another machine', { host: '192.0.2.1' }],
    ['a certificate that is none', { tls: { key: 'x', cert: 'y' } }],
  ])('rejects %s', async (_, options) => {
    const { listener } = new Harness(options);
    await expect(listener.bind()).rejects.toMatchObject({ code: 'LISTEN_FAILED', cause: expect.any(Error) });
  });

  it.each([undefined, localhostCertificate])('leaves no handle behind when it is closed', async (certificate) => {
    const count = () => process.getActiveResourcesInfo().filter((name) => /^TCP|^TLS/.test(name)).length;
    const harness = await start({ tls: certificate });
    const clients = [harness.connect(), harness.connect(certificate !== undefined)];
    clients[1]?.write(handshake());
    const { socket } = await harness.upgrade();
    const gone = [...clients, socket].map(closed);
    for (const one of [...clients, socket]) one.destroy();
    await harness.listener.close();
    await Promise.all(gone);
    expect(count()).toBe(0);
  });

  it('can be closed and bound again to the same port, and not twice at once', async () => {
    const { listener, port } = await start();
    await expect(listener.bind()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    await listener.close();
    await listener.close();
    const again = new Harness({ port });
    await expect(again.listener.bind()).resolves.toMatchObject({ port });
    await again.listener.close();
    await expect(listener.bind()).resolves.toMatchObject({ host: '127.0.0.1' });
  });
});

describe.each([
  ['plain', undefined],
  ['TLS', localhostCertificate],
])('a handshake over %s', (_, certificate) => {
  const secure = certificate !== undefined;

  it('is handed over with every byte that follows its head', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    const rest = 'z'.repeat(200_000);
    client.write(`${handshake()}first`);
    client.write(rest);
    const { req, socket, head } = await harness.upgrade();
    expect(req.url).toBe('/x');
    expect(socket.isPaused()).toBe(true);
    const text = head.toString('latin1');
    expect(text.startsWith('first')).toBe(true);
    expect(text + (await readExactly(socket, 5 + rest.length - text.length))).toBe(`first${rest}`);
  });

  it('is handed over when it comes byte by byte', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    for (const byte of handshake()) await new Promise((resolve) => client.write(byte, resolve));
    client.write('after');
    const { socket, head } = await harness.upgrade();
    expect(head.toString() + (await readExactly(socket, 5 - head.length))).toBe('after');
  });

  it('leaves nothing of HTTP on its socket, and survives a reset', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    client.write(handshake());
    const { socket } = await harness.upgrade();
    const names = ['data', 'readable', 'timeout', 'drain', 'pause', 'resume'];
    expect(names.filter((name) => socket.listenerCount(name) > 0)).toEqual([]);
    if (!secure)
      expect(['close', 'end'].map((name) => socket.listeners(name).map(({ name }) => name))).toEqual([
        [],
        ['onReadableStreamEnd'],
      ]);
    expect(socket.timeout ?? 0).toBe(0);
    // Node 20 cannot reset a TLS connection; there the client just goes.
    if (secure) client.destroy();
    else client.resetAndDestroy();
    socket.resume();
    await closed(socket);
  });

  it('outlives the deadline and the listener once it was handed over', async () => {
    const harness = await start({ tls: certificate, handshakeTimeout: 60 });
    const client = harness.connect(secure);
    client.write(handshake());
    const { socket } = await harness.upgrade();
    // A second connection that runs into the deadline shows that the time of the first one has passed.
    await received(harness.connect());
    await harness.listener.close();
    client.write('still');
    await expect(readExactly(socket, 5)).resolves.toBe('still');
    socket.write('here');
    await expect(readExactly(client, 4)).resolves.toBe('here');
  });

  it('is cut at the deadline when its head never ends', async () => {
    const harness = await start({ tls: certificate, handshakeTimeout: 150 });
    const begin = performance.now();
    const client = harness.connect(secure);
    client.write('GET / HTTP/1.1\r\n');
    const trickle = setInterval(() => client.write('X: y\r\n'), 5);
    onTestFinished(() => clearInterval(trickle));
    const answer = await received(client);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*\r\n\r\n./);
    expect(performance.now() - begin).toBeGreaterThan(140);
    expect(harness.refusals).toEqual([
      expect.objectContaining({ error: 'HANDSHAKE_TIMEOUT', status: 408, remoteAddress: '127.0.0.1' }),
    ]);
  });

  it('is cut at the deadline when nothing is sent at all', async () => {
    const harness = await start({ tls: certificate, handshakeTimeout: 50 });
    await expect(received(harness.connect())).resolves.toBe('');
    expect(harness.refusals).toEqual([
      expect.objectContaining({ error: 'HANDSHAKE_TIMEOUT', status: 408, remoteAddress: '127.0.0.1' }),
    ]);
  });

  it('is answered 431 when its head is too large', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    client.write(handshake([`X: ${'x'.repeat(100_000)}`]));
    expect(await received(client)).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(harness.refusals).toEqual([expect.objectContaining({ error: 'HANDSHAKE_TOO_BIG', status: 431 })]);
  });

  it('is answered 400 when it is not HTTP', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    client.write('SSH-2.0-x\r\n\r\nmore');
    expect(await received(client)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(harness.refusals).toEqual([expect.objectContaining({ error: 'BAD_HANDSHAKE', status: 400 })]);
  });

  it('is answered 426 with one line of help when it is plain HTTP, even if more follows', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    client.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(500_000)}`);
    const answer = await received(client);
    expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(answer).toMatch(/\r\nUpgrade: websocket\r\n[\s\S]*\r\n\r\nThis port speaks WebSocket[^\n]*\n$/);
    expect(harness.refusals).toEqual([expect.objectContaining({ error: 'NOT_AN_UPGRADE', status: 426 })]);
  });

  it('is cut when the listener closes before it is complete', async () => {
    const harness = await start({ tls: certificate });
    const client = harness.connect(secure);
    const complete = harness.connect(secure);
    client.write('GET / HT');
    await new Promise((resolve) => client.once(secure ? 'secureConnect' : 'connect', resolve));
    // The handshake of a later connection shows that the earlier one has been accepted.
    complete.write(handshake());
    await harness.upgrade();
    const answer = received(client);
    await harness.listener.close();
    await expect(answer).resolves.toBe('');
    expect(harness.refusals).toEqual([]);
  });
});

describe('what is not a handshake', () => {
  it.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n', /426 [\s\S]*\r\n\r\n$/],
    ['CONNECT', 'CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    ['an unknown expectation', 'GET / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
    [
      'two requests at once',
      'GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n',
      /426 [\s\S]*\r\n\r\n[^\n]+\n$/,
    ],
    ['a request without Host', 'GET / HTTP/1.1\r\n\r\n', /426 [\s\S]*\r\n\r\n./],
  ])('answers %s once and completely', async (_, text, answer) => {
    const harness = await start();
    const client = harness.connect();
    client.write(text);
    expect(await received(client)).toMatch(answer);
    expect(harness.refusals).toHaveLength(1);
  });

  it('hands over an upgrade to another protocol, for the validation to judge', async () => {
    const harness = await start();
    harness.connect().write(handshake().replace('websocket', 'h2c'));
    expect((await harness.upgrade()).req.headers.upgrade).toBe('h2c');
  });

  it.each([
    ['a whole body', 4],
    ['an endless body', 1_000_000],
  ])('refuses an upgrade with %s, or hands it over so that it can be refused', async (_, length) => {
    const harness = await start();
    const client = harness.connect();
    client.write(`${handshake([`Content-Length: ${length}`])}body`);
    const answer = received(client);
    // Node 20 and 24 hand over the socket at once, Node 26 may hand over another stream that holds the body back.
    void harness.upgrade().then(({ socket }) => writeRefusal(socket, { status: 400 }));
    expect(await answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  it('reports a failed TLS handshake and goes on', async () => {
    const harness = await start({ tls: localhostCertificate });
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
    await harness.upgrade();
  });

  it('survives clients that reset at any point', async () => {
    const harness = await start();
    for (const text of ['', 'GET', handshake().slice(0, -2), 'GET / HTTP/1.1\r\n\r\n', 'nonsense\r\n\r\n']) {
      const client = harness.connect();
      await new Promise((resolve) => client.once('connect', resolve));
      client.write(text);
      client.resetAndDestroy();
      await closed(client);
    }
    harness.connect().write(handshake());
    await harness.upgrade();
    expect(harness.errors).toEqual([]);
  });

  it('keeps hundreds of headers, and their order', async () => {
    const harness = await start({ maxHandshakeBytes: 60_000 });
    harness.connect().write(handshake(Array.from({ length: 3000 }, (_, index) => `X-${index}: y`)));
    expect((await harness.upgrade()).req.rawHeaders).toHaveLength(6006);
  });
});

/** Owns who gets into a running server, over TCP and TLS: what a client sees, what is told, and that every place is free again. */
import { request as httpRequest } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AdmissionPolicy, Peer, ReceiverServerOptions } from '../../src/index.js';
import { deferred, eventually } from '../support/events.js';
import { encodeFrame, Opcode } from '../support/frames.js';
import { RawClient } from '../support/raw-client.js';
import { connectTcp } from '../support/tcp-connection.js';
import { localhostCertificate } from '../support/tls.js';
import { startReceivers } from './stage.js';

const TRANSPORTS = [
  ['TCP', false],
  ['TLS', true],
] as const;

/** A client of a server that may speak TLS. */
function from(secure: boolean, options: { readonly localAddress?: string } = {}) {
  return secure ? { ...options, tls: true as const } : options;
}

function listenOn(secure: boolean, extra: object = {}) {
  return { host: '127.0.0.1', port: 0, ...(secure ? { tls: localhostCertificate } : {}), ...extra };
}

function start(secure: boolean, options: Partial<ReceiverServerOptions> = {}) {
  return startReceivers({ listen: listenOn(secure), ...options });
}

async function tcp(port: number, options: object = {}) {
  const connection = await connectTcp({ port, ...options });
  onTestFinished(() => connection.destroy());
  return connection;
}

/** Counts who is in, and how often each was let in and released. */
class Doorman implements AdmissionPolicy {
  readonly name = 'doorman';
  admitted = 0;
  released = 0;

  connection(): undefined {
    this.admitted += 1;
  }

  release(): void {
    this.released += 1;
  }

  get inside(): number {
    return this.admitted - this.released;
  }
}

describe.each(TRANSPORTS)('an address that is denied, over %s', (_, secure) => {
  it('is cut before anything is read or answered, and told', async () => {
    const { port, events, server } = await start(secure, { admission: { deny: ['127.0.0.2'] } });
    const denied = await tcp(port, { localAddress: '127.0.0.2' });
    await denied.waitForEnd();
    expect(denied.bytesReceived).toBe(0);
    expect(await events.rejections.next()).toMatchObject({
      error: 'ADDRESS_DENIED',
      status: 403,
      remoteAddress: '127.0.0.2',
      path: undefined,
      policy: 'address-list',
    });
    const client = await RawClient.open({ port, ...from(secure) });
    onTestFinished(() => client.destroy());
    expect(server.snapshot().refused).toEqual({
      total: 1,
      byError: { ADDRESS_DENIED: 1 },
      byPolicy: { 'address-list': 1 },
    });
  });
});

describe.each(TRANSPORTS)('a cap for each address, over %s', (_, secure) => {
  it('answers 503 with Retry-After to whoever sends a request, and frees a place with each connection', async () => {
    const admission = { exempt: ['none'] };
    const { port, events } = await start(secure, { admission, limits: { maxConnectionsPerAddress: 2 } });
    const open = () => RawClient.open({ port, ...from(secure) });
    const first = await open();
    const second = await open();
    onTestFinished(() => second.destroy());
    const refused = await RawClient.handshake({ port, ...from(secure) });
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    expect(await events.rejections.next()).toMatchObject({
      error: 'TOO_MANY_CONNECTIONS',
      policy: 'connections-per-address',
    });
    const other = await RawClient.open({ port, ...from(secure, { localAddress: '127.0.0.2' }) });
    onTestFinished(() => other.destroy());
    first.destroy();
    let again: RawClient | undefined;
    await eventually(async () => {
      again = (await RawClient.handshake({ port, ...from(secure) })).client;
      return again !== undefined;
    }, 'there is a place again');
    again?.destroy();
  });
});

it('a rate answers 429 and says when to come back', async () => {
  const admission = { exempt: ['none'], rate: { perAddress: 1, burst: '3s' as const } };
  const { handshake } = await start(false, { admission });
  const answers = [];
  for (let count = 0; count < 4; count += 1) answers.push(await handshake());
  expect(answers.map(({ status }) => status)).toEqual([101, 101, 101, 429]);
  expect(answers[3]!.headers['retry-after']).toBe('1');
});

describe('an address that sends malformed handshakes', () => {
  it('is banned, until it is lifted, and the server says so', async () => {
    const admission = { exempt: ['none'], bans: { threshold: 3 } };
    const { port, server, handshake } = await start(false, { admission });
    const banned = deferred<unknown>();
    server.on('banned', (ban) => banned.resolve(ban));
    const localAddress = '127.0.0.3';
    // The score decays from the first one on, so the third does not reach three.
    for (let count = 0; count < 4; count += 1) {
      const bad = await tcp(port, { localAddress });
      bad.write('GET nonsense\r\n\r\n');
      await bad.waitForEnd();
    }
    expect(await banned.promise).toMatchObject({ address: localAddress, count: 1 });
    const cut = await tcp(port, { localAddress });
    await cut.waitForEnd();
    expect(cut.bytesReceived).toBe(0);
    expect(server.bans).toMatchObject([{ address: localAddress, count: 1 }]);
    expect(server.bans[0]!.until).toBeGreaterThan(Date.now());
    expect((await handshake()).status).toBe(101);
    expect(server.unban(localAddress)).toBe(true);
    expect(server.bans).toEqual([]);
    expect((await handshake({ localAddress })).status).toBe(101);
    expect(server.snapshot().refused.byError).toMatchObject({ BAD_HANDSHAKE: 4, ADDRESS_BANNED: 1 });
  });

  it('is banned for frames against the protocol as well', async () => {
    const { open, events, handshake } = await start(false, { admission: { exempt: ['none'], bans: { threshold: 3 } } });
    const localAddress = '127.0.0.4';
    for (let count = 0; count < 4; count += 1) {
      const client = await open({ localAddress });
      client.sendRaw(encodeFrame({ opcode: Opcode.Text, payload: 'not masked' }));
      expect((await client.nextFrame(Opcode.Close)).payload.readUInt16BE(0)).toBe(1002);
      client.destroy();
    }
    await expect(handshake({ localAddress })).rejects.toThrow();
    expect(await events.rejections.next()).toMatchObject({ error: 'ADDRESS_BANNED' });
  });

  it('stays banned when the server starts again', async () => {
    const { port, server } = await start(false);
    server.ban('127.0.0.3', 60_000, 'known for it');
    await server.restart();
    const cut = await tcp(port, { localAddress: '127.0.0.3' });
    await cut.waitForEnd();
    expect(cut.bytesReceived).toBe(0);
    expect(server.bans).toMatchObject([{ address: '127.0.0.3', count: 0, reason: 'known for it' }]);
  });

  it('is named wrongly, and that is said', async () => {
    const { server } = await start(false);
    expect(() => server.ban('example.com', 1000)).toThrow(/address: got "example.com"; expected an IP address/);
    expect(() => server.ban('127.0.0.1', 0)).toThrow(/milliseconds: got 0; expected/);
    expect(() => server.ban('127.0.0.1', Number.NaN)).toThrow(/milliseconds: got NaN/);
  });
});

describe('behind a trusted proxy', () => {
  const forwarded = (client: string) => ({ headers: { 'X-Forwarded-For': client, 'X-Forwarded-Proto': 'https' } });

  it('the client is who the proxy says, for receivers, caps and refusals', async () => {
    const { open, handshake, events } = await start(false, {
      trustedProxies: ['loopback'],
      admission: { deny: ['192.0.2.66'] },
      limits: { maxConnectionsPerAddress: 1 },
    });
    await open(forwarded('192.0.2.1'));
    const { request } = await events.connections.next();
    expect(request).toMatchObject({
      remoteAddress: '192.0.2.1',
      remotePort: 0,
      peerAddress: '127.0.0.1',
      forwarded: { proto: 'https', host: undefined },
    });
    expect((await handshake(forwarded('192.0.2.1'))).status).toBe(503);
    expect((await handshake(forwarded('192.0.2.2'))).status).toBe(101);
    const denied = await handshake(forwarded('1.1.1.1, 192.0.2.66'));
    expect(denied.status).toBe(403);
    expect(events.rejections.all).toMatchObject([
      { error: 'TOO_MANY_CONNECTIONS', remoteAddress: '192.0.2.1', path: '/' },
      { error: 'ADDRESS_DENIED', remoteAddress: '192.0.2.66', path: '/' },
    ]);
  });

  it('a client that comes by itself cannot name another', async () => {
    const { open, events } = await start(false, { trustedProxies: ['127.0.0.9'] });
    await open({ headers: { 'X-Forwarded-For': '10.0.0.1', Forwarded: 'for=10.0.0.1' } });
    const { request } = await events.connections.next();
    expect(request).toMatchObject({ remoteAddress: '127.0.0.1', peerAddress: '127.0.0.1', forwarded: undefined });
  });

  it('who is banned is the client, and not the proxy', async () => {
    const { server, handshake } = await start(false, { trustedProxies: ['loopback'] });
    server.ban('192.0.2.1', 60_000);
    expect((await handshake(forwarded('192.0.2.1'))).status).toBe(403);
    expect((await handshake(forwarded('192.0.2.2'))).status).toBe(101);
  });
});

describe.each(TRANSPORTS)('onTcpConnect, over %s', (_, secure) => {
  it('decides before anything is read, with both addresses', async () => {
    const peers: Peer[] = [];
    const { port } = await start(secure, {
      onTcpConnect: (peer) => {
        peers.push(peer);
        return peer.remoteAddress !== '127.0.0.2';
      },
    });
    const rejected = await tcp(port, { localAddress: '127.0.0.2' });
    await rejected.waitForEnd();
    expect(rejected.bytesReceived).toBe(0);
    const client = await RawClient.open({ port, ...from(secure) });
    onTestFinished(() => client.destroy());
    expect(peers).toMatchObject([
      { remoteAddress: '127.0.0.2', localAddress: '127.0.0.1', localPort: port },
      { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: port },
    ]);
    expect(peers[0]!.remotePort).toBeGreaterThan(0);
  });

  it('may answer late: the client is heard then, with all that it sent meanwhile', async () => {
    const asked = deferred<void>();
    const answer = deferred<boolean>();
    const { port } = await start(secure, {
      onTcpConnect: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    const opening = RawClient.open({ port, ...from(secure) });
    await asked.promise;
    answer.resolve(true);
    const client = await opening;
    onTestFinished(() => client.destroy());
    client.sendClose(1000);
    await client.waitForEnd();
  });

  it('may reject late, or throw, and ends nothing else', async () => {
    let calls = 0;
    const { port, events } = await start(secure, {
      onTcpConnect: async () => {
        calls += 1;
        await Promise.resolve();
        if (calls === 1) throw new Error('broken');
        return calls === 2 ? 'reject' : 'accept';
      },
    });
    for (const error of ['RECEIVER_FAILED', 'POLICY_DENIED']) {
      await (await tcp(port)).waitForEnd();
      expect(await events.rejections.next()).toMatchObject({ error, policy: 'onTcpConnect' });
    }
    expect(events.exceptions.all).toMatchObject([{ message: 'broken' }]);
    const client = await RawClient.open({ port, ...from(secure) });
    client.destroy();
  });

  it('that never answers is cut short by the handshake deadline', async () => {
    const { port, events } = await start(secure, {
      onTcpConnect: () => new Promise(() => {}),
      timeouts: { handshake: 50 },
    });
    await (await tcp(port)).waitForEnd();
    expect(await events.rejections.next()).toMatchObject({ error: 'DECISION_TIMEOUT' });
    expect(events.rejections.all).toHaveLength(1);
  });

  it('may be out when the server stops', async () => {
    const asked = deferred<void>();
    const answer = deferred<boolean>();
    const { port, server } = await start(secure, {
      onTcpConnect: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    const client = await tcp(port);
    await asked.promise;
    await server.stop();
    await client.waitForEnd();
    answer.resolve(true);
    await answer.promise;
  });
});

describe.each(TRANSPORTS)('a full server that pauses, over %s', (_, secure) => {
  const limits = { maxConnections: 2, overflow: 'pause' as const };

  it('lets the next one wait, who is answered when there is room', async () => {
    const { port } = await start(secure, { limits });
    const open = () => RawClient.open({ port, ...from(secure) });
    const first = await open();
    const second = await open();
    onTestFinished(() => second.destroy());
    let isIn = false;
    const third = open().then((client) => {
      isIn = true;
      return client;
    });
    // A turn of the server: whoever came before the third was answered, and it was not.
    first.sendPing('there?');
    await first.nextFrame();
    expect(isIn).toBe(false);
    first.destroy();
    const client = await third;
    client.destroy();
  });

  it('cuts who waits for longer than a handshake may take', async () => {
    const { port, events } = await start(secure, {
      limits: { ...limits, maxConnections: 1 },
      timeouts: { handshake: 60 },
    });
    const client = await RawClient.open({ port, ...from(secure) });
    onTestFinished(() => client.destroy());
    const waiting = await tcp(port);
    await waiting.waitForEnd();
    expect(waiting.bytesReceived).toBe(0);
    expect(await events.rejections.next()).toMatchObject({ error: 'CAPACITY_REACHED' });
    expect(events.rejections.all).toHaveLength(1);
  });
});

it('reserved room is for control channels, whose listener says so', async () => {
  const { server, events } = await startReceivers({
    listen: [listenOn(false), listenOn(false, { role: 'control' })],
    limits: { maxConnections: 3, reservedConnections: 1 },
  });
  const [clients, control] = server.addresses.map(({ port }) => port);
  const handshake = async (port: number | undefined) => {
    const answer = await RawClient.handshake({ port: port! });
    onTestFinished(() => answer.client?.destroy());
    return answer;
  };
  const statuses = [];
  for (const port of [clients, clients, clients, control, control, clients])
    statuses.push((await handshake(port)).status);
  expect(statuses).toEqual([101, 101, 503, 101, 503, 503]);
  expect(await events.rejections.next()).toMatchObject({ error: 'CAPACITY_REACHED' });
});

describe.each(TRANSPORTS)('connections that send nothing, over %s', (_, secure) => {
  it('give way to newer ones, the oldest first, so that a flood keeps nobody out', async () => {
    const { port, events, handshake } = await start(secure, { limits: { maxPendingHandshakes: 3 } });
    const silent = [];
    for (let count = 0; count < 5; count += 1) silent.push(await tcp(port));
    await Promise.all(silent.slice(0, 2).map((one) => one.waitForEnd()));
    const answer = await handshake(from(secure));
    expect(answer.status).toBe(101);
    await silent[2]!.waitForEnd();
    expect(silent.slice(3).map(({ ended }) => ended)).toEqual([undefined, undefined]);
    expect(events.rejections.all.map(({ error }) => error)).toEqual(Array(3).fill('CAPACITY_REACHED'));
  });
});

it('who is denied takes the place of nobody who waits', async () => {
  const { port, events } = await start(false, {
    admission: { deny: ['127.0.0.2'] },
    limits: { maxPendingHandshakes: 2 },
  });
  const silent = [await tcp(port), await tcp(port)];
  for (let count = 0; count < 5; count += 1) await (await tcp(port, { localAddress: '127.0.0.2' })).waitForEnd();
  expect(silent.map(({ ended }) => ended)).toEqual([undefined, undefined]);
  expect(events.rejections.all.map(({ error }) => error)).toEqual(Array(5).fill('ADDRESS_DENIED'));
});

describe.each(TRANSPORTS)('what a policy let in over %s is released exactly once', (_, secure) => {
  const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
  const REQUEST = `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${KEY}\r\n`;
  const plain = secure ? { tls: true as const } : {};
  // Node.js does not survive the reset of a TLS client in its own process.
  const cut = (client: { reset(): void; destroy(): void }): void => (secure ? client.destroy() : client.reset());

  it.each<[string, (port: number) => Promise<unknown>]>([
    ['it leaves before it says anything', async (port) => (await tcp(port, plain)).destroy()],
    ['it is reset before it says anything', async (port) => cut(await tcp(port, plain))],
    [
      'it is reset within its request',
      async (port) => {
        const client = await tcp(port, plain);
        client.write('GET / HT');
        cut(client);
      },
    ],
    [
      'its request is malformed',
      async (port) => {
        const client = await tcp(port, plain);
        client.write('nonsense\r\n\r\n');
        await client.waitForEnd();
        client.end();
      },
    ],
    [
      'its request is refused',
      async (port) => {
        const client = await tcp(port, plain);
        client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        await client.waitForEnd();
        client.end();
      },
    ],
    [
      'its request does not come in time',
      async (port) => {
        await (await tcp(port, plain)).waitForEnd();
      },
    ],
    [
      'it leaves with its request',
      async (port) => {
        const client = await tcp(port, plain);
        client.write(REQUEST);
        cut(client);
      },
    ],
    [
      'it closes in order',
      async (port) => {
        const client = await RawClient.open({ port, ...plain });
        client.sendClose(1000);
        await client.waitForEnd();
      },
    ],
    ['it is reset when it is open', async (port) => cut(await RawClient.open({ port, ...plain }))],
    [
      'its TLS fails, or its bytes are none',
      async (port) => {
        const client = await tcp(port);
        client.write('\u0016\u0003\u0001\u0000\u0005hello, this is neither\r\n\r\n');
        await client.waitForEnd();
        client.end();
      },
    ],
  ])('when %s', async (_how, act) => {
    const doorman = new Doorman();
    const { port } = await start(secure, { policies: [doorman], timeouts: { handshake: 300 } });
    for (let round = 1; round <= 3; round += 1) {
      await act(port);
      await eventually(() => doorman.released === round, 'it is released');
      expect(doorman.admitted).toBe(round);
    }
    expect(doorman.released).toBe(3);
  });

  it('when the server stops, whatever each is about', async () => {
    const doorman = new Doorman();
    const { port, server, open } = await start(secure, { policies: [doorman] });
    const silent = await tcp(port);
    const half = await tcp(port, plain);
    half.write('GET / HT');
    const client = await open(plain);
    await eventually(() => doorman.admitted === 3, 'all are in');
    await server.stop({ drainTimeout: 0 });
    expect(doorman.released).toBe(3);
    for (const one of [silent, half, client]) one.destroy();
  });

  it('through a storm of all of these at once', async () => {
    const doorman = new Doorman();
    const late = async (): Promise<boolean> => {
      await Promise.resolve();
      return true;
    };
    const { port, server } = await start(secure, {
      policies: [doorman],
      onTcpConnect: late,
      limits: { maxPendingHandshakes: 5 },
      timeouts: { handshake: 1000 },
    });
    const visit = async (index: number): Promise<void> => {
      const client = await tcp(port, index % 4 === 3 ? {} : plain).catch(() => undefined);
      if (client === undefined) return;
      if (index % 2 === 0) client.write(index % 3 === 0 ? REQUEST : 'nonsense\r\n\r\n');
      if (index % 5 < 3) cut(client);
      else client.destroy();
    };
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 10 }, (_one, index) => visit(round * 10 + index)));
    }
    await eventually(() => doorman.inside === 0 && server.snapshot().connections.length === 0, 'all are gone');
    expect(doorman.released).toBe(doorman.admitted);
    expect(doorman.admitted).toBeGreaterThan(100);
  });
});

it('a request that is answered without an upgrade is counted by its error', async () => {
  const { port, server } = await start(false);
  await new Promise<void>((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve));
    request.on('error', reject).end();
  });
  expect(server.snapshot().refused).toEqual({ total: 1, byError: { NOT_AN_UPGRADE: 1 }, byPolicy: {} });
});

it('hooks of the wrong kind are named', async () => {
  const make = (hooks: object) => Promise.resolve().then(() => startReceivers(hooks as never));
  await expect(make({ onTcpConnect: 1 })).rejects.toThrow('onTcpConnect: got number; expected a function');
  await expect(make({ policies: [{}] })).rejects.toThrow(
    /policies: got object; expected a list of objects with a `name`/,
  );
  await expect(make({ policies: [{ name: 'a', connection: 1 }] })).rejects.toThrow(/policies/);
});

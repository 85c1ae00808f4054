/** Owns asking a WebSocket target for the upgrade, over both socket layers: what goes out, and what each answer comes to. */
import type net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acceptKey } from '../../../src/protocol/handshake.js';
import {
  dialWebSocket,
  type UpstreamHandshake,
  type UpstreamOpen,
  type UpstreamRequest,
  upstreamPath,
} from '../../../src/server/dial/dial-websocket.js';
import { parseTarget, type WebSocketTarget } from '../../../src/server/dial/target.js';
import { localhostCertificate } from '../../support/tls.js';
import { LAYERS, recordOf } from '../../support/wires.js';
import { closed, type Peer, readUntil, startPeer } from './peers.js';

function webSocketTarget(text: string): WebSocketTarget {
  const target = parseTarget(text);
  if (target.kind !== 'websocket') throw new Error(`${text} is no WebSocket target`);
  return target;
}

interface Extra extends Partial<UpstreamRequest> {
  signal?: AbortSignal;
  target?: string;
  ca?: string;
}

async function opened(answer: Promise<UpstreamHandshake>): Promise<UpstreamOpen> {
  const result = await answer;
  if (result.kind !== 'open') throw new Error(`refused with ${result.status}`);
  return result;
}

async function allClosed(peer: Peer): Promise<void> {
  for (const socket of peer.sockets) {
    socket.resume();
    await closed(socket);
  }
}

/** A target that reads the request head and then answers. */
async function startTarget(answer: (socket: net.Socket, head: string) => void, tls = false): Promise<Peer> {
  return startPeer(
    (socket) =>
      void readUntil(socket, '\r\n\r\n').then(
        (head) => answer(socket, head),
        () => {},
      ),
    tls ? { tls: localhostCertificate } : {},
  );
}

function acceptance(head: string, extra = ''): string {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? '';
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n`;
  return `HTTP/1.1 101 Switching Protocols\r\n${fields}${extra}\r\n`;
}

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))('dialWebSocket on the %s layer', (_, layer) => {
  async function ask(peer: Peer, extra: Extra = {}): Promise<UpstreamHandshake> {
    const { signal = new AbortController().signal, target = `ws://127.0.0.1:${peer.port}`, ca, ...request } = extra;
    const answer = await dialWebSocket(
      webSocketTarget(target),
      { signal, keepAlive: 0, highWaterMark: 65_536, layer, tls: { ca } },
      {
        path: '/',
        headers: () => [],
        subprotocols: [],
        extensions: undefined,
        maxHeaderBytes: 4096,
        maxRefusalBytes: 1000,
        ...request,
      },
    );
    if (answer.kind === 'open') onTestFinished(() => void answer.wire.terminate());
    return answer;
  }

  it('sends one valid handshake with the headers of the client', async () => {
    let asked = '';
    const peer = await startTarget((socket, head) => {
      asked = head;
      socket.write(acceptance(head, 'Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Extensions: x; y=1\r\n'));
    });
    const answer = await ask(peer, {
      path: '/a?b=%20c',
      headers: () => ['Cookie', 'a=1', 'Host', 'evil', 'X-Twice', '1', 'x-twice', '2', 'Connection', 'keep-alive'],
      subprotocols: ['a', 'b'],
      extensions: 'x; y',
    });
    expect(answer).toMatchObject({ kind: 'open', subprotocol: 'b', extensions: 'x; y=1' });
    expect(asked.replace(/Key: .{24}/, 'Key: …').split('\r\n')).toEqual([
      'GET /a?b=%20c HTTP/1.1',
      `Host: 127.0.0.1:${peer.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: …',
      'Sec-WebSocket-Protocol: a, b',
      'Sec-WebSocket-Extensions: x; y',
      'Cookie: a=1',
      'X-Twice: 1',
      'x-twice: 2',
      '',
      '',
    ]);
  });

  it.each([
    ['ws', false],
    ['wss', true],
  ])('loses no byte that comes with or after the 101 of a %s: target', async (scheme, secure) => {
    const rest = 'z'.repeat(300_000);
    const peer = await startTarget((socket, head) => {
      socket.write(`${acceptance(head)}first`);
      socket.end(rest);
    }, secure);
    const target = `${scheme}://localhost:${peer.port}`;
    const { wire } = await opened(ask(peer, { target, ca: localhostCertificate.cert }));
    const record = recordOf(wire);
    await nextTurn();
    expect(record.told).toEqual([]);
    wire.read();
    expect(await record.all()).toBe(`first${rest}`);
    expect(record.told.at(-1)).toBe('end');
  });

  it('leaves the wire to whoever takes it, and its signal has no use any more', async () => {
    const controller = new AbortController();
    const peer = await startTarget((socket, head) => socket.write(acceptance(head)));
    const { wire } = await opened(ask(peer, { signal: controller.signal }));
    const record = recordOf(wire);
    controller.abort();
    await nextTurn();
    expect(wire.closed).toBe(false);
    for (const one of peer.sockets) one.resetAndDestroy();
    wire.read();
    await record.saw('closed');
    expect(record.told).toEqual(['closed']);
  });

  it('passes on the answer of a target that refuses', async () => {
    const peer = await startTarget((socket) => {
      socket.write('HTTP/1.1 404 Nothing Here\r\nX-Why: gone\r\nContent-Length: 4\r\n\r\nbody');
    });
    await expect(ask(peer)).resolves.toEqual({
      kind: 'refused',
      status: 404,
      statusText: 'Nothing Here',
      rawHeaders: ['X-Why', 'gone', 'Content-Length', '4'],
      body: Buffer.from('body'),
    });
    await allClosed(peer);
  });

  it.each([
    ['200 without a length', 'HTTP/1.1 200 OK\r\n\r\nhello', 200],
    ['200 that names an upgrade', 'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello', 200],
    [
      '426 that names an upgrade',
      'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nhello',
      426,
    ],
    ['302 in chunks', 'HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 302],
    ['103 before 401', 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nhello', 401],
    ['a body that breaks off', 'HTTP/1.1 500 Oh\r\nContent-Length: 50\r\n\r\nhello', 500],
  ])('takes %s for a refusal', async (_, text, status) => {
    const peer = await startTarget((socket) => void socket.end(text));
    await expect(ask(peer)).resolves.toMatchObject({ kind: 'refused', status, body: Buffer.from('hello') });
  });

  it('cuts the body of a refusal at the bound, and the connection with it', async () => {
    const peer = await startTarget((socket) => {
      socket.write(`HTTP/1.1 403 No\r\nContent-Length: 900000\r\n\r\n${'x'.repeat(2000)}`);
    });
    const answer = await ask(peer, { maxRefusalBytes: 1500 });
    expect(answer).toMatchObject({ kind: 'refused', status: 403, body: Buffer.alloc(1500, 'x') });
    await allClosed(peer);
  });

  it('does not wait for the body of a refusal beyond the signal', async () => {
    const controller = new AbortController();
    const peer = await startTarget((socket) => {
      socket.write('HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nhalf', () => setImmediate(() => controller.abort()));
    });
    const answer = await ask(peer, { signal: controller.signal }).catch((error: unknown) => error);
    // Whether the head arrived before the abort is the network's choice; waiting for the rest is not among the outcomes.
    expect([{ kind: 'refused', status: 403 }, { code: 'UPSTREAM_TIMEOUT' }]).toContainEqual(
      expect.objectContaining(
        answer instanceof Error ? { code: 'UPSTREAM_TIMEOUT' } : { kind: 'refused', status: 403 },
      ),
    );
  });

  it.each([
    [
      'a wrong Accept',
      (head: string) => acceptance(head).replace(/Accept: ..../, 'Accept: AAAA'),
      'Sec-WebSocket-Accept',
    ],
    ['a 101 without Upgrade', (head: string) => acceptance(head).replace(/Upgrade: websocket\r\n/, ''), 'Upgrade'],
    [
      'a 101 without Connection',
      (head: string) => acceptance(head).replace(/Connection: Upgrade\r\n/, ''),
      'Connection',
    ],
    ['a 101 for another protocol', (head: string) => acceptance(head).replace('websocket', 'h2c'), 'Upgrade'],
    ['a bare 101', () => 'HTTP/1.1 101 Sure\r\n\r\n', 'Upgrade'],
    ['a subprotocol nobody offered', (head: string) => acceptance(head, 'Sec-WebSocket-Protocol: x\r\n'), 'Protocol'],
    [
      'an extension nobody offered',
      (head: string) => acceptance(head, 'Sec-WebSocket-Extensions: x\r\n'),
      'Extensions',
    ],
    [
      'a head that is too large',
      (head: string) => acceptance(head, `X: ${'x'.repeat(5000)}\r\n`),
      'more than 4096 bytes',
    ],
    ['a head that never ends', () => `HTTP/1.1 101 Sure\r\nX: ${'x'.repeat(5000)}`, 'more than 4096 bytes'],
    ['a status above all that are defined', () => 'HTTP/1.1 600 Jackpot\r\nContent-Length: 0\r\n\r\n', 'status 600'],
    ['the bytes of a frame', () => '\x81\x02hi', 'not HTTP'],
    ['a status that is none', () => 'HTTP/1.1 777 Jackpot\r\nContent-Length: 0\r\n\r\n', 'status 777'],
    ['what is not HTTP', () => 'SSH-2.0-OpenSSH_9.7\r\n', 'not HTTP'],
  ])('refuses %s and hangs up', async (_, answer, told) => {
    const peer = await startTarget((socket, head) => void socket.write(answer(head)));
    const fault: unknown = await ask(peer).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'UPSTREAM_BAD_HANDSHAKE', message: expect.stringContaining(told) });
    expect(fault).toHaveProperty('message', expect.stringContaining(`ws://127.0.0.1:${peer.port}`));
    await allClosed(peer);
  });

  it.each([
    ['closes', (socket: net.Socket) => void socket.end()],
    ['resets', (socket: net.Socket) => void socket.resetAndDestroy()],
    ['closes within the head', (socket: net.Socket) => void socket.end('HTTP/1.1 101 Swit')],
  ])('says that a target which %s before it answered refused', async (_, act) => {
    await expect(ask(await startTarget(act))).rejects.toMatchObject({
      code: expect.stringMatching(/UPSTREAM_(REFUSED|BAD_HANDSHAKE)/),
    });
  });

  it('says that a target which closes on accepting refused', async () => {
    await expect(ask(await startPeer((socket) => void socket.destroy()))).rejects.toMatchObject({
      code: 'UPSTREAM_REFUSED',
    });
  });

  it('closes its sockets when the signal aborts while the target says nothing', async () => {
    const controllers = Array.from({ length: 20 }, () => new AbortController());
    const ends: Array<Promise<void>> = [];
    const peer = await startTarget((socket) => {
      socket.resume();
      ends.push(closed(socket));
      if (ends.length === controllers.length) for (const controller of controllers) controller.abort();
    });
    const asked = controllers.map(({ signal }) => ask(peer, { signal }).catch((error: unknown) => error));
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    await Promise.all(ends);
    expect(ends).toHaveLength(20);
  });

  it.each([
    ['together with it', [`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n`, 'HTTP/1.1 100 Continue\r\n\r\n'].join('')],
    ['alone', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('reads the 101 behind interim answers that come %s', async (how, interim) => {
    const peer = await startTarget((socket, head) => {
      if (how === 'alone') socket.write(interim, () => setImmediate(() => socket.end(`${acceptance(head)}first`)));
      else socket.end(`${interim}${acceptance(head)}first`);
    });
    const { wire } = await opened(ask(peer));
    const record = recordOf(wire);
    wire.read();
    expect(await record.all()).toBe('first');
  });

  it('reads a 101 that comes byte by byte', async () => {
    const peer = await startTarget(async (socket, head) => {
      for (const byte of `${acceptance(head)}x`) await new Promise((resolve) => socket.write(byte, resolve));
    });
    const { wire } = await opened(ask(peer));
    const record = recordOf(wire);
    wire.read();
    expect(await record.next(1)).toBe('x');
  });
});

describe('upstreamPath', () => {
  it.each([
    ['ws://h', '/a?b', '/a?b'],
    ['ws://h/', '/a?b', '/a?b'],
    ['ws://h/x', '/a', '/x'],
    ['ws://h/x', '/a?b', '/x?b'],
    ['ws://h/x?y', '/a?b', '/x?y'],
    ['ws://h?y', '/a?b', '/?y'],
    ['ws://h', 'http://other/a?b', '/a?b'],
    ['ws://h', 'http://other?b', '/?b'],
    ['ws://h', '*', '/'],
    ['ws://h', '//other/a', '//other/a'],
  ])('asks %s for %s as %s says', (target, url, expected) => {
    expect(upstreamPath(webSocketTarget(target), url)).toBe(expected);
  });
});

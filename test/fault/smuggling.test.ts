/**
 * Owns that nothing but a valid exchange of request and 101 ever becomes a tunnel, whichever side tries: no request that two
 * readers may understand in two ways gets through, and no answer that is none opens the way between client and target.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { acceptValue } from '../support/http-head.js';
import { encodeFrame, Opcode, RawClient } from '../support/raw-client.js';
import { type RawPeer, RawUpstream } from '../support/raw-upstream.js';
import { QuietReceiver } from '../support/recording-receiver.js';
import { HTTP2_PREFACE, INNER, SMUGGLING_REQUESTS } from '../support/smuggling.js';
import { connectTcp, TcpPeer } from '../support/tcp-peer.js';
import { openClient, type Running, runProxy, startProxy, startUpstream } from './running.js';

/** Frames that a tunnel would carry. */
const fromClient = encodeFrame({ opcode: Opcode.Text, payload: 'secret of the client', masked: true });
const fromTarget = encodeFrame({ opcode: Opcode.Text, payload: 'secret of the target' });

/** Sends bytes as they are and gives everything that came back, until the other side ends. */
async function exchange(port: number, request: string, pieces: number): Promise<string> {
  const connection = await connectTcp({ port });
  const bytes = Buffer.concat([Buffer.from(request, 'latin1'), fromClient]);
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    connection.write(bytes.subarray(at, at + size));
    if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  // Some wait for more: a request line that never ends, or a head of one line.
  connection.end();
  const answer = (await connection.readAll()).toString('latin1');
  connection.destroy();
  return answer;
}

describe.each(['ws', 'tcp'] as const)('a request that two may read in two ways, before a %s: target', (scheme) => {
  let target: RawUpstream | TcpPeer;
  let proxy: Running;
  const seen: string[] = [];

  beforeAll(async () => {
    target = scheme === 'ws' ? await RawUpstream.start() : await TcpPeer.start();
    proxy = await runProxy({ target: target.url });
    proxy.server.on('connection', ({ request }) => seen.push(request.url));
  });
  afterAll(async () => {
    await proxy.server.stop({ drainTimeout: 0 });
    await target.close();
  });

  it('the preface of HTTP/2 is refused in its own frames: no tunnel, and nobody dials', async () => {
    for (const pieces of [1, 7]) {
      const answer = await exchange(proxy.port, HTTP2_PREFACE, pieces);
      // SETTINGS, GOAWAY (RFC 9113 sections 6.5 and 6.8), and nothing else.
      expect(answer.slice(0, 9)).toBe('\0\0\0\x04\0\0\0\0\0');
      expect(answer.charCodeAt(12)).toBe(7);
      expect(answer).not.toMatch(/HTTP\/1\.1 \d/);
    }
    expect(seen).toEqual([]);
  });

  it.each(SMUGGLING_REQUESTS)('%s: one refusal, no tunnel, and nobody dials', async (_what, request) => {
    for (const pieces of [1, 7]) {
      const answer = await exchange(proxy.port, request, pieces);
      const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status);
      expect(statuses).toEqual([expect.stringMatching(/^4(?:00|26|31)$/)]);
      expect(answer).toMatch(/^Connection: close/im);
    }
    expect(seen).toEqual([]);
    expect(scheme === 'ws' ? (target as RawUpstream).accepted : (target as TcpPeer).connections.length).toBe(0);
  });

  it('and after all of them it serves who asks rightly', async () => {
    await openClient({ port: proxy.port, path: '/right' });
    expect(seen).toEqual(['/right']);
  });
});

describe('what is encoded stays encoded', () => {
  it.each([
    ['/a%0d%0aX-Injected:%20y', 'CR LF'],
    ['/a%0D%0A%0D%0AGET%20/inner%20HTTP/1.1%0D%0A', 'a whole request'],
    ['/a%00b', 'NUL'],
    ['/%2e%2e/%2e%2e/inner', 'dots'],
    ['/a%23b?c=%26%0d%0ad', 'marks of a URL'],
    ['/a%2fb%5cc', 'slashes'],
    ['//inside.example/a', 'two slashes'],
  ])('%s, %s in a path', async (path) => {
    const upstream = await startUpstream();
    const proxy = await startProxy({ target: upstream.url });
    await openClient({ port: proxy.port, path });
    const peer = await upstream.nextConnection();
    expect(peer.requestLine).toBe(`GET ${path} HTTP/1.1`);
    expect(peer.requestHead).not.toContain('X-Injected: y');
    expect(upstream.accepted).toBe(1);
  });

  it('in a subprotocol, on both sides', async () => {
    const name = 'chat%0d%0aX-Injected';
    const upstream = await startUpstream({ subprotocol: 'first' });
    const proxy = await startProxy({ target: upstream.url });
    const client = await openClient({ port: proxy.port, subprotocols: [name] });
    expect(client.subprotocol).toBe(name);
    expect(client.answer.head).not.toMatch(/^X-Injected/m);
    expect((await upstream.nextConnection()).headers['sec-websocket-protocol']).toBe(name);
  });

  it.each(['a b', 'a/b', 'a:b', 'a\tb', '"a"', 'a;b', 'a\x7fb', 'ä'])('a subprotocol "%s" is refused', async (name) => {
    const upstream = await startUpstream();
    const proxy = await startProxy({ target: upstream.url });
    const answer = await RawClient.handshake({ port: proxy.port, headers: { 'Sec-WebSocket-Protocol': name } });
    expect(answer.status).toBe(400);
    expect(upstream.accepted).toBe(0);
  });
});

/** The right answer to a request, line by line. */
function rightAnswer(requestHead: string): string[] {
  const key = /^sec-websocket-key: (\S+)/im.exec(requestHead)?.[1] ?? '';
  const accept = `Sec-WebSocket-Accept: ${acceptValue(key)}`;
  return ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', accept];
}

const text = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const without = (lines: readonly string[], name: string): string[] => lines.filter((line) => !line.startsWith(name));

/** What a target answers that is no valid 101, by the right answer. */
const WRONG_ANSWERS: readonly (readonly [what: string, answer: (right: string[]) => string])[] = [
  ['200 with all the fields of a 101', ([, ...fields]) => text(['HTTP/1.1 200 OK', ...fields])],
  ['200, and then the right 101', (right) => `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${text(right)}`],
  ['204, and then the right 101', (right) => `HTTP/1.1 204 No Content\r\n\r\n${text(right)}`],
  ['a 101 without Upgrade', (right) => text(without(right, 'Upgrade'))],
  ['a 101 without Connection', (right) => text(without(right, 'Connection'))],
  ['a 101 without an accept key', (right) => text(without(right, 'Sec-WebSocket-Accept'))],
  ['a bare 101', () => 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a wrong accept key', (right) => text([...without(right, 'Sec-WebSocket-Accept'), 'Sec-WebSocket-Accept: nope'])],
  ['two accept keys', (right) => text([...right, 'Sec-WebSocket-Accept: nope'])],
  ['an upgrade to HTTP/2', (right) => text([...without(right, 'Upgrade'), 'Upgrade: h2c'])],
  ['an upgrade to two protocols', (right) => text([...right, 'Upgrade: h2c'])],
  ['a 101 with a length', (right) => text([...right, 'Content-Length: 20'])],
  ['a 101 with a length that is none', (right) => text([...right, 'Content-Length: nine'])],
  ['a 101 with two lengths', (right) => text([...right, 'Content-Length: 0', 'Content-Length: 0'])],
  ['a 101 in chunks', (right) => text([...right, 'Transfer-Encoding: chunked'])],
  ['a 101 with Transfer-Encoding: identity', (right) => text([...right, 'Transfer-Encoding: identity'])],
  ['a 101 with a length and in chunks', (right) => text([...right, 'Content-Length: 0', 'Transfer-Encoding: chunked'])],
  ['a bare LF', (right) => text(right).replaceAll('\r\n', '\n')],
  ['a bare CR in a field', (right) => text([...right, 'X: y\rSet-Cookie: a=b'])],
  ['a folded line', (right) => text([...right, 'X: y', ' z'])],
  ['a NUL', (right) => text([...right, 'X: y\0'])],
  ['a space before the colon', (right) => text([...without(right, 'Upgrade'), 'Upgrade : websocket'])],
  ['a field without a name', (right) => text([...right, ': x'])],
  ['HTTP/2.0', ([, ...fields]) => text(['HTTP/2.0 101 Switching Protocols', ...fields])],
  ['HTTP/0.9', () => 'hello\r\n\r\n'],
  ['a status of four digits', ([, ...fields]) => text(['HTTP/1.1 1010 Switching Protocols', ...fields])],
  ['101 with a sign', ([, ...fields]) => text(['HTTP/1.1 +101 Switching Protocols', ...fields])],
  ['a space before the status line', (right) => ` ${text(right)}`],
  ['a second status line in the head', (right) => text(['HTTP/1.1 200 OK', ...right])],
  ['more fields than fit', (right) => text([...right, `X: ${'x'.repeat(70_000)}`])],
  ['100 alone', () => 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['frames', () => ''],
];

describe.each([['frames'], ['messages']] as const)('a target that answers no 101, on the path %s', (path) => {
  it.each(WRONG_ANSWERS)('%s: no tunnel, and neither side gets the bytes of the other', async (_what, answer) => {
    const upstream = await startUpstream({
      onUpgrade: (head, peer) => {
        peer.sendRaw(Buffer.concat([Buffer.from(answer(rightAnswer(head)), 'latin1'), fromTarget]));
        // Nobody waits for more of an answer than there is.
        peer.connection.end();
      },
    });
    const onText = path === 'messages' ? { onText: () => undefined } : {};
    const proxy = await startProxy({
      target: upstream.url,
      receiver: () => Object.assign(new QuietReceiver(), onText),
    });
    const connection = await connectTcp({ port: proxy.port });
    connection.write(Buffer.concat([Buffer.from(INNER, 'latin1'), fromClient]));
    const got = (await connection.readAll()).toString('latin1');
    connection.destroy();
    expect(got).toMatch(/^HTTP\/1\.1 (?:2|5)\d\d /);
    expect(got.match(/^HTTP\/1\.1 /gm)?.length).toBe(1);
    // A refusal is passed on with as much of its body as is told to be one, and no more.
    if (!/^HTTP\/1\.1 200/.test(got)) expect(got).not.toContain('secret');
    const peer = await upstream.nextConnection();
    await eventually(() => peer.ended !== undefined, 'the target is left');
    expect(peer.bytesReceived).toBe(peer.requestHead.length);
    expect(proxy.exceptions.all).toEqual([]);
  });
});

describe('a right 101 is one however it comes', () => {
  const answersWith = async (answer: (head: string, peer: RawPeer) => unknown) => {
    const upstream = await startUpstream({ onUpgrade: (head, peer) => void answer(head, peer) });
    const proxy = await startProxy({ target: upstream.url });
    return openClient({ port: proxy.port });
  };

  it('byte by byte, with its first frame', async () => {
    const client = await answersWith(async (head, peer) => {
      for (const byte of Buffer.concat([Buffer.from(text(rightAnswer(head))), fromTarget])) {
        peer.sendRaw(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expect(await client.nextText()).toBe('secret of the target');
  });

  it('behind interim answers, which the client does not get', async () => {
    const client = await answersWith((head, peer) => {
      peer.sendRaw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nSet-Cookie: early=1\r\n\r\n');
      peer.sendRaw(text(rightAnswer(head)));
    });
    expect(client.answer.head).not.toContain('early');
  });

  it('with a length of 0, which no reader takes for a body', async () => {
    const client = await answersWith((head, peer) =>
      peer.sendRaw(Buffer.concat([Buffer.from(text([...rightAnswer(head), 'Content-Length: 0'])), fromTarget])),
    );
    expect(await client.nextText()).toBe('secret of the target');
    expect(client.answer.headers['content-length']).toBe(undefined);
  });

  it('and a second one behind it is a broken frame, which the client never sees', async () => {
    const client = await answersWith((head, peer) => peer.sendRaw(text(rightAnswer(head)) + text(rightAnswer(head))));
    const { code } = await client.answerClose();
    expect(code).toBe(1011);
    expect(client.answer.head.match(/HTTP\/1\.1/g)?.length).toBe(1);
  });
});

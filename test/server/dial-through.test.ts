/** Owns dialling through a proxy: real SOCKS 5 and HTTP proxies, ours that refuse, and what people are told about it. */
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ErrorCode, ProxyServer } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { configFile, programPath, startConnectProxy, startProgram } from '../support/proxies.js';
import { refusedPort, unansweredPort } from '../support/tcp-peer.js';
import { localhostCertificate } from '../support/tls.js';
import { startEcho, startProxy, startUpstream } from './stage.js';

const { cert: ca } = localhostCertificate;

/** Echoes a message through a byte target. */
async function echoed({ open }: Awaited<ReturnType<typeof startProxy>>, text = 'hello'): Promise<string> {
  const client = await open();
  client.sendBinary(Buffer.from(text));
  let answer = '';
  while (answer.length < text.length) answer += (await client.nextBinary()).toString();
  return answer;
}

/** A proxy that does with a connection what it is told. */
async function fakeProxy(onSocket: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

/** What someone is refused with, and what the operator is told. */
async function refusal(
  dialThrough: string,
  target = 'tcp://127.0.0.1:9',
  extra = {},
): Promise<{ status: number; body: string; error: ErrorCode; message: string }> {
  const { handshake, events } = await startProxy({ target, dialThrough, ...extra });
  const { status, body } = await handshake();
  const { error, message } = await events.rejections.next();
  return { status, body, error, message };
}

const MICROSOCKS = programPath('microsocks') === undefined;
const TINYPROXY = programPath('tinyproxy') === undefined;
const who = ['-u', 'ada', '-P', 'pass:w/ord'];

describe.skipIf(MICROSOCKS)('microsocks', () => {
  const socks = (...extra: string[]) =>
    startProgram('microsocks', (port) => ['-i', '127.0.0.1', '-p', `${port}`, ...extra]);

  it.each(['socks5', 'socks5h'])('carries tcp, tls, ws and wss targets, with %s', async (scheme) => {
    const dialThrough = `${scheme}://127.0.0.1:${(await socks()).port}`;
    const tcp = await startEcho();
    expect(await echoed(await startProxy({ target: tcp.url, dialThrough }))).toBe('hello');
    const tls = await startEcho({ tls: localhostCertificate });
    const name = `tls://localhost:${tls.port}`;
    expect(await echoed(await startProxy({ target: name, dialThrough, upstreamTls: { ca } }))).toBe('hello');
    for (const options of [{}, { tls: localhostCertificate }]) {
      const upstream = await startUpstream(options);
      const target = `${'tls' in options ? 'wss' : 'ws'}://localhost:${upstream.port}/chat`;
      const { open } = await startProxy({ target, dialThrough, upstreamTls: { ca } });
      const client = await open();
      client.sendText('one');
      expect(await (await upstream.nextConnection()).nextText()).toBe('one');
    }
  });

  it('takes a user name and password, and says when they are wrong', async () => {
    const { port } = await socks(...who);
    const { url: target } = await startEcho();
    const right = `socks5://ada:pass%3Aw%2Ford@127.0.0.1:${port}`;
    expect(await echoed(await startProxy({ target, dialThrough: right }))).toBe('hello');
    const wrong = await refusal(`socks5://ada:no@127.0.0.1:${port}`, target);
    expect(wrong).toMatchObject({ status: 502, error: 'UPSTREAM_PROXY_FAILED' });
    const none = await refusal(`socks5://127.0.0.1:${port}`, target);
    expect(none.message).toContain('it wants us to authenticate');
  });

  it('says that the target refused', async () => {
    const target = `tcp://127.0.0.1:${await refusedPort()}`;
    const { port } = await socks();
    const { message, error, body } = await refusal(`socks5://127.0.0.1:${port}`, target);
    expect([error, message]).toEqual([
      'UPSTREAM_PROXY_FAILED',
      `cannot reach ${target} through socks5://127.0.0.1:${port}: connection refused`,
    ]);
    expect(body).not.toContain('127.0.0.1');
  });
});

describe.skipIf(TINYPROXY)('tinyproxy', () => {
  const http = (text = '') =>
    startProgram('tinyproxy', async (port, folder) => [
      '-d',
      '-c',
      await configFile(
        folder,
        'tinyproxy.conf',
        `Port ${port}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nAllow 127.0.0.1\n${text}`,
      ),
    ]);

  it('carries tcp, tls and ws targets, with a password', async () => {
    const dialThrough = `http://ada:secret@127.0.0.1:${(await http('BasicAuth ada secret\n')).port}`;
    const tcp = await startEcho();
    expect(await echoed(await startProxy({ target: `tcp://localhost:${tcp.port}`, dialThrough }))).toBe('hello');
    const tls = await startEcho({ tls: localhostCertificate });
    const name = `tls://localhost:${tls.port}`;
    expect(await echoed(await startProxy({ target: name, dialThrough, upstreamTls: { ca } }))).toBe('hello');
    const upstream = await startUpstream();
    const { open } = await startProxy({ target: upstream.url, dialThrough });
    (await open()).sendText('one');
    expect(await (await upstream.nextConnection()).nextText()).toBe('one');
  });

  it('says that it wants a password, and that a port is not among its own', async () => {
    const { url: target } = await startEcho();
    const locked = await http('BasicAuth ada secret\n');
    expect((await refusal(`http://127.0.0.1:${locked.port}`, target)).message).toMatch(/it answered 40[17]/);
    const narrow = await http('ConnectPort 443\n');
    expect((await refusal(`http://127.0.0.1:${narrow.port}`, target)).message).toContain('it answered 403');
  });
});

describe('a proxy', () => {
  it('over TLS carries TLS, and its certificate is verified', async () => {
    const { port } = await startConnectProxy({ tls: localhostCertificate });
    const tls = await startEcho({ tls: localhostCertificate });
    const target = `tls://localhost:${tls.port}`;
    const dialThrough = `https://localhost:${port}`;
    expect(
      await echoed(await startProxy({ target, dialThrough, upstreamTls: { ca } }), 'x'.repeat(200_000)),
    ).toHaveLength(200_000);
    const plain = await startEcho();
    expect(await echoed(await startProxy({ target: plain.url, dialThrough, upstreamTls: { ca } }))).toBe('hello');
    expect(await refusal(dialThrough, plain.url)).toMatchObject({ error: 'UPSTREAM_PROXY_FAILED' });
  });

  it('loses nothing of what the target sends with the answer', async () => {
    const { port } = await startConnectProxy({ early: 'SSH-2.0-early\r\n' });
    const { url: target } = await startEcho();
    const { open } = await startProxy({ target, dialThrough: `http://127.0.0.1:${port}` });
    const client = await open();
    expect((await client.nextBinary()).toString()).toBe('SSH-2.0-early\r\n');
    client.sendBinary(Buffer.from('after'));
    expect((await client.nextBinary()).toString()).toBe('after');
  });

  it('is not asked for what is dialled straight, nor for socket files', async () => {
    const proxy = await startConnectProxy();
    const dialThrough = `http://127.0.0.1:${proxy.port}`;
    const target = await startEcho();
    const { port } = target;
    expect(
      await echoed(await startProxy({ target: `tcp://localhost:${port}`, dialThrough, dialDirect: ['localhost'] })),
    ).toBe('hello');
    expect(
      await echoed(await startProxy({ target: target.url, dialThrough, dialDirect: ['127.0.0.0/8:1-65535'] })),
    ).toBe('hello');
    const unix = await startEcho({ unix: true });
    expect(await echoed(await startProxy({ target: unix.url, dialThrough }))).toBe('hello');
    expect(proxy.asked).toEqual([]);
    expect(await echoed(await startProxy({ target: target.url, dialThrough, dialDirect: ['10.0.0.0/8'] }))).toBe(
      'hello',
    );
    expect(proxy.asked).toEqual([`127.0.0.1:${port}`]);
  });

  it('is asked ahead of need for warm connections', async () => {
    const proxy = await startConnectProxy();
    const target = await startEcho();
    const running = await startProxy({
      target: target.url,
      dialThrough: `http://127.0.0.1:${proxy.port}`,
      warmConnections: 2,
    });
    await eventually(() => target.connections.length === 2, 'two connections wait');
    expect(await echoed(running)).toBe('hello');
    expect(new Set(proxy.asked)).toEqual(new Set([`127.0.0.1:${target.port}`]));
  });

  it('is given addresses with socks5, and names with socks5h', async () => {
    const requests: Buffer[] = [];
    const port = await fakeProxy((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from([5, 0]));
        socket.once('data', (request) => {
          requests.push(request);
          socket.end(Buffer.from([5, 2]));
        });
      });
    });
    const extra = { lookup: () => ['192.0.2.7'] };
    await refusal(`socks5://127.0.0.1:${port}`, 'tcp://desk.example:1', extra);
    await refusal(`socks5h://127.0.0.1:${port}`, 'tcp://desk.example:1', extra);
    expect(requests.map((request) => request.subarray(3, -2).toString('latin1'))).toEqual([
      '\x01\xc0\x00\x02\x07',
      '\x03\x0cdesk.example',
    ]);
  });

  it.each<[string, (socket: net.Socket) => void, string]>([
    ['hangs up', (socket) => socket.once('data', () => socket.end()), 'it hung up before it answered'],
    ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'ECONNRESET'],
    ['speaks something else', (socket) => void socket.write('SSH-2.0-x\r\n'), 'its answer is not HTTP'],
    [
      'answers 503',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 503 Full\r\n\r\n')),
      'it answered 503 Full',
    ],
  ])('that %s is 502, with the reason for the operator', async (_, onSocket, reason) => {
    const port = await fakeProxy(onSocket);
    const { status, error, message } = await refusal(`http://ada:secret@127.0.0.1:${port}`);
    expect([status, error]).toEqual([502, 'UPSTREAM_PROXY_FAILED']);
    expect(message).toContain(reason);
    expect(message).not.toContain('secret');
  });

  it('that is not there is 502, and one that says nothing is 504', async () => {
    const gone = await refusal(`socks5://127.0.0.1:${await refusedPort()}`);
    expect(gone).toMatchObject({
      status: 502,
      error: 'UPSTREAM_PROXY_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const silent = await fakeProxy(() => {});
    const timeouts = { dial: 100 };
    const late = await refusal(`socks5://127.0.0.1:${silent}`, 'tcp://127.0.0.1:9', { timeouts });
    expect(late).toMatchObject({ status: 504, error: 'UPSTREAM_TIMEOUT' });
    const unanswered = await unansweredPort();
    onTestFinished(() => unanswered.close());
    const lost = await refusal(`http://127.0.0.1:${unanswered.port}`, 'tcp://127.0.0.1:9', { timeouts });
    expect(lost.status).toBe(504);
  });
});

describe('the option dialThrough', () => {
  it.each([
    'socks4://ada:se/c?r#et@h:1',
    'socks5://ada:se/c?r#et@h:1',
    'socks5://ada:secret@h:1/path',
    'socks5://ada:secret%zz@h:1',
    'ada:secret@h:1',
    '//ada:secret@h',
    `socks5://ada:secret${'x'.repeat(300)}@h`,
    'http://ada:secret@',
    'http://ada:secret@h h',
  ])('%s is refused without showing its password', (dialThrough) => {
    let message = '';
    try {
      new ProxyServer({ target: 'tcp://a:1', dialThrough });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('dialThrough: got ');
    expect(message).toContain('socks5://[user:password@]host[:port]');
    expect(message).not.toMatch(/secret|c\?r/);
  });
});

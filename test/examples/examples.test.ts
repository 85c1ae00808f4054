/** Owns that each example does what it says, with clients and targets that share no line with the implementation. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { start as startBridge } from '../../examples/01-ws-to-tcp.js';
import { start as startEcho } from '../../examples/02-echo-receiver.js';
import { start as startChat } from '../../examples/03-chat.js';
import { start as startAuditor } from '../../examples/04-auditing-proxy.js';
import { type Lookup, start as startSwitchboard } from '../../examples/05-per-request-target.js';
import { start as startDoor } from '../../examples/06-admission-policy.js';
import { start as startSite } from '../../examples/07-token-from-a-browser.js';
import { start as startOnePort } from '../../examples/10-one-port.js';
import { connect as connectToHost, startBackend, start as startDirectory } from '../../examples/12-redirect.js';
import { deferred, eventually } from '../support/events.js';
import { RawClient, type RawClientOptions } from '../support/raw-client.js';
import { RawUpstream } from '../support/raw-upstream.js';
import { connectTcp, TcpPeer } from '../support/tcp-peer.js';

interface Server {
  readonly addresses: readonly { readonly port: number }[];
  stop(options: { drainTimeout: number }): Promise<void>;
}

const cleanups: Array<() => Promise<unknown> | unknown> = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function running<S extends Server>(starting: Promise<S>): Promise<{ server: S; port: number }> {
  const server = await starting;
  cleanups.push(() => server.stop({ drainTimeout: 0 }));
  return { server, port: server.addresses[0]!.port };
}

async function closing<P extends { close(): Promise<void> }>(starting: Promise<P>): Promise<P> {
  const peer = await starting;
  cleanups.push(() => peer.close());
  return peer;
}

async function open(port: number, options: Omit<RawClientOptions, 'port'> = {}): Promise<RawClient> {
  const client = await RawClient.open({ port, ...options });
  cleanups.push(() => client.destroy());
  return client;
}

describe('01-ws-to-tcp', () => {
  it('carries the bytes of a client to a TCP service and back as binary messages', async () => {
    const target = await closing(TcpPeer.start());
    const { port } = await running(startBridge(0, target.url));
    const client = await open(port);
    const service = await target.nextConnection();

    client.sendBinary(Buffer.from('RFB 003.008\n'));
    expect((await service.read(12)).toString()).toBe('RFB 003.008\n');
    service.write('RFB 003.003\n');
    expect((await client.nextBinary()).toString()).toBe('RFB 003.003\n');
  });
});

describe('02-echo-receiver', () => {
  it('greets, sends back text and binary, and closes with 1000 when it is told bye', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    cleanups.push(() => log.mockRestore());
    const { server, port } = await running(startEcho(0));
    const gone = deferred();
    server.once('disconnected', () => gone.resolve());
    const client = await open(port);

    expect(await client.nextText()).toBe('welcome');
    client.sendText('hello');
    expect(await client.nextText()).toBe('hello');
    client.sendBinary(Buffer.from([1, 2, 3]));
    expect([...(await client.nextBinary())]).toEqual([1, 2, 3]);
    client.sendText('bye');
    expect(await client.answerClose()).toMatchObject({ code: 1000, reason: 'bye' });
    await gone.promise;
    expect(log).toHaveBeenCalledExactlyOnceWith('conn-1 ended with 1000 bye');
  });
});

describe('03-chat', () => {
  it('tells everyone else in the room who comes, speaks and leaves, and no other room', async () => {
    const { port } = await running(startChat(0));
    const ada = await open(port, { path: '/kitchen?name=ada' });
    const elsewhere = await open(port, { path: '/garden?name=cy' });
    const bob = await open(port, { path: '/kitchen?name=bob' });

    expect(await ada.nextText()).toBe('bob joined');
    ada.sendText('hello');
    expect(await bob.nextText()).toBe('ada: hello');
    bob.sendText('hello yourself');
    expect(await ada.nextText()).toBe('bob: hello yourself');
    bob.sendClose(1000);
    expect(await ada.nextText()).toBe('bob left');
    expect(elsewhere.received).toEqual([]);
  });

  it('refuses a guest without a name with 400, and says what is missing', async () => {
    const { port } = await running(startChat(0));
    const answer = await RawClient.handshake({ port, path: '/kitchen' });
    expect(answer.status).toBe(400);
    expect(answer.body).toBe('Say who you are: ?name=…\n');
  });

  it('tells guests 1001 when it stops', async () => {
    const { server, port } = await running(startChat(0));
    const ada = await open(port, { path: '/kitchen?name=ada' });
    const stopped = server.stop();
    expect((await ada.answerClose()).code).toBe(1001);
    await stopped;
  });
});

describe('04-auditing-proxy', () => {
  async function pair() {
    const lines: string[] = [];
    const target = await closing(RawUpstream.start());
    const { server, port } = await running(startAuditor(0, target.url, (line) => lines.push(line)));
    const client = await open(port);
    return { lines, server, client, application: await target.nextConnection() };
  }

  it('passes messages on both ways, edits some, and writes an audit without the password', async () => {
    const { lines, client, application } = await pair();
    client.sendText('{"user":"ada","password":"hunter2"}');
    expect(await application.nextText()).toBe('{"user":"ada","password":"hunter2"}');
    client.sendText('<script>');
    expect(await application.nextText()).toBe('&lt;script>');
    application.sendText('paid with 4111 1111 1111 1234');
    expect(await client.nextText()).toBe('paid with **** 1234');
    expect(lines).toEqual(['conn-1 > {"user":"ada","password":"***"}', 'conn-1 > <script>', 'conn-1 < 29 characters']);
  });

  it('answers what it does not pass on', async () => {
    const { client, application } = await pair();
    client.sendText('/admin reboot');
    expect(await client.nextText()).toBe('not here');
    client.sendText('after');
    expect(await application.nextText()).toBe('after');
  });

  it('closes both sides with 1003 for a binary message', async () => {
    const { lines, server, client, application } = await pair();
    const gone = deferred();
    server.once('disconnected', () => gone.resolve());
    client.sendBinary(Buffer.from([1]));
    expect(await application.expectClose()).toEqual({ code: 1003, reason: 'text only' });
    application.sendClose(1003);
    application.end();
    expect(await client.answerClose()).toMatchObject({ code: 1003, reason: 'text only' });
    await gone.promise;
    expect(lines).toEqual(['conn-1 ended with 1003 text only']);
  });
});

describe('05-per-request-target', () => {
  const authorized = { Authorization: 'Bearer secret' };

  it('forwards each desk to its own target and names the desk in the 101', async () => {
    const one = await closing(TcpPeer.start());
    const two = await closing(TcpPeer.start());
    const lookup: Lookup = async (name) => ({ 'desk-1': one.url, 'desk-2': two.url })[name];
    const { port } = await running(startSwitchboard(0, lookup, 'secret'));

    const client = await open(port, { path: '/desks/desk-2', headers: authorized });
    expect(client.answer.headers['x-desk']).toBe('desk-2');
    client.sendText('hello');
    expect((await (await two.nextConnection()).read(5)).toString()).toBe('hello');
    expect(one.connections).toHaveLength(0);
  });

  it('answers 401 without the token, 404 for an unknown desk and 502 for a desk that is down', async () => {
    const target = await TcpPeer.start();
    await target.close();
    const lookup: Lookup = async (name) => (name === 'down' ? target.url : undefined);
    const { port } = await running(startSwitchboard(0, lookup, 'secret'));

    const stranger = await RawClient.handshake({ port, path: '/desks/down' });
    expect(stranger.status).toBe(401);
    expect(stranger.headers['www-authenticate']).toBe('Bearer');
    const lost = await RawClient.handshake({ port, path: '/desks/nowhere', headers: authorized });
    expect(lost.status).toBe(404);
    expect(lost.body).toBe('no such desk: /desks/nowhere\n');
    expect((await RawClient.handshake({ port, path: '/desks/down', headers: authorized })).status).toBe(502);
  });
});

describe('07-token-from-a-browser', () => {
  const SECRET = 'a-secret-of-this-test-that-is-long-enough';

  async function site() {
    const started = await startSite(0, 0, SECRET);
    cleanups.push(() => started.stop());
    const login = async (user: string, password: string) => {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      return fetch(`${started.pageUrl}/login`, { method: 'POST', headers: { authorization, connection: 'close' } });
    };
    return { ...started, login, port: started.server.addresses[0]!.port };
  }

  it('greets who logged in by the name in the token, which the 101 does not show', async () => {
    const { login, port, pageUrl } = await site();
    const token = await (await login('ada', 'lovelace')).text();
    const client = await open(port, { subprotocols: ['bearer', token], headers: { Origin: pageUrl } });
    expect(client.subprotocol).toBe('bearer');
    expect(client.answer.head).not.toContain(token);
    expect(await client.nextText()).toBe('welcome, ada');
    client.sendText('hello');
    expect(await client.nextText()).toBe('ada: hello');
  });

  it('gives no token for a wrong password, and takes none that is made up or shown by another page', async () => {
    const { login, port, pageUrl } = await site();
    expect((await login('ada', 'byron')).status).toBe(401);
    const made = await RawClient.handshake({ port, subprotocols: ['bearer', 'none'], headers: { Origin: pageUrl } });
    expect(made.status).toBe(401);
    const token = await (await login('ada', 'lovelace')).text();
    const elsewhere = { Origin: 'https://evil.example' };
    expect((await RawClient.handshake({ port, subprotocols: ['bearer', token], headers: elsewhere })).status).toBe(403);
  });
});

describe('10-one-port', () => {
  it('brings WebSocket clients and plain TCP clients together', async () => {
    const { port } = await running(startOnePort(0));
    const browser = await open(port);
    expect(await browser.nextText()).toBe('welcome, websocket client');
    const terminal = await connectTcp({ port });
    cleanups.push(() => terminal.destroy());
    terminal.write('hello from a terminal\n');
    expect((await terminal.readUntil('\n')).toString()).toBe('welcome, tcp client\n');
    expect(await browser.nextText()).toBe('hello from a terminal');
    browser.sendText('hello from a browser');
    expect((await terminal.readUntil('\n')).toString()).toBe('hello from a browser\n');
    terminal.end();
    await terminal.waitForEnd();
    const answer = await RawClient.handshake({ port, path: '/elsewhere' });
    expect(answer.status).toBe(403);
  });
});

describe('12-redirect', () => {
  it('sends a client to a backend, and to another one when that is gone, and carries nothing itself', async () => {
    const backends = await Promise.all(['ada', 'bob'].map((name) => startBackend(name)));
    for (const { server } of backends) cleanups.push(() => server.stop({ drainTimeout: 0 }));
    const directed: string[] = [];
    const { server: balancer, port } = await running(startDirectory(0, backends, (line) => directed.push(line)));
    const client = connectToHost(`http://127.0.0.1:${port}/`);
    cleanups.push(() => client.close());
    const told: unknown[] = [];
    client.addEventListener('message', ({ data }) => told.push(data));
    await eventually(() => told.length === 1, 'the client is at a backend');
    const first = backends.find(({ id }) => told[0] === `this is ${id}`)!;
    const other = backends.find((backend) => backend !== first)!;
    expect(directed).toEqual([`127.0.0.1 is sent to ${first.id}, ${first.url}/`]);
    balancer.drainBackend(first.id);
    await first.server.stop();
    await eventually(() => told.length === 2, 'the client is at the other backend');
    expect(told[1]).toBe(`this is ${other.id}`);
    expect(balancer.connections).toEqual([]);
    const answer = await RawClient.handshake({ port, path: '/deep?x=1' });
    expect([answer.status, answer.headers.location]).toEqual([307, `${other.url}/deep?x=1`]);
  });
});

describe('06-admission-policy', () => {
  it('lets so many in from a network, answers the others 503 with Retry-After, and has room when one leaves', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    cleanups.push(() => log.mockRestore());
    const { port } = await running(startDoor(0, 2));
    const first = await open(port);
    await open(port, { localAddress: '127.0.0.2' });
    const refused = await RawClient.handshake({ port });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10']);
    expect(log).toHaveBeenCalledWith('127.0.0.1: TOO_MANY_CONNECTIONS (neighbourhoods)');
    first.sendClose(1000);
    await first.waitForEnd();
    await eventually(async () => (await RawClient.handshake({ port })).status === 101, 'there is room again');
  });

  it('cuts an address on the list, and everyone while it is closed', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    cleanups.push(() => log.mockRestore());
    let isOpen = true;
    const { port } = await running(startDoor(0, 2, () => isOpen));
    await expect(RawClient.handshake({ port, localAddress: '127.0.0.66' })).rejects.toThrow();
    const guest = await open(port);
    guest.sendText('hello');
    expect(await guest.nextText()).toBe('hello');
    isOpen = false;
    await expect(RawClient.handshake({ port })).rejects.toThrow();
    expect(log.mock.calls.flat()).toEqual([
      '127.0.0.66: ADDRESS_DENIED (address-list)',
      '127.0.0.1: POLICY_DENIED (onTcpConnect)',
    ]);
  });
});

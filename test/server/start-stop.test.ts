/** Owns starting, stopping and restarting a server: what is bound, what is told, and that nothing is left (P7). */
import { describe, expect, it } from 'vitest';
import { ProxyServer, type ServerState } from '../../src/index.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { connectTcp, refusedPort } from '../support/tcp-peer.js';
import { localhostCertificate } from '../support/tls.js';
import { EventRecord, openClient, startEcho, startProxy, startReceivers, stopAfterTest } from './stage.js';

describe('start()', () => {
  it('resolves with the bound addresses, in the order of the option', async () => {
    const server = new ProxyServer({ listen: ['127.0.0.1:0', '[::1]:0', '127.0.0.1:0'], target: 'tcp://127.0.0.1:1' });
    stopAfterTest(server);
    const addresses = await server.start();
    expect(addresses.map(({ host }) => host)).toEqual(['127.0.0.1', '::1', '127.0.0.1']);
    expect(new Set(addresses.map(({ port, host }) => `${host} ${port}`)).size).toBe(3);
    for (const { host, port, url } of addresses) {
      expect(port).toBeGreaterThan(0);
      expect(url).toBe(host === '::1' ? `ws://[::1]:${port}` : `ws://127.0.0.1:${port}`);
    }
    expect(server.addresses).toEqual(addresses);
    expect(server.state).toBe('running');
  });

  it('serves every listener: IPv4, IPv6 and TLS', async () => {
    const { key, cert } = localhostCertificate;
    const server = new ProxyServer({
      listen: ['127.0.0.1:0', '[::1]:0', { host: '127.0.0.1', port: 0, tls: { key, cert } }],
      target: (await startEcho()).url,
    });
    stopAfterTest(server);
    const [plain, v6, secure] = await server.start();
    expect(secure!.url).toBe(`wss://127.0.0.1:${secure!.port}`);
    for (const options of [
      { port: plain!.port },
      { port: v6!.port, host: '::1' },
      { port: secure!.port, tls: { ca: cert, servername: 'localhost' } },
    ]) {
      const client = await openClient(options);
      client.sendText('hello');
      expect((await client.nextBinary()).toString()).toBe('hello');
    }
    expect(server.snapshot().connections.map(({ remoteAddress }) => remoteAddress)).toEqual([
      '127.0.0.1',
      '::1',
      '127.0.0.1',
    ]);
  });

  it('binds all or nothing: a port that is taken leaves none behind', async () => {
    const taken = await startEcho();
    const free = await refusedPort();
    const server = new ProxyServer({ listen: [`127.0.0.1:${free}`, `127.0.0.1:${taken.port}`], target: taken.url });
    stopAfterTest(server);
    await expect(server.start()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(server.state).toBe('stopped');
    expect(server.addresses).toEqual([]);
    await expect(connectTcp({ port: free })).rejects.toThrow('ECONNREFUSED');
  });

  it('can be tried again after it failed', async () => {
    const taken = await startEcho();
    const server = new ProxyServer({ listen: `127.0.0.1:${taken.port}`, target: 'tcp://127.0.0.1:1' });
    stopAfterTest(server);
    const events = new EventRecord(server);
    await expect(server.start()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await taken.close();
    expect(await server.start()).toMatchObject([{ port: taken.port }]);
    expect(events.lines).toEqual(['startup 1']);
  });

  it('rejects with LISTEN_FAILED for an address that is not here', async () => {
    const server = new ProxyServer({ listen: '192.0.2.1:0', target: 'tcp://127.0.0.1:1' });
    await expect(server.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });

  it('rejects with ALREADY_STARTED while it runs, and disturbs nothing', async () => {
    const { server, open } = await startReceivers();
    await expect(server.start()).rejects.toMatchObject({ code: 'ALREADY_STARTED' });
    expect(server.state).toBe('running');
    await open();
  });

  it('called twice at once starts once', async () => {
    const server = new ProxyServer({ listen: '127.0.0.1:0', target: 'tcp://127.0.0.1:1' });
    stopAfterTest(server);
    const both = await Promise.allSettled([server.start(), server.start()]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(both[1]).toMatchObject({ reason: { code: 'ALREADY_STARTED' } });
  });
});

describe('stop()', () => {
  it('closes clients with 1001 and leaves no socket, timer or handle (P7)', async () => {
    const before = holdings();
    const target = await startEcho();
    const running = await startProxy({ target: target.url });
    const client = await running.open();
    client.sendText('hello');
    await client.nextBinary();
    const [stopped, close] = await Promise.all([running.server.stop(), client.answerClose()]);
    expect(stopped).toBeUndefined();
    expect(close).toMatchObject({ code: 1001, end: 'fin' });
    expect(running.server.state).toBe('stopped');
    expect(running.server.addresses).toEqual([]);
    expect(running.server.snapshot()).toMatchObject({ state: 'stopped', chart: undefined, connections: [] });
    await expect(connectTcp({ port: running.port })).rejects.toThrow('ECONNREFUSED');
    await target.close();
    await expectQuiet(before);
  });

  it('cuts at once with a drainTimeout of 0', async () => {
    const { server, open, events } = await startReceivers();
    const client = await open();
    await server.stop({ drainTimeout: 0 });
    await client.waitForEnd();
    expect(events.reports.all).toMatchObject([{ status: 1006 }]);
    expect(events.lines.at(-1)).toBe('shutdown');
  });

  it('cuts who does not answer when the drain deadline is over (P8)', async () => {
    const { server, open, events } = await startReceivers({ timeouts: { drain: 60 } });
    const client = await open();
    await Promise.all([server.stop(), client.expectClose()]);
    await client.waitForEnd();
    expect(events.lines.slice(-2)).toEqual(['disconnected conn-1 1006', 'shutdown']);
  });

  it('refuses new clients from the moment it is called', async () => {
    const { server, open, port } = await startReceivers();
    const client = await open();
    const stopped = server.stop();
    await client.expectClose();
    expect(server.state).toBe('draining');
    await expect(openClient({ port })).rejects.toThrow();
    client.sendClose(1001);
    await stopped;
  });

  it('may be called at any time, and more than once', async () => {
    const server = new ProxyServer({ listen: '127.0.0.1:0', target: 'tcp://127.0.0.1:1' });
    const events = new EventRecord(server);
    await server.stop();
    const starting = server.start();
    await Promise.all([server.stop(), server.stop(), starting]);
    await server.stop();
    expect(server.state).toBe('stopped');
    expect(events.lines).toEqual(['startup 1', 'shutdown']);
  });

  it('right after start() stops what is starting', async () => {
    const server = new ProxyServer({ listen: '127.0.0.1:0', target: 'tcp://127.0.0.1:1' });
    const starting = server.start();
    await server.stop();
    expect(server.state).toBe('stopped');
    await starting;
    expect(server.addresses).toEqual([]);
  });

  it('is waited for by a start that comes meanwhile', async () => {
    const { server, open, events } = await startReceivers();
    const client = await open();
    const stopped = server.stop();
    const started = server.start();
    await client.answerClose();
    await stopped;
    await started;
    expect(server.state).toBe('running');
    expect(events.lines.filter((line) => /^(startup|shutdown)/.test(line))).toEqual([
      'startup 1',
      'shutdown',
      'startup 1',
    ]);
  });

  it('passes through the states a server has', async () => {
    const server = new ProxyServer({ listen: '127.0.0.1:0', target: (await startEcho()).url });
    stopAfterTest(server);
    const states: ServerState[] = [server.state];
    const starting = server.start();
    states.push(server.state);
    const [address] = await starting;
    states.push(server.state);
    const client = await openClient({ port: address!.port });
    const stopping = server.stop();
    await client.expectClose();
    states.push(server.state);
    client.sendClose(1001);
    await stopping;
    states.push(server.state);
    expect(states).toEqual(['stopped', 'starting', 'running', 'draining', 'stopped']);
  });
});

describe('restart()', () => {
  it('sends clients away with 1012 and when to come back, and listens on the same ports', async () => {
    const { server, open, address, events } = await startReceivers();
    const client = await open();
    const [addresses, close] = await Promise.all([server.restart(), client.answerClose()]);
    expect(addresses).toEqual([address]);
    expect(close.code).toBe(1012);
    const { retryAfterMs } = JSON.parse(close.reason) as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThanOrEqual(500);
    expect(retryAfterMs).toBeLessThanOrEqual(2500);
    await open();
    expect(events.lines).toEqual([
      'startup 1',
      'connection conn-1',
      'disconnected conn-1 1012',
      'shutdown',
      'startup 1',
      'connection conn-2',
    ]);
  });

  it('starts a server that was stopped', async () => {
    const { server, open } = await startReceivers();
    await server.stop();
    const [address] = await server.restart();
    await open({ port: address!.port });
  });
});

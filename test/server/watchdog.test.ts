/** Owns that a listener that dies or does not answer comes back, with everybody who is connected still there, and that a stop wins. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxyServer, type ProxyServerOptions, type RestoredListener, type WatchdogEvent } from '../../src/index.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { KILLS, wedge } from '../support/listening-handles.js';
import { connectTcp, refusedPort } from '../support/tcp-peer.js';
import { localhostCertificate } from '../support/tls.js';
import { openClient, startEcho, startProxy, stopAfterTest } from './stage.js';

const SOON = { interval: '20ms' } as const;

async function startWatched(options: ProxyServerOptions = {}) {
  const running = await startProxy({ target: (await startEcho()).url, watchdog: SOON, ...options });
  const { server } = running;
  // libuv aborts the process when a descriptor is closed before it has waited on it once.
  await nextTurn();
  await nextTurn();
  const restored = (): Promise<RestoredListener> => once(server, 'listener.restored').then(([told]) => told);
  return { ...running, server, restored };
}

async function echoes(client: Awaited<ReturnType<typeof openClient>>, text: string): Promise<void> {
  client.sendText(text);
  expect((await client.nextBinary()).toString()).toBe(text);
}

describe.each(Object.entries(KILLS))('a listener that %s', (_how, kill) => {
  it('is opened again on its port, and who is connected notices nothing', async () => {
    const { server, port, address, open, restored } = await startWatched();
    const before = await open();
    const lost = once(server, 'listener.lost');
    const back = restored();
    kill(port);
    expect((await lost)[0]).toMatchObject({ address, reason: 'died', error: { code: 'LISTENER_LOST' } });
    expect(await back).toEqual({ address, attempts: 1 });
    await echoes(before, 'still here');
    await echoes(await open(), 'new');
    expect(server.addresses).toEqual([address]);
  });

  it('comes back with TLS when it had TLS', async () => {
    const { key, cert } = localhostCertificate;
    const { port, restored } = await startWatched({ listen: { host: '127.0.0.1', port: 0, tls: { key, cert } } });
    const tls = { ca: cert, servername: 'localhost' };
    const before = await openClient({ port, tls });
    const back = restored();
    kill(port);
    await back;
    await echoes(before, 'still here');
    await echoes(await openClient({ port, tls }), 'new');
  });

  it('comes back as often as it dies', async () => {
    const { port, open, restored } = await startWatched();
    for (let round = 0; round < 5; round += 1) {
      const back = restored();
      kill(port);
      await back;
      (await open()).destroy();
    }
  });

  it('is not opened again by a watchdog that is off, and told as lost for good', async () => {
    const { server, port, open } = await startWatched({ watchdog: { ...SOON, enabled: false } });
    const before = await open();
    const failed = once(server, 'error');
    kill(port);
    expect((await failed)[0]).toMatchObject({ code: 'LISTENER_LOST', cause: { code: 'LISTENER_LOST' } });
    await expect(connectTcp({ port })).rejects.toThrow('ECONNREFUSED');
    await echoes(before, 'still here');
  });

  it('leaves nothing behind when the server is stopped in the moment it is lost', async () => {
    const { server, port } = await startWatched();
    const before = holdings();
    const stopped = new Promise((resolve) => {
      server.once('listener.lost', () => resolve(server.stop({ drainTimeout: 0 })));
    });
    server.on('listener.restored', () => expect.unreachable('it was stopped'));
    kill(port);
    await stopped;
    expect(server.state).toBe('stopped');
    await expect(connectTcp({ port })).rejects.toThrow('ECONNREFUSED');
    await expectQuiet(before);
  });
});

describe('the watchdog', () => {
  it('tries until the address is free, and says how often', async () => {
    let asked = 0;
    const { server, port, restored } = await startWatched({
      onWatchdog: ({ attempt }) => {
        asked = attempt;
      },
    });
    const squatter = createServer();
    server.once('listener.lost', () => squatter.listen(port, '127.0.0.1'));
    const back = restored();
    KILLS['is closed']!(port);
    await once(squatter, 'listening');
    onTestFinished(() => void squatter.close());
    await eventually(() => asked >= 3, 'it was tried');
    squatter.close();
    expect((await back).attempts).toBeGreaterThan(3);
  });

  it('gives up after watchdog.attempts with LISTENER_LOST and the reason of the last one', async () => {
    const { server, port } = await startWatched({ watchdog: { ...SOON, attempts: 2 } });
    const squatter = createServer();
    onTestFinished(() => void squatter.close());
    server.once('listener.lost', () => squatter.listen(port, '127.0.0.1'));
    const failed = once(server, 'error');
    KILLS['is closed']!(port);
    const [error] = await failed;
    expect(error).toMatchObject({ code: 'LISTENER_LOST', cause: { code: 'ADDRESS_IN_USE' } });
    expect(error.message).toContain('given up after 2 attempts');
  });

  it('asks onWatchdog before each attempt: false leaves it out, a throw does not', async () => {
    const asked: WatchdogEvent[] = [];
    const answers = [false, Promise.resolve(false), new Error('no idea')];
    const { port, events, address, restored } = await startWatched({
      onWatchdog: (event) => {
        const answer = answers[asked.push(event) - 1];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    const back = restored();
    KILLS['is closed']!(port);
    expect(await back).toEqual({ address, attempts: 3 });
    expect(asked.map(({ attempt, reason }) => [attempt, reason])).toEqual([
      [1, 'died'],
      [2, 'died'],
      [3, 'died'],
    ]);
    expect(await events.exceptions.next()).toMatchObject({ message: 'no idea' });
  });

  it('opens nothing when the server is stopped while onWatchdog thinks', async () => {
    let decide: (answer: boolean) => void = () => {};
    const { server, port } = await startWatched({
      onWatchdog: () =>
        new Promise<boolean>((resolve) => {
          decide = resolve;
        }),
    });
    const lost = once(server, 'listener.lost');
    KILLS['is closed']!(port);
    await lost;
    await new Promise((resolve) => setTimeout(resolve, 5));
    await server.stop({ drainTimeout: 0 });
    decide(true);
    await nextTurn();
    await expect(connectTcp({ port })).rejects.toThrow('ECONNREFUSED');
  });

  it('never brings back a listener that was stopped by hand', async () => {
    const { server, port } = await startWatched();
    const before = holdings();
    server.on('listener.lost', () => expect.unreachable('nothing was lost'));
    await server.stop({ drainTimeout: 0 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await expect(connectTcp({ port })).rejects.toThrow('ECONNREFUSED');
    await expectQuiet(before);
  });

  it('goes on after a restart', async () => {
    const { server, port, open, restored } = await startWatched();
    await server.restart({ drainTimeout: 0 });
    const back = restored();
    KILLS['is closed']!(port);
    await back;
    await echoes(await open(), 'hello');
  });

  it('brings back the one of several that died, and leaves the others alone', async () => {
    const server = new ProxyServer({
      listen: ['127.0.0.1:0', `127.0.0.1:${await refusedPort()}`],
      target: (await startEcho()).url,
      watchdog: SOON,
    });
    stopAfterTest(server);
    const [one, other] = await server.start();
    const restored: string[] = [];
    server.on('listener.restored', ({ address }) => restored.push(address.url));
    const back = once(server, 'listener.restored');
    KILLS['is closed']!(other!.port);
    await back;
    await echoes(await openClient({ port: one!.port }), 'one');
    await echoes(await openClient({ port: other!.port }), 'other');
    expect(restored).toEqual([other!.url]);
  });
});

describe('the self-probe', () => {
  const probing = { ...SOON, selfProbe: { enabled: true, timeout: '300ms' } } as const;

  it.each([
    ['plain', undefined],
    ['TLS', localhostCertificate],
  ])('opens a listener (%s) that takes connections and does not answer', async (_what, certificate) => {
    const asked: WatchdogEvent[] = [];
    const { server, port, restored } = await startWatched({
      listen: { host: '127.0.0.1', port: 0, tls: certificate },
      watchdog: probing,
      onWatchdog: (event) => void asked.push(event),
    });
    const tls = certificate === undefined ? undefined : { ca: certificate.cert, servername: 'localhost' };
    const before = await openClient({ port, tls });
    const lost = once(server, 'listener.lost');
    const back = restored();
    onTestFinished(wedge(port));
    expect((await lost)[0]).toMatchObject({ reason: 'silent', error: { code: 'LISTENER_LOST' } });
    expect((await back).attempts).toBe(1);
    expect(asked.map(({ reason, attempt }) => [reason, attempt])).toEqual([['silent', 1]]);
    await echoes(before, 'still here');
    await echoes(await openClient({ port, tls }), 'new');
  });

  it('leaves a listener alone that answers, counts towards nothing and is no refusal', async () => {
    const { key, cert } = localhostCertificate;
    const server = new ProxyServer({
      listen: ['127.0.0.1:0', { host: '127.0.0.1', port: 0, tls: { key, cert } }],
      target: (await startEcho()).url,
      watchdog: { interval: '5ms', selfProbe: { enabled: true } },
      limits: { maxConnections: 1 },
    });
    stopAfterTest(server);
    const before = holdings();
    const told: unknown[] = [];
    server.on('rejected', (rejected) => told.push(rejected));
    server.on('listener.lost', (lost) => told.push(lost));
    const [plain] = await server.start();
    const client = await openClient({ port: plain!.port });
    for (let round = 0; round < 50; round += 1) await echoes(client, `round ${round}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(told).toEqual([]);
    expect(server.snapshot().connections.length).toBe(1);
    client.destroy();
    await server.stop({ drainTimeout: 0 });
    await expectQuiet(before);
  });

  it('stays as it is after a veto, and is asked for again', async () => {
    const asked: number[] = [];
    const { port, restored } = await startWatched({
      watchdog: { ...probing, selfProbe: { enabled: true, timeout: '60ms' } },
      onWatchdog: ({ attempt }) => asked.push(attempt) > 1,
    });
    const back = restored();
    onTestFinished(wedge(port));
    await back;
    expect(asked).toEqual([1, 1]);
  });
});

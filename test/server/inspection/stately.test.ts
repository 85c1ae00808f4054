/** Holds that the Stately inspector gets what it needs of servers at work, by the relay of its own package. */
import { expect, it, onTestFinished } from 'vitest';
import { type Inspection, type InspectOptions, inspect, type ReceiverServer } from '../../../src/index.js';
import { administration } from '../../../src/server/admin/administration.js';
import type { ActorFrame, EventFrame, Frame } from '../../../src/server/inspection/frames.js';
import { deferred, eventually } from '../../support/events.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { startBackends, startBalancer } from '../named-backends.js';
import { startProxy, startReceivers, startUpstream } from '../stage.js';
import { RelayPage, startRelay } from './relay.js';

/** Shows servers, and resolves when the relay is connected. */
async function show(
  servers: Parameters<typeof inspect>[0],
  options: InspectOptions,
): Promise<{ inspection: Inspection; lost: string[] }> {
  const connected = deferred();
  const lost: string[] = [];
  const inspection = inspect(servers, {
    ...options,
    onConnected: () => connected.resolve(),
    onDisconnected: (reason) => void lost.push(reason),
  });
  onTestFinished(() => inspection.stop());
  await connected.promise;
  return { inspection, lost };
}

function watchersOf(server: ReceiverServer): number {
  return server[administration]().observation.inspection.watchers;
}

/** The ids of all states of a definition, such as `open.outbound.throttled`. */
function statesOf({ definition }: ActorFrame): string[] {
  interface Node {
    readonly states?: Readonly<Record<string, Node>>;
  }
  const under = (node: Node, path: string): string[] =>
    Object.entries(node.states ?? {}).flatMap(([name, inner]) => [
      `${path}${name}`,
      ...under(inner, `${path}${name}.`),
    ]);
  return under(JSON.parse(definition) as Node, '');
}

it('a page sees supervisor, connections and upstreams of a proxy, those there were and those that come', async () => {
  const target = await startUpstream();
  const proxy = await startProxy({ target: target.url, timeouts: { close: 100 } });
  await proxy.open();
  const relay = await startRelay();
  const page = await RelayPage.open(relay.url);
  await show(proxy.server, { stately: relay.url });

  const supervisor = await page.actor('supervisor');
  expect(supervisor).toMatchObject({ rootId: supervisor.sessionId, _version: expect.any(String), id: null });
  expect(supervisor.parentId).toBeUndefined();
  expect(statesOf(supervisor)).toContain('running.admission.full');
  const first = await page.actor('conn-1');
  expect(first).toMatchObject({ parentId: supervisor.sessionId, rootId: supervisor.sessionId });
  expect(first.snapshot.value).toMatchObject({ open: { outbound: 'flowing' } });
  expect(await page.actor('upstream-1')).toMatchObject({ parentId: supervisor.sessionId });

  const client = await proxy.open();
  const second = await page.actor('conn-2');
  const upstream = await page.actor('upstream-2');
  expect(second.createdAt).toMatch(/^\d{13}$/);
  expect(statesOf(second)).toEqual(
    expect.arrayContaining(['handshaking.dialling', 'open.outbound.throttled', 'closed']),
  );
  expect(statesOf(upstream)).toEqual(expect.arrayContaining(['dialling', 'open.inbound.paused', 'unreachable']));
  await page.state(second, 'dialling');
  await page.state(second, 'flowing');
  const ready = await page.find<EventFrame>(
    (frame) => frame.type === '@xstate.event' && frame.event.type === 'upstream.ready',
  );
  expect(ready).toMatchObject({ sourceId: upstream.sessionId, sessionId: second.sessionId });

  client.sendClose(4001, 'enough </script>');
  await page.state(second, 'closing');
  const asked = await page.find<EventFrame>(
    (frame) => frame.type === '@xstate.event' && frame.event.type === 'close.request',
  );
  expect(asked).toMatchObject({ sourceId: second.sessionId, sessionId: upstream.sessionId });
  expect(asked.event).toMatchObject({ code: 4001, reason: 'enough </script>', initiator: 'downstream' });
  client.destroy();
  const closed = await page.state(second, 'closed');
  expect(closed).toMatchObject({ snapshot: { status: 'done', output: { status: 4001, initiator: 'downstream' } } });
  const done = await page.find(
    (frame) => frame.type === '@xstate.event' && frame.event.type === 'xstate.done.actor.conn-2',
  );
  expect(done).toMatchObject({ sourceId: second.sessionId, sessionId: supervisor.sessionId });
});

it('a page sees the pool and the backends of a balancer as they change', async () => {
  const { balancer, visit } = await startBalancer(await startBackends('a', 'b'));
  const relay = await startRelay();
  const page = await RelayPage.open(relay.url);
  await show({ lb: balancer }, { stately: relay.url });
  const pool = await page.actor('lb pool');
  const backend = await page.actor('lb a');
  expect(pool.rootId).toBe(pool.sessionId);
  expect(pool.sessionId).not.toBe((await page.actor('lb supervisor')).sessionId);
  expect(statesOf(pool)).toEqual(['empty', 'unavailable', 'full', 'available', 'closed']);
  expect(backend).toMatchObject({ parentId: pool.sessionId, rootId: pool.sessionId });
  expect(statesOf(backend)).toContain('ready.health.trial.proving');
  await visit();
  await page.actor('lb conn-1');

  balancer.drainBackend('a');
  await page.state(backend, 'draining');
  balancer.drainBackend('b');
  await page.state(pool, 'unavailable');
});

it('a page that comes after 300 connections still gets the definitions of all actors that are shown', async () => {
  const { server, open } = await startReceivers();
  await open();
  const relay = await startRelay();
  await show(server, { stately: relay.url, maxActors: 10, framesPerSecond: 10_000 });
  const watcher = await RelayPage.open(relay.url);
  for (let round = 0; round < 6; round += 1) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => open()));
    for (const client of clients) client.destroy();
    await eventually(() => server.connections.length === 1, 'only the one that stays is left');
  }
  await open();
  await watcher.state(await watcher.actor('conn-302'), 'flowing');

  const page = await RelayPage.open(relay.url);
  await page.state(await page.actor('conn-302'), 'flowing');
  const actors = page.frames.filter((frame): frame is ActorFrame => frame.type === '@xstate.actor');
  for (const name of ['supervisor', 'conn-302']) {
    expect(statesOf(actors.findLast((actor) => actor.name === name)!).length, name).toBeGreaterThan(3);
  }
  expect(watcher.frames.length).toBeGreaterThan(1000);
  expect(page.frames.length).toBeLessThanOrEqual(200);
});

it('comes back to a relay that was away, and tells it all again; nothing is watched meanwhile', async () => {
  const { server, open } = await startReceivers();
  await open();
  const relay = await startRelay();
  // The relay cuts nobody off; a proxy before it does.
  const front = await startProxy({ target: relay.url });
  const stately = front.address.url;
  const lost = deferred<string>();
  const inspection = inspect(server, { stately, onDisconnected: lost.resolve });
  onTestFinished(() => inspection.stop());
  const page = await RelayPage.open(relay.url);
  const before = await page.actor('conn-1');
  expect(watchersOf(server)).toBe(1);
  front.server.terminateAll();
  expect(await lost.promise).toContain('closed');
  expect([inspection.connected, watchersOf(server)]).toEqual([false, 0]);

  const told = page.frames.length;
  const again = (name: string): Promise<Frame> =>
    page.find((frame) => page.frames.indexOf(frame) >= told && frame.type === '@xstate.actor' && frame.name === name);
  expect(await again('conn-1')).toMatchObject({ sessionId: before.sessionId });
  expect(await again('supervisor')).toBeDefined();
  await inspection.stop();
  expect([inspection.connected, watchersOf(server)]).toEqual([false, 0]);
});

it('tells that there is no relay', async () => {
  const { server } = await startReceivers();
  const said = deferred<string>();
  const stately = `ws://127.0.0.1:${await refusedPort()}`;
  const inspection = inspect(server, { stately, onDisconnected: said.resolve });
  expect(await said.promise).toContain('ECONNREFUSED');
  expect(inspection.connected).toBe(false);
  await inspection.stop();
});

it('never dials the server that it shows', async () => {
  const proxy = await startProxy({ target: (await startUpstream()).url });
  const said = deferred<string>();
  const inspection = inspect(proxy.server, { stately: `ws://localhost:${proxy.port}`, onDisconnected: said.resolve });
  onTestFinished(() => inspection.stop());
  expect(await said.promise).toContain(`the server itself listens on localhost:${proxy.port}`);
  expect(proxy.events.lines.filter((line) => !line.startsWith('startup'))).toEqual([]);
});

it.each<[string, Partial<InspectOptions>, string]>([
  ['another machine', { stately: 'ws://192.0.2.1:8080' }, 'expected an address of this machine'],
  ['what is no WebSocket', { stately: 'http://localhost:8080' }, 'expected the address of a relay'],
  ['no address', { stately: 'localhost' }, 'got "localhost"'],
  ['more actors than the relay keeps', { stately: 'ws://localhost:1', maxActors: 151 }, 'maxActors: got 151'],
])('refuses %s', async (_, options, message) => {
  const { server } = await startProxy({ target: 'tcp://127.0.0.1:1' });
  expect(() => inspect(server, options as InspectOptions)).toThrow(message);
});

it('tells nothing of requests and messages', async () => {
  const target = await startUpstream();
  const proxy = await startProxy({ target: target.url });
  const relay = await startRelay();
  const page = await RelayPage.open(relay.url);
  await show(proxy.server, { stately: relay.url });
  const client = await proxy.open({
    path: '/secret-path?token=secret-token',
    headers: { Authorization: 'secret-word' },
  });
  const connection = await target.nextConnection();
  client.sendText('secret-message');
  expect(await connection.nextText()).toBe('secret-message');
  await page.state(await page.actor('conn-1'), 'flowing');
  client.destroy();
  await page.state(await page.actor('conn-1'), 'closed');
  expect(JSON.stringify(page.frames satisfies Frame[])).not.toContain('secret');
});

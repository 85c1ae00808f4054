/** Owns that backends register themselves, get clients, and go, over real sockets. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig, ProxyServer } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { Client, createAgent, inState, registerByHand, startBackend, startBalancer, TOKEN } from './stage.js';

describe('a backend that registers itself', () => {
  it('gets clients, and is known by its words', async () => {
    const { balancer, url, control, lines } = await startBalancer();
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a', weight: 3, capacity: 7, tags: ['eu'] });
    const connected = once(agent, 'balancer.connected');
    agent.start();
    await connected;
    await inState(balancer, 'a', 'ready');

    expect(agent.state).toBe('registered');
    expect(balancer.backends()).toMatchObject([
      { id: 'a', url: own, bindings: [own], weight: 3, capacity: 7, tags: ['eu'], source: 'registered', generation: 1 },
    ]);
    const client = await Client.open(url);
    expect(await client.ask('hello')).toBe('a: hello');
    expect(lines.slice(0, 3)).toEqual(['connection conn-1', 'backend.connected conn-1', 'backend.ready a']);
    expect(balancer.snapshot().registrations).toEqual({ accepted: 1, refused: 0, byReason: {} });
  });

  it('is no client: not among the connections, in broadcasts or in disconnectAll', async () => {
    const { balancer, url, control } = await startBalancer();
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a' });
    agent.start();
    await inState(balancer, 'a', 'ready');
    const client = await Client.open(url);
    await client.ask('hello');

    expect(balancer.connections.map(({ request }) => request.path)).toEqual(['/']);
    expect(balancer.broadcast('to all').matched).toBe(1);
    expect(await client.next()).toBe('to all');
    await balancer.disconnectAll();
    expect((await client.end()).code).toBe(1001);
    balancer.terminateAll();
    expect(agent.state).toBe('registered');
    expect(await (await Client.open(url)).ask('again')).toBe('a: again');
  });

  it('is picked when it says that it is ready, and not before', async () => {
    const { balancer, url, control } = await startBalancer();
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a', ready: false });
    agent.start();
    await inState(balancer, 'a', 'registering');
    await expect(Client.open(url)).rejects.toThrow('503');
    agent.ready();
    await inState(balancer, 'a', 'ready');
    expect(await (await Client.open(url)).ask('hello')).toBe('a: hello');
  });

  it('drains and comes back by its own word, and an operator has the last one', async () => {
    const { balancer, control } = await startBalancer();
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a' });
    const told: string[] = [];
    agent.on('balancer.state', (_balancer, state) => told.push(state));
    agent.start();
    await inState(balancer, 'a', 'ready');
    agent.drain();
    await inState(balancer, 'a', 'draining');
    agent.resume();
    await inState(balancer, 'a', 'ready');
    balancer.drainBackend('a');
    agent.resume();
    agent.update({ weight: 2 });
    await eventually(() => balancer.backends()[0]?.weight === 2, 'the balancer took the update');
    expect(balancer.backends()[0]).toMatchObject({ state: 'draining', draining: 'operator' });
    balancer.resumeBackend('a');
    await eventually(() => told.length === 5, 'the agent was told of five states', { instead: () => told.join() });
    expect(told).toEqual(['ready', 'draining', 'ready', 'draining', 'ready']);
  });

  it('says what is otherwise now, and how many connections it has', async () => {
    const { balancer, control } = await startBalancer();
    const { url: own } = await startBackend('a');
    let connections = 5;
    const agent = createAgent({ balancer: control, advertise: own, id: 'a', connections: () => connections });
    agent.start();
    await eventually(() => balancer.backends()[0]?.load === 5, 'the balancer knows of 5 connections');
    connections = 2;
    await eventually(() => balancer.backends()[0]?.load === 2, 'the balancer knows of 2 connections');
    agent.update({ capacity: 9, tags: ['x'], advertise: ['ws://127.0.0.1:4000/b', own] });
    await eventually(() => balancer.backends()[0]?.capacity === 9, 'the balancer took the update');
    expect(balancer.backends()[0]).toMatchObject({ url: 'ws://127.0.0.1:4000/b', tags: ['x'], weight: 1 });
  });

  it('leaves: no client is sent to it any more, and nobody is lost', async () => {
    const { balancer, url, control, lines } = await startBalancer({ drain: { whenRemoved: 'keep' } });
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a' });
    agent.start();
    await inState(balancer, 'a', 'ready');
    const client = await Client.open(url);
    await client.ask('hello');
    await agent.leave();
    expect(balancer.backends()).toMatchObject([{ id: 'a', state: 'draining', draining: 'removed' }]);
    await expect(Client.open(url)).rejects.toThrow('503');
    expect(await client.ask('still')).toBe('a: still');
    client.socket.close();
    await inState(balancer, 'a', 'none');
    expect(lines.some((line) => line.startsWith('backend.lost'))).toBe(false);
    expect(agent.state).toBe('stopped');
  });

  it('is lost with its channel: out of the pool before anyone is told, its clients live on, and it comes back to them', async () => {
    const { balancer, url, control, lines } = await startBalancer();
    const { url: own } = await startBackend('a');
    const inHandler: string[] = [];
    balancer.on('backend.lost', ({ id }) => {
      inHandler.push(...balancer.backends().map(({ available, state }) => `${id} ${state} ${available}`));
    });
    const first = await registerByHand(control, { id: 'a', bindings: [own] });
    const client = await Client.open(url);
    await client.ask('hello');
    first.client.socket.terminate();
    await inState(balancer, 'a', 'draining');
    expect(inHandler).toEqual(['a draining false']);
    expect(lines.at(-1)).toBe('backend.lost a 1006');
    expect(await client.ask('still')).toBe('a: still');
    await expect(Client.open(url)).rejects.toThrow('503');

    await registerByHand(control, { id: 'a', bindings: [own] });
    await inState(balancer, 'a', 'ready');
    expect(balancer.backends()).toMatchObject([{ generation: 2, load: 1 }]);
    expect(await client.ask('and still')).toBe('a: and still');
    expect(await (await Client.open(url)).ask('new')).toBe('a: new');
  });
});

describe('the option `register`', () => {
  it('makes a backend of a proxy, too, and of one in a file', async () => {
    const { balancer, url, control } = await startBalancer();
    const { url: target } = await startBackend('behind');
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-register-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'tidegate.yaml');
    writeFileSync(
      file,
      `proxies:
  - listen: 127.0.0.1:0
    target: ${target}
    register: { balancer: "${control}", token: "${TOKEN}", id: proxy, tags: [a], weight: 2 }
`,
    );
    const [options] = (await loadConfig(file)).proxies;
    const { name: _name, ...entry } = options!;
    const proxy = new ProxyServer(entry);
    onTestFinished(() => proxy.stop({ drainTimeout: 0 }));
    await proxy.start();
    await inState(balancer, 'proxy', 'ready');
    expect(balancer.backends()).toMatchObject([{ tags: ['a'], weight: 2, url: proxy.addresses[0]!.url }]);
    expect(proxy.agent?.id).toBe('proxy');
    expect(await (await Client.open(url)).ask('hello')).toBe('behind: hello');
    const seen = await Client.open(url);
    await seen.ask('hello');
    await eventually(() => balancer.backends()[0]!.load === 2, 'its connections are counted once');
  });

  it('is none for a server without it', async () => {
    const { server } = await startBackend('alone');
    expect(server.agent).toBeUndefined();
  });

  it('registers a server when it is bound, and leaves before its clients are sent away', async () => {
    const { balancer, url, control } = await startBalancer();
    const options = { register: { balancer: control, token: TOKEN, id: 'a' } };
    const { server } = await startBackend('a', options);
    await inState(balancer, 'a', 'ready');
    const client = await Client.open(url);
    expect(await client.ask('hello')).toBe('a: hello');
    await eventually(() => balancer.backends()[0]?.load === 1, 'its connection is counted once');

    const order: string[] = [];
    balancer.on('backend.draining', ({ id }) => order.push(`${id} drains`));
    server.on('disconnected', () => order.push('its client is gone'));
    await server.stop();
    expect(order).toEqual(['a drains', 'its client is gone']);
    await inState(balancer, 'a', 'none');
    await server.start();
    await inState(balancer, 'a', 'ready');
  });
});

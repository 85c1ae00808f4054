/** Owns what becomes of backends whose channels are late, doubled, silent or lost, while clients go on. */
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BackendAgent, TidegateError } from '../../../src/index.js';
import { deferred, eventually } from '../../support/events.js';
import { Client, createAgent, inState, RawBackend, registerByHand, startBackend, startBalancer } from './stage.js';

/** Resolves with what an agent says of its next error. */
async function nextError(agent: BackendAgent): Promise<string> {
  const [, error] = (await once(agent, 'balancer.error')) as [unknown, TidegateError];
  expect(error.code).toBe('BALANCER_UNREACHABLE');
  return error.message;
}

describe('two channels for one id', () => {
  it('the newest wins, the older one is told and closed, and its late end changes nothing', async () => {
    const { balancer, url, control, lines } = await startBalancer();
    const { url: first } = await startBackend('first');
    const { url: second } = await startBackend('second');
    const older = await registerByHand(control, { id: 'a', bindings: [first] });
    await inState(balancer, 'a', 'ready');
    const client = await Client.open(url);
    expect(await client.ask('one')).toBe('first: one');
    // The older one does not answer the Close frame until later, as one whose network is gone.
    older.client.socket.pause();
    const newer = await registerByHand(control, { id: 'a', bindings: [second] });
    expect(balancer.backends()).toMatchObject([{ id: 'a', generation: 2, url: second, state: 'ready' }]);
    expect(await (await Client.open(url)).ask('two')).toBe('second: two');
    expect(await client.ask('three')).toBe('first: three');

    older.client.socket.resume();
    expect(await older.next()).toMatchObject({ type: 'state', state: 'ready' });
    expect(await older.next()).toMatchObject({ type: 'refused', why: 'superseded' });
    older.send({ type: 'leave' });
    older.send({ type: 'load', connections: 1000 });
    expect(await older.client.end()).toEqual({ code: 1008, reason: 'superseded' });
    newer.send({ type: 'load', connections: 7 });
    await eventually(() => balancer.backends()[0]!.load === 7, 'the newer channel is heard');
    expect(balancer.backends()).toMatchObject([{ id: 'a', generation: 2, state: 'ready' }]);
    expect(lines.filter((line) => line.startsWith('backend.lost'))).toEqual([]);
  });

  it('that register at once leave one of them, which works', async () => {
    const { balancer, control, lines } = await startBalancer();
    const channels = await Promise.all(Array.from({ length: 20 }, () => RawBackend.open(control)));
    for (const channel of channels) channel.send(channel.registration({ id: 'a' }));
    const answers = await Promise.all(channels.map((channel) => channel.next()));
    expect(answers.map(({ generation }) => generation).sort((one, two) => Number(one) - Number(two))).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    await eventually(() => channels.filter(({ client }) => client.closed !== undefined).length === 19, '19 are closed');
    const [winner] = channels.filter(({ client }) => client.closed === undefined);
    expect(answers[channels.indexOf(winner!)]).toMatchObject({ generation: 20 });
    winner!.send({ type: 'load', connections: 3 });
    await eventually(() => balancer.backends()[0]!.load === 3, 'the winner is heard');
    expect(lines.filter((line) => line.startsWith('backend.lost'))).toEqual([]);
    winner!.client.socket.terminate();
    await inState(balancer, 'a', 'none');
    expect(lines.filter((line) => line.startsWith('backend.lost'))).toEqual(['backend.lost a 1006']);
  });

  it('of two agents: the older one says so, and does not fight for it', async () => {
    const { balancer, control } = await startBalancer();
    const { url } = await startBackend('a');
    const older = createAgent({ balancer: control, advertise: url, id: 'a' });
    older.start();
    await inState(balancer, 'a', 'ready');
    const error = nextError(older);
    const newer = createAgent({ balancer: control, advertise: url, id: 'a' });
    newer.start();
    expect(await error).toContain('(superseded)');
    await eventually(() => older.state === 'stopped', 'the older one has stopped');
    expect(newer.balancers).toMatchObject([{ state: 'registered', generation: 2 }]);
  });
});

describe('three hundred backends', () => {
  it('that come at once, as when a balancer starts again, are all taken', async () => {
    const { balancer, control } = await startBalancer();
    const agents = Array.from({ length: 300 }, (_, index) =>
      createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', id: `b${index}` }),
    );
    let ready = 0;
    balancer.on('backend.ready', () => {
      ready += 1;
    });
    for (const agent of agents) agent.start();
    await eventually(() => ready === agents.length, 'all are ready', { within: 18_000, instead: () => String(ready) });
    expect(balancer.snapshot().registrations).toEqual({ accepted: 300, refused: 0, byReason: {} });
  });
});

describe('a lease', () => {
  it('ends when nothing is said: the backend is lost, its clients live on', async () => {
    const { url, control, lines } = await startBalancer({ control: { lease: 300 } });
    const { url: own } = await startBackend('a');
    const backend = await registerByHand(control, { id: 'a', bindings: [own] });
    const client = await Client.open(url);
    await client.ask('before');
    expect(await backend.next()).toMatchObject({ type: 'state' });
    expect(await backend.next()).toMatchObject({ type: 'refused', why: 'silent' });
    expect(lines.at(-2)).toBe('backend.lost a 1008');
    expect(await client.ask('after')).toBe('a: after');
    await expect(Client.open(url)).rejects.toThrow('503');
  });

  it('goes on for as long as something is said', async () => {
    const { balancer, control } = await startBalancer({ control: { lease: 600 } });
    const { url } = await startBackend('a');
    let reports = 0;
    const connections = () => {
      reports += 1;
      return 0;
    };
    const agent = createAgent({ balancer: control, advertise: url, id: 'a', connections });
    const lost: unknown[] = [];
    balancer.on('backend.lost', (backend) => lost.push(backend));
    agent.start();
    await inState(balancer, 'a', 'ready');
    // Three in a lease.
    await eventually(() => reports >= 10, 'three leases are over');
    expect(lost).toEqual([]);
    expect(agent.balancers).toMatchObject([{ generation: 1 }]);
  });

  it('of nobody ends because the balancer itself was away', async () => {
    const { balancer, control, lines } = await startBalancer({ control: { lease: 300 } });
    const { url } = await startBackend('a');
    let reports = 0;
    const connections = () => {
      reports += 1;
      return 0;
    };
    createAgent({ balancer: control, advertise: url, id: 'a', connections }).start();
    await inState(balancer, 'a', 'ready');
    const start = performance.now();
    // Nothing is read and no timer fires meanwhile, as when the process is stopped.
    while (performance.now() - start < 900);
    reports = 0;
    await eventually(() => reports >= 6, 'two more leases are over');
    expect(lines.filter((line) => line.startsWith('backend.lost'))).toEqual([]);
    expect(balancer.backends()).toMatchObject([{ generation: 1, state: 'ready' }]);
  });

  it('is not the idle timeout or the lifetime of clients', async () => {
    const {
      balancer,
      control,
      url: front,
    } = await startBalancer({
      timeouts: { idle: 100, lifetime: 150 },
      control: { lease: 3000 },
    });
    const { url } = await startBackend('a');
    createAgent({ balancer: control, advertise: url, id: 'a' }).start();
    await inState(balancer, 'a', 'ready');
    // Lifetimes of clients that came after the channel, one after the other.
    for (let lives = 0; lives < 3; lives += 1) expect((await (await Client.open(front)).end()).code).toBe(1001);
    expect(balancer.backends()).toMatchObject([{ generation: 1, state: 'ready' }]);
  });
});

describe('an agent', () => {
  it('comes back when the balancer starts again, and its clients never notice', async () => {
    const { balancer, control } = await startBalancer();
    const backend = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: backend.url, id: 'a' });
    agent.start();
    await inState(balancer, 'a', 'ready');
    const direct = await Client.open(backend.url);
    const first = agent.balancers[0]!.balancer;
    const disconnected = once(agent, 'balancer.disconnected');
    await balancer.restart();
    expect((await disconnected).slice(1)).toMatchObject([1012, expect.any(String)]);
    await inState(balancer, 'a', 'ready');
    await eventually(() => agent.state === 'registered', 'the agent knows');
    expect(agent.balancers[0]!.balancer).not.toBe(first);
    expect(await direct.ask('still')).toBe('a: still');
  });

  it('tries again for as long as the balancer is away', async () => {
    const { balancer, control } = await startBalancer();
    const port = balancer.addresses[0]!.port;
    await balancer.stop();
    const { url } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: url, id: 'a', reconnect: { initial: 5, max: 20 } });
    const errors: string[] = [];
    agent.on('balancer.error', (_balancer, { message }) => errors.push(message));
    agent.start();
    await eventually(() => errors.length >= 3, 'three attempts failed');
    expect(errors[0]).toContain(`ECONNREFUSED 127.0.0.1:${port}`);
    const { control: second } = await startBalancer({ listen: `127.0.0.1:${port}` });
    expect(second).toBe(control);
    await eventually(() => agent.state === 'registered', 'it registered');
  });

  it('with reconnect.initial 0 does not come back', async () => {
    const { balancer, control } = await startBalancer();
    const { url } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: url, id: 'a', reconnect: { initial: 0 } });
    agent.start();
    await inState(balancer, 'a', 'ready');
    const disconnected = once(agent, 'balancer.disconnected');
    await balancer.restart();
    await disconnected;
    expect(agent.state).toBe('stopped');
  });

  it('serves two balancers, each by a channel of its own', async () => {
    const one = await startBalancer();
    const two = await startBalancer();
    const { url } = await startBackend('a');
    const agent = createAgent({ balancer: [one.control, two.control], advertise: url, id: 'a' });
    agent.start();
    await inState(one.balancer, 'a', 'ready');
    await inState(two.balancer, 'a', 'ready');
    await one.balancer.stop();
    expect(await (await Client.open(two.url)).ask('hello')).toBe('a: hello');
    expect(two.balancer.backends()).toMatchObject([{ generation: 1, state: 'ready' }]);
  });

  it('leaves a balancer that says nothing any more, and tries again', async () => {
    const { port, channels } = await startSilentBalancer();
    const agent = createAgent({ balancer: `ws://127.0.0.1:${port}`, advertise: 'ws://127.0.0.1:9', token: undefined });
    const error = nextError(agent);
    agent.start();
    expect(await error).toContain('it has been silent for');
    await eventually(() => channels.length >= 2, 'it tried again');
  });

  it('registers with no balancer that does not know the token', async () => {
    const { port } = await startSilentBalancer();
    const agent = createAgent({ balancer: `ws://127.0.0.1:${port}`, advertise: 'ws://127.0.0.1:9' });
    const error = nextError(agent);
    agent.start();
    expect(await error).toContain('it did not prove that it knows the token');
    expect(agent.state).not.toBe('registered');
  });

  it('says what a server answered that is no balancer', async () => {
    const { url } = await startBackend('a', { noSubprotocol: 'reject', subprotocols: ['chat'] });
    const agent = createAgent({ balancer: url, advertise: 'ws://127.0.0.1:9' });
    const error = nextError(agent);
    agent.start();
    expect(await error).toContain('it answered 400: none of the offered subprotocols');
  });

  it('is drained still when an operator drained it and its channel was lost meanwhile', async () => {
    const { balancer, control } = await startBalancer();
    const first = await registerByHand(control, { id: 'a' });
    balancer.drainBackend('a');
    const lost = once(balancer, 'backend.lost');
    first.client.socket.terminate();
    await lost;
    await registerByHand(control, { id: 'a' });
    expect(balancer.backends()).toMatchObject([{ id: 'a', state: 'draining', draining: 'operator' }]);
    balancer.resumeBackend('a');
    expect(balancer.backends()).toMatchObject([{ id: 'a', state: 'ready' }]);
  });

  it('that an operator removed is told, and does not come back by itself', async () => {
    const { balancer, control } = await startBalancer();
    const { url } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: url, id: 'a' });
    agent.start();
    await inState(balancer, 'a', 'ready');
    await eventually(() => agent.state === 'registered', 'the agent knows');
    const error = nextError(agent);
    balancer.removeBackend('a');
    expect(await error).toContain('(removed): an operator removed "a"');
    await eventually(() => agent.state === 'stopped', 'the agent has stopped');
    expect(balancer.backends()).toEqual([]);
    agent.start();
    await inState(balancer, 'a', 'ready');
  });

  it('that left is taken again when its last client is gone', async () => {
    const { balancer, url, control } = await startBalancer({ drain: { whenRemoved: 'keep' } });
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a' });
    agent.start();
    await inState(balancer, 'a', 'ready');
    const client = await Client.open(url);
    await client.ask('hello');
    await agent.leave();
    const error = nextError(agent);
    agent.start();
    expect(await error).toContain('(leaving)');
    client.socket.close();
    await inState(balancer, 'a', 'ready');
  });

  it('is heard in time: what it says while it registers is not lost', async () => {
    const { balancer, control } = await startBalancer();
    const { url } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: url, id: 'a' });
    balancer.on('backend.ready', () => {
      // The agent has not read yet that it is registered.
      expect(agent.state).toBe('connecting');
      agent.drain();
    });
    agent.start();
    await inState(balancer, 'a', 'draining');
  });

  it('keeps its clients busy while its channel comes and goes', async () => {
    const { balancer, url, control } = await startBalancer();
    const { url: own } = await startBackend('a');
    await registerByHand(control, { id: 'a', bindings: [own] });
    const clients = await Promise.all(Array.from({ length: 10 }, () => Client.open(url)));
    let isOver = false;
    const traffic = clients.map(async (client, index) => {
      for (let count = 0; !isOver; count += 1) {
        expect(await client.ask(`${index}-${count}`)).toBe(`a: ${index}-${count}`);
      }
    });
    for (let round = 2; round < 12; round += 1) {
      const again = await registerByHand(control, { id: 'a', bindings: [own] });
      expect(balancer.backends()).toMatchObject([{ state: 'ready', generation: round }]);
      if (round % 2 === 0) continue;
      again.client.socket.terminate();
      await inState(balancer, 'a', 'draining');
    }
    isOver = true;
    await Promise.all(traffic);
    for (const { socket } of clients) socket.close();
    await inState(balancer, 'a', 'none');
  });
});

/** A balancer that registers everyone without a proof, and says nothing more, not even a pong. */
async function startSilentBalancer(): Promise<{ port: number; channels: WebSocket[] }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
  const channels: WebSocket[] = [];
  server.on('connection', (socket) => {
    channels.push(socket);
    socket.on('error', () => {});
    socket.once('message', () => {
      socket.send(JSON.stringify({ type: 'registered', generation: 1, leaseMs: 300 }));
    });
    const nonce = 'A'.repeat(22);
    socket.send(JSON.stringify({ type: 'challenge', version: 1, nonce, balancer: 'silent' }));
  });
  const closed = deferred();
  onTestFinished(() => {
    for (const socket of channels) socket.terminate();
    server.close(() => closed.resolve());
    return closed.promise;
  });
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, channels };
}

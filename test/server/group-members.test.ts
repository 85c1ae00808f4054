/** Owns who is a member of a group and who is not: several balancers, agents in other servers, restarts, and what is refused at once. */
import { describe, expect, it } from 'vitest';
import { accept, ConnectionReceiver, type LocalClients, type UpgradeRequest } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { Client, createAgent, inState, startBackend, startBalancer } from './control/stage.js';
import { each, everyWay, groupOf, Listener, registered, startGroup, startMember, whatCame } from './group-stage.js';

/** Clients of a server that is none of ours. */
class OwnClients implements LocalClients {
  readonly got: string[] = [];
  broadcast(message: string | Uint8Array, filter: { channel?: string }) {
    this.got.push(`broadcast ${message} to ${filter.channel}`);
    return { matched: 4, accepted: 2, queued: 1, dropped: 1, closed: 0 };
  }
  send(id: string, message: string | Uint8Array) {
    this.got.push(`send ${message} to ${id}`);
    return 'queued' as const;
  }
  ping(payload: string) {
    this.got.push(`ping ${payload}`);
    return { matched: 4, accepted: 4, queued: 0, dropped: 0, closed: 0 };
  }
  disconnectAll() {
    this.got.push('disconnectAll');
    return 4;
  }
}

/** Is told where to go. */
class Asking extends ConnectionReceiver {
  override onUpgradeRequest({ subprotocols }: UpgradeRequest) {
    return accept({ target: null, subprotocol: subprotocols[0] });
  }
}

describe('an agent in a server of another kind', () => {
  it('delivers to its clients by its own means', async () => {
    const { balancer, control } = await startBalancer();
    const clients = new OwnClients();
    const agent = createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', id: 'other', clients });
    agent.start();
    await inState(balancer, 'other', 'ready');
    const { group } = balancer;
    expect(await group.broadcast('hi', { channel: 'news' })).toMatchObject({
      matched: 4,
      accepted: 2,
      queued: 1,
      dropped: 1,
    });
    expect(await group.send('other/7', 'you')).toBe('queued');
    expect(await group.ping('p')).toMatchObject({ matched: 4 });
    expect(await group.disconnectAll()).toMatchObject({ matched: 4, accepted: 4 });
    expect(clients.got).toEqual(['broadcast hi to news', 'send you to 7', 'ping p', 'disconnectAll']);
  });

  it('that cannot deliver is heard by all others, and the balancer tells its clients', async () => {
    const { balancer, url, control } = await startBalancer();
    const { url: own } = await startBackend('a');
    const agent = createAgent({ balancer: control, advertise: own, id: 'a' });
    agent.start();
    await inState(balancer, 'a', 'ready');
    await eventually(() => agent.state === 'registered', 'the agent knows that it is registered');
    const listener = new Listener(await Client.open(url));
    const report = await agent.group.broadcast('hi');
    expect(report).toMatchObject({ matched: 1, accepted: 1, lost: [], complete: true });
    expect(await balancer.group.broadcast('ho')).toMatchObject({ matched: 1, complete: true });
    expect([await listener.client.next(), await listener.client.next()]).toEqual(['hi', 'ho']);
  });
});

describe('a backend of two balancers', () => {
  it('reaches the clients of both once, and each balancer its own', async () => {
    const [one, two] = [await startBalancer(), await startBalancer()];
    const b1 = await startMember('b1', [one.control, two.control]);
    const b2 = await startMember('b2', [one.control, two.control]);
    for (const member of [b1, b2]) await registered(member, one.balancer, two.balancer);
    const clients: Record<string, Listener> = {};
    for (const [n, { url }] of [one, two, one, two].entries())
      clients[`relayed ${n}`] = new Listener(await Client.open(url));
    for (const { id, url } of [b1, b2]) clients[`direct ${id}`] = new Listener(await Client.open(url));
    const texts = Array.from({ length: 30 }, (_, n) => `${n}`);
    const reports = await Promise.all(texts.map((text) => groupOf(b1.server).broadcast(text)));
    for (const report of reports) expect(report).toMatchObject({ matched: 6, accepted: 6, complete: true });
    expect(await one.balancer.group.broadcast('one')).toMatchObject({ matched: 6, complete: true });
    expect(await two.balancer.group.broadcast('two')).toMatchObject({ matched: 6, complete: true });
    expect(await whatCame(clients)).toEqual(each(clients, [...texts, 'one', 'two']));
    expect(await groupOf(b2.server).send('b1/conn-1', 'once')).toBe('accepted');
  });

  it('goes on with the one that is left, and says that the other is lost', async () => {
    const [one, two] = [await startBalancer(), await startBalancer()];
    const b1 = await startMember('b1', [one.control, two.control]);
    await registered(b1, one.balancer, two.balancer);
    const lost = one.balancer.group.addressOf({ id: '' }).slice(0, -1);
    await one.balancer.stop({ drainTimeout: 0 });
    await eventually(() => b1.server.agent?.balancers[0]?.state !== 'registered', 'the backend notices');
    const report = await groupOf(b1.server).broadcast('hi');
    expect(report).toMatchObject({ lost: [lost], complete: false });
    expect(report.reached).toHaveLength(2);
  });
});

describe('a balancer that only tells clients where to go', () => {
  it('says nothing else to them: they get messages where they went', async () => {
    const running = await startGroup({
      mode: 'redirect',
      receiver: () => new Asking(),
    });
    const { group } = running.balancer;
    const reports: Array<Promise<{ readonly matched: number }>> = [];
    running.balancer.on('connection', () => reports.push(group.broadcast('hi'), group.ping(), group.disconnectAll()));
    const listener = await running.direct(running.members[0]);
    await running.relayed('b1', '/', ['tidegate.binding.v1']);
    for (const report of reports) expect(await report).toMatchObject({ matched: 1, complete: true });
    expect(reports).toHaveLength(3);
    expect(await listener.client.next()).toBe('hi');
    expect(await listener.client.end()).toMatchObject({ code: 1001 });
  });
});

describe('the limits of clients', () => {
  it('are none of backends: what they say to each other may be larger', async () => {
    const running = await startGroup({ limits: { maxMessageBytes: '1KiB' } });
    const listener = await running.direct(running.members[1]);
    // Each character is six bytes on the way.
    const text = '\u0001'.repeat(2_000_000);
    expect(await groupOf(running.members[0].server).broadcast(text)).toMatchObject({ accepted: 1, complete: true });
    expect((await listener.client.next()) === text).toBe(true);
    expect(await running.balancer.group.broadcast(text)).toMatchObject({ accepted: 1, complete: true });
    expect((await listener.client.next()) === text).toBe(true);
  });
});

describe('a restart', () => {
  it('of a backend makes nobody deaf', async () => {
    const running = await startGroup();
    const [b1, b2] = running.members;
    await groupOf(b1.server).broadcast('before');
    await b1.server.restart({ drainTimeout: 0 });
    await registered(b1, running.balancer);
    const clients = await everyWay(running);
    expect(await groupOf(b1.server).broadcast('from it')).toMatchObject({ matched: 7, complete: true });
    expect(await groupOf(b2.server).broadcast('to it')).toMatchObject({ matched: 7, complete: true });
    expect(await whatCame(clients)).toEqual(each(clients, ['from it', 'to it']));
  });

  it('of the balancer makes another one of it, with the same backends', async () => {
    const running = await startGroup();
    const before = running.balancer.group.addressOf({ id: 'conn-1' });
    await running.balancer.restart({ drainTimeout: 0 });
    for (const member of running.members) await registered(member, running.balancer);
    expect(running.balancer.group.addressOf({ id: 'conn-1' })).not.toBe(before);
    const clients = await everyWay(running);
    expect(await groupOf(running.members[0].server).broadcast('again')).toMatchObject({ matched: 7, complete: true });
    expect(await whatCame(clients)).toEqual(each(clients, ['again']));
  });
});

describe('what is refused at once', () => {
  it('is everything while the balancer does not run', async () => {
    const { balancer } = await startGroup();
    await balancer.stop({ drainTimeout: 0 });
    const refused = { code: 'NOT_RUNNING' };
    await expect(balancer.group.broadcast('hi')).rejects.toMatchObject(refused);
    await expect(balancer.group.send('b1/conn-1', 'hi')).rejects.toMatchObject(refused);
    await expect(balancer.group.ping()).rejects.toMatchObject(refused);
    await expect(balancer.group.disconnectAll()).rejects.toMatchObject(refused);
    expect(() => balancer.group.addressOf({ id: 'conn-1' })).toThrow('the balancer is stopped');
  });

  it('is what others would get from a backend without a balancer; its own clients can be told', async () => {
    const { server, url } = await startMember('b1', 'ws://127.0.0.1:9/none');
    const listener = new Listener(await Client.open(url));
    const group = groupOf(server);
    await expect(group.broadcast('hi')).rejects.toMatchObject({
      code: 'NOT_REGISTERED',
      message: '"b1" is registered with no balancer now',
    });
    await expect(group.send('b2/conn-1', 'hi')).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
    expect(await group.send('conn-1', 'own')).toBe('accepted');
    expect(await group.broadcast('own too', { include: ['b1/conn-1'] })).toMatchObject({ matched: 1, complete: true });
    expect(await listener.all()).toEqual(['own', 'own too']);
  });

  it('is what is no message, no address or no filter, and what is too large', async () => {
    const { balancer, members } = await startGroup();
    for (const group of [balancer.group, groupOf(members[0].server)]) {
      const tooLong = 'x'.repeat(257);
      const noMessages = [
        group.broadcast(7 as never),
        group.broadcast(Buffer.alloc(8 * 1024 * 1024 + 1)),
        group.send('b1/conn-1', {} as never),
        group.ping('x'.repeat(126)),
        group.ping(7 as never),
      ];
      for (const wrong of noMessages) await expect(wrong).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
      const noNames = [
        group.broadcast('hi', { include: 'b1/conn-1' as never }),
        group.broadcast('hi', { exclude: [tooLong] }),
        group.broadcast('hi', { exclude: Array.from({ length: 10_001 }, () => 'b1/conn-1') }),
        group.broadcast('hi', { channel: 7 as never }),
        group.send('', 'hi'),
        group.send(undefined as never, 'hi'),
      ];
      for (const wrong of noNames) await expect(wrong).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    expect(members.map(({ server }) => server.agent?.state)).toEqual(['registered', 'registered', 'registered']);
  });

  it('is the id that a client has at the balancer, where its backend delivers to it by another one', async () => {
    const running = await startGroup();
    const clients = { b1: await running.relayed('b1'), plain: await running.relayed('plain') };
    const [b1, plain] = running.balancer.connections;
    const { group } = running.balancer;
    const refused = {
      code: 'INVALID_OPTION',
      message: `exclude: got "${b1!.id}"; the backend "b1" delivers to that client and knows it by another id: expected its address there`,
    };
    await expect(group.broadcast('hi', { exclude: [b1!.id] })).rejects.toMatchObject(refused);
    await expect(group.broadcast('hi', { include: [b1!.id] })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(() => group.addressOf(b1!)).toThrow('connection: got');
    expect(await group.broadcast('others', { exclude: [plain!.id] })).toMatchObject({ matched: 1, complete: true });
    expect(await whatCame(clients)).toEqual({ b1: ['others'], plain: [] });
  });

  it('is nothing for a server that is nobody’s backend: it has no group', async () => {
    const { server } = await startBackend('a');
    expect(server.group).toBeUndefined();
  });
});

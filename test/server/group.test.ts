/** Owns that messages of a balancer or a backend reach clients on all others over real sockets, each once. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { each, everyWay, groupOf, type RunningGroup, startGroup, whatCame } from './group-stage.js';

const NONE = { matched: 0, accepted: 0, queued: 0, dropped: 0, closed: 0 };

/** The group as the balancer has it, and as a backend has it. */
const SIDES: ReadonlyArray<[side: string, of: (group: RunningGroup) => ReturnType<typeof groupOf>]> = [
  ['the balancer', ({ balancer }) => balancer.group],
  ['a backend', ({ members }) => groupOf(members[1].server)],
];

describe.each(SIDES)('from %s', (_, of) => {
  it('a broadcast reaches every client once, wherever it is', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    const report = await of(running).broadcast('hi');
    expect(report).toMatchObject({ ...NONE, matched: 7, accepted: 7, lost: [], complete: true });
    expect([...report.reached].sort()).toEqual(
      ['b1', 'b2', 'b3', running.balancer.group.addressOf({ id: '' }).slice(0, -1)].sort(),
    );
    expect(await whatCame(clients)).toEqual(each(clients, ['hi']));
    expect(running.lines.filter((line) => line.startsWith('exception'))).toEqual([]);
  });

  it('bytes arrive as bytes, the large ones as well', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    const message = Buffer.from(Array.from({ length: 700_001 }, (_, n) => n % 251));
    const arrivals = Object.values(clients).map(
      ({ client }) =>
        new Promise<boolean>((resolve) => {
          client.socket.once('message', (data, isBinary) => resolve(isBinary && message.equals(data as Buffer)));
        }),
    );
    const report = await of(running).broadcast(message);
    expect(report).toMatchObject({ matched: 7, complete: true });
    expect(await Promise.all(arrivals)).toEqual(arrivals.map(() => true));
  });

  it('a filter means the same everywhere: channel, subprotocol, included and excluded clients', async () => {
    const running = await startGroup();
    const { relayed, direct, members } = running;
    const clients = {
      'b1 news chat': await relayed('b1', '/news', ['chat']),
      'b1 news': await direct(members[0], '/news'),
      'b2 news chat': await direct(members[1], '/news', ['chat']),
      'b2 chat': await relayed('b2', '/', ['chat']),
      'b3 news log': await relayed('b3', '/news', ['log']),
    };
    const [first, second] = ['b1/conn-1', 'b2/conn-1'];
    const group = of(running);
    expect((await group.broadcast('channel', { channel: 'news' })).matched).toBe(4);
    expect((await group.broadcast('protocol', { protocol: 'chat' })).matched).toBe(3);
    expect((await group.broadcast('both', { channel: 'news', protocol: 'chat' })).matched).toBe(2);
    expect((await group.broadcast('include', { include: [first, second, 'b3/conn-9'] })).matched).toBe(2);
    expect((await group.broadcast('exclude', { exclude: [first, second] })).matched).toBe(3);
    expect((await group.broadcast('neither', { include: [first], exclude: [first] })).matched).toBe(0);
    expect(await whatCame(clients)).toEqual({
      'b1 news chat': ['channel', 'protocol', 'both', 'include'],
      'b1 news': ['channel', 'exclude'],
      'b2 news chat': ['channel', 'protocol', 'both', 'include'],
      'b2 chat': ['protocol', 'exclude'],
      'b3 news log': ['channel', 'exclude'],
    });
  });

  it('a message reaches the client with an address, and nobody else', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    const group = of(running);
    const [connection] = running.members[2].server.connections;
    const address = groupOf(running.members[2].server).addressOf(connection!);
    expect(address).toBe('b3/conn-1');
    expect(await group.send(address, 'to one')).toBe('accepted');
    expect(await group.send('b3/conn-99', 'nobody')).toBe('unknown');
    expect(await group.send('b9/conn-1', 'nobody')).toBe('unknown');
    expect(await group.send('conn-99', 'nobody')).toBe('unknown');
    expect(await whatCame(clients)).toEqual({ ...each(clients, []), 'direct b3': ['to one'] });
  });

  it('a ping reaches every client', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    expect(await of(running).ping('are you there')).toMatchObject({ matched: 7, accepted: 7, complete: true });
    await whatCame(clients);
    for (const { pings } of Object.values(clients)) expect(pings).toEqual(['are you there']);
  });

  it('everybody is disconnected with 1001, and the channels are not', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    const group = of(running);
    expect(await group.disconnectAll()).toMatchObject({ matched: 7, accepted: 7, complete: true });
    for (const { client } of Object.values(clients)) {
      expect(await client.end()).toEqual({ code: 1001, reason: 'disconnected by the operator' });
    }
    expect(running.members.map(({ server }) => server.agent?.state)).toEqual([
      'registered',
      'registered',
      'registered',
    ]);
    expect(await group.broadcast('anybody')).toMatchObject({ matched: 0, complete: true });
  });

  it('what is begun first arrives first, everywhere', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    const texts = Array.from({ length: 200 }, (_, n) => `${n}`);
    const reports = await Promise.all(texts.map((text) => of(running).broadcast(text)));
    expect(reports.every(({ complete, matched }) => complete && matched === 7)).toBe(true);
    expect(await whatCame(clients)).toEqual(each(clients, texts));
  });
});

describe('a group', () => {
  it('in which everybody speaks at once gives each client everything once, and each speaker in its order', async () => {
    const running = await startGroup();
    const clients = await everyWay(running);
    const speakers = [running.balancer, ...running.members.map(({ server }) => server)].map(groupOf);
    const saying: Array<Promise<unknown>> = [];
    for (let n = 0; n < 50; n += 1) {
      for (const [who, speaker] of speakers.entries()) saying.push(speaker.broadcast(`${who} ${n}`));
    }
    await Promise.all(saying);
    const expected = speakers.map((_, who) => Array.from({ length: 50 }, (_, n) => `${who} ${n}`));
    for (const got of Object.values(await whatCame(clients))) {
      expect(got).toHaveLength(200);
      expect(speakers.map((_, who) => got.filter((text) => text.startsWith(`${who} `)))).toEqual(expected);
    }
  });

  it('is told by the balancer when the backend of a client cannot tell it', async () => {
    const running = await startGroup();
    const clients = { plain: await running.relayed('plain'), b1: await running.relayed('b1') };
    // By the id that it has at the balancer, which says nothing about its backend.
    const [plain, b1] = running.balancer.connections;
    const address = running.balancer.group.addressOf(plain!);
    expect(await groupOf(running.members[0].server).send(address, 'by address')).toBe('accepted');
    expect(await running.balancer.group.send(plain!.id, 'by id')).toBe('accepted');
    expect(await running.balancer.group.send(b1!.id, 'by id')).toBe('accepted');
    expect((await groupOf(running.members[0].server).broadcast('others', { exclude: [address] })).matched).toBe(1);
    expect(await whatCame(clients)).toEqual({ plain: ['by address', 'by id'], b1: ['by id', 'others'] });
  });

  it('knows a relayed client by one address, whichever id it is given by', async () => {
    const running = await startGroup();
    await running.direct(running.members[0]);
    const clients = {
      b1: await running.relayed('b1'),
      b2: await running.relayed('b2'),
      plain: await running.relayed('plain'),
    };
    const [b1, b2] = running.balancer.connections;
    const { group } = running.balancer;
    expect([group.addressOf(b1!), group.addressOf(b2!)]).toEqual(['b1/conn-2', 'b2/conn-1']);
    expect((await group.broadcast('others', { exclude: [b1!.id] })).matched).toBe(3);
    expect((await group.broadcast('one', { include: [b2!.id] })).matched).toBe(1);
    expect(await groupOf(running.members[1].server).send(group.addressOf(b1!), 'from afar')).toBe('accepted');
    // By way of its backend, too, or it would overtake what was said to all.
    const said = Promise.all([group.broadcast('first'), group.send(b1!.id, 'second'), group.broadcast('third')]);
    await said;
    expect(await whatCame(clients)).toEqual({
      b1: ['from afar', 'first', 'second', 'third'],
      b2: ['others', 'one', 'first', 'third'],
      plain: ['others', 'first', 'third'],
    });
  });

  it('names connections to a balancer, which keeps that to itself', async () => {
    const running = await startGroup();
    const fieldAt = (url: string) =>
      new Promise<unknown>((resolve) => {
        const socket = new WebSocket(url);
        onTestFinished(() => socket.terminate());
        socket.once('upgrade', ({ headers }) => resolve(headers['tidegate-connection']));
      });
    expect(await fieldAt(running.members[0].url)).toBe('conn-1');
    await running.relayed('b1');
    expect(await fieldAt(running.url)).toBeUndefined();
    expect(running.members[0].server.connections).toHaveLength(3);
    expect(await fieldAt(running.plain.addresses[0]!.url)).toBeUndefined();
  });

  it('reaches the clients of a backend that drains', async () => {
    const running = await startGroup({ drain: { whenDraining: 'keep' } });
    const clients = await everyWay(running);
    running.balancer.drainBackend('b2');
    expect(await running.balancer.group.broadcast('still here')).toMatchObject({ matched: 7, complete: true });
    expect(await whatCame(clients)).toEqual(each(clients, ['still here']));
  });
});

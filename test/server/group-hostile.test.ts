/** Owns what a registered backend can do to a group by what it says, or does not say: to itself only. Over real sockets. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/events.js';
import { Client, inState, type RawBackend, registerByHand } from './control/stage.js';
import { each, everyWay, Listener, type RunningGroup, startGroup, whatCame } from './group-stage.js';

type Fields = Record<string, unknown>;

/** A group, and a backend `raw` in it, written by hand, whose clients are with the plain server. */
async function startWithRaw(
  options: Parameters<typeof startGroup>[0] = {},
): Promise<RunningGroup & { raw: RawBackend }> {
  const running = await startGroup(options);
  const [address] = running.plain.addresses;
  const raw = await registerByHand(running.control, { bindings: [address!.url], features: ['messages'] });
  await inState(running.balancer, 'raw', 'ready');
  return { ...running, raw };
}

/** The next command or result it gets. */
async function nextOf(raw: RawBackend, type: string): Promise<Fields> {
  for (;;) {
    const message = await raw.next();
    if (message.type === type) return message;
  }
}

function command(fields: Fields = {}): Fields {
  const action = { verb: 'broadcast', message: { text: 'evil' } };
  return { type: 'command', id: '1', origin: 'raw', epoch: 'e', sequence: 1, hops: 1, waitMs: 1000, action, ...fields };
}

function result(id: unknown, fields: Fields = {}): Fields {
  const counts = { matched: 1, accepted: 1, queued: 0, dropped: 0, closed: 0 };
  return { type: 'result', id, ...counts, reached: ['raw'], lost: [], ...fields };
}

describe('a hostile backend', () => {
  it.each<[what: string, wrong: Fields, why: string]>([
    ['in the name of another backend', { origin: 'b1' }, 'malformed'],
    ['without a sequence', { sequence: undefined }, 'malformed'],
    ['with a negative deadline', { waitMs: -1 }, 'malformed'],
    ['with more hops than there are', { hops: 1000 }, 'malformed'],
    ['of an unknown verb', { action: { verb: 'shutdown' } }, 'malformed'],
    ['with what is no base64', { action: { verb: 'broadcast', message: { base64: 'abc' } } }, 'malformed'],
    ['with a message of a number', { action: { verb: 'broadcast', message: { text: 7 } } }, 'malformed'],
    [
      'with a filter that is none',
      { action: { verb: 'broadcast', message: { text: '' }, filter: { include: 'b1/conn-1' } } },
      'malformed',
    ],
    [
      'with a message that is too large',
      { action: { verb: 'broadcast', message: { text: 'x'.repeat(8 * 1024 * 1024 + 1) } } },
      'malformed',
    ],
    [
      'with bytes that are too large',
      { action: { verb: 'broadcast', message: { base64: 'AAAA'.repeat(3 * 1024 * 1024) } } },
      'malformed',
    ],
    ['with a ping that is too large', { action: { verb: 'ping', payload: 'é'.repeat(100) } }, 'malformed'],
  ])('that commands %s is sent away, and nobody else notices', async (_, wrong, why) => {
    const running = await startWithRaw();
    const clients = await everyWay(running);
    running.raw.send(command(wrong));
    expect(await nextOf(running.raw, 'refused')).toMatchObject({ why });
    expect(await running.raw.client.end()).toEqual({ code: 1008, reason: why });
    expect(running.lines).toContain(`registration.refused ${why}`);
    await eventually(() => running.balancer.backends().every(({ id }) => id !== 'raw'), 'raw is gone');
    expect(await running.balancer.group.broadcast('hi')).toMatchObject({ matched: 7, complete: true });
    expect(await whatCame(clients)).toEqual(each(clients, ['hi']));
  });

  it('cannot have a message sent to a control channel', async () => {
    const { raw, balancer } = await startWithRaw();
    const own = balancer.group.addressOf({ id: '' });
    for (let n = 1; n <= 6; n += 1) {
      const action = { verb: 'send', to: `${own}conn-${n}`, message: { text: '{"type":"refused"}' } };
      raw.send(command({ id: `${n}`, sequence: n, action }));
      expect(await nextOf(raw, 'result')).toMatchObject({ id: `${n}`, matched: 0 });
    }
  });

  it('that answers what it was not asked, and more than it can know, changes nothing for others', async () => {
    const { raw, balancer } = await startWithRaw();
    raw.send(result('nothing'));
    const report = balancer.group.broadcast('hi');
    const { id } = await nextOf(raw, 'command');
    raw.send(result('other'));
    raw.send(result(id, { matched: 3, accepted: 3, reached: ['raw', 'b9'], lost: ['b1', 'b2'] }));
    raw.send(result(id, { matched: 50 }));
    expect(await report).toMatchObject({ matched: 3, accepted: 3, lost: [], complete: true });
    expect((await report).reached).toHaveLength(5);
    // Its channel is as good as before.
    const again = balancer.group.ping();
    raw.send(result((await nextOf(raw, 'command')).id));
    expect(await again).toMatchObject({ complete: true });
  });

  it('that says a command again is answered without anybody getting it again', async () => {
    const running = await startWithRaw();
    const clients = await everyWay(running);
    for (const id of ['1', '2', '3']) running.raw.send(command({ id }));
    const results = [];
    for (let n = 0; n < 3; n += 1) results.push(await nextOf(running.raw, 'result'));
    expect(results.map(({ matched }) => matched).sort()).toEqual([0, 0, 7]);
    expect(await whatCame(clients)).toEqual(each(clients, ['evil']));
  });
});

describe('a silent backend', () => {
  it('is lost at the deadline, and costs the others nothing', async () => {
    const running = await startWithRaw({ control: { groupTimeout: 200 } });
    const clients = await everyWay(running);
    const before = performance.now();
    expect(await running.balancer.group.broadcast('hi')).toMatchObject({ matched: 7, lost: ['raw'], complete: false });
    expect(performance.now() - before).toBeGreaterThan(190);
    // A backend that asks learns it from the balancer, which waits less than the backend does.
    const { group } = running.members[0].server;
    const report = await group!.broadcast('ho');
    expect(report).toMatchObject({ matched: 7, lost: ['raw'], complete: false });
    expect(report.reached).toHaveLength(4);
    expect(await group!.send('raw/conn-1', 'you')).toBe('lost');
    expect(await whatCame(clients)).toEqual(each(clients, ['hi', 'ho']));
  });

  it('that goes away midway is lost at once', async () => {
    const { balancer, raw } = await startWithRaw({ control: { groupTimeout: '60s' } });
    const report = balancer.group.broadcast('hi');
    await nextOf(raw, 'command');
    raw.client.socket.terminate();
    expect(await report).toMatchObject({ lost: ['raw'], complete: false });
  });

  it('whose channel is lost has its clients to itself: they are reported, and not told by the balancer', async () => {
    const running = await startWithRaw({ drain: { whenLost: 'keep', timeout: 0 } });
    const clients = { raw: await running.relayed('raw'), b1: await running.relayed('b1') };
    running.raw.client.socket.terminate();
    await inState(running.balancer, 'raw', 'draining');
    const { group } = running.balancer;
    expect(await group.broadcast('hi')).toMatchObject({ matched: 1, lost: ['raw'], complete: false });
    expect(await group.send('raw/conn-1', 'hi')).toBe('lost');
    expect(await whatCame(clients)).toEqual({ raw: [], b1: ['hi'] });
    clients.raw.client.socket.close();
    await inState(running.balancer, 'raw', 'none');
    expect(await group.broadcast('ho')).toMatchObject({ matched: 1, lost: [], complete: true });
  });

  it('that does not read is held back for no further than the bound, and lost without a wait', async () => {
    const running = await startWithRaw({
      control: { groupTimeout: '60s', lease: '60s' },
      limits: { maxQueuedBytes: '2MiB' },
    });
    const listener = new Listener(await Client.open(running.members[0].url));
    running.raw.client.socket.pause();
    onTestFinished(() => running.raw.client.socket.terminate());
    const message = Buffer.alloc(512 * 1024, 'x');
    const reports: Array<Promise<{ readonly lost: readonly string[] }>> = [];
    let lost = 0;
    for (let n = 0; n < 64; n += 1) {
      const report = running.balancer.group.broadcast(message.toString());
      reports.push(report);
      void report.then((told) => {
        if (told.lost.includes('raw')) lost += 1;
      });
      await listener.client.next();
    }
    await eventually(() => lost >= 32, 'what does not fit is lost at once', { instead: () => `${lost}` });
    expect(running.balancer.snapshot().heldBytes).toBeLessThan(4 * 1024 * 1024);
    expect(await listener.all()).toEqual([]);
    running.raw.client.socket.terminate();
    for (const report of reports) expect((await report).lost).toEqual(['raw']);
  });
});

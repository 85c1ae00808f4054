/** Holds what the admin API tells about connections, how a list of them is chosen and cut into pages, and what it does to them. */
import { describe, expect, it } from 'vitest';
import type { ReceiverServerOptions } from '../../../src/index.js';
import { receiverFactory } from '../../support/recording-receiver.js';
import { basic } from '../authentication/ways.js';
import { createAgent, startBackend, startBalancer } from '../control/stage.js';
import { startProxy, startReceivers, startUpstream } from '../stage.js';
import { type AdminAnswer, askAdmin } from './ask-admin.js';

interface Row {
  readonly id: string;
  readonly [name: string]: unknown;
}

interface List {
  readonly connections: readonly Row[];
  readonly matched: number;
  readonly next?: string;
}

type Ask = (method: string, path: string, body?: unknown) => Promise<AdminAnswer>;

const ADMIN = { listen: '127.0.0.1:0' };

function lister(url: string) {
  const ask: Ask = (method, path, body) => askAdmin(url, { method, path: `/api/v1/${path}`, body });
  const list = async (query = '') => (await ask('GET', `connections${query}`)).body as List;
  const ids = async (query = '') => (await list(query)).connections.map(({ id }) => id);
  return { ask, list, ids };
}

async function stage(options: Partial<ReceiverServerOptions> = {}) {
  const running = await startReceivers({ admin: ADMIN, ...options });
  return { ...running, ...lister(running.server.adminUrl!) };
}

/** Users with tags: `ada` is of the staff, everybody else a guest. */
const PEOPLE: Partial<ReceiverServerOptions> = {
  authentication: {},
  onAuthentication: ({ user }) => ({ name: user, scheme: 'test', tags: [user === 'ada' ? 'Staff' : 'guests'] }),
};

describe('a list', () => {
  it('tells of each connection what its snapshot does, and where the chart of its upstream is', async () => {
    const upstream = await startUpstream();
    const { open, server } = await startProxy({ target: upstream.url, admin: ADMIN });
    await open({ path: '/desk' });
    const { list, ask } = lister(server.adminUrl!);
    const { connections, matched, next } = await list();
    const { connections: told } = server.snapshot();
    const side = { chart: { open: { outbound: 'flowing', inbound: 'reading', liveness: 'alive' } } };
    expect(connections).toEqual([{ ...JSON.parse(JSON.stringify(told[0])), control: false, upstream: side }]);
    expect([matched, next]).toEqual([1, undefined]);
    const detail = (await ask('GET', 'connections/conn-1')).body;
    expect(detail).toMatchObject({
      id: 'conn-1',
      path: '/desk',
      history: expect.arrayContaining([expect.objectContaining({ side: 'upstream', event: 'dial.succeeded' })]),
      historyDropped: 0,
      waterMarks: { high: 65_536, low: 16_384 },
      upstream: { ...side, target: upstream.url, speaksWebSocket: true, bufferedBytes: 0 },
    });
  });

  it('is chosen by address, user, tag, path, a part of any of them, and all together', async () => {
    const { open, ids, list } = await stage(PEOPLE);
    await open({ ...basic('ada', 'x'), path: '/desk' });
    await open({ ...basic('bob', 'x'), path: '/Desk' });
    await open({ ...basic('ben', 'x'), path: '/desk' });
    expect(await ids('?user=ada')).toEqual(['conn-1']);
    expect(await ids('?tag=guests&sort=id')).toEqual(['conn-2', 'conn-3']);
    expect(await ids('?tag=GUESTS')).toEqual([]);
    expect(await ids('?path=/desk&sort=id')).toEqual(['conn-1', 'conn-3']);
    expect(await ids('?path=/desk&tag=guests')).toEqual(['conn-3']);
    expect(await ids('?address=127.0.0.1&sort=id')).toEqual(['conn-1', 'conn-2', 'conn-3']);
    expect(await ids('?address=127.0.0')).toEqual([]);
    expect(await ids('?search=DESK&sort=id')).toEqual(['conn-1', 'conn-2', 'conn-3']);
    expect(await ids('?search=staff')).toEqual(['conn-1']);
    expect(await ids('?search=BO')).toEqual(['conn-2']);
    expect(await ids('?search=onn-3')).toEqual(['conn-3']);
    expect(await list('?search=nobody')).toEqual({ connections: [], matched: 0 });
    expect(await ids('?search=&user=&sort=id')).toHaveLength(3);
  });

  it('is chosen by a state of either chart, and by those above it', async () => {
    const upstream = await startUpstream();
    const { open, server } = await startProxy({ target: upstream.url, admin: ADMIN });
    const { ids } = lister(server.adminUrl!);
    await open();
    await open();
    server.connection('conn-1')!.pause();
    expect(await ids('?state=connection.open.inbound.paused')).toEqual(['conn-1']);
    expect(await ids('?state=connection.open.liveness.suspended')).toEqual(['conn-1']);
    expect(await ids('?state=connection.open.inbound.reading')).toEqual(['conn-2']);
    expect(await ids('?state=connection.open&sort=id')).toEqual(['conn-1', 'conn-2']);
    expect(await ids('?state=upstream.open.outbound.flowing&sort=id')).toEqual(['conn-1', 'conn-2']);
    expect(await ids('?state=upstream.dialling')).toEqual([]);
    expect(await ids('?state=connection.handshaking')).toEqual([]);
  });

  it('is ordered by what is asked for: the newest, the busiest, the slowest first, and ids as they are counted', async () => {
    const { open, server, ids } = await stage();
    for (let count = 0; count < 11; count += 1) await open();
    for (const [id, text] of [
      ['conn-3', 'xxxx'],
      ['conn-5', 'xx'],
      ['conn-5', 'x'],
    ] as const) {
      server.send(id, text);
    }
    expect((await ids('?sort=id')).at(-1)).toBe('conn-11');
    expect((await ids('?sort=id&order=desc')).slice(0, 2)).toEqual(['conn-11', 'conn-10']);
    expect((await ids('?sort=bytes')).slice(0, 2)).toEqual(['conn-3', 'conn-5']);
    expect((await ids('?sort=messages')).slice(0, 2)).toEqual(['conn-5', 'conn-3']);
    expect((await ids('?sort=bytes&order=asc')).slice(-2)).toEqual(['conn-5', 'conn-3']);
    expect(await ids('?sort=roundTripMs&limit=3')).toHaveLength(3);
    expect(await ids('?sort=bufferedBytes&limit=3')).toHaveLength(3);
    const newest = await ids();
    expect(newest).toHaveLength(11);
    const opened = newest.map((id) => server.connection(id)!.snapshot().openedAt!);
    expect(opened).toEqual([...opened].sort().reverse());
  });

  it.each(['id', 'openedAt', 'bytes'])(
    'by %s has pages that tell of everybody once, whoever comes and goes',
    async (sort) => {
      const { open, server, list } = await stage();
      for (let count = 0; count < 25; count += 1) await open();
      const seen: string[] = [];
      let page = await list(`?sort=${sort}&limit=4`);
      seen.push(...page.connections.map(({ id }) => id));
      let left = 0;
      while (page.next !== undefined) {
        // The last one that was told goes, so that the next page begins behind somebody who is gone; and another one comes.
        server.connection(seen.at(-1)!)!.terminate();
        left += 1;
        await open();
        page = await list(`?sort=${sort}&limit=4&cursor=${page.next}`);
        expect(page.connections.length).toBeLessThanOrEqual(4);
        seen.push(...page.connections.map(({ id }) => id));
        await open();
      }
      expect(left).toBeGreaterThan(4);
      expect(new Set(seen).size).toBe(seen.length);
      const first = Array.from({ length: 25 }, (_, index) => `conn-${index + 1}`);
      expect(first.filter((id) => !seen.includes(id))).toEqual([]);
    },
  );

  it.each([
    ['limit=0', 'limit: got "0"; expected a whole number from 1 to 1000'],
    ['limit=1001', 'limit: got "1001"; expected'],
    ['limit=1e2', 'limit: got "1e2"; expected'],
    ['sort=name', 'sort: got "name"; expected one of openedAt, bytes'],
    ['order=up', `order: got "up"; expected 'asc' or 'desc'`],
    ['state=open', 'state: got "open"; expected the id of a state'],
    ['state=__proto__', 'state: got "__proto__"; expected the id of a state'],
    ['limt=3', 'unknown parameter "limt": did you mean limit?'],
    ['cursor=x', 'cursor: got "x"; expected the "next" of an answer'],
    [
      'cursor=WyJpZCIsImFzYyIsMCwiY29ubi0yIl0&sort=bytes',
      'expected the "next" of an answer with the same sort and order',
    ],
  ])('that is asked for with %s is refused with what would be right', async (query, message) => {
    const { ask } = await stage();
    const { status, body } = await ask('GET', `connections?${query}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'ADMIN_BAD_REQUEST', message: expect.stringContaining(message) } });
  });
});

describe('a connection', () => {
  it('is closed as the operator says, and its report says that it was the operator', async () => {
    const { open, ask, events } = await stage();
    const client = await open();
    const answer = await ask('POST', 'connections/conn-1/close', { code: 4001, reason: 'enough' });
    expect([answer.status, answer.body]).toEqual([202, { id: 'conn-1', state: 'closing' }]);
    expect(await client.answerClose()).toMatchObject({ code: 4001, reason: 'enough' });
    const report = { initiator: 'operator', cause: 'disconnected', codeSent: 4001 };
    expect(await events.reports.next()).toMatchObject(report);
    const again = await open();
    await ask('POST', 'connections/conn-2/close');
    expect(await again.answerClose()).toMatchObject({ code: 1000, reason: 'closed by the operator' });
  });

  it('is cut, and its report says that it was the operator', async () => {
    const { open, ask, events } = await stage();
    const client = await open();
    expect((await ask('POST', 'connections/conn-1/terminate')).body).toEqual({ id: 'conn-1', state: 'closed' });
    await client.waitForEnd();
    expect(await events.reports.next()).toMatchObject({ initiator: 'operator', cause: 'terminated', status: 1006 });
    expect((await ask('POST', 'connections/conn-1/terminate')).status).toBe(404);
  });

  it('gets text, bytes and pings, and keeps to the rates it is given', async () => {
    const { open, ask } = await stage();
    const client = await open();
    const result = { id: 'conn-1', state: 'open', result: 'accepted' };
    expect((await ask('POST', 'connections/conn-1/send', { text: 'héllo' })).body).toEqual(result);
    expect(await client.nextText()).toBe('héllo');
    expect((await ask('POST', 'connections/conn-1/send', { base64: 'AP8=' })).body).toEqual(result);
    expect((await client.nextFrame()).payload).toEqual(Buffer.from([0, 255]));
    expect((await ask('POST', 'connections/conn-1/ping')).body).toEqual(result);
    expect((await client.nextFrame()).opcode).toBe(9);
    const slowed = await ask('POST', 'connections/conn-1/throttle', { write: '8kbit', read: 0 });
    expect([slowed.status, slowed.body]).toEqual([200, { id: 'conn-1', state: 'open' }]);
    await ask('POST', 'connections/conn-1/send', { text: 'x'.repeat(30_000) });
    expect((await ask('POST', 'connections/conn-1/send', { text: 'y' })).body).toMatchObject({ result: 'queued' });
  });

  it('that is not open takes no message, and says so', async () => {
    const receivers = receiverFactory({ onUpgradeRequest: () => new Promise(() => {}) });
    const { ask, list, handshake } = await stage({ receiver: receivers.create });
    const answer = handshake();
    await expect.poll(async () => (await list()).matched).toBe(1);
    for (const [verb, body] of [
      ['send', { text: '' }],
      ['ping', {}],
      ['throttle', { read: 1 }],
    ] as const) {
      const refused = await ask('POST', `connections/conn-1/${verb}`, body);
      expect([refused.status, refused.body]).toMatchObject([409, { error: { code: 'CONNECTION_NOT_OPEN' } }]);
    }
    expect((await ask('POST', 'connections/conn-1/close')).body).toEqual({ id: 'conn-1', state: 'rejected' });
    expect((await answer).status).toBe(503);
  });

  it.each([
    ['close', { code: 1005 }, 'code: got 1005; expected a code that a Close frame may carry'],
    ['close', { code: '1000' }, 'code: got "1000"; expected a code'],
    ['close', { reason: 5 }, 'reason: got 5; expected text'],
    ['close', { reson: 'x' }, 'unknown field "reson": did you mean reason?'],
    ['terminate', { now: true }, 'unknown field "now": expected none'],
    ['send', {}, 'expected either "text" or "base64"'],
    ['send', { text: 'a', base64: '' }, 'expected either "text" or "base64"'],
    ['send', { text: 5 }, 'text: got 5; expected text'],
    ['send', { base64: '%' }, 'base64: got "%"; expected bytes in base64'],
    ['throttle', {}, 'expected "read", "write" or both'],
    ['throttle', { read: 'fast' }, `read: got "fast"; expected bits a second as a whole number`],
    ['throttle', { write: -1 }, 'write: got -1; expected bits a second'],
    ['ping', { payload: 'x' }, 'unknown field "payload": expected none'],
  ])('is left alone when %s is asked for with %j', async (verb, body, message) => {
    const { open, ask, server } = await stage();
    await open();
    const answer = await ask('POST', `connections/conn-1/${verb}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { message: expect.stringContaining(message) } });
    expect(server.connection('conn-1')?.state).toBe('open');
  });
});

describe('a control channel', () => {
  it('is marked as no client, takes no message, and is not among all that are sent away or cut', async () => {
    const { balancer, control } = await startBalancer({ admin: ADMIN });
    const { url } = await startBackend('a');
    const ready = new Promise((resolve) => balancer.once('backend.ready', resolve));
    await createAgent({ balancer: control, advertise: url, id: 'a' }).start();
    await ready;
    const { ask, list } = lister(balancer.adminUrl!);
    const { connections } = await list();
    expect(connections).toMatchObject([{ control: true }]);
    const { id } = connections[0]!;
    for (const [verb, body] of [
      ['send', { text: 'x' }],
      ['throttle', { read: 1 }],
    ] as const) {
      const refused = await ask('POST', `connections/${id}/${verb}`, body);
      expect([refused.status, refused.body]).toMatchObject([409, { error: { code: 'CONTROL_CHANNEL' } }]);
    }
    for (const verb of ['disconnect-all', 'terminate-all']) {
      expect((await ask('POST', verb)).body).toEqual({ connections: 0 });
    }
    expect((await list()).connections).toMatchObject([{ id, state: 'open' }]);
  });
});

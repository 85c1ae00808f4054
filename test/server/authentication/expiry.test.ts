/** Holds that a connection ends with its credentials, is announced before, and can be renewed; and who can be disconnected. */
import { describe, expect, it } from 'vitest';
import { type Connection, ConnectionReceiver, type Principal, type ProxyServerOptions } from '../../../src/index.js';
import { deferred } from '../../support/events.js';
import { startReceivers } from '../stage.js';
import { basic } from './ways.js';

/** Every user is let in, for so many milliseconds. */
async function stage(lasts: number | undefined, options: Partial<ProxyServerOptions> = {}) {
  const principal = (name: string): Principal => ({
    name,
    scheme: 'test',
    tags: [`${name[0]}-team`],
    expiresAt: lasts === undefined ? undefined : Date.now() + lasts,
  });
  const running = await startReceivers({
    authentication: { expiryWarning: 200 },
    onAuthentication: ({ user }) => principal(user),
    ...options,
  });
  const expiring: Array<[Connection, Date]> = [];
  const warned = deferred<Connection>();
  running.server.on('expiring', (connection, expiresAt) => {
    expiring.push([connection, expiresAt]);
    warned.resolve(connection);
  });
  return {
    ...running,
    principal,
    expiring,
    warned: warned.promise,
    login: (user: string) => running.open(basic(user, 'x')),
  };
}

describe('credentials that expire', () => {
  it('end the connection with 1008 when the time comes, and not before; with a warning once', async () => {
    const { login, events, expiring, server } = await stage(500);
    const client = await login('ada');
    const connection = await events.connections.next();
    const expiresAt = connection.principal?.expiresAt ?? 0;
    expect(await client.answerClose()).toMatchObject({ code: 1008, reason: 'credentials expired' });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
    expect(await events.reports.next()).toMatchObject({
      cause: 'CREDENTIALS_EXPIRED',
      initiator: 'proxy',
      status: 1008,
    });
    expect(expiring).toEqual([[connection, new Date(expiresAt)]]);
    expect(server.connections).toEqual([]);
  });

  it('end it with the code of the options, without a warning where none is wanted', async () => {
    const { login, expiring } = await stage(100, { authentication: { expiryWarning: 0, rejectCode: 4403 } });
    const client = await login('ada');
    expect(await client.answerClose()).toMatchObject({ code: 4403 });
    expect(expiring).toEqual([]);
  });

  it('that end sooner than the warning are announced at once', async () => {
    const { login, expiring } = await stage(100, { authentication: { expiryWarning: '1h' } });
    const client = await login('ada');
    expect(await client.answerClose()).toMatchObject({ code: 1008 });
    expect(expiring).toHaveLength(1);
  });

  it('that have ended when they are shown are refused', async () => {
    const { handshake, events } = await stage(-5000);
    expect((await handshake(basic('ada', 'x'))).status).toBe(401);
    expect(events.rejections.all).toMatchObject([{ error: 'CREDENTIALS_EXPIRED' }]);
  });

  it('that end while the target is dialled end the connection as soon as it is open', async () => {
    const gate = deferred<void>();
    class Slow extends ConnectionReceiver {
      override async onUpgradeRequest(): Promise<boolean> {
        await gate.promise;
        return true;
      }
    }
    const { login, events } = await stage(50, { receiver: () => new Slow() });
    const ending = login('ada').then((client) => client.answerClose());
    setTimeout(() => gate.resolve(), 60);
    expect(await ending).toMatchObject({ code: 1008 });
    expect(await events.reports.next()).toMatchObject({ cause: 'CREDENTIALS_EXPIRED' });
  });

  it('can be renewed, and are watched anew then', async () => {
    const { login, warned, expiring, principal } = await stage(400);
    const client = await login('ada');
    const connection = await warned;
    const later: Principal = { ...principal('ada'), expiresAt: (connection.principal?.expiresAt ?? 0) + 300 };
    connection.renew(later);
    expect(connection.principal).toBe(later);
    expect(await client.answerClose()).toMatchObject({ code: 1008 });
    expect(Date.now()).toBeGreaterThanOrEqual(later.expiresAt ?? 0);
    expect(expiring).toHaveLength(2);
  });

  it('can be renewed for ever, and by nobody else', async () => {
    const { login, warned, server } = await stage(300);
    const client = await login('ada');
    const connection = await warned;
    expect(() => connection.renew({ name: 'ada', scheme: 'test', expiresAt: new Date() as never })).toThrow(
      /renew\(\) gave no principal/,
    );
    expect(() => connection.renew({ name: 'bob', scheme: 'test' })).toThrow(/with the name that the connection has/);
    connection.renew({ name: 'ada', scheme: 'test' });
    // Whose credentials end later than those of the first did.
    expect(await (await login('bob')).answerClose()).toMatchObject({ code: 1008 });
    expect(server.connections).toEqual([connection]);
    client.sendPing('alive');
    expect((await client.nextFrame()).payload.toString()).toBe('alive');
  });

  it('are renewed by the hook, or end when it does not or fails', async () => {
    const asked: string[] = [];
    const { login, events } = await stage(300, {
      onCredentialsExpiring: async (connection) => {
        const { principal } = connection;
        asked.push(principal?.name ?? '');
        if (principal?.name === 'eve') throw new Error('cannot be asked');
        return principal?.name === 'ada' && asked.filter((name) => name === 'ada').length < 2
          ? { ...principal, expiresAt: (principal.expiresAt ?? 0) + 300 }
          : undefined;
      },
    });
    const [ada, bob, eve] = [await login('ada'), await login('bob'), await login('eve')];
    expect(await bob.answerClose()).toMatchObject({ code: 1008 });
    expect(await eve.answerClose()).toMatchObject({ code: 1008 });
    expect(await ada.answerClose()).toMatchObject({ code: 1008 });
    expect(asked.toSorted()).toEqual(['ada', 'ada', 'bob', 'eve']);
    expect(events.lines.filter((line) => line.startsWith('exception'))).toEqual(['exception cannot be asked']);
  });

  it('hold no connection up that ends before them', async () => {
    const { login, events, expiring, server } = await stage(60_000_000_000);
    const client = await login('ada');
    await events.connections.next();
    client.sendClose(1000);
    await events.reports.next();
    await server.stop();
    expect(expiring).toEqual([]);
  });
});

describe('disconnect', () => {
  it('ends the connections of a user, with a tag, an id or from an address, and says how many', async () => {
    const { login, server, events } = await stage(undefined);
    const [ada, anna, bob] = [await login('ada'), await login('anna'), await login('bob')];
    const ids = server.connections.map(({ id }) => id);
    expect(server.disconnect({ user: 'nobody' })).toBe(0);
    expect(server.disconnect({ tag: 'a-team', user: 'bob' })).toBe(0);
    expect(server.disconnect({ address: '192.0.2.1' })).toBe(0);
    expect(server.disconnect({ user: 'ada' })).toBe(1);
    expect(await ada.answerClose()).toMatchObject({ code: 1008, reason: 'disconnected by the operator' });
    expect(await events.reports.next()).toMatchObject({ initiator: 'operator', cause: 'disconnected' });
    expect(server.disconnect({ tag: 'a-team' }, { code: 4000, reason: 'the team is over' })).toBe(1);
    expect(await anna.answerClose()).toMatchObject({ code: 4000, reason: 'the team is over' });
    await events.reports.next();
    expect(server.disconnect({ id: ids[0] })).toBe(0);
    expect(server.disconnect({ id: ids[2], address: '127.0.0.1' })).toBe(1);
    expect(await bob.answerClose()).toMatchObject({ code: 1008 });
  });

  it('takes no filter that would end everybody, and no code that may not be sent', async () => {
    const { login, server } = await stage(undefined);
    await login('ada');
    expect(() => server.disconnect({})).toThrow(/takes a user, tag, id or address/);
    expect(() => server.disconnect({ user: undefined })).toThrow(/takes a user, tag, id or address/);
    expect(() => server.disconnect({ user: 'ada' }, { code: 1006 as never })).toThrow(/1006/);
    expect(server.connections).toHaveLength(1);
    await server.stop({ drainTimeout: 0 });
    expect(server.disconnect({ user: 'ada' })).toBe(0);
  });
});

it('a broadcast reaches the connections of a user, or with a tag', async () => {
  const { login, server } = await stage(undefined);
  const [ada, bob] = [await login('ada'), await login('bob')];
  expect(server.broadcast('to ada', { user: 'ada' })).toMatchObject({ matched: 1 });
  expect(server.broadcast('to the team', { tag: 'b-team' })).toMatchObject({ matched: 1 });
  expect(server.broadcast('to nobody', { tag: 'b-team', user: 'ada' })).toMatchObject({ matched: 0 });
  expect(await ada.nextText()).toBe('to ada');
  expect(await bob.nextText()).toBe('to the team');
});

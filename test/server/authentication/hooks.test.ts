/** Holds when the hooks about authentication are asked, with what, and what becomes of every answer. */
import { describe, expect, it } from 'vitest';
import { type Principal, ProxyServer, type UpgradeRequest } from '../../../src/index.js';
import { deferred } from '../../support/events.js';
import { openClient } from '../../support/for-one-test.js';
import { requestBytes } from '../../support/raw-client.js';
import { connectTcp } from '../../support/tcp-connection.js';
import { startReceivers } from '../stage.js';
import { basic, PASSWORD } from './ways.js';

const BEARER = { headers: { Authorization: 'Bearer t0ken' } };

describe('onAuthentication', () => {
  it('is asked about a user that the options do not have, and not about others', async () => {
    const asked: string[] = [];
    const { handshake } = await startReceivers({
      authentication: { users: { ada: PASSWORD } },
      onAuthentication: (credentials, request) => {
        asked.push(`${credentials.scheme} ${credentials.user} ${credentials.password} ${request.path}`);
        return credentials.user === 'bob';
      },
    });
    expect((await handshake({ ...basic('ada', PASSWORD), path: '/x' })).status).toBe(101);
    expect(asked).toEqual([]);
    expect((await handshake({ ...basic('bob', 'b'), path: '/x?y' })).status).toBe(101);
    expect((await handshake(basic('ada', 'wrong'))).status).toBe(401);
    expect((await handshake()).status).toBe(401);
    expect((await handshake(BEARER)).status).toBe(401);
    expect(asked).toEqual(['basic bob b /x', 'basic ada wrong /']);
  });

  it.each<[string, unknown, number]>([
    ['true', true, 101],
    ['a principal', { name: 'bob', scheme: 'ldap', tags: ['staff'] } satisfies Principal, 101],
    ['a principal without a scheme', { name: 'bob' }, 101],
    ['false', false, 401],
    ['nothing', undefined, 401],
    ['a principal without a name', { scheme: 'ldap' }, 503],
    ['text', 'bob', 503],
    ['a principal whose end is no number', { name: 'bob', expiresAt: new Date() }, 503],
    ['a principal whose tags are no list', { name: 'bob', tags: 'staff' }, 503],
    ['null', null, 503],
  ])('may answer with %s', async (_, answer, status) => {
    for (const given of [answer, Promise.resolve(answer)]) {
      const { handshake, server, events } = await startReceivers({
        authentication: {},
        onAuthentication: () => given as boolean,
      });
      expect((await handshake(basic('bob', 'b'))).status).toBe(status);
      if (status === 101) expect(server.connections[0]?.principal?.name).toBe('bob');
      expect(events.exceptions.all).toHaveLength(status === 503 ? 1 : 0);
    }
  });

  it('that throws or rejects answers 503 without its words, and tells the exception', async () => {
    for (const fail of [
      () => {
        throw new Error('the directory is down');
      },
      async () => {
        throw new Error('the directory is down');
      },
    ]) {
      const { handshake, events } = await startReceivers({ authentication: {}, onAuthentication: fail });
      const answer = await handshake(basic('bob', 'b'));
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBeDefined();
      expect(answer.body).not.toContain('directory');
      expect(events.lines).toEqual([
        'startup 1',
        'exception the directory is down',
        'rejected AUTHENTICATION_UNAVAILABLE',
      ]);
    }
  });

  it('that does not answer in time answers 503', async () => {
    const { handshake, events } = await startReceivers({
      authentication: { timeout: 60 },
      onAuthentication: () => new Promise(() => {}),
    });
    expect((await handshake(basic('bob', 'b'))).status).toBe(503);
    expect(events.lines).toEqual(['startup 1', 'rejected AUTHENTICATION_UNAVAILABLE']);
  });

  it('that does not answer before the deadline of the handshake answers 503 too, and one that is asked by a server that stops', async () => {
    const slow = { authentication: {}, onAuthentication: () => new Promise<boolean>(() => {}) };
    const late = await startReceivers({ ...slow, timeouts: { handshake: 60 } });
    expect((await late.handshake(basic('bob', 'b'))).status).toBe(503);
    expect(late.events.lines).toEqual(['startup 1', 'rejected AUTHENTICATION_UNAVAILABLE']);

    const asked = deferred<void>();
    const { handshake, server, events } = await startReceivers({
      ...slow,
      onAuthentication: () => {
        asked.resolve();
        return new Promise<boolean>(() => {});
      },
    });
    const answer = handshake(basic('bob', 'b'));
    await asked.promise;
    await server.stop();
    expect((await answer).status).toBe(503);
    expect(events.lines).toContain('rejected SHUTTING_DOWN');
  });

  it('learns by the signal that its client left, and what it answers then does nothing', async () => {
    const asked = deferred<UpgradeRequest>();
    const answer = deferred<boolean>();
    const { port, events, server } = await startReceivers({
      authentication: {},
      onAuthentication: (_, request) => {
        asked.resolve(request);
        return answer.promise;
      },
    });
    const client = await connectTcp({ port });
    client.write(requestBytes({ port, ...basic('bob', 'b') }));
    const { signal } = await asked.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    client.destroy();
    await aborted;
    expect(await events.rejections.next()).toMatchObject({ error: 'DOWNSTREAM_GONE' });
    answer.resolve(true);
    await answer.promise;
    expect(server.snapshot().connections).toEqual([]);
    expect(events.lines).toEqual(['startup 1', 'rejected DOWNSTREAM_GONE']);
  });
});

describe('onUnknownAuthentication', () => {
  it('is asked about every scheme that is not built in or configured', async () => {
    const asked: string[] = [];
    const { handshake, server } = await startReceivers({
      authentication: { users: { ada: PASSWORD }, cookie: 'sid' },
      onUnknownAuthentication: (scheme, data) => {
        asked.push(`${scheme}: ${data}`);
        return data !== 'no';
      },
    });
    expect((await handshake({ headers: { Authorization: 'Negotiate abc' } })).status).toBe(101);
    expect((await handshake(BEARER)).status).toBe(101);
    expect((await handshake({ headers: { Cookie: 'sid=c00kie' } })).status).toBe(101);
    expect((await handshake({ headers: { Authorization: 'ApiKey no' } })).status).toBe(401);
    expect((await handshake(basic('ada', PASSWORD))).status).toBe(101);
    expect((await handshake(basic('ada', 'wrong'))).status).toBe(401);
    expect(asked).toEqual(['Negotiate: abc', 'Bearer: t0ken', 'Bearer: c00kie', 'ApiKey: no']);
    expect(server.connections.map(({ principal }) => principal?.name)).toEqual([
      'Negotiate',
      'Bearer',
      'Bearer',
      'ada',
    ]);
  });
});

describe('without the option', () => {
  it('a hook is refused, because nobody would be asked', () => {
    expect(() => new ProxyServer({ target: 'tcp://127.0.0.1:1', onAuthentication: () => true })).toThrow(
      /^onAuthentication: nobody is asked who he is without the option authentication/,
    );
  });

  it('or with one by which nobody could get in, no server can be made', () => {
    expect(() => new ProxyServer({ target: 'tcp://127.0.0.1:1', authentication: {} })).toThrow(
      /^authentication: nobody can get in/,
    );
    expect(
      () => new ProxyServer({ target: 'tcp://127.0.0.1:1', authentication: {}, onAuthentication: () => true }),
    ).not.toThrow();
  });

  it('nothing is asked or taken out', async () => {
    const { port, server } = await startReceivers();
    await openClient({ port, ...basic('ada', PASSWORD) });
    expect(server.connections[0]?.request.headers.authorization).toBeDefined();
    expect(server.connections[0]?.principal).toBeUndefined();
  });
});

it('forwardAuthorization leaves in the request what was checked', async () => {
  const { handshake, server } = await startReceivers({
    authentication: { users: { ada: PASSWORD }, forwardAuthorization: true },
  });
  expect((await handshake(basic('ada', PASSWORD))).status).toBe(101);
  expect(server.connections[0]?.request.headers.authorization).toMatch(/^Basic /);
});

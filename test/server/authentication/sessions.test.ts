/** Holds the way of a session token: asked for over HTTP, used for a WebSocket in every place, once or for its lifetime. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../../src/index.js';
import { SECRET, sign } from '../../support/tokens.js';
import { startReceivers } from '../stage.js';
import { PASSWORD } from './ways.js';

type AuthenticationInput = NonNullable<ProxyServerOptions['authentication']>;

const BASIC = `Basic ${Buffer.from(`ada:${PASSWORD}`).toString('base64')}`;
const ORIGIN = 'https://app.example';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** Asks over HTTP, as any client would. */
function ask(
  port: number,
  headers: Record<string, string> = {},
  method = 'POST',
  path = '/session',
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function stage(options: Partial<AuthenticationInput> = {}, others: Partial<ProxyServerOptions> = {}) {
  const running = await startReceivers({
    authentication: {
      users: { ada: { password: PASSWORD, tags: ['staff'] } },
      tokenParameters: ['token'],
      sessions: {},
      ...options,
    },
    ...others,
  });
  const token = async (): Promise<string> => {
    const { status, body } = await ask(running.port, { Authorization: BASIC });
    expect(status).toBe(200);
    return (JSON.parse(body) as { token: string }).token;
  };
  return { ...running, token };
}

describe('asking for a token', () => {
  it.each(['GET', 'POST'])(
    'with %s and the right password answers with a token, when it ends, and not to be stored',
    async (method) => {
      const { port, events } = await stage();
      const before = Date.now();
      const { status, headers, body } = await ask(
        port,
        { Authorization: BASIC },
        method,
        '/session?x=1',
        method === 'POST' ? 'ignored' : '',
      );
      const { token, expiresAt, expiresIn } = JSON.parse(body) as {
        token: string;
        expiresAt: string;
        expiresIn: number;
      };
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'cache-control': 'no-store',
        vary: 'Origin',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['set-cookie']).toBeUndefined();
      expect(token).toMatch(/^tgs_/);
      expect(Date.parse(expiresAt)).toBeGreaterThanOrEqual(before + 60_000);
      expect(expiresIn).toBeGreaterThan(55);
      expect(events.lines).toEqual(['startup 1']);
    },
  );

  it.each<[string, Record<string, string>, string]>([
    ['without credentials', {}, 'UNAUTHENTICATED'],
    ['with a wrong password', { Authorization: BASIC.replace('YWRh', 'YWRi') }, 'INVALID_CREDENTIALS'],
    ['with what is malformed', { Authorization: 'Basic !' }, 'INVALID_CREDENTIALS'],
  ])('%s answers 401', async (_, headers, error) => {
    const { port, events } = await stage();
    const answer = await ask(port, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('Basic realm="tidegate"');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(events.rejections.all).toMatchObject([{ error, status: 401, path: '/session' }]);
  });

  it('is for those who say who they are, and not for anonymous clients or with another session token', async () => {
    const { port, token } = await stage({ allowAnonymous: true });
    expect((await ask(port)).status).toBe(401);
    const first = await token();
    expect((await ask(port, { Authorization: `Bearer ${first}` })).status).toBe(401);
  });

  it('takes any credentials that the server takes', async () => {
    const { port, handshake, server } = await stage({ jwt: { secret: SECRET } });
    const answer = await ask(port, { Authorization: `Bearer ${await sign()}` });
    expect(answer.status).toBe(200);
    const { token } = JSON.parse(answer.body) as { token: string };
    expect((await handshake({ path: `/?token=${token}` })).status).toBe(101);
    expect(server.connections[0]?.principal).toMatchObject({ name: 'ada', scheme: 'session', claims: { sub: 'ada' } });
  });

  it('gets 503 when as many tokens are out as may be', async () => {
    const { port, token } = await stage({ sessions: { max: 2 } });
    await token();
    await token();
    const answer = await ask(port, { Authorization: BASIC });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
  });

  it('elsewhere, or with another method, is the 426 that it was', async () => {
    const { port } = await stage();
    expect((await ask(port, { Authorization: BASIC }, 'POST', '/other')).status).toBe(426);
    expect((await ask(port, { Authorization: BASIC }, 'DELETE')).status).toBe(426);
    expect((await ask(port, { Authorization: BASIC, 'Sec-WebSocket-Protocol': ',,' }, 'GET')).status).toBe(400);
  });

  it('gets a cookie where tokens may come in one, which no script can read and no other site can use', async () => {
    const { port, handshake, server } = await stage({ cookie: 'sid', tokenParameters: undefined });
    const { headers, body } = await ask(port, { Authorization: BASIC });
    const { token } = JSON.parse(body) as { token: string };
    const [cookie = ''] = headers['set-cookie'] as string[];
    expect(cookie).toMatch(new RegExp(`^sid=${token}; Path=/; Max-Age=(59|60); HttpOnly; SameSite=Strict$`));
    expect((await handshake({ headers: { Cookie: `sid=${token}` } })).status).toBe(101);
    expect(server.connections[0]?.principal?.name).toBe('ada');
  });
});

describe('a page of another origin', () => {
  it('that was named may read the answer, and is told so before it asks', async () => {
    const { port } = await stage({}, { origins: [ORIGIN] });
    const preflight = await ask(
      port,
      { Origin: ORIGIN, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type',
    });
    const answer = await ask(port, { Origin: ORIGIN, Authorization: BASIC });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': ORIGIN, vary: 'Origin' });
    const refused = await ask(port, { Origin: ORIGIN });
    expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': ORIGIN } });
  });

  it('that was not named is refused, and learns nothing', async () => {
    const { port } = await stage({}, { origins: [ORIGIN] });
    for (const method of ['OPTIONS', 'POST']) {
      const answer = await ask(port, { Origin: 'https://evil.example', Authorization: BASIC }, method);
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('may connect, but not read, where any origin may', async () => {
    const { port } = await stage({}, { origins: ['*'] });
    const answer = await ask(port, { Origin: 'https://evil.example', Authorization: BASIC });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('using a token', () => {
  it('once lets in as its user; a replay does not', async () => {
    const { handshake, server, token } = await stage();
    const path = `/?token=${await token()}`;
    expect((await handshake({ path })).status).toBe(101);
    expect(server.connections[0]?.principal).toMatchObject({ name: 'ada', scheme: 'session', tags: ['staff'] });
    expect(server.connections[0]?.request.url).toBe('/');
    expect((await handshake({ path })).status).toBe(401);
  });

  it('is over when its use was refused for something else behind it', async () => {
    const { handshake, token } = await stage({}, { noSubprotocol: 'reject' });
    const path = `/?token=${await token()}`;
    expect((await handshake({ path, subprotocols: ['x'] })).status).toBe(400);
    expect((await handshake({ path })).status).toBe(401);
  });

  it('works in a subprotocol, in Authorization and as the first message', async () => {
    const { handshake, open, events, token } = await stage({ subprotocol: 'bearer', firstMessage: true });
    expect((await handshake({ subprotocols: ['bearer', await token()] })).headers['sec-websocket-protocol']).toBe(
      'bearer',
    );
    expect((await handshake({ headers: { Authorization: `Bearer ${await token()}` } })).status).toBe(101);
    await events.connections.next();
    await events.connections.next();
    const client = await open();
    client.sendText(await token());
    expect((await events.connections.next()).principal?.name).toBe('ada');
  });

  it('again and again is possible for its lifetime, which ends its connections', async () => {
    const { handshake, open, token, events } = await stage({
      sessions: { singleUse: false, lifetime: 1000 },
      expiryWarning: 0,
    });
    const path = `/?token=${await token()}`;
    const first = await open({ path });
    expect((await handshake({ path })).status).toBe(101);
    expect(await first.answerClose()).toMatchObject({ code: 1008, reason: 'credentials expired' });
    expect(await events.reports.next()).toMatchObject({ cause: 'CREDENTIALS_EXPIRED', initiator: 'proxy' });
    expect((await handshake({ path })).status).toBe(401);
  });
});

it('tokens of a server that was stopped are worth nothing when it is started again', async () => {
  const { server, handshake, token, port } = await stage();
  const path = `/?token=${await token()}`;
  await server.restart();
  expect(server.addresses[0]?.port).toBe(port);
  expect((await handshake({ path })).status).toBe(401);
});

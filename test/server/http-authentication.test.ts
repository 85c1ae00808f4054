/** Owns that a plain request is let in by the same credentials as a handshake, that they go no further, and who is believed to send it. */
import { describe, expect, it } from 'vitest';
import type { LoadBalancerOptions } from '../../src/index.js';
import { mirror, requestText, startBackend, startBalancer } from './http-stage.js';

const basic = (user: string, password: string) =>
  `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const options: LoadBalancerOptions = {
  authentication: { users: { ann: 'secret' }, url: 'query', sessions: { path: '/token' }, cookie: 'sid' },
  origins: ['https://app.example'],
  admission: { bans: { threshold: 0 } },
};

describe('where authentication is on, a plain request', () => {
  it('without credentials gets 401 and how to show some, and no backend hears of it', async () => {
    const backend = await startBackend(mirror);
    const { talk, rejections, reports } = await startBalancer([backend], options);
    const client = await talk();
    for (let round = 0; round < 2; round += 1) {
      const { status, head } = await client.ask('GET /');
      expect(status).toBe(401);
      expect(head.headers['www-authenticate']).toContain('Basic realm=');
      expect(await rejections.next()).toMatchObject({ error: 'UNAUTHENTICATED', status: 401, path: '/' });
      expect(await reports.next()).toMatchObject({ status: 401, backend: undefined });
    }
    expect(backend.requests).toHaveLength(0);
  });

  it('with wrong ones gets 401, and its address is held to account', async () => {
    const backend = await startBackend(mirror);
    const bans = { admission: { bans: { threshold: 12 }, exempt: [] } };
    const { talk, server } = await startBalancer([backend], { ...options, ...bans });
    const client = await talk();
    for (let round = 0; round < 3; round += 1)
      expect((await client.ask('GET /', [basic('ann', 'no')])).status).toBe(401);
    expect(server.bans.map(({ address }) => address)).toEqual(['127.0.0.1']);
    expect(backend.requests).toHaveLength(0);
  });

  it('with right ones goes on without them, each time on its connection anew', async () => {
    const { talk, reports } = await startBalancer([await startBackend(mirror)], options);
    const client = await talk();
    const byField = await client.ask('GET /a', [basic('ann', 'secret'), 'Cookie: a=1']);
    expect(byField.status).toBe(200);
    expect(byField.text).not.toMatch(/authorization/i);
    const byUrl = await client.ask('GET /b?user=ann&password=secret&x=1');
    expect(JSON.parse(byUrl.text).url).toBe('/b?x=1');
    expect((await client.ask('GET /c')).status).toBe(401);
    expect(JSON.stringify(reports.all)).not.toContain('secret');
  });

  it('gets a token by a connection that had other requests, and goes on by it', async () => {
    const { talk } = await startBalancer([await startBackend(mirror)], options);
    const client = await talk();
    expect((await client.ask('GET /a', [basic('ann', 'secret')])).status).toBe(200);
    const { status, text } = await client.ask('GET /token', [basic('ann', 'secret')]);
    expect(status).toBe(200);
    const { token } = JSON.parse(text);
    const other = await talk();
    const { text: seen } = await other.ask('GET /b', [`Cookie: a=1; sid=${token}`]);
    expect(JSON.parse(seen).rawHeaders).toContain('a=1');
    expect(seen).not.toContain(token);
  });

  it('is not asked for its Origin', async () => {
    const { talk } = await startBalancer([await startBackend(mirror)], options);
    expect((await (await talk()).ask('GET /', [basic('ann', 'secret'), 'Origin: https://evil.example'])).status).toBe(
      200,
    );
  });

  it('passes as it is where http.authenticate is off', async () => {
    const { talk } = await startBalancer([await startBackend(mirror)], { ...options, http: { authenticate: false } });
    const { text } = await (await talk()).ask('GET /?user=ann', [basic('bob', 'his own')]);
    expect(JSON.parse(text).url).toBe('/?user=ann');
    expect(JSON.parse(text).rawHeaders).toContain('Authorization');
  });

  it('is not answered twice when the client sends another one ahead', async () => {
    const backend = await startBackend(mirror);
    const { talk } = await startBalancer([backend], options);
    const client = await talk();
    client.connection.write(requestText('GET /1', []) + requestText('GET /2', [basic('ann', 'secret')]));
    expect((await client.answer()).status).toBe(401);
    expect(JSON.parse((await client.answer()).text).url).toBe('/2');
  });
});

describe('behind a trusted proxy', () => {
  const trusted: LoadBalancerOptions = { trustedProxies: ['127.0.0.1'] };

  it('each request of a connection is that of the client it was sent for', async () => {
    const { talk, reports } = await startBalancer([await startBackend(mirror)], trusted);
    const client = await talk();
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) {
      const { text } = await client.ask('GET /', [`X-Forwarded-For: ${address}`]);
      expect(JSON.parse(text).rawHeaders.join()).toContain(`X-Forwarded-For,${address}, 127.0.0.1`);
      expect((await reports.next()).remoteAddress).toBe(address);
    }
  });

  it('a client that may not come in is kept out, also by a connection that others came by', async () => {
    const backend = await startBackend();
    const { talk, server } = await startBalancer([backend], { ...trusted, admission: { deny: ['192.0.2.66'] } });
    const client = await talk();
    const ask = async (address: string) => (await client.ask('GET /', [`X-Forwarded-For: ${address}`])).status;
    expect([await ask('192.0.2.1'), await ask('192.0.2.66'), await ask('192.0.2.66'), await ask('192.0.2.1')]).toEqual([
      200, 403, 403, 200,
    ]);
    expect(backend.requests).toHaveLength(2);
    expect(server.snapshot().refused.byError).toEqual({ ADDRESS_DENIED: 2 });
  });

  it('counts a client as long as it is the one who came last', async () => {
    const options = { ...trusted, limits: { maxConnectionsPerAddress: 1 } };
    const { talk } = await startBalancer([await startBackend()], options);
    const [one, two] = [await talk(), await talk()];
    const from = (address: string) => [`X-Forwarded-For: ${address}`];
    expect((await one.ask('GET /', from('192.0.2.1'))).status).toBe(200);
    expect((await two.ask('GET /', from('192.0.2.2'))).status).toBe(200);
    expect((await two.ask('GET /', from('192.0.2.1'))).status).toBe(503);
    expect((await one.ask('GET /', from('192.0.2.3'))).status).toBe(200);
    expect((await two.ask('GET /', from('192.0.2.1'))).status).toBe(200);
  });
});

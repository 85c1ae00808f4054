/**
 * Holds for every way to show credentials that the right ones let in, all others do not, and that no secret gets any further than
 * to where it is checked: into no event, log line, snapshot, answer, header or path.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Connection, ProxyServer, type UpgradeRequest } from '../../../src/index.js';
import { logServerEvents } from '../../../src/server/cli/server-log.js';
import { createLogger } from '../../../src/server/telemetry/logger.js';
import type { RawClientOptions } from '../../support/raw-client.js';
import { QuietReceiver } from '../../support/recording-receiver.js';
import { handshake, startUpstream, stopAfterTest } from '../stage.js';
import { everyWay, type Way } from './ways.js';

/** A proxy before a WebSocket target, and everything it lets out. */
async function stage({ options, secrets }: Way) {
  const target = await startUpstream();
  const told: string[] = [];
  const requests: UpgradeRequest[] = [];
  const server = new ProxyServer({
    listen: '127.0.0.1:0',
    target: target.url,
    receiver: (request) => {
      requests.push(request);
      return new QuietReceiver();
    },
    ...options,
  });
  stopAfterTest(server);
  const tell = (...values: unknown[]) =>
    void told.push(inspect(values, { depth: 12, getters: true, showHidden: true }));
  for (const name of ['connection', 'disconnected', 'rejected', 'exception', 'error', 'expiring'] as const) {
    server.on(name, (...values: unknown[]) => tell(name, ...values));
  }
  const write = (text: string) => void told.push(text);
  logServerEvents(server, createLogger({ format: 'json', level: 'trace', destination: { write } }));
  logServerEvents(server, createLogger({ format: 'text', level: 'trace', destination: { write } }));
  const [address] = await server.start();
  return {
    server,
    target,
    requests,
    show: async (client: RawClientOptions) => {
      const answer = await handshake({ port: address!.port, ...client });
      told.push(answer.head, answer.body);
      return answer;
    },
    /** Everything that was let out so far, with everything that can be asked for now. */
    assertNothingTold: () => {
      tell(server.snapshot(), ...server.connections.map(factsOf), ...requests.map((request) => ({ ...request })));
      for (const peer of target.peers) told.push(peer.requestHead);
      const all = told.join('\n');
      for (const secret of secrets) expect(all).not.toContain(secret);
      expect(all.length).toBeGreaterThan(0);
    },
  };
}

function factsOf({ request, principal }: Connection) {
  const { url, path, query, headers, rawHeaders, subprotocols } = request;
  return { url, path, query: [...query], headers, rawHeaders, subprotocols, principal };
}

describe.each((await everyWay()).map((way) => ({ ...way, toString: () => way.name })))('$name', (way) => {
  it('lets the right credentials in, as who they are of, and passes on nothing of them', async () => {
    const { server, target, requests, show, assertNothingTold } = await stage(way);
    const answer = await show(way.right);
    expect(answer.status).toBe(101);
    const [connection] = server.connections;
    expect(connection?.principal).toMatchObject({ name: 'ada', scheme: way.scheme });
    expect(connection?.snapshot().user).toBe('ada');
    expect(requests[0]?.principal).toBe(connection?.principal);
    expect(connection?.request.path).toBe('/');
    const peer = await target.nextConnection();
    answer.client?.sendText('through');
    expect(await peer.nextText()).toBe('through');
    expect(peer.headers.authorization).toBeUndefined();
    assertNothingTold();
  });

  it.each(Object.entries(way.wrong))(
    'refuses credentials that are %s with 401, without a dial or a receiver',
    async (_, { show: shown, error }) => {
      const { server, target, requests, show, assertNothingTold } = await stage(way);
      const rejected = new Promise<string>((resolve) =>
        server.once('rejected', (info) => resolve(`${info.status} ${info.error}`)),
      );
      const answer = await show(shown);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/realm="tidegate"/);
      expect(answer.body).toMatch(/^(What the client showed is wrong|The token that let the client in has expired)/);
      expect(await rejected).toBe(`401 ${error}`);
      expect(requests).toEqual([]);
      expect(target.accepted).toBe(0);
      expect(server.snapshot().connections).toEqual([]);
      assertNothingTold();
    },
  );

  it('asks for credentials when there are none', async () => {
    const { requests, target, show, assertNothingTold } = await stage(way);
    const answer = await show({});
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).not.toContain('error=');
    expect(requests).toEqual([]);
    expect(target.accepted).toBe(0);
    assertNothingTold();
  });

  it('lets anonymous clients in when they may, without a principal, and still refuses wrong credentials', async () => {
    const allowed = {
      ...way,
      options: { ...way.options, authentication: { ...way.options.authentication, allowAnonymous: true } },
    };
    const { server, show, assertNothingTold } = await stage(allowed);
    expect((await show({})).status).toBe(101);
    expect(server.connections[0]?.principal).toBeUndefined();
    expect(server.connections[0]?.snapshot().user).toBeUndefined();
    for (const { show: shown } of Object.values(way.wrong)) expect((await show(shown)).status).toBe(401);
    assertNothingTold();
  });

  it('says nothing of the credentials when the request is refused for something else', async () => {
    const { server, show, assertNothingTold } = await stage(way);
    for (const { headers, ...rest } of [way.right, ...Object.values(way.wrong).map(({ show: shown }) => shown)]) {
      expect((await show({ ...rest, headers: { ...headers, 'Sec-WebSocket-Version': '8' } })).status).toBe(426);
      expect((await show({ ...rest, headers: headers ?? {}, omitHeaders: ['Upgrade'] })).status).toBe(426);
      expect((await show({ ...rest, headers: { ...headers, 'Bad Name': 'x' } })).status).toBe(400);
    }
    expect(server.snapshot().connections).toEqual([]);
    assertNothingTold();
  });
});
